"""``topcook detach``: have a running cook end, and leave its jobs to the farms that keep them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from topcook.cli.control import UnheardError, found, said, short, tell
from topcook.cli.cooks import away_text, items_text
from topcook.cli.guard import COOKED, INTERRUPTED, UNCOOKED
from topcook.cli.terminal import Terminal
from topcook.errors import CookRefusedError

if TYPE_CHECKING:
    from topcook.runtime.control.known import Seen

#: Seconds between two looks at a cook that is to be let go, and the least between two words about it.
_PERIOD, _TELL_EVERY = 0.1, 2.0


@click.command("detach")
@click.argument("cook")
@click.option("--now", is_flag=True, help="Begin nothing more: what no farm has yet is left for `topcook resume`.")
def command(*, cook: str, now: bool) -> int:
    """Let go of a cook whose jobs farms keep.

    The cook ends, and ends no job: what is with a farm goes on there, and `topcook resume` takes it up later. It does
    so once all that is left is with such farms; with --now, once all that was begun is. Work that needs this machine
    (local jobs, Python of the cook's own) is waited for, and this tells what it waits for. A cook for which that moment
    never comes ends as ever. COOK is its id, the beginning of it, or its network file: topcook cooks shows them.

    Exit status: 0 let go, or cooked meanwhile, 1 it ended otherwise, 2 there is no such cook here, 130 interrupted
    while waiting.

    \b
    Example:
        topcook detach network.toml
        topcook detach 95495ed --now
    """
    seen = found(cook)
    if not seen.is_running:
        raise CookRefusedError(f"cook {seen.cook} does not run: {said(seen)}")
    if seen.state == "stopped":
        raise CookRefusedError(f"cook {seen.cook} is stopped (Ctrl-Z): let it go on first, by fg in its shell")
    tell(seen, {"ask": "detach", "now": now})
    try:
        _wait(seen)
    except KeyboardInterrupt:
        click.echo("not waited for: the cook is let go when that can be; topcook cooks shows how far it is", err=True)
        return INTERRUPTED
    return _say_end(seen)


def _wait(seen: Seen) -> None:
    process = seen.process
    terminal, due, last = Terminal(), time.monotonic() + _TELL_EVERY, ""
    while process is not None and process.is_alive():
        if time.monotonic() >= due:
            due = time.monotonic() + _TELL_EVERY
            kept = _kept(seen)
            if kept and kept != last:
                last = kept
                terminal.write(f"not let go yet: {kept}\n")
        time.sleep(_PERIOD)


def _kept(seen: Seen) -> str:
    try:
        return "; ".join(map(str, tell(seen, {"ask": "status"}).get("kept", ())))
    except (UnheardError, CookRefusedError):
        # It has just ended, or is about to.
        return ""


def _say_end(seen: Seen) -> int:
    from topcook.runtime.control.known import DETACHED, find_seen

    after = find_seen(seen.cook)
    if after is None:
        raise CookRefusedError(f"cook {seen.cook} has ended, and left nothing")
    text = items_text(after)
    click.echo(f"{after.cook} {after.state}{f': {text}' if text else ''}")
    if after.away:
        click.echo(f"    {away_text(after.away)}")
    if after.state != "cooked":
        click.echo(f"    go on with it: topcook resume {short(after)}")
    return COOKED if after.state in {DETACHED, "cooked"} else UNCOOKED
