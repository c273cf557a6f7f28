"""A stand-in for the cook behind a result server: records reports on a thread of its own, then answers them."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.notification import Notification

    _Report = tuple[list[Notification], Callable[[Exception | None], None]]


class RecordingSink:
    """The result server's ``Sink``, with its "commit" on another thread, as in a cook.

    ``notifications``, ``events`` and ``queries`` hold what came; ``answers`` maps a query's name to its value (an
    exception is raised); ``unknown`` items are refused. ``hold()`` stops the commits until ``release()``; ``close()``
    ends the thread.
    """

    def __init__(self) -> None:
        """Start the committing thread."""
        self.notifications: list[Notification] = []
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self.queries: list[tuple[str, tuple[Any, ...]]] = []
        self.answers: dict[str, Any] = {}
        self.unknown: set[int | str] = set()
        self.arrived = threading.Semaphore(0)
        self._open = threading.Event()
        self._open.set()
        self._queue: SimpleQueue[_Report | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._commit, name="recording-sink", daemon=True)
        self._thread.start()

    def report(self, notifications: list[Notification], done: Callable[[Exception | None], None]) -> None:
        """Take a report."""
        self.arrived.release()
        self._queue.put((notifications, done))

    def query(self, method: str, args: tuple[Any, ...]) -> Any:
        """Answer from ``answers``."""
        self.queries.append((method, args))
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def event(self, name: str, args: tuple[Any, ...]) -> None:
        """Keep the event."""
        self.events.append((name, args))

    def hold(self) -> None:
        """Commit nothing from now on."""
        self._open.clear()

    def release(self) -> None:
        """Commit what was held, and what comes."""
        self._open.set()

    def close(self) -> None:
        """End the thread; what is held is committed first."""
        self.release()
        self._queue.put(None)
        self._thread.join()

    def _commit(self) -> None:
        while (report := self._queue.get()) is not None:
            self._open.wait()
            notifications, done = report
            strangers = [said.item for said in notifications if said.item in self.unknown]
            if strangers:
                done(LookupError(f"unknown work item {strangers[0]!r}"))
                continue
            self.notifications += notifications
            done(None)
