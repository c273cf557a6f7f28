"""Where things stand in a TOML or JSON text: from a path of keys and indices to offsets, lines and columns.

Python's own parsers drop the places of what they read. The scanner here walks a text that they have accepted once more,
only when somebody asks for a place. It is held against ``tomllib`` and ``json`` by property tests.

A path is a tuple of keys and indices: ``("nodes", "render", "parms", "outputs", 0, "path")``.
Lines and columns count from 1, columns in characters.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable
from typing import TypeAlias

from topcook.lean import NamedTuple, dataclass, field, pattern

KeyPath: TypeAlias = tuple[str | int, ...]

# Only single characters repeat possessively: Python before 3.11.5 goes wrong where a whole group does.
_BLANK = pattern(r"(?:[ \t\r\n]++|#[^\n]*+)*")
_STRING = pattern(
    r'"""(?:\\.|[^\\"]++|"{1,2}+(?!"))*"{3,5}'
    r"|'''(?:[^']++|'{1,2}+(?!'))*'{3,5}"
    r'|"(?:\\.|[^\\"\n]++)*"'
    r"|'[^'\n]*+'",
    re.DOTALL,
)
_BARE_KEY = pattern(r"[^\s.=:\"'#\[\]{},]+")
_BARE_VALUE = pattern(r"[^,\]}\n#]+")
# One match for each character of a string's content, save for the first group, which stands for none.
_PIECE = pattern(
    r"(\\[ \t]*\n[ \t\n]*)"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u.{4}|\\U.{8}|\\x..|\\.|.",
    re.DOTALL,
)


class Spot(NamedTuple):
    """Offsets of a key and of its value; a table opened by a header has its key for a value, an element no key."""

    key: int
    key_end: int
    value: int
    value_end: int


class Position(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Locator:
    """The spots of a text by path. ``repeated`` holds what a JSON text says twice: path and offset of the later key."""

    text: str
    decode: Callable[[str], str]
    spots: dict[KeyPath, Spot]
    repeated: list[tuple[KeyPath, int]]
    _lines: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Note where each line starts."""
        self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def position(self, offset: int) -> Position:
        """Line and column of an offset."""
        line = bisect_right(self._lines, offset)
        return Position(line, offset - self._lines[line - 1] + 1)

    def nearest(self, path: KeyPath) -> Spot:
        """The spot of a path, or of the closest thing around it: an error always has a place."""
        while path not in self.spots and path:
            path = path[:-1]
        return self.spots.get(path) or Spot(0, 0, 0, 0)

    def key(self, path: KeyPath) -> Position:
        """Where the key stands; for an element of an array, where the element starts."""
        return self.position(self.nearest(path).key)

    def value(self, path: KeyPath) -> Position:
        """Where the value starts; for a table opened by a header, its name there."""
        return self.position(self.nearest(path).value)

    def raw(self, path: KeyPath) -> str:
        """The value as it is written."""
        spot = self.nearest(path)
        return self.text[spot.value : spot.value_end]

    def in_string(self, path: KeyPath, line: int, column: int = 0) -> Position:
        """The place in the file of a place in a string's content, ``line`` and ``column`` from 0.

        A place behind the end of a line or of the content is clamped to that end, so that what a compiler says of
        a snippet (it likes to point behind the last character) always lands in the string.
        A path whose value is no string answers with the value's place.
        """
        spot = self.nearest(path)
        raw = self.text[spot.value : spot.value_end]
        if path not in self.spots or not raw.startswith(("'", '"')):
            return self.position(spot.value)
        lines = self.decode(raw).split("\n")
        line = min(max(line, 0), len(lines) - 1)
        index = sum(len(text) + 1 for text in lines[:line]) + min(max(column, 0), len(lines[line]))
        return self.position(content_offsets(self.text, spot.value, spot.value_end)[index])


def locate_toml(text: str) -> Locator:
    """The locator of a TOML text that ``tomllib`` has accepted, its line ends line feeds."""
    scanner = _Scanner(text, _decode_toml)
    scanner.document()
    return Locator(text, _decode_toml, scanner.spots, scanner.repeated)


def locate_json(text: str) -> Locator:
    """The locator of a JSON text that ``json`` has accepted."""
    import json  # a start that reads TOML does without

    scanner = _Scanner(text, json.loads)
    scanner.skip()
    scanner.value((), (scanner.at, scanner.at))
    return Locator(text, json.loads, scanner.spots, scanner.repeated)


def content_offsets(text: str, start: int, end: int) -> list[int]:
    """The offset in ``text`` of each character of the string written at ``start``, and last of its closing quote."""
    quote = text[start]
    width = 3 if end - start >= 6 and text.startswith(quote * 3, start) else 1  # noqa: PLR2004 - two times three quotes
    body, stop = start + width, end - width
    if width == 3 and text[body] == "\n":  # noqa: PLR2004 - TOML drops a line end right behind the opening quotes
        body += 1
    if quote == "'":
        return list(range(body, stop + 1))
    pieces = _PIECE.finditer(text, body, stop)
    return [*(piece.start() for piece in pieces if piece.group(1) is None), stop]


def _decode_toml(raw: str) -> str:
    """The text of a TOML string as written, quotes included."""
    return str(tomllib.loads(f"text = {raw}")["text"])


@dataclass(slots=True)
class _Open:
    """An array or inline table that is not closed yet; ``index`` is the next element's, -1 in a table."""

    path: KeyPath
    key: tuple[int, int]
    start: int
    index: int


@dataclass(slots=True)
class _Scanner:
    """Walks a text once and notes every key and value. A JSON text is one inline table with ``:`` for ``=``."""

    text: str
    decode: Callable[[str], str]
    at: int = 0
    spots: dict[KeyPath, Spot] = field(default_factory=dict)
    repeated: list[tuple[KeyPath, int]] = field(default_factory=list)
    _rows: dict[KeyPath, int] = field(default_factory=dict)  # arrays of tables: the index of the last one

    def document(self) -> None:
        """A TOML document: headers, and key/value pairs below them."""
        self.spots[()] = Spot(0, 0, 0, len(self.text))
        table: KeyPath = ()
        self.skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self.value(*self._pair(table))
            self.skip()

    def skip(self) -> None:
        """Go past blanks, line ends and comments."""
        match = _BLANK.match(self.text, self.at)
        if match:
            self.at = match.end()

    def value(self, path: KeyPath, key: tuple[int, int]) -> None:
        """One value, however deep: what is open stands on a list, so that nesting cannot exhaust Python's stack."""
        pending: list[_Open] = []
        following: tuple[KeyPath, tuple[int, int]] | None = (path, key)
        while following:
            path, key = following
            start = self.at
            if self.text[start] in "[{":
                pending.append(_Open(path, key, start, 0 if self.text[start] == "[" else -1))
                self.at += 1
            else:
                self.at = self._scalar_end(start)
                self._note(path, key, start)
            following = self._next(pending)

    def _next(self, pending: list[_Open]) -> tuple[KeyPath, tuple[int, int]] | None:
        """Path and key of the next element, after closing what ends here; ``None`` when all is closed."""
        while pending:
            self.skip()
            around, char = pending[-1], self.text[self.at]
            if char == ",":
                self.at += 1
            elif char in "]}":
                self.at += 1
                pending.pop()
                self._note(around.path, around.key, around.start)
            elif around.index < 0:
                return self._pair(around.path)
            else:
                around.index += 1
                return (*around.path, around.index - 1), (self.at, self.at)
        return None

    def _note(self, path: KeyPath, key: tuple[int, int], start: int) -> None:
        if path in self.spots:
            self.repeated.append((path, key[0]))
        self.spots[path] = Spot(*key, start, self.at)

    def _scalar_end(self, start: int) -> int:
        match = _STRING.match(self.text, start) if self.text[start] in "\"'" else None
        if match:
            return match.end()
        match = _BARE_VALUE.match(self.text, start)
        return start + len(match.group().rstrip()) if match else start + 1

    def _pair(self, table: KeyPath) -> tuple[KeyPath, tuple[int, int]]:
        """Path and key of ``a.b = `` in a table; stops at the value."""
        *outer, (name, start, end) = self._keys()
        for part, part_start, part_end in outer:
            table = (*table, part)
            self.spots.setdefault(table, Spot(part_start, part_end, part_start, part_end))
        self.at += 1  # the "=" or ":"
        self.skip()
        return (*table, name), (start, end)

    def _header(self) -> KeyPath:
        """The path of the table that ``[a.b]`` or ``[[a.b]]`` opens; stops behind it."""
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        *outer, (name, start, end) = self._keys()
        self.at += 2 if array else 1
        path: KeyPath = ()
        for part, part_start, part_end in outer:
            path = (*path, part)
            self.spots.setdefault(path, Spot(part_start, part_end, part_start, part_end))
            if path in self._rows:
                path = (*path, self._rows[path])
        path, spot = (*path, name), Spot(start, end, start, end)
        if not array:
            self.spots[path] = spot
            return path
        self.spots.setdefault(path, spot)
        self._rows[path] = self._rows.get(path, -1) + 1
        path = (*path, self._rows[path])
        self.spots[path] = spot
        return path

    def _keys(self) -> list[tuple[str, int, int]]:
        """The parts of a dotted key with their offsets; stops at what ends it."""
        parts: list[tuple[str, int, int]] = []
        while True:
            self.skip()
            quoted = _STRING.match(self.text, self.at)
            match = quoted or _BARE_KEY.match(self.text, self.at)
            end = match.end() if match else self.at + 1
            raw = self.text[self.at : end]
            parts.append((self.decode(raw) if quoted else raw, self.at, end))
            self.at = end
            self.skip()
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1
