"""For a page that says which test holds what: tables of promises, each row with its tests (``FILE.py::NAME``).

Such a page rots in silence when tests are renamed: let a test of the plugin ask for what is wrong with it.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["missing_tests", "rows", "unheld_rows"]

_NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
_RULE = re.compile(r"\|[\s|:-]+\|")


def rows(page: str) -> list[str]:
    """The rows of the page's tables, without their heads."""
    lines = page.splitlines()
    below = [*lines[1:], ""]
    return [
        line
        for line, after in zip(lines, below, strict=True)
        if line.startswith("|") and not _RULE.fullmatch(line) and not _RULE.fullmatch(after)
    ]


def unheld_rows(page: str) -> list[str]:
    """The rows that name no test, nor say that it is the same as above."""
    return [row for row in rows(page) if not _NAMED.search(row) and not row.endswith("| the same |")]


def missing_tests(page: str, beside: Path, root: Path) -> list[str]:
    """The tests that the page names, and that are not there.

    ``tests/…`` is looked for below ``root``, every other file in the directory ``beside``.
    """
    named = dict.fromkeys(_NAMED.findall(page))
    return [f"{file}::{name}" for file, name in named if not _is_there(file, name, beside, root)]


def _is_there(file: str, name: str, beside: Path, root: Path) -> bool:
    path = root / file if file.startswith("tests/") else beside / file
    return path.is_file() and f"\ndef {name}(" in path.read_text(encoding="utf-8")
