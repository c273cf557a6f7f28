"""What the functions of in-process items come to, on the way from the thread that runs them to the cook."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

from topcook.runtime.inbox import Ran

if TYPE_CHECKING:
    from topcook.contract.workitem import WorkItem
    from topcook.model.workitem import WorkItem as Record
    from topcook.runtime.hostdoor import HostDoor
    from topcook.runtime.link import CookLink


class FunctionRuns:
    """Starts and good ends, told by one thread; what went wrong is notified as by any scheduler."""

    __slots__ = ("_attempt", "_host", "_item", "_offset", "_post", "_ran", "_seen", "_since", "native_thread", "thread")

    def __init__(self, host: HostDoor, link: CookLink) -> None:
        """Tell the cook of ``link``."""
        self._host = host
        self._offset = link.clock.offset
        self._post = link.inbox.post
        self._ran = Ran(self._post)
        self._seen = host.notified
        self._since = 0.0
        self._item: Record | None = None
        self._attempt = 0
        #: The thread that runs the functions.
        self.thread, self.native_thread = threading.get_ident(), threading.get_native_id()

    @property
    def running(self) -> tuple[Record | None, int, float]:
        """The item whose function was begun last, its attempt, and when by ``time.monotonic()``; it may have ended."""
        return self._item, self._attempt, self._since - self._offset

    def started(self, work_item: WorkItem, attempt: int) -> None:
        """The item's function is about to be called."""
        self._since = since = monotonic() + self._offset
        self._item = item = work_item.record
        self._attempt = attempt
        self._ran.add(item, attempt, since)

    def succeeded(self, work_item: WorkItem, attempt: int) -> None:
        """It has ended well."""
        at = monotonic() + self._offset
        if self._host.notified != self._seen:
            # What was notified meanwhile, perhaps of this very item, is in the inbox behind the rows before it.
            self._seen = self._host.notified
            self._ran = Ran(self._post)
            self._ran.add(work_item.record, attempt, at, at - self._since)
        else:
            self._ran.end(work_item.record, attempt, at, at - self._since)
