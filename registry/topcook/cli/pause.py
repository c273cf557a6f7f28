"""``topcook pause``: have a running cook begin nothing new."""

from __future__ import annotations

import click

from topcook.cli.control import found, said, tell
from topcook.cli.guard import COOKED
from topcook.errors import CookRefusedError


@click.command("pause")
@click.argument("cook")
def command(*, cook: str) -> int:
    """Have a running cook begin nothing new.

    What runs goes on to its end. COOK is its id, the beginning of it, or its network file:
    topcook cooks shows them. `topcook unpause` lets it go on. A cook that was ended and is resumed is not paused.

    \b
    Example:
        topcook pause network.toml
    """
    seen = found(cook)
    if not seen.is_running:
        raise CookRefusedError(f"cook {seen.cook} does not run: {said(seen)}")
    if seen.state == "stopped":
        raise CookRefusedError(f"cook {seen.cook} is stopped (Ctrl-Z): it begins nothing as it is")
    answer = tell(seen, {"ask": "pause"})
    counts = answer.get("counts", {})
    running = counts.get("Cooking", 0) + counts.get("Scheduled", 0)
    rest = f"{running:,} running to the end" if running else "nothing runs"
    waits = f"paused: {rest}" if answer.get("changed") else f"it was paused already: {rest}"
    click.echo(f"{seen.cook} {waits}\n    go on: topcook unpause {cook}")
    return COOKED
