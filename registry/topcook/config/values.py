"""What configuration is made of: layers, origins, and the values that are more than a word."""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Any

from topcook.lean import NamedTuple


class Layer(IntEnum):
    """Who says it; the higher one wins."""

    DEFAULT = 0
    SITE = 1
    USER = 2
    PROJECT = 3
    ENVIRONMENT = 4
    COMMAND_LINE = 5

    @property
    def word(self) -> str:
        """The layer as people read it."""
        return self.name.lower().replace("_", " ")


class Origin(NamedTuple):
    """Where a value comes from: a place in a file, or the name of a variable or option; line and column from 1."""

    layer: Layer
    path: str = ""
    line: int | None = None
    column: int | None = None
    name: str = ""

    @property
    def place(self) -> str:
        """``path:line`` of a file, else the variable or option; empty for a default."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path or self.name

    def __str__(self) -> str:
        """As messages name it."""
        if self.path:
            return f"{self.layer.word} configuration {self.place}"
        return self.name or self.layer.word


class Setting(NamedTuple):
    """One value as one layer says it; each element of a list is a setting of its own."""

    key: str
    value: Any
    origin: Origin


class ConfiguredPath(NamedTuple):
    """An entry of the types path, absolute. ``named`` when the user named it himself, not a checkout's file."""

    path: str
    origin: Origin
    named: bool


class Block(NamedTuple):
    """Types that may not be used, with the reason; what is not empty has to fit, and may hold ``*`` and ``?``.

    ``name`` is a type's, ``file`` a path or, without a separator, a file's name, ``module`` a file's name without
    suffix or a package's, ``distribution`` an installed package's.
    """

    origin: Origin
    name: str = ""
    file: str = ""
    distribution: str = ""
    module: str = ""
    reason: str = ""

    def holds_for(self, *, name: str = "", path: str = "", module: str = "", distribution: str = "") -> bool:
        """Whether it is meant; what the caller leaves empty is not known yet, and fits nothing."""
        pairs = ((self.name, name), (self.module, module), (self.distribution, distribution))
        if any(pattern and not _fits(_folded(pattern), _folded(text)) for pattern, text in pairs):
            return False
        return not self.file or fits_file(self.file, path)


class Exemption(NamedTuple):
    """Problems that strict mode lets pass; what is not empty has to fit, and may hold ``*`` and ``?``."""

    origin: Origin
    code: str = ""
    file: str = ""
    name: str = ""
    reason: str = ""

    def holds_for(self, code: str, path: str | None, name: str = "") -> bool:
        """Whether a problem of that code and file, said of the type ``name``, is meant."""
        if self.code and not _fits(self.code, code):
            return False
        if self.name and not _fits(_folded(self.name), _folded(name)):
            return False
        return not self.file or fits_file(self.file, path or "")


def fits_file(pattern: str, path: str) -> bool:
    """Whether a path fits; a pattern without a separator is held against the file's name alone."""
    if not path:
        return False
    path = os.path.abspath(path)
    return _fits(pattern, path if os.sep in pattern or "/" in pattern else os.path.basename(path))


def _folded(text: str) -> str:
    """Names as people mean them: ``My_Farm`` is ``my-farm``, as among distributions."""
    return text.lower().replace("_", "-")


def _fits(pattern: str, text: str) -> bool:
    if not text:
        return False
    if pattern == text:
        return True
    from fnmatch import fnmatchcase

    return fnmatchcase(text, pattern)
