"""One row of the table of problems."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Code"]


class Code(NamedTuple):
    """A problem's code: what it means in a few words, why it matters and what to do; wrong and right, where that helps.

    ``wrong`` and ``right`` are pieces of a file, indented as they stand there.
    """

    code: str
    title: str
    text: str
    wrong: str = ""
    right: str = ""
