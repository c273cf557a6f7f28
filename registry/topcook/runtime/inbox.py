"""The inbox: any thread posts, the cook thread drains.

A batch is what arrived while the last one was worked on; nothing waits on purpose.
"""

from __future__ import annotations

import contextlib
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.notification import Notification
    from topcook.model.workitem import WorkItem

#: How much one batch takes at most, so that a flood cannot keep the cook from acting.
LARGEST_BATCH = 8192


class Report:
    """Notifications that belong together; ``done(error)`` is called once they are recorded, or could not be."""

    __slots__ = ("delegated", "done", "notifications", "scheduler")

    def __init__(
        self,
        notifications: list[Notification],
        scheduler: str = "",
        done: Callable[[Exception | None], None] | None = None,
    ) -> None:
        """Keep them; ``scheduler`` names the instance that sent them, empty for a job's own report."""
        self.notifications = notifications
        self.scheduler = scheduler
        self.done = done
        #: Those that are on their way through the event methods of their scheduler's author.
        self.delegated: list[Notification] = []


#: A work item, its attempt, when (by the cook's clock), and of an end how many seconds it took; of a start ``None``.
#: Where an end comes without a start, the item began when that says.
Row = tuple["WorkItem", int, float, "float | None"]


class Ran:
    """What functions of in-process items came to: one thread adds rows, the cook takes all that are there.

    Many rows travel with one post, as many as come before the cook looks.
    """

    __slots__ = ("_post", "_posted", "_rows", "files")

    def __init__(self, post: Callable[[Any], None]) -> None:
        """Nothing yet; the first row posts this by ``post``."""
        self._post = post
        self._posted = False
        self._rows: deque[Row] = deque()
        #: Whether some of the items that ended have promised files.
        self.files = False

    def add(self, item: WorkItem, attempt: int, at: float, duration: float | None = None) -> None:
        """Add a start or, with its ``duration``, a good end."""
        if item.expected_outputs:
            self.files = True
        self._rows.append((item, attempt, at, duration))
        if not self._posted:
            self._posted = True
            self._post(self)

    def end(self, item: WorkItem, attempt: int, at: float, duration: float) -> None:
        """Add the good end of what was added last; a start that nobody has seen yet is told with it."""
        try:  # noqa: SIM105 - suppress() takes longer than all the rest of this
            self._rows.pop()
        except IndexError:
            pass
        self.add(item, attempt, at, duration)

    def take(self) -> list[Row]:
        """All rows that are there."""
        # Invariant: what is added after this is posted anew; what was added before is taken below.
        self._posted = False
        rows = self._rows
        taken: list[Row] = []
        # The other thread may take a start back at any moment, to put its end there.
        with contextlib.suppress(IndexError):
            # One by one: what was taken before the line ran empty must not be lost.
            for _ in range(len(rows)):
                taken.append(rows.popleft())  # noqa: PERF401
        return taken


class UrisTold:
    """What a scheduler answered to ``getLogURI`` and ``getStatusURI``: (item, log, status)."""

    __slots__ = ("told",)

    def __init__(self, told: list[tuple[WorkItem, str, str]]) -> None:
        """Keep the answers."""
        self.told = told


class Broken:
    """A thread of ours met what it was not made for: the cook cannot go on."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        """Keep it."""
        self.error = error


class Inbox:
    """A queue of events and reports."""

    __slots__ = ("_queue", "_soon", "post", "post_soon")

    def __init__(self) -> None:
        """Start empty."""
        self._queue: SimpleQueue[Any] = SimpleQueue()
        #: Post one event; never blocks, safe from any thread and from signal handlers.
        self.post: Callable[[Any], None] = self._queue.put
        self._soon: deque[Any] = deque()
        #: Add one that wakes nobody up: it is in front of the next batch. Who adds it sees to it by ``rouse``.
        self.post_soon: Callable[[Any], None] = self._soon.append

    def rouse(self) -> None:
        """Make a batch now of what was posted for soon, if nobody has taken it yet."""
        with contextlib.suppress(IndexError):
            self._queue.put(self._soon.popleft())

    def drain(self, timeout: float | None = None) -> list[Any]:
        """Everything that is there, at least one event; empty only when ``timeout`` seconds went by without any."""
        queue = self._queue
        take = queue.get_nowait
        batch = self._taken_soon()
        wait = not batch and (timeout is None or timeout > 0)
        # What was taken before the queue ran empty must not be lost: appended one by one.
        try:
            first = queue.get(wait, timeout if wait else None)
            # In front: it came before what it brought about, such as the start of a job that was accepted.
            batch += self._taken_soon()
            batch.append(first)
            # What comes meanwhile is for the next batch.
            for _ in range(min(queue.qsize(), LARGEST_BATCH)):
                batch.append(take())
        except Empty:
            return batch
        return batch

    def _taken_soon(self) -> list[Any]:
        soon = self._soon
        taken: list[Any] = []
        if soon:
            # Who rouses, or refuses what is left of a cook that is over, may take one at this very moment.
            with contextlib.suppress(IndexError):
                for _ in range(len(soon)):
                    taken.append(soon.popleft())  # noqa: PERF401 - what was taken before that must not be lost
        return taken
