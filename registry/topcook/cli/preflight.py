"""``topcook preflight``: one tiny job per scheduler says, from over there, whether a cook can work."""

from __future__ import annotations

import sys
from typing import Any

import click

from topcook.cli.options import load, network_options


@click.command("preflight")
@network_options
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each of them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, network: str, timeout: float, as_json: bool, **options: Any) -> int:
    """Send a tiny job through each scheduler of a network.

    It tells what it finds where the jobs run: the shared directory both ways, the path map, Python and hython, the
    result server, the clock, user and umask. For what is wrong it says the one thing to do. Nothing else is cooked.

    Exit status: 0 all schedulers are ready, 1 one is not.

    \b
    Example:
        topcook preflight network.toml
        topcook preflight network.toml --scheduler myfarm --timeout 300
    """
    from topcook.cli.doctor import diagnosis_text
    from topcook.cli.menu_text import Page
    from topcook.contract.secrets import redacted
    from topcook.factory.quiet import captured_output
    from topcook.runtime.preflight import inspect, schedulers_of

    graph = load(network, options, to_run=True)
    found = []
    try:
        for name in schedulers_of(graph, options["nodes"]):
            with captured_output():
                found.append(inspect(graph, name, timeout))
            if not as_json:
                text = diagnosis_text(found[-1], Page.of(sys.stdout))
                click.echo(redacted(text), nl=False)
    finally:
        graph.close()
    healthy = all(each.healthy for each in found)
    if as_json:
        import json

        rows = [each.data() for each in found]
        click.echo(json.dumps(redacted({"version": 1, "ready": healthy, "schedulers": rows}), indent=2))
    return 0 if healthy else 1
