"""What is put back at once after any types file was executed, in a worker as in the process that cooks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from topcook.lean import dataclass

__all__ = ["Surroundings", "kept_surroundings"]


@dataclass(slots=True)
class Surroundings:
    """What became of the surroundings: whether the file had ``moved`` to another directory."""

    moved: bool = False


@contextmanager
def kept_surroundings() -> Iterator[Surroundings]:
    """Undo a change of directory, and let no file put its directories before the standard library's.

    What files add to ``sys.path`` stays, at its end: they may import from there later. Before the standard
    library, a drop-in called ``queue.py`` would become everybody's ``queue``.
    """
    directory, path = _directory(), list(sys.path)
    kept = Surroundings()
    try:
        yield kept
    finally:
        if sys.path != path:
            added = [each for each in dict.fromkeys(map(str, sys.path)) if each not in path]
            sys.path[:] = [*path, *added]
        kept.moved = _directory() != directory
        if directory is not None and kept.moved:
            os.chdir(directory)


def _directory() -> str | None:
    """Where we are; None in a directory that is gone."""
    try:
        return os.getcwd()
    except OSError:
        return None
