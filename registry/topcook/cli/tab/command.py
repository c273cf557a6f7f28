"""``topcook tab``: choose a type in the TAB menu."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from topcook.factory import Factory, check_pdg_is_ours

if TYPE_CHECKING:
    from topcook.cli.tab.entries import Entry
    from topcook.cli.tab.look import Look
    from topcook.cli.tab.terminal import Terminal

_NOTHING_CHOSEN = 1


@click.command("tab")
@click.option(
    "--types",
    type=click.Choice(["schedulers", "nodes", "all"]),
    default="schedulers",
    show_default=True,
    help="Which kind of types to choose from.",
)
@click.option("--full", is_flag=True, help="Take the whole screen instead of 16 lines.")
@click.pass_context
def command(ctx: click.Context, *, types: str, full: bool) -> int:
    """Choose a scheduler in the TAB menu.

    The menu is drawn on the terminal, the chosen name goes to standard output. Type to filter, Enter chooses, ? tells
    of all other keys. Without a terminal the types are listed as topcook list does.

    Exit status: 0 chosen, 1 left without a choice, 130 interrupted.

    \b
    Example:
        topcook tab
        topcook cook network.toml --scheduler "$(topcook tab)"
    """
    from topcook.cli.tab.terminal import open_terminal

    check_pdg_is_ours()
    terminal = open_terminal()
    if terminal is None:
        from topcook.cli.list_types import command as listing

        ctx.invoke(listing, types=types)
        return 0
    try:
        chosen = _choose(terminal, types, full=full)
    finally:
        terminal.close()
    if chosen is None:
        return _NOTHING_CHOSEN
    click.echo(chosen.record.name)
    return 0


def _choose(terminal: Terminal, types: str, *, full: bool) -> Entry | None:
    from topcook.cli.tab.entries import recent_key
    from topcook.cli.tab.feed import Feed
    from topcook.cli.tab.menu import Menu
    from topcook.cli.tab.paint import Painter
    from topcook.cli.tab.recent import read_recent, recent_path, remember
    from topcook.cli.tab.run import MenuLoop
    from topcook.cli.tab.session import Session
    from topcook.runtime.overrides import DEFAULT

    factory = Factory.scan()
    feed = Feed(factory, types)
    recent = recent_path()
    session = Session(Menu(feed.entries(), read_recent(recent)))
    chosen = MenuLoop(terminal, session, Painter(_look(), DEFAULT), feed, full=full).choose()
    if chosen is not None:
        remember(recent, recent_key(chosen.record))
    return chosen


def _look() -> Look:
    """Colours and shapes as far as the environment and the terminal's encoding let us."""
    from topcook.cli.tab.look import Look

    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return Look(plain=True)
    try:
        "●✗▸…─".encode(sys.stderr.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return Look(plain=True)
    return Look()
