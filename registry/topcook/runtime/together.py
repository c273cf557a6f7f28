"""What one thread hears in one go, on its way to the cook."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from topcook.runtime.inbox import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from topcook.model.notification import Notification


class Together:
    """A context for one thread at a time: what it posts meanwhile goes out at the end, in order.

    So the cook is woken up once, and commits once, for all that has ended while it did something else. Nothing is
    waited for: the context is as long as it takes to read what is there already.
    """

    __slots__ = ("_entries", "_post", "_thread")

    def __init__(self, post: Callable[[Any], None]) -> None:
        """Entries leave by ``post``."""
        self._post = post
        self._thread = 0
        self._entries: list[Any] = []

    def __enter__(self) -> None:
        """What the calling thread posts stays here from now on."""
        self._thread = threading.get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Post what has come."""
        self._thread = 0
        entries, self._entries = self._entries, []
        for entry in entries:
            self._post(entry)

    def post(self, entry: Any) -> None:
        """Post it now or, on the thread that is in the context, with the rest."""
        if threading.get_ident() == self._thread:
            self._entries.append(entry)
        else:
            self._post(entry)

    def report(self, said: Notification, scheduler: str) -> None:
        """Post what a scheduler notifies; a row of notifications becomes one report."""
        if threading.get_ident() != self._thread:
            self._post(Report([said], scheduler))
            return
        entries = self._entries
        last = entries[-1] if entries else None
        if type(last) is Report and last.scheduler == scheduler:
            last.notifications.append(said)
        else:
            entries.append(Report([said], scheduler))
