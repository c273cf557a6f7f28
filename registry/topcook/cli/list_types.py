"""``topcook list``: the menu."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click

from topcook.cli.problems import counted, problem_text
from topcook.factory import GLYPHS, Factory, Kind, MenuRow, check_pdg_is_ours, menu_rows

_COLOURS = {"ok": "green", "invalid": "red", "failed": "red", "needs houdini": "yellow", "shadowed": "bright_black"}
_GAP = 2


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known as JSON.")
@click.option("--all", "show_all", is_flag=True, help="Also show shadowed types and files that are no types files.")
@click.option(
    "--types",
    type=click.Choice(["schedulers", "nodes", "all"]),
    default="all",
    show_default=True,
    help="Which kind of types to list.",
)
def command(*, as_json: bool, show_all: bool, types: str) -> None:
    """List the schedulers and node types that can be chosen.

    Broken ones stand in place, with their first problem. The second column is the name to type.

    \b
    Example:
        topcook list --types schedulers
        PDG_TYPES_PATH=~/my/types topcook list
    """
    check_pdg_is_ours()
    factory = Factory.scan()
    if as_json:
        _print_json(factory, types)
        return
    _print_rows(menu_rows(factory.records, types, show_all=show_all))
    sys.stdout.flush()
    for problem in factory.problems:
        click.echo(problem_text(problem, level="warning"), err=True)
    _tell_of_broken(factory)


def _print_json(factory: Factory, types: str) -> None:
    import json

    from topcook.factory import listing

    click.echo(json.dumps(listing(factory.records, factory.problems, types), indent=2))


def _print_rows(rows: Sequence[MenuRow]) -> None:
    plain = not _shows_glyphs()
    words = {row.look: GLYPHS[row.look][2] for row in rows}
    widths = [max((len(getattr(row, field)) for row in rows), default=0) + _GAP for field in ("label", "name")]
    state_width = max((len(word) for word in words.values()), default=0) + _GAP
    room = _room() - 4 - sum(widths) - state_width
    category = None
    for row in rows:
        if row.category != category:
            category = row.category
            click.secho(f"{category} {'>' if plain else '▸'}", bold=True)
        glyph = GLYPHS[row.look][1 if plain else 0]
        mark = click.style(glyph, fg=_COLOURS.get(row.look))
        name = click.style(row.name.ljust(widths[1]), bold=row.look == "ok")
        state = click.style(words[row.look].ljust(state_width), fg=_COLOURS.get(row.look))
        line = f"  {mark} {row.label.ljust(widths[0])}{name}{state}{_short(_note(row), room, plain=plain)}"
        click.echo(line.rstrip())


def _note(row: MenuRow) -> str:
    """Where it comes from or what is wrong with it, and of a scheduler how it is given its static items."""
    record = row.record
    if record.kind is not Kind.SCHEDULER or not record.usable:
        return row.note
    takes, why = record.static
    if any(parm.name == "onschedulestatic" for parm in record.parms):
        return f"{row.note} - static: as the field onschedulestatic of the node says"
    return f"{row.note} - static: {'yes' if takes else 'no'}, because {why}"


def _shows_glyphs() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        "●✗▸…".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _room() -> int:
    """The columns of the terminal; elsewhere lines are never cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def _short(note: str, room: int, *, plain: bool) -> str:
    note = " ".join(note.split())
    dots = "..." if plain else "…"
    least = 12
    return note if len(note) <= room or room < least else note[: room - len(dots)] + dots


def _tell_of_broken(factory: Factory) -> None:
    broken = list(dict.fromkeys(record.origin.path for record in factory.records if record.blemished))
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        told = f"{counted(len(broken), 'file')} with problems; all of them: topcook check {broken[0]}{more}"
        click.echo(told, err=True)
