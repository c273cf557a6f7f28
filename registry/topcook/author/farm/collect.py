"""Ready items, gathered for a moment, so that one submission serves many."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from topcook.author.farm.job import FarmJob
from topcook.author.host import tick_soon
from topcook.author.report import report

__all__ = ["Collector"]

T = TypeVar("T")


class Collector(Generic[T]):
    """Keeps what ``onSchedule`` adds until ``wait`` seconds have passed since the first of them, or there are ``most``.

    ``send`` gets them in the order in which they came, on the scheduler's own thread: call ``flush_if_due`` in
    ``onTick``, which comes in time. ``send`` answers for all it is given: what it cannot send it tells as failed. Where
    it raises, those of its jobs that no ``Reconciler`` watches have failed with that.
    """

    def __init__(
        self,
        scheduler: Any,
        send: Callable[[list[T]], None],
        *,
        wait: float = 0.05,
        most: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Empty."""
        self._scheduler = scheduler
        self._send = send
        self._wait = wait
        self._most = most
        self._clock = clock
        self._kept: list[T] = []
        self._due = 0.0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._kept)

    def add(self, job: T) -> None:
        """Keep one more; the one that fills it up sends all."""
        if not self._kept:
            self._due = self._clock() + self._wait
            tick_soon(self._scheduler, self._wait)
        self._kept.append(job)
        if len(self._kept) >= self._most:
            self.flush()

    def flush_if_due(self) -> None:
        """Send what has waited long enough."""
        if self._kept and self._clock() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Send all there is; raises what ``send`` raises."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        try:
            self._send(kept)
        except Exception as error:
            # Nobody has them any more: their items would wait for ever.
            for job in kept:
                if isinstance(job, FarmJob) and not job.watched:
                    reason = f"it could not be sent: {type(error).__name__}: {error}"
                    report(self._scheduler, job.work_item, job.attempt).failed(reason)
            raise

    def drop(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out what nobody wants any more, as when its item is canceled; what was taken out."""
        out = [job for job in self._kept if unwanted(job)]
        self._kept = [job for job in self._kept if not unwanted(job)]
        return out
