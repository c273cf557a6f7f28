"""``topcook preflight``: one tiny job per scheduler says, from over there, whether a cook can work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.interrupts import Early, catches_signals
from topcook.cli.options import load, load_again, network_options

if TYPE_CHECKING:
    from topcook.cli.terminal import Terminal
    from topcook.factory.diagnosis import Diagnosis
    from topcook.runtime.api import GraphContext
    from topcook.runtime.preflight import Trial

#: How long jobs may take to end after Ctrl-C, in seconds; a second one does not wait for them.
_PATIENCE = 40.0


@click.command("preflight")
@network_options
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@catches_signals
def command(*, early: Early, network: str, timeout: float, as_json: bool, **options: Any) -> int:
    """Send a tiny job through each scheduler of a network.

    It tells what it finds where the jobs run: the shared directory both ways, the path map, Python and hython, the
    result server, the clock, user and umask. For what is wrong it says the one thing to do. Nothing else is cooked.
    All schedulers are looked at together. One that runs no commands has nothing to look at, and is no obstacle.

    Exit status: 0 all schedulers are ready, 1 one is not, 2 the network cannot be read, 130 interrupted: its jobs are
    ended then.

    \b
    Example:
        topcook preflight network.toml
        topcook preflight network.toml --profile farm --timeout 300
    """
    from topcook.cli.terminal import Terminal
    from topcook.contract.secrets import redacted
    from topcook.runtime.preflight import schedulers_of

    terminal, found = Terminal(), []
    contexts = [load(network, options, to_run=True)]
    try:
        names = schedulers_of(contexts[0], options["nodes"])
        # A context has one cook at a time.
        contexts += [load_again(network, options, contexts[0]) for _ in names[1:]]
        with terminal.taken(), _trials(contexts, names, timeout) as trials:
            for trial in trials:
                found.append(trial.wait())
                if not as_json:
                    _show(found[-1], terminal)
    finally:
        terminal.forget()
        for context in contexts:
            context.close()
    healthy = all(each.healthy for each in found)
    if as_json:
        import json

        rows = [each.data() for each in found]
        click.echo(json.dumps(redacted({"version": 1, "ready": healthy, "schedulers": rows}), indent=2))
    return COOKED if healthy else UNCOOKED


@contextmanager
def _trials(contexts: Sequence[GraphContext], names: Sequence[str], timeout: float) -> Iterator[list[Trial]]:
    """One for each scheduler, under way; whatever comes, none is left when this ends."""
    from topcook.runtime.preflight import Trial

    trials = [Trial(context, name, timeout) for context, name in zip(contexts, names, strict=False)]
    try:
        for trial in trials:
            trial.start()
        yield trials
    except BaseException:
        # Ctrl-C and a signal as much as a mistake: their jobs are on farms.
        try:
            for trial in trials:
                trial.cancel()
            for trial in trials:
                trial.wait_for_end(_PATIENCE)
        finally:
            for trial in trials:
                trial.kill()
        raise


def _show(found: Diagnosis, terminal: Terminal) -> None:
    from topcook.cli.doctor import diagnosis_text
    from topcook.cli.menu_text import Page
    from topcook.contract.secrets import redacted

    click.echo(redacted(diagnosis_text(found, Page.of(terminal.out))), nl=False, file=terminal.out)
