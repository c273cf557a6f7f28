"""What the machine knows of one scheduler: its queue of ready items and how many it may be offered."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from topcook.machine.phases import Phase

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem

#: The first hand-over batch, and the most that one batch holds.
FIRST_WINDOW = 16
LARGEST_WINDOW = 1024


class SchedulerState:
    """Queue, limits and progress of one scheduler.

    ``offered`` counts hand-overs since the last tick, ``outstanding`` those whose call has not ended,
    ``in_flight`` the items it holds (calls that have not ended included).
    """

    __slots__ = (
        "_batch",
        "_queue",
        "_refused",
        "_room_again",
        "busy",
        "deferred",
        "full",
        "in_flight",
        "max_items",
        "max_tasks",
        "name",
        "offered",
        "outstanding",
        "stage",
        "statics_taken",
        "takes_static",
        "window",
    )

    def __init__(self, name: str, *, max_items: int = 30, max_tasks: int = 0, takes_static: bool = False) -> None:
        """Start with an empty queue; the stages are idle, starting, started, stopping, stopped."""
        self.name = name
        self.max_items = max_items
        self.max_tasks = max_tasks
        self.takes_static = takes_static
        self.statics_taken = False
        self.stage = "idle"
        self.busy = False
        self.full = False
        self.offered = 0
        self.outstanding = 0
        self.in_flight = 0
        self.window = FIRST_WINDOW
        self._batch = 0
        self._refused = 0
        self._room_again = False
        self.deferred: list[WorkItem] = []
        self._queue: list[tuple[int, int, WorkItem]] = []

    def push(self, item: WorkItem) -> None:
        """Queue a ready item: lower priority number first, then by id."""
        heappush(self._queue, (item.priority, item.id, item))

    def defer(self, item: WorkItem, *, full: bool) -> None:
        """Keep an item that the scheduler gave back until it may have room; ``full``: and offer no other before."""
        self.deferred.append(item)
        self._refused += 1
        self.full = self.full or full

    def has_room_now(self) -> None:
        """The scheduler may take items again: its deferred ones are offered anew."""
        # While a batch is out its refusals are still to come, and may have been decided before this room appeared.
        self._room_again = self.outstanding > 0
        self.full = False
        for item in self.deferred:
            self.push(item)
        self.deferred.clear()

    def ticked(self, *, busy: bool) -> None:
        """A tick went by: the count of offers starts again."""
        self.busy = busy
        self.offered = 0
        if not busy:
            self.has_room_now()

    def call_ended(self) -> None:
        """One call of the batch returned; after the last, widen the next batch or fit it to what was taken."""
        self.outstanding -= 1
        if self.outstanding:
            return
        taken = self._batch - self._refused
        self.window = min(self.window * 2, LARGEST_WINDOW) if not self._refused else max(1, taken)
        self._refused = 0
        if self._room_again:
            self.has_room_now()

    def take(self) -> list[WorkItem]:
        """The next batch to hand over, counted as out; empty when nothing may be offered now."""
        if self.stage != "started" or self.busy or self.full or self.outstanding:
            return []
        count = self.window
        if self.max_items > 0:
            count = min(count, self.max_items - self.offered)
        if self.max_tasks > 0:
            count = min(count, self.max_tasks - self.in_flight)
        batch: list[WorkItem] = []
        while len(batch) < count and self._queue:
            item = heappop(self._queue)[2]
            # An item canceled while it was queued is dropped here rather than searched for there.
            if item.phase == Phase.READY:
                batch.append(item)
        self.outstanding = self._batch = len(batch)
        self.offered += len(batch)
        return batch
