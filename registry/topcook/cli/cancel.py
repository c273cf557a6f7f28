"""``topcook cancel``: end a running cook, some of its items, or what a dead one left running."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.control import UnheardError, found, said, short, tell, wake
from topcook.cli.cooks import away_text, items_text
from topcook.cli.guard import COOKED, INTERRUPTED, UNCOOKED
from topcook.cli.problems import counted
from topcook.cli.terminal import Terminal
from topcook.errors import CookRefusedError, TopcookError

if TYPE_CHECKING:
    from topcook.runtime.alive import Process
    from topcook.runtime.control.known import Seen

#: Seconds between two looks at a cook that ends, and between two words about it.
_PERIOD, _TELL_EVERY = 0.1, 2.0
#: Seconds for a process to go once its cook is over.
_GOING = 30.0


@click.command("cancel")
@click.argument("cook")
@click.option("--node", metavar="N", help="Only the items that this node has by now.")
@click.option("--item", metavar="I", help="Only this work item, by its name or id.")
@click.option("--now", is_flag=True, help="Kill the jobs, without letting them tidy up.")
def command(*, cook: str, node: str | None, item: str | None, now: bool) -> int:
    """End a running cook, or what a dead one left running.

    It is as Ctrl-C in its terminal: jobs are ended (TERM, then KILL), every scheduler gets its onStopCook(True),
    journal and report say canceled; this waits until that is done. Of a cook that died, the jobs that it left running
    here are ended, and those on a farm by the scheduler that sent them. COOK is its id, the beginning of it, or its
    network file: topcook cooks shows them.

    Exit status: 0 ended, 1 something of it still runs, 2 there is no such cook here, 130 interrupted while waiting.

    \b
    Example:
        topcook cancel network.toml
        topcook cancel 95495ed --node render
    """
    if now and (node or item):
        raise click.UsageError("--now is for a whole cook; a node or an item is ended as its scheduler ends it")
    seen = found(cook)
    try:
        if not seen.is_running:
            return _end_dead(seen, part=bool(node or item))
        if node or item:
            return _cancel_items(seen, {"node": node, "item": item})
        return _cancel(seen, now=now)
    except KeyboardInterrupt:
        click.echo("not waited for: the cook ends by itself; topcook cooks shows how far it is", err=True)
        return INTERRUPTED


def _cancel(seen: Seen, *, now: bool) -> int:
    by = f"topcook cancel (process {os.getpid()})"
    process = seen.process
    assert process is not None  # noqa: S101 - it runs
    if wake(seen):
        click.echo("it was stopped (Ctrl-Z), and goes on to end", err=True)
    try:
        tell(seen, {"ask": "cancel", "by": by, "now": now})
    except UnheardError:
        # While schedulers are made, which may take its time, there is no door.
        _terminate(process)
    terminal = Terminal()
    due = time.monotonic()
    last = ""
    while process.is_alive():
        if time.monotonic() >= due:
            due = time.monotonic() + _TELL_EVERY
            far = _progress(seen)
            if far and far != last:
                last = far
                terminal.write(f"ending {seen.cook}: {far}\n")
        time.sleep(_PERIOD)
    return _say_end(seen)


def _terminate(process: Process) -> None:
    try:
        os.kill(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        # It has just ended.
        return
    except PermissionError:
        raise CookRefusedError(
            f"process {process.pid} of {process.user} cannot be told to end: it is another user's"
        ) from None
    click.echo(f"it does not listen: process {process.pid} was sent a SIGTERM", err=True)


def _progress(seen: Seen) -> str:
    """How far a cook is that ends; empty when it does not say."""
    from topcook.runtime.control.knock import NobodyAnswersError, ask

    try:
        if seen.card is None:
            return ""
        seen.counts = dict(ask(seen.card, {"ask": "status"}, 1.0).get("counts", {}))
    except NobodyAnswersError:
        return ""
    return items_text(seen)


def _say_end(seen: Seen) -> int:
    from topcook.runtime.control.known import find_seen

    after = find_seen(seen.cook)
    if after is None or not after.journal:
        click.echo(f"{seen.cook} has ended")
        return COOKED if after is None or not after.jobs else UNCOOKED
    click.echo(f"{seen.cook} {after.state}{_rest(after)}")
    if after.is_running or after.jobs:
        return UNCOOKED
    if after.state != "cooked":
        click.echo(f"    go on with it: topcook resume {short(after)}")
    return COOKED


def _rest(seen: Seen) -> str:
    from topcook.runtime.journal.glance import count_items

    seen.counts = count_items(seen.journal)
    text = items_text(seen)
    return f": {text}" if text else ""


def _cancel_items(seen: Seen, chosen: dict[str, str | None]) -> int:
    which: dict[str, Any] = {name: text for name, text in chosen.items() if text is not None}
    if seen.state == "stopped" and seen.process is not None:
        raise CookRefusedError(
            f"cook {seen.cook} is stopped (Ctrl-Z)\n    fg in its shell, or kill -CONT {seen.process.pid}"
        )
    answer = tell(seen, {"ask": "cancel", **which})
    if not answer["open"]:
        click.echo(f"{counted(answer['items'], 'item')}, all of which had ended")
        return COOKED
    until = time.monotonic() + _GOING
    while (left := _open_items(seen, which)) and time.monotonic() < until:
        time.sleep(_PERIOD)
    if left:
        click.echo(
            f"{left:,} of {counted(answer['open'], 'item')} still run: their scheduler has not ended them", err=True
        )
        return UNCOOKED
    click.echo(f"canceled {counted(answer['open'], 'item')}")
    return COOKED


def _open_items(seen: Seen, which: dict[str, Any]) -> int:
    try:
        return int(tell(seen, {"ask": "open", **which})["open"])
    except CookRefusedError:
        if seen.process is not None and seen.process.is_alive():
            raise
        return 0


def _end_dead(seen: Seen, *, part: bool) -> int:
    """End what a dead cook left running."""
    from topcook.runtime.control.dead import end_dead_of

    if seen.state not in {"dead", "detached"} and not seen.jobs:
        raise CookRefusedError(f"cook {seen.cook} does not run: {said(seen)}")
    if part:
        raise CookRefusedError(
            f"cook {seen.cook} is {seen.state}: its jobs can only be ended all together\n    topcook cancel {seen.cook}"
        )
    if seen.away:
        return _end_away(seen)
    if seen.jobs and sys.stderr.isatty():
        click.echo(f"ending {counted(len(seen.jobs), 'job')} …", err=True)
    left = end_dead_of(seen, "canceled")
    if left.survivors:
        numbers = " ".join(map(str, left.survivors))
        click.echo(f"these processes of it do not end: {numbers}\n    kill -9 {numbers}", err=True)
        return UNCOOKED
    ended = (
        f"ended {counted(len(left.tokens), 'job')} that it had left running"
        if left.tokens
        else "nothing of it ran here"
    )
    click.echo(f"{seen.cook} was {seen.state}: {ended}")
    if left.untold:
        click.echo(f"its journal does not know of it: {left.untold}", err=True)
        return UNCOOKED
    if seen.journal:
        click.echo(f"    go on with it: topcook resume {short(seen)}")
    return COOKED


def _end_away(seen: Seen) -> int:
    """The schedulers that sent them know how to end jobs on a farm: the cook goes on to have that done, and no more."""
    from topcook.cli.onlyend import LeftJobs
    from topcook.cli.resume import command as resume
    from topcook.runtime.control.known import left_away

    jobs = LeftJobs(frozenset(each.token for each in seen.away if each.ended))
    doing = "their ends are recorded" if len(jobs.ended) == len(seen.away) else "their schedulers are asked to end them"
    click.echo(f"{away_text(seen.away)}\n    {doing}", err=True)
    words = [seen.cook, "--progress", "off", "--only-end"]
    try:
        resume.main(words, prog_name="topcook cancel", standalone_mode=False, obj=jobs)
    except TopcookError as error:
        raise CookRefusedError(
            f"{error}\n    {away_text(seen.away)}\n"
            "    nothing was ended: mend what is said above, or end them by the farm's own means"
        ) from error
    # What its scheduler was asked for and did not find is gone; the cook has said so.
    left = [each for each in left_away(seen.cook, seen.journal) if each.token not in jobs.asked]
    if left:
        click.echo(f"{away_text(left)}\n    nobody has taken them up: end them by the farm's own means", err=True)
    return UNCOOKED if left else COOKED
