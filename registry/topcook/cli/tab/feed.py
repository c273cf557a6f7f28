"""Where the rows come from, and word that they have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from topcook.cli.tab.entries import Entry, entries_of
from topcook.factory import Factory, menu_rows

__all__ = ["Feed", "ScanFeed"]


class Feed(Protocol):
    """The types as they are now, from a source that may change at any time."""

    def entries(self) -> list[Entry]:
        """The entries in the order of the listing."""

    def start(self, wake: Callable[[], None]) -> None:
        """Watch from now on, and call ``wake`` after each change, from any thread. Returns at once."""

    def changed(self) -> bool:
        """Whether there was a change since this was last asked."""

    def refresh(self) -> None:
        """Look now: a file was just edited."""

    def note(self) -> str:
        """What a person must know about the watching, once; mostly nothing."""

    def close(self) -> None:
        """Watch no more."""


class ScanFeed:
    """A scan, made again when it is asked for."""

    def __init__(self, factory: Factory, types: str) -> None:
        """Give the rows of these types: schedulers, nodes or all."""
        self._factory = factory
        self._types = types
        self._changed = False

    def entries(self) -> list[Entry]:
        """The entries in the order of the listing."""
        return entries_of(menu_rows(self._factory.records, self._types))

    def start(self, wake: Callable[[], None]) -> None:
        """Nothing is watched."""

    def changed(self) -> bool:
        """Whether there was a refresh."""
        changed, self._changed = self._changed, False
        return changed

    def refresh(self) -> None:
        """Scan again."""
        self._factory = Factory.scan()
        self._changed = True

    def note(self) -> str:
        """Nothing."""
        return ""

    def close(self) -> None:
        """Nothing was watched."""
