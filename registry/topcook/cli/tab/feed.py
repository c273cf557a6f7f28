"""Where the rows come from, and word that they have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from topcook.cli.tab.entries import Entry, entries_of
from topcook.factory import Factory, menu_rows

if TYPE_CHECKING:
    from topcook.factory.watching import LiveFactory

__all__ = ["Feed"]

#: How often it is looked what became of files that a start had no time for, while there are any.
_BACKLOG_BEAT = 0.25
#: How long the end of the watching is waited for; its threads end with the process.
_CLOSE_WAIT = 0.2


class Feed:
    """The types as they are now.

    From ``start`` on the types path is watched, on a thread of its own: what that needs takes longer to import than the
    menu takes to be painted.
    """

    def __init__(self, factory: Factory, types: str) -> None:
        """Give the rows of these types: schedulers, nodes or all."""
        self._factory = factory
        self._types = types
        self._live: LiveFactory | None = None
        self._wake: Callable[[], None] = lambda: None
        self._changed = threading.Event()
        self._noted = {""}
        self._trouble = ""
        self._closed = False

    def entries(self) -> list[Entry]:
        """The entries in the order of the listing."""
        return entries_of(menu_rows(list(self._factory.records), self._types))

    def start(self, wake: Callable[[], None]) -> None:
        """Watch from now on, and call ``wake`` after each change, from any thread."""
        self._wake = wake
        for work in (self._watch, self._follow_backlog):
            self._begin(work)

    def changed(self) -> bool:
        """Whether there was a change since this was last asked."""
        if not self._changed.is_set():
            return False
        self._changed.clear()
        return True

    def refresh(self) -> None:
        """Look now: a file was just edited, perhaps where nothing tells of it."""
        if self._live is not None:
            self._begin(self._live.look)

    def note(self) -> str:
        """What a person must know about the watching and was not told yet; mostly nothing."""
        notes = [*(self._live.notes() if self._live is not None else []), self._trouble]
        fresh = next((each for each in notes if each not in self._noted), "")
        self._noted.add(fresh)
        return fresh

    def close(self) -> None:
        """Watch no more, and let go of what probes."""
        self._closed = True
        self._begin(self._end).join(_CLOSE_WAIT)

    def _begin(self, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=self._guarded, args=(work,), name="topcook-tab", daemon=True)
        thread.start()
        return thread

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a traceback would be painted over the menu, or after it
            # What is begun while the menu closes finds half of it gone; there is nobody left to tell.
            self._trouble = f"changes are not followed: {type(error).__name__}: {error}"

    def _end(self) -> None:
        try:
            if self._live is not None:
                self._live.close()
        finally:
            self._factory.close()

    def _watch(self) -> None:
        try:
            from topcook.factory.watching import LiveFactory

            live = LiveFactory(self._factory)
            live.subscribe(lambda _: self._tell())
            self._live = live
            if not self._closed:
                live.start()
        except Exception as error:  # noqa: BLE001 - a menu that does not follow its files is still a menu
            self._trouble = f"changes are not followed: {type(error).__name__}: {error}"
        self._wake()

    def _follow_backlog(self) -> None:
        """Show types as they are found out about, where there were too many for the start."""
        while not self._closed and not self._factory.settle(_BACKLOG_BEAT):
            self._tell()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._wake()
