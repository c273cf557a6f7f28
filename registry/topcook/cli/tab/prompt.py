"""The menu for a terminal that cannot move its cursor: the rows once, then a question."""

from __future__ import annotations

from collections.abc import Callable

import click

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.look import Look
from topcook.cli.tab.menu import Menu
from topcook.cli.tab.pages import problems_page
from topcook.model.cells import cell_width, padded

__all__ = ["choose_by_line"]


def choose_by_line(menu: Menu, ask: Callable[[str], str | None], tell: Callable[[str], None]) -> Entry | None:
    """Show the types, and ask until one is chosen; ``None`` on an empty answer or at the end of input.

    ``ask`` shows a question and gives the answer without its line end, ``None`` at the end of input.
    """
    look = Look(plain=True)
    width = max((cell_width(each.row.label) for each in menu.entries), default=0)
    for category in menu.categories:
        tell(f"{category} {look.signs.submenu}")
        for each in menu.entries:
            if each.row.category == category:
                wrong = each.row.note.replace("…", look.signs.dots)
                note = each.row.name if each.choosable else f"{look.word(each.look)}: {wrong}"
                tell(f"  {look.glyph(each.look)} {padded(each.row.label, width)}  {note}")
    while answer := (ask("name, or its beginning (nothing: leave): ") or "").strip():
        menu.press("ctrl-u")
        menu.insert(answer)
        entry = menu.entry
        if entry is None:
            tell(f'nothing fits "{answer}"')
        elif entry.choosable:
            return entry
        else:
            tell("\n".join(map(click.unstyle, problems_page(entry, look).lines)))
    return None
