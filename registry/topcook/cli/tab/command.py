"""``topcook tab``: choose a type in the TAB menu."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from topcook.cli.configured import configuration
from topcook.factory import Factory, check_pdg_is_ours

if TYPE_CHECKING:
    from topcook.cli.tab.entries import Entry
    from topcook.cli.tab.into import Target
    from topcook.cli.tab.look import Look
    from topcook.cli.tab.terminal import Terminal

_NOTHING_CHOSEN = 1
#: How many seconds the first picture waits for files that are not known yet; their rows follow.
_PATIENCE = 1.0


@click.command("tab")
@click.option(
    "--types",
    type=click.Choice(["schedulers", "nodes", "all"]),
    default="schedulers",
    show_default=True,
    help="Which kind of types to choose from.",
)
@click.option(
    "--into",
    "network",
    type=click.Path(),
    metavar="NETWORK",
    help="Write the choice into this TOML network, as its default scheduler.",
)
@click.option("--node", metavar="NAME", help="With --into: as the scheduler of this node instead.")
@click.option("--as", "name", metavar="NAME", help="With --into: what the network calls the chosen one.")
@click.option("--full", is_flag=True, help="Take the whole screen instead of 16 lines.")
@click.pass_context
def command(
    ctx: click.Context, *, types: str, network: str | None, node: str | None, name: str | None, full: bool
) -> int:
    """Choose a scheduler in the TAB menu.

    The menu is drawn on the terminal, the chosen name goes to standard output. Type to filter, Enter chooses, ? tells
    of all other keys. Without a terminal the types are listed as topcook list does.

    --into writes the choice into a network: a scheduler of that type, unless there is one already, as the network's
    default or the override of a node. A chosen node type becomes a node at the file's end. All else in the file,
    comments too, stays as it is.

    Exit status: 0 chosen, 1 left without a choice, 130 interrupted.

    \b
    Example:
        topcook tab
        topcook cook network.toml --scheduler "$(topcook tab)"
        topcook tab --into network.toml --node render
    """
    from topcook.cli.tab.terminal import open_terminal

    check_pdg_is_ours()
    target = _target(network, node, name, types)
    terminal = open_terminal()
    if terminal is None and target is not None:
        raise click.UsageError("--into needs a terminal: the choice is made there")
    if terminal is None:
        from topcook.cli.list_types import command as listing

        ctx.invoke(listing, types=types)
        return 0
    try:
        chosen = _choose(terminal, types, target, full=full)
    finally:
        terminal.close()
    if chosen is None:
        return _NOTHING_CHOSEN
    if target is not None:
        click.echo(target.place(chosen), err=True)
    click.echo(chosen.record.name)
    return 0


def _target(network: str | None, node: str | None, name: str | None, types: str) -> Target | None:
    """What the choice is written into. Raises for what cannot work before anybody has chosen."""
    if network is None:
        if node is not None or name is not None:
            raise click.UsageError("--node and --as belong to --into NETWORK")
        return None
    if node is not None and types != "schedulers":
        raise click.UsageError("--node is for schedulers: leave out --types")
    from topcook.cli.tab.into import Target

    return Target(network, node, name)


def _choose(terminal: Terminal, types: str, target: Target | None, *, full: bool) -> Entry | None:
    from topcook.cli.tab.entries import recent_key
    from topcook.cli.tab.feed import Feed
    from topcook.cli.tab.menu import Menu
    from topcook.cli.tab.paint import Painter
    from topcook.cli.tab.recent import read_recent, recent_path, remember
    from topcook.cli.tab.run import MenuLoop
    from topcook.cli.tab.session import Session
    from topcook.factory.scan import START
    from topcook.runtime.overrides import DEFAULT

    by_line = os.environ.get("TERM") == "dumb"
    # Lines that are printed once cannot change afterwards: they wait as every listing does.
    factory = Factory.scan(config=configuration(), patience=START if by_line else _PATIENCE)
    feed = Feed(factory, types)
    recent = recent_path()
    menu = Menu(feed.entries(), read_recent(recent))
    if by_line:
        from topcook.cli.tab.prompt import choose_by_line

        chosen = choose_by_line(menu, terminal.ask, lambda text: terminal.write(f"{text}\n"))
    else:
        painter = Painter(_look(), (target.default_type() if target is not None else "") or DEFAULT)
        chosen = MenuLoop(terminal, Session(menu), painter, feed, full=full).choose()
    if chosen is not None:
        remember(recent, recent_key(chosen.record))
    return chosen


def _look() -> Look:
    """Colours and shapes as far as the environment and the terminal's encoding let us."""
    from topcook.cli.tab.look import Look

    if os.environ.get("NO_COLOR"):
        return Look(plain=True)
    try:
        "●✗▸…─".encode(sys.stderr.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return Look(plain=True)
    return Look()
