"""The menu and one type of it as text: in columns that fit the terminal, in ASCII where it knows no more."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from topcook.factory.menu import GLYPHS
from topcook.factory.records import Kind
from topcook.model.cells import cell_width, cut, padded

if TYPE_CHECKING:
    from topcook.factory.details import Details
    from topcook.factory.menu import MenuRow

__all__ = ["LOOK_COLOURS", "OVERRIDABLE", "Page", "details_text", "rows_text"]

LOOK_COLOURS = {
    "ok": "green",
    "edit broken": "yellow",
    "needs houdini": "yellow",
    "invalid": "red",
    "failed": "red",
    "shadowed": "bright_black",
    "disabled": "bright_black",
    "skipped": "bright_black",
}
#: The mark of a parm that single nodes may override, and its ASCII form.
OVERRIDABLE = ("◆", "+")
_GAP = 2
#: Columns: no more for a name before its row goes out of line, no fewer for a label, and for a note to be worth it.
_NAME_MOST, _LABEL_MOST, _LABEL_LEAST, _NOTE_LEAST = 32, 60, 12, 16
_WIDEST_TEXT = 100


class Page(NamedTuple):
    """What is written on: its columns, whether in ASCII only, whether in colours."""

    columns: int
    plain: bool
    coloured: bool

    @classmethod
    def of(cls, stream: TextIO) -> Page:
        """The page behind a stream; what is no terminal has no end to its lines."""
        terminal = stream.isatty()
        quiet = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        columns = _terminal_columns() if terminal else sys.maxsize
        return cls(columns, quiet or not _knows_glyphs(stream), terminal and not quiet)

    @property
    def dots(self) -> str:
        """What stands for text that was left out."""
        return "..." if self.plain else "…"

    def style(self, text: str, colour: str | None = None, *, bold: bool = False) -> str:
        """The text in a colour, where there are colours."""
        return click.style(text, fg=colour, bold=bold or None) if self.coloured and (colour or bold) else text


def _terminal_columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _knows_glyphs(stream: TextIO) -> bool:
    try:
        "●✗▸…◆".encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


# The menu


def rows_text(rows: Sequence[MenuRow], page: Page) -> str:
    """The rows below their categories, a line each; what is wrong gets another where it does not fit."""
    lines: list[str] = []
    widths = _widths(rows, page.columns)
    category = None
    for row in rows:
        if row.category != category:
            category = row.category
            lines.append(page.style(f"{category} {'>' if page.plain else '▸'}", bold=True))
        lines.append(_line(row, widths, page))
    return "".join(f"{line}\n" for line in lines)


def _widths(rows: Sequence[MenuRow], columns: int) -> tuple[int, int, int]:
    """The cells of label, name and state, gaps included: labels give way first, names never."""
    label = min(max((cell_width(row.label) for row in rows), default=0), _LABEL_MOST)
    name = min(max((cell_width(row.name) for row in rows), default=0), _NAME_MOST)
    state = max((len(GLYPHS[look][2]) for look in {row.look for row in rows}), default=0)
    left = columns - 4 - name - state - 3 * _GAP - _NOTE_LEAST
    return min(label, max(left, _LABEL_LEAST)) + _GAP, name + _GAP, state + _GAP


def _line(row: MenuRow, widths: tuple[int, int, int], page: Page) -> str:
    shape, ascii_shape, word = GLYPHS[row.look]
    colour = LOOK_COLOURS.get(row.look)
    # Where lines have no end nothing is cut; one long label must not move all others.
    text = row.label if page.columns == sys.maxsize else cut(row.label, widths[0] - _GAP, page.dots)
    label = padded(text, max(widths[0], cell_width(text) + _GAP))
    name = padded(row.name, widths[1]) if cell_width(row.name) < widths[1] - 1 else row.name + " " * _GAP
    room = page.columns - 4 - cell_width(label) - cell_width(name) - widths[2]
    mark = page.style(ascii_shape if page.plain else shape, colour)
    name = page.style(name, bold=row.look == "ok")
    first = f"  {mark} {label}{name}{page.style(word.ljust(widths[2]), colour)}"
    if row.note == row.origin:
        return f"{first}{_origin(row, room, page)}".rstrip()
    if cell_width(row.note) > room:
        # Too narrow for it: half a sentence tells nobody what is wrong, so it gets a line of its own.
        return f"{first.rstrip()}\n      {cut(_problem(row, page), page.columns - 6, page.dots)}"
    return f"{first}{cut(_problem(row, page), room, page.dots)}"


def _problem(row: MenuRow, page: Page) -> str:
    # Messages show what is left out of a call by the sign that plain text has not.
    return f"{row.note.replace('…', page.dots)} - {row.origin}"


def _origin(row: MenuRow, room: int, page: Page) -> str:
    record = row.record
    static = " - static: yes" if record.kind is Kind.SCHEDULER and record.usable and record.static[0] else ""
    return _tail(row.origin, room - len(static), page) + static if room - len(static) > len(page.dots) else ""


def _tail(text: str, room: int, page: Page) -> str:
    """A path by its end, anything else by its beginning."""
    if cell_width(text) <= room or os.sep not in text:
        return cut(text, room, page.dots)
    while cell_width(text) > room - len(page.dots):
        text = text[1:]
    return page.dots + text


# One type


def details_text(details: Details, page: Page, problem_text: Callable[..., str]) -> str:
    """Everything about one type; ``problem_text`` prints a problem."""
    row = details.row
    lines = [f"{page.style(row.label, bold=True)}  {row.name}"]
    lines += [f"  {each}" for each in _wrapped(details.about, page)]
    lines += [f"  {label:<10} {text}" for label, text in _facts(details, page)]
    lines += _parm_lines(details, page)
    text = "\n".join(lines) + "\n"
    return text + "".join(f"\n{problem_text(problem)}\n" for problem in details.problems)


def _wrapped(text: str, page: Page, indent: int = 2) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(min(page.columns, _WIDEST_TEXT) - indent, 20), break_on_hyphens=False)


def _facts(details: Details, page: Page) -> Iterator[tuple[str, str]]:
    row = details.row
    shape, ascii_shape, word = GLYPHS[row.look]
    state = details.state if not details.problems else word
    yield "state", page.style(f"{ascii_shape if page.plain else shape} {state}", LOOK_COLOURS.get(row.look))
    yield "kind", f"{details.kind}, in {row.category}"
    yield "origin", row.origin if row.origin == row.record.origin.path else f"{row.origin}: {details.place}"
    if details.shadowed_by:
        yield "instead", details.shadowed_by
    for each in details.shadows:
        yield "shadows", each
    if details.own or details.default or details.missing:
        counts = (f"{len(details.own)} own", f"{len(details.default)} default", f"{len(details.missing)} missing")
        yield "callbacks", (", " if page.plain else " · ").join(counts)
        for line in _wrapped(" ".join(details.own), page, 13):
            yield "", line
    for ability in details.abilities:
        yield ability.word, f"{'yes' if ability.has else 'no'}, because {ability.because}"
    if details.import_ms:
        yield "import", f"{details.import_ms:.1f} ms"


def _parm_lines(details: Details, page: Page) -> Iterator[str]:
    if not details.parms:
        return
    mark = OVERRIDABLE[page.plain]
    yield (
        f"  parms      {mark} can be overridden for single nodes"
        if any(each.overridable for each in details.parms)
        else "  parms"
    )
    name_width = max(cell_width(each.name) for each in details.parms) + _GAP
    value_width = min(max(cell_width(each.value) for each in details.parms), 24) + _GAP
    for each in details.parms:
        flag = mark if each.overridable else " "
        value = padded(cut(each.value, value_width - _GAP, page.dots), value_width)
        line = f"    {flag} {padded(each.name, name_width)}{value}"
        yield cut(line + each.label, page.columns, page.dots).rstrip()
