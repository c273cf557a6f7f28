"""Text as a terminal shows it: nothing in it that steers the terminal, measured and cut by cells.

Labels, messages and paths come from files that somebody else wrote: an escape sequence in one of them must not
reach a terminal, and a wide character takes two cells.
"""

from __future__ import annotations

from topcook.lean import pattern

__all__ = ["cell_width", "cut", "padded", "printable"]

#: Signs that menus and excerpts are drawn with, and letters of Europe: one cell each, known without the Unicode tables.
_NARROW = pattern("[ -~\u00a0-\u02ff\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u23ce\u2500-\u25fc\u2717]*")
_JOINER = "\u200d"
_SHORT = {"\n": " ", "\t": " ", "\r": " "}


def printable(text: str) -> str:
    r"""The text with each character that a terminal would act on written out, as ``\x1b``; line ends become spaces."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == _JOINER else _written(each) for each in text)


def _written(char: str) -> str:
    return _SHORT.get(char) or char.encode("unicode_escape").decode("ascii")


def cell_width(text: str) -> int:
    """How many cells a printable text takes."""
    if text.isascii() or _NARROW.fullmatch(text):
        return len(text)
    return sum(_cells(each) for each in text)


def _cells(char: str) -> int:
    # Loaded only for a text that needs it: most listings do not.
    import unicodedata

    if unicodedata.combining(char) or char == _JOINER or unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def cut(text: str, width: int, dots: str = "…") -> str:
    """The text if it fits into ``width`` cells, else its beginning with ``dots`` at the end; never wider."""
    if cell_width(text) <= width:
        return text
    room = width - len(dots)
    if room < 0:
        return ""
    kept = taken = 0
    for each in text:
        taken += _cells(each)
        if taken > room:
            break
        kept += 1
    return text[:kept] + dots


def padded(text: str, width: int) -> str:
    """The text filled up with spaces to ``width`` cells."""
    return text + " " * (width - cell_width(text))
