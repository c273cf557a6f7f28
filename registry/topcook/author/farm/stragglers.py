"""Jobs that were told to end and may run for a moment yet: the next attempt of an item waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence

from topcook.author.farm.engine import EngineAwayError, EngineError
from topcook.author.farm.flight import Flight
from topcook.author.host import record_of

__all__ = ["Stragglers"]

#: Seconds after which a job counts as gone that its engine still has: on a node that is dead, it would stay for ever.
_MOST = 60.0
#: Seconds between two questions; of one that is answered by silence, so many times what it took.
_EVERY, _SILENT = 0.5, 4.0


class Stragglers:
    """What ``onCancelWorkItems`` has told to end, for ``onSchedule`` to answer ``Deferred`` while ``holds`` the item.

    Whoever retries an item that took too long would have two of its jobs write the same files otherwise.
    ``present(engine_ids)`` answers with those that the engine still has. While it is away all count as present: it has
    not heard that they are to end. Any other ``EngineError`` counts as none.
    """

    def __init__(
        self, present: Callable[[Sequence[str]], Collection[str]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """All are gone."""
        self._present = present
        self._clock = clock
        self._ids: dict[int, tuple[float, list[str]]] = {}
        self._asked = float("-inf")

    def add(self, flights: Iterable[Flight]) -> None:
        """These jobs were told to end: ``Reconciler.flights_of`` their items."""
        until = self._clock() + _MOST
        for flight in flights:
            item = record_of(flight.work_item).id
            _, earlier = self._ids.get(item, (until, []))
            self._ids[item] = (until, [*earlier, flight.engine_id])
            self._asked = float("-inf")

    def holds(self, item: int) -> bool:
        """Whether a job of the item is there still; asks the engine now and then."""
        if item not in self._ids:
            return False
        now = self._clock()
        until, _ = self._ids[item]
        if now >= min(self._asked + _EVERY, until):
            self._look(now)
        return item in self._ids

    def _look(self, now: float) -> None:
        wanted = [each for until, ids in self._ids.values() for each in ids if until > now]
        pause = 0.0
        try:
            there = set(self._present(wanted)) if wanted else set()
        except EngineAwayError:
            there, pause = set(wanted), _SILENT * (self._clock() - now)
        except EngineError:
            there = set()
        self._asked = self._clock() + pause
        left = {item: (until, [each for each in ids if each in there]) for item, (until, ids) in self._ids.items()}
        self._ids = {item: (until, ids) for item, (until, ids) in left.items() if ids and until > now}
