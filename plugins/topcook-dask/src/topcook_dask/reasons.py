"""Why tasks wait where it is not just their turn, told once for each reason."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from topcook.author.farm import FarmPhase, FarmState
from topcook_dask.schedulerside import NO_WORKER

__all__ = ["Reasons"]

#: Seconds for the first workers of a cluster that is started for the cook, before it is told that there is none.
_COMING = 20.0


class Reasons:
    """``say`` is called with what the cook is to be warned of, ``look(seconds)`` to be given the states again."""

    def __init__(
        self,
        say: Callable[[str], None],
        look: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing waits."""
        self._say = say
        self._look = look
        self._clock = clock
        self._since: dict[str, float] = {}
        self._told: set[str] = set()

    def note(self, states: Iterable[FarmState], *, owned: bool, starting: str) -> None:
        """Tell what is new in the states of all tasks.

        ``owned``: the cluster was started for the cook, and scales; ``starting`` is what keeps it from having its
        workers, in words.
        """
        waiting = Counter(state.reason for state in states if state.phase is FarmPhase.QUEUED and state.reason)
        now = self._clock()
        # What waits again after a while is told again.
        self._since = {reason: self._since.get(reason, now) for reason in waiting}
        self._told &= waiting.keys()
        for reason in waiting.keys() - self._told:
            comes = self._since[reason] + _COMING - now if owned and reason == NO_WORKER and not starting else 0.0
            if comes > 0:
                self._look(comes)
                continue
            self._told.add(reason)
            more = f"\n    {starting}" if starting else ""
            tasks = "1 task waits" if waiting[reason] == 1 else f"{waiting[reason]:,} tasks wait"
            self._say(f"{tasks} on Dask: {reason}{more}")
