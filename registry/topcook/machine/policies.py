"""What the machine knows about failures: each item's policy, how often it has failed, and what it waits for since."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from topcook.model.policy import USUAL, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from topcook.model.workitem import WorkItem


class Policies:
    """The policies of a cook: an item's own, else its node's, else the usual one.

    ``failures`` counts the failed attempts of an item that used up a retry.
    """

    __slots__ = ("by_item", "by_node", "failures")

    def __init__(self) -> None:
        """Start with the usual policy for everything."""
        self.by_node: dict[str, Policy] = {}
        self.by_item: dict[int, Policy] = {}
        self.failures: dict[int, int] = {}

    def of(self, item: WorkItem) -> Policy:
        """The policy of one item."""
        own = self.by_item.get(item.id) if self.by_item else None
        return own or self.by_node.get(item.node.name, USUAL)

    def count_on(self, item: WorkItem, statuses: Iterable[int | None]) -> None:
        """Let attempts that failed before, with these exit statuses, have used up retries."""
        free = self.of(item).denied
        self.failures[item.id] = sum(status is None or status not in free for status in statuses)

    def has_retry_left(self, item: WorkItem) -> bool:
        """Whether one more failure of the item would be followed by another attempt."""
        return self.failures.get(item.id, 0) < self.of(item).retries


class Timers:
    """What is to happen at some time; ``at`` is in seconds by the cook's clock.

    An entry is about one attempt of an item, and is dropped when another one has begun.
    """

    __slots__ = ("_count", "_heap", "told")

    def __init__(self) -> None:
        """Start with nothing to wait for."""
        self._heap: list[tuple[float, int, str, WorkItem, int]] = []
        self._count = 0
        #: The time for which the shell was asked to wake the machine, ``None`` when it was not.
        self.told: float | None = None

    def set(self, at: float, what: str, item: WorkItem) -> None:
        """Let ``what`` be due for the item's present attempt."""
        self._count += 1
        heappush(self._heap, (at, self._count, what, item, item.attempt))

    def due(self, now: float) -> Iterator[tuple[str, WorkItem]]:
        """What is due, in order; each only once."""
        while self._heap and self._heap[0][0] <= now:
            _, _, what, item, attempt = heappop(self._heap)
            if item.attempt == attempt:
                yield what, item

    def news(self) -> float | None:
        """When to be woken next, if the shell does not know yet."""
        if not self._heap:
            return None
        at = self._heap[0][0]
        if self.told is not None and self.told <= at:
            return None
        self.told = at
        return at
