"""The text of a network or item graph file, and the places in it."""

from __future__ import annotations

import stat
from pathlib import Path

from topcook.errors import GraphFileError, Problem
from topcook.lean import dataclass, field
from topcook.model.graphfile.locate import KeyPath, Locator, Position, locate_json, locate_toml


@dataclass(frozen=True, slots=True)
class Place:
    """A file, a line and a column, both from 1; prints as ``path:line:column``."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        """The form that editors and terminals make clickable."""
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(eq=False, slots=True)
class Source:
    """A file's text. Places cost a second look at it, so the locator is made when the first one is asked for."""

    path: str
    text: str = field(repr=False)
    is_json: bool = False
    _locator: Locator | None = field(default=None, repr=False)

    @property
    def locator(self) -> Locator:
        """The spots of the text, which Python's own parser must have accepted."""
        if self._locator is None:
            self._locator = locate_json(self.text) if self.is_json else locate_toml(self.text)
        return self._locator

    def place(self, *path: str | int) -> Place:
        """Where a key stands; the closest thing around it when the file does not have it."""
        return self._place(self.locator.key(path))

    def value_place(self, *path: str | int) -> Place:
        """Where the value of a key starts."""
        return self._place(self.locator.value(path))

    def place_in_string(self, path: KeyPath, line: int, column: int = 0) -> Place:
        """The place of line ``line``, character ``column`` (both from 0) of a string value's content."""
        return self._place(self.locator.in_string(path, line, column))

    def _place(self, position: Position) -> Place:
        return Place(self.path, position.line, position.column)


def refuse(
    path: str, code: str, message: str, *, line: int | None = None, column: int | None = None, hint: str | None = None
) -> GraphFileError:
    """The error of a file that cannot be read at all: one problem, alone."""
    problem = Problem(code, message, path, line, column, hint)
    return GraphFileError([problem], f'cannot read "{path}"')


def check_regular(path: Path) -> None:
    """Refuse what is missing, a directory or a device, which could block or never end.

    Raises GraphFileError.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise refuse(str(path), "missing-file", "there is no such file", hint=_missing_hint(path)) from None
    except (OSError, ValueError) as error:
        raise refuse(str(path), "unreadable", f"the file cannot be looked at: {error}") from None
    if stat.S_ISDIR(mode):
        inside = sorted(child.name for child in path.glob("*.toml"))
        hint = f'did you mean "{path / inside[0]}"?' if inside else "name the file itself"
        raise refuse(str(path), "is-directory", "this is a directory, not a file", hint=hint)
    if not stat.S_ISREG(mode):
        raise refuse(
            str(path),
            "not-a-file",
            "this is no regular file (a pipe, socket or device)",
            hint="write it to a file first",
        )


def read_text(path: Path, limit: int) -> str:
    """A file as text: UTF-8, byte order mark dropped, line ends as line feeds.

    Raises GraphFileError when it cannot be read, holds more than ``limit`` bytes, or is not UTF-8.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise refuse(
            str(path), "unreadable", f"the file cannot be read: {error.strerror or error}", hint="check its permissions"
        ) from None
    if len(raw) > limit:
        raise refuse(
            str(path),
            "too-large",
            f"the file holds more than {limit >> 20} MiB",
            hint='large graphs go into an item graph file, read by the node type "itemgraph"',
        )
    return decode(str(path), raw).removeprefix("\ufeff").replace("\r\n", "\n")


def decode(path: str, raw: bytes, line: int = 1) -> str:
    """Bytes as UTF-8; ``line`` is the number of their first line. Raises GraphFileError at the byte that is not."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        start = before.rfind(b"\n") + 1
        wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
        raise refuse(
            path,
            "not-utf8",
            f"byte 0x{raw[error.start]:02x} is not UTF-8 text",
            line=line + before.count(b"\n"),
            column=len(before[start:].decode("utf-8", "replace")) + 1,
            hint="the file is UTF-16; save it as UTF-8" if wide else "save the file as UTF-8",
        ) from None


def _missing_hint(path: Path) -> str:
    """What to look at when a file is not there."""
    from difflib import get_close_matches

    try:
        names = sorted(child.name for child in path.parent.iterdir())
    except OSError:
        return f'the directory "{path.parent}" is not there either'
    close = get_close_matches(path.name, names, n=1)
    return f'did you mean "{path.with_name(close[0])}"?' if close else f'the directory "{path.parent}" is there'
