"""What the result server has seen, and what it says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_KEPT_WORDS = 200


@dataclass(slots=True)
class Counters:
    """What the server has seen since it started."""

    connections: int = 0
    calls: int = 0
    reports: int = 0
    faults: int = 0
    #: without the secret, or with a wrong one
    refused: int = 0
    #: what no protocol of ours begins with, or what breaks its own protocol
    garbage: int = 0
    too_large: int = 0
    too_slow: int = 0
    #: idle connections closed to make room
    evicted: int = 0


class Notebook:
    """Says each thing once: a job in a loop must not fill the log."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """``write`` takes one line."""
        self._write = write
        self._said: set[str] = set()

    def once(self, key: str, line: str) -> None:
        """Write the line unless its key was seen; the number of keys is bounded."""
        if key in self._said or len(self._said) >= _MOST_KEPT_WORDS:
            return
        self._said.add(key)
        self._write(line)
