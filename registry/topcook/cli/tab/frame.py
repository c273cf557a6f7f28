"""A picture of the menu: lines of styled spans at columns, and how a terminal is told to show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from topcook.model.cells import cell_width, cut, printable

__all__ = ["Frame", "Row", "Span", "coloured", "plain_text", "wrapped"]

_SGR = re.compile(r"\x1b\[([\d;]*)m")


class Span(NamedTuple):
    """A printable text that begins at a column (from 0), with the parameters of its rendition."""

    column: int
    text: str
    style: str = ""

    @property
    def end(self) -> int:
        """The column behind it."""
        return self.column + cell_width(self.text)


Row = tuple[Span, ...]


class Frame(NamedTuple):
    """The whole picture. ``caret`` is the row and column of the cursor."""

    rows: tuple[Row, ...]
    caret: tuple[int, int]


def coloured(text: str, column: int, end: int) -> Row:
    """A line with colours in it, as click writes them, as spans; all else that steers a terminal is written out."""
    spans, style = [], ""
    # Odd pieces are the parameters of a rendition, even ones the text between.
    for number, piece in enumerate(_SGR.split(text)):
        if number % 2:
            style = "" if piece in {"", "0"} else f"{style};{piece}".lstrip(";")
            continue
        shown = cut(printable(piece), end - column)
        if shown:
            spans.append(Span(column, shown, style))
            column = spans[-1].end
    return tuple(spans)


def wrapped(text: str, width: int) -> list[str]:
    """A line with colours in it as lines of at most ``width`` cells, broken at spaces; later ones are indented."""
    plain, indent = _SGR.sub("", text), ""
    lines = []
    while cell_width(indent + plain) > width:
        fits = next(at for at in range(len(plain), -1, -1) if cell_width(indent + plain[:at]) <= width)
        space = plain.rfind(" ", len(plain) - len(plain.lstrip()) + 1, fits + 1)
        end = space if space > 0 else max(fits, 1)
        head, text = _split(text, end)
        lines.append(indent + head)
        plain, indent = plain[end:], "    "
        if space > 0:
            plain, (_, text) = plain[1:], _split(text, 1)
    return [*lines, indent + text]


def _split(text: str, at: int) -> tuple[str, str]:
    """A line with colours in it before and from character ``at`` on, colours not counted; the colour goes on."""
    taken, style = 0, ""
    pieces = _SGR.split(text)
    done = ""
    for number, piece in enumerate(pieces):
        if number % 2:
            code = f"\x1b[{piece}m"
            style = "" if piece in {"", "0"} else style + code
            done += code
        elif taken + len(piece) < at:
            taken, done = taken + len(piece), done + piece
        else:
            rest = "".join(f"\x1b[{each}m" if odd % 2 else each for odd, each in enumerate(pieces[number + 1 :], 1))
            return done + piece[: at - taken] + ("\x1b[0m" if style else ""), style + piece[at - taken :] + rest
    return done, ""


def plain_text(row: Row) -> str:
    """A row as text, for tests and for those who read with their ears."""
    text = ""
    for span in row:
        text += " " * (span.column - cell_width(text)) + span.text
    return text


def written(row: Row) -> str:
    """What makes a terminal show a row; it begins and ends at column 0, and clears what stood there.

    Each span is put at its column, so that a character which a terminal shows wider or narrower than it is said to be
    moves nothing but what follows within its own span.
    """
    parts = ["\r\x1b[2K"]
    for span in row:
        parts.append(f"\x1b[{span.column + 1}G")
        parts.append(f"\x1b[{span.style}m{span.text}\x1b[m" if span.style else span.text)
    return "".join(parts)


def drawn(frame: Frame, before: Frame | None) -> str:
    """From the row of the caret of ``before`` (or an empty region's first row) to this frame; only what changed."""
    old: Sequence[Row] = before.rows if before is not None else ()
    parts = ["\x1b[?25l\x1b[?7l", _up(before.caret[0]) if before is not None else "", "\r"]
    last = len(frame.rows) - 1
    for number, row in enumerate(frame.rows):
        if number >= len(old) or old[number] != row:
            parts.append(written(row))
        # A line feed scrolls where the region reaches the terminal's last row for the first time.
        parts.append("\r\n" if number < last else "")
    if len(old) > len(frame.rows):
        parts.append("\x1b[J" if last < 0 else "\r\n\x1b[J\x1b[1A")
    parts.append(_up(last - frame.caret[0]) + f"\x1b[{frame.caret[1] + 1}G\x1b[?7h\x1b[?25h")
    return "".join(parts)


def erased(frame: Frame) -> str:
    """Take the picture away; the cursor ends where its first row was."""
    return f"{_up(frame.caret[0])}\r\x1b[J"


def _up(rows: int) -> str:
    return f"\x1b[{rows}A" if rows > 0 else ""
