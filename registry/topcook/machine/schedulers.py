"""What the machine knows of one scheduler: its queue of ready items and how many it may be offered."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from topcook.machine.phases import GIVEN_BACK, Phase, Trigger

if TYPE_CHECKING:
    from topcook.machine.resources import Resources
    from topcook.model.policy import Needs
    from topcook.model.workitem import WorkItem

#: An enumeration's member takes a while to find, and this is asked of every item.
_READY = Phase.READY
#: The first hand-over batch, and the most that one batch holds.
FIRST_WINDOW = 16
LARGEST_WINDOW = 1024


class SchedulerState:
    """Queue, limits and progress of one scheduler.

    ``calls`` holds the ids of the items whose ``onSchedule`` has not returned, ``static_call`` is on while
    ``onScheduleStatic`` has not; ``offered`` counts hand-overs since the last tick, ``in_flight`` the items it holds
    (calls that have not ended included).

    Invariant: nothing is offered while a call has not ended, so one batch is out at most.
    """

    __slots__ = (
        "_batch",
        "_heap",
        "_limited",
        "_line",
        "_refused",
        "_room_again",
        "begins_early",
        "busy",
        "calls",
        "deferred",
        "full",
        "in_flight",
        "max_items",
        "max_tasks",
        "name",
        "offered",
        "resources",
        "stage",
        "static_call",
        "statics_taken",
        "takes_static",
        "window",
    )

    def __init__(
        self,
        name: str,
        *,
        max_items: int = 30,
        max_tasks: int = 0,
        takes_static: bool = False,
        begins_early: bool = False,
    ) -> None:
        """Start with an empty queue; the stages are idle, starting, started, stopping, stopped."""
        self.name = name
        #: It may be started while static items are still being made.
        self.begins_early = begins_early and not takes_static
        self.max_items = max_items
        self.max_tasks = max_tasks
        self.takes_static = takes_static
        self.statics_taken = False
        self.stage = "idle"
        self.busy = False
        self.full = False
        self.offered = 0
        self.calls: set[int] = set()
        self.static_call = False
        self.in_flight = 0
        self.window = FIRST_WINDOW
        self._batch = 0
        self._refused = 0
        self._room_again = False
        self.deferred: list[WorkItem] = []
        # Items become ready nearly in the order in which they are offered: those that come behind all others stand in
        # line, and only the others pay for a heap.
        self._line: deque[tuple[int, int, WorkItem]] = deque()
        self._heap: list[tuple[int, int, WorkItem]] = []
        #: What named resources items need besides, ``None`` while there are no such.
        self.resources: Resources | None = None
        #: Those that need some, in a heap for each set of needs: what is like it is free or lacking for all of them.
        self._limited: dict[Needs, list[tuple[int, int, WorkItem]]] = {}

    def push(self, item: WorkItem) -> None:
        """Queue a ready item: lower priority number first, then by id."""
        place = (item.priority, item.id, item)
        if self.resources is not None and (needs := self.resources.needs_of(item)):
            heappush(self._limited.setdefault(needs, []), place)
            return
        if not self._line or place > self._line[-1]:
            self._line.append(place)
        else:
            heappush(self._heap, place)

    def _pop(self) -> WorkItem:
        line, heap = self._line, self._heap
        return (line.popleft() if line and not (heap and heap[0] < line[0]) else heappop(heap))[2]

    def drop_taken(self) -> None:
        """Forget what was ready and has been handed over another way: it may come back to stand here again."""
        self._line = deque(place for place in self._line if place[2].phase == _READY)
        self._heap = sorted(place for place in self._heap if place[2].phase == _READY)

    def has_room_now(self) -> None:
        """The scheduler may take items again: its deferred ones are offered anew."""
        # While a batch is out its refusals are still to come, and may have been decided before this room appeared.
        self._room_again = bool(self.calls)
        self.full = False
        if self.deferred:
            for item in self.deferred:
                self.push(item)
            self.deferred.clear()

    def ticked(self, *, busy: bool) -> None:
        """A tick went by: the count of offers starts again."""
        self.busy = busy
        # What is out was queued behind this tick: those calls come after it.
        self.offered = len(self.calls)
        if not busy:
            self.has_room_now()

    def call_ended(self, item: WorkItem, trigger: Trigger) -> None:
        """Count the end of one call, before the item moves; an item given back is kept until there may be room."""
        self.calls.remove(item.id)
        if trigger is Trigger.NOT_OFFERED:
            self.offered -= 1
        elif trigger is Trigger.FULL:
            self.full = True
        if trigger in GIVEN_BACK and item.phase == Phase.HANDING_OVER:
            self.deferred.append(item)
            self._refused += 1
        if not self.calls:
            self._batch_ended()

    def calls_ended_well(self, items: list[WorkItem]) -> None:
        """Count the ends of calls that took these items."""
        self.calls.difference_update([item.id for item in items])
        if items and not self.calls:
            self._batch_ended()

    def _batch_ended(self) -> None:
        """Widen the next batch, or fit it to what was taken of this one."""
        self.window = min(self.window * 2, LARGEST_WINDOW) if not self._refused else max(1, self._batch - self._refused)
        self._refused = 0
        if self._room_again:
            self.has_room_now()

    def take(self) -> list[WorkItem]:
        """The next batch to hand over, counted as out; empty when nothing may be offered now."""
        if self.stage != "started" or self.busy or self.full or self.calls or self.static_call:
            return []
        count = self.window
        if self.max_items > 0:
            count = min(count, self.max_items - self.offered)
        if self.max_tasks > 0:
            count = min(count, self.max_tasks - self.in_flight)
        batch = self._take_limited(count) if self._limited else []
        line, heap = self._line, self._heap
        while (line or heap) and len(batch) < count:
            item = line.popleft()[2] if line and not heap else self._pop()
            # An item canceled while it was queued is dropped here rather than searched for there.
            if item.phase is _READY:
                batch.append(item)
        self.calls.update([item.id for item in batch])
        self._batch = len(batch)
        self.offered += len(batch)
        return batch

    def _take_limited(self, count: int) -> list[WorkItem]:
        """As ``take`` goes on, where some items need named resources: those are theirs from now on."""
        assert self.resources is not None  # noqa: S101 - nothing is limited otherwise
        batch: list[WorkItem] = []
        while len(batch) < count and (needs := self._first_that_fits(self.resources)) is not None:
            item = heappop(self._limited[needs])[2] if needs else self._pop()
            if item.phase == _READY:
                batch.append(item)
                self.resources.take(item, needs)
        return batch

    def _first_that_fits(self, resources: Resources) -> Needs | None:
        """The needs of the item that comes next; ``None`` when for all that wait something is lacking.

        What is lacking for an item is kept for it: one that needs a lot is not overtaken for ever by those that need
        little of the same.
        """
        firsts: list[tuple[int, int, Needs]] = []
        for needs, heap in self._limited.items():
            while heap and heap[0][2].phase != _READY:
                heappop(heap)
            if heap:
                firsts.append((*heap[0][:2], needs))
        if self._line or self._heap:
            firsts.append((*min(each[0] for each in (self._line, self._heap) if each)[:2], ()))
        claimed: set[str] = set()
        for _, _, needs in sorted(firsts):
            lacking = resources.lacking(needs)
            if not lacking and all(name not in claimed for name, _ in needs):
                return needs
            claimed.update(lacking)
        return None

    def queued(self) -> list[WorkItem]:
        """What is in the queue, in no order; some may have left it by being canceled."""
        limited = (place for heap in self._limited.values() for place in heap)
        return [item for _, _, item in (*self._line, *self._heap, *limited)]

    def waits(self) -> bool:
        """Whether something may still come from it: a callback's end, an item's, or another offer."""
        if self.calls or self.static_call or self.in_flight or self.deferred or self._line or self._heap:
            return True
        if any(self._limited.values()):
            return True
        return self.stage == "starting"
