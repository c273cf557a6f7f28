"""A place in a source file as a good compiler shows it: the line, underlined, with what was expected at the carets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from topcook.lean import dataclass
from topcook.model.cells import cell_width, printable

__all__ = ["Quoted", "quoted_lines", "source_lines"]

_TAB = 4
#: What is underlined where a place has no end: a word, a text in quotes, else one character.
_WORD = re.compile(r"[\w.@$-]+|\"[^\"]*\"|'[^']*'|\S")
_LINE_END = re.compile(r"\r\n|\r|\n")
#: How many cells are kept for the line number, its rule and the blanks around them.
_MARGIN = 8
_NARROWEST = 20


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is to be shown: a line's text and number, the place in it (columns from 1), what stands at the carets."""

    text: str
    line: int
    column: int | None = None
    end_column: int | None = None
    labels: tuple[str, ...] = ()


def source_lines(content: bytes) -> list[str]:
    """The lines of a source file, whatever its bytes: a byte order mark is left out, what is no UTF-8 shows as such."""
    return _LINE_END.split(content.decode("utf-8", "replace").removeprefix("\ufeff"))


def quoted_lines(quoted: Quoted, *, colour: str = "red", width: int = 160) -> Iterator[str]:
    """The lines to print, styled: a margin with the line's number, the line, the carets with their labels.

    No line is wider than ``width`` cells unless a label alone is. Nothing in the text steers the terminal.
    """
    start, end = _extent(quoted)
    room = max(width - _MARGIN - len(str(quoted.line)), _NARROWEST)
    shown, before, marked = _fitted(quoted.text, start, end, room)
    margin = " " * len(str(quoted.line))
    rule = click.style("|", fg="blue", bold=True)
    yield f"{margin} {rule}"
    yield f"{click.style(str(quoted.line), fg='blue', bold=True)} {rule} {shown}".rstrip()
    carets = click.style("^" * marked, fg=colour, bold=True)
    labels = list(quoted.labels)
    together = ", ".join(labels)
    if labels and before + marked + 1 + cell_width(together) > room:
        first, *rest = labels
        if before + marked + 1 + cell_width(first) > room:
            # Beside the carets there is no room for it: below them, from the left.
            yield f"{margin} {rule} {' ' * before}{carets}"
            yield from (f"{margin} {rule}     {click.style(each, fg=colour)}" for each in labels)
        else:
            yield f"{margin} {rule} {' ' * before}{carets} {click.style(first, fg=colour)}"
            indent = " " * (before + marked)
            yield from (f"{margin} {rule} {indent} {click.style(each, fg=colour)}" for each in rest)
    else:
        said = f" {click.style(together, fg=colour)}" if together else ""
        yield f"{margin} {rule} {' ' * before}{carets}{said}"


def _extent(quoted: Quoted) -> tuple[int, int]:
    """Where the underline starts and ends, from 0: the given columns, the word at the column, else the whole line."""
    text, column = quoted.text, quoted.column
    if column is None or column > len(text) + 1:
        start = len(text) - len(text.lstrip())
        return start, max(len(text.rstrip()), start + 1)
    start = column - 1
    if quoted.end_column is not None and quoted.end_column > column:
        return start, min(max(quoted.end_column - 1, start + 1), max(len(text), start + 1))
    word = _WORD.match(text, start)
    return start, word.end() if word else start + 1


def _fitted(text: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """The text as it is shown in ``room`` cells, the cells before the underline, and those of the underline."""
    pieces = _pieces(text)
    widths = [cell_width(each) for each in pieces]
    first, last = _window(widths, start, end, room)
    left, right = "…" if first else "", "…" if last < len(pieces) else ""
    before = len(left) + sum(widths[first:start])
    marked = sum(widths[start : min(end, last)]) or 1
    return left + "".join(pieces[first:last]) + right, before, marked


def _pieces(text: str) -> list[str]:
    """Each character as it is shown: tabs as blanks up to the next stop, controls written out."""
    pieces, at = [], 0
    for char in text:
        piece = " " * (_TAB - at % _TAB) if char == "\t" else printable(char)
        pieces.append(piece)
        at += cell_width(piece)
    return pieces


def _window(widths: list[int], start: int, end: int, room: int) -> tuple[int, int]:
    """Which characters to show, so that the underlined ones are among them, with as much before as behind."""
    if sum(widths) <= room:
        return 0, len(widths)
    room -= 2  # the dots at either end
    first, last, taken = start, start, 0
    while last < min(end, len(widths)) and taken + widths[last] <= room:
        taken += widths[last]
        last += 1
    while True:
        grown = False
        if first > 0 and taken + widths[first - 1] <= room:
            first -= 1
            taken += widths[first]
            grown = True
        if last < len(widths) and taken + widths[last] <= room:
            taken += widths[last]
            last += 1
            grown = True
        if not grown:
            return min(first, len(widths)), last
