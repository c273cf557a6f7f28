"""``topcook unpause``: let a paused cook go on."""

from __future__ import annotations

import click

from topcook.cli.control import found, said, tell
from topcook.cli.guard import COOKED
from topcook.errors import CookRefusedError


@click.command("unpause")
@click.argument("cook")
def command(*, cook: str) -> int:
    """Let a paused cook go on.

    COOK is its id, the beginning of it, or its network file: topcook cooks shows them.

    \b
    Example:
        topcook unpause network.toml
    """
    seen = found(cook)
    if not seen.is_running:
        resume = f"\n    to go on with it: topcook resume {cook}" if seen.state != "cooked" and seen.journal else ""
        raise CookRefusedError(f"cook {seen.cook} does not run: {said(seen)}{resume}")
    if seen.state == "stopped" and seen.process is not None:
        raise CookRefusedError(
            f"cook {seen.cook} is stopped (Ctrl-Z), not paused\n    fg in its shell, or kill -CONT {seen.process.pid}"
        )
    answer = tell(seen, {"ask": "unpause"})
    click.echo(f"{seen.cook} {'goes on' if answer.get('changed') else 'was not paused'}")
    return COOKED
