"""The backlog: what could not be probed while a start may take, probed on behind the scenes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topcook.factory.probing import Prober
    from topcook.factory.probing.prober import Done
    from topcook.factory.sources import Candidate
    from topcook.factory.wire import ProbeReport

__all__ = ["Backlog"]


class Backlog:
    """Candidates that a thread of its own has probed; ``done`` hears of each on that thread."""

    def __init__(self, prober: Prober, waiting: Sequence[Candidate], done: Done, finished: Callable[[], None]) -> None:
        """Start at once; ``finished`` is called when nothing is left, whatever happened."""
        self._changed = threading.Condition()
        self._waiting = {id(each) for each in waiting}
        self._done = done
        self._finished = finished
        self._thread = threading.Thread(
            target=self._work, args=(prober, list(waiting)), name="topcook backlog", daemon=True
        )
        self._thread.start()

    def wait(self, candidates: Sequence[Candidate], timeout: float | None) -> bool:
        """Wait until all of these are probed; False when ``timeout`` seconds were not enough."""
        wanted = {id(each) for each in candidates}
        with self._changed:
            return self._changed.wait_for(lambda: not wanted & self._waiting, timeout)

    def wait_all(self, timeout: float | None) -> bool:
        """Wait until nothing is left; False when ``timeout`` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout)

    def _work(self, prober: Prober, waiting: list[Candidate]) -> None:
        try:
            prober.probe(waiting, self._one, None)
        finally:
            self._finished()
            with self._changed:
                self._waiting.clear()
                self._changed.notify_all()

    def _one(self, candidate: Candidate, report: ProbeReport) -> None:
        self._done(candidate, report)
        with self._changed:
            self._waiting.discard(id(candidate))
            self._changed.notify_all()
