"""A pool of probe workers: as many as it takes, side by side, and none left when it is closed."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topcook.factory.probing.prober import Done
    from topcook.factory.probing.process import Event, Worker
    from topcook.factory.sources import Candidate

__all__ = ["WorkerPool"]

#: Seconds for one file.
LIMIT = 10.0
#: Workers at once: most of them wait for a server.
MOST = 16
#: Bytes that a file may print.
FLOOD = 64 * 1024 * 1024
#: Bytes of memory that a worker may have.
MEMORY = 4 * 1024**3


class WorkerPool:
    """A prober with processes of its own; several threads may probe at once.

    Workers that are still as they began are kept for the next call. ``close`` ends all; so does the end of this
    process, whatever its cause.
    """

    def __init__(
        self, *, types_path: Sequence[str] = (), limit: float = LIMIT, most: int = MOST, flood: int = FLOOD
    ) -> None:
        """Start nothing yet. ``types_path`` is what files see as the registry's search path."""
        self.limit, self.most, self.flood = limit, most, flood
        self.types_path = list(types_path)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._inboxes: set[SimpleQueue[Event | None]] = set()
        self._closed = False
        atexit.register(self.close)

    def probe(self, candidates: Sequence[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        """Give each report to ``done`` as it arrives; returns what was not finished by the deadline.

        Whatever ``done`` raises, and Ctrl-C, ends what is in work and goes through.
        """
        from topcook.factory.probing.session import Session

        inbox: SimpleQueue[Event | None] = SimpleQueue()
        with self._lock:
            if self._closed:
                return list(candidates)
            self._inboxes.add(inbox)
        try:
            return Session(self, inbox, candidates, done, deadline).run()
        finally:
            with self._lock:
                self._inboxes.discard(inbox)

    def warm(self, count: int = 1) -> None:
        """Have so many workers waiting, so that the next file need not wait for one to start."""
        while not self._closed and len(self._idle) < count:
            try:
                self.give_back(self.new())
            except OSError:
                return

    def close(self) -> None:
        """End all workers, in use or not, and what their files started; returns when they are gone."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for inbox in self._inboxes:
                inbox.put(None)
        finish(idle)
        atexit.unregister(self.close)

    # For sessions

    @property
    def closed(self) -> bool:
        """Whether no more work is to be done."""
        return self._closed

    def take_idle(self) -> Worker | None:
        """A waiting worker, None when there is none."""
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None or worker.wait(0) is None:
                return worker
            # It ended while nobody looked: what it is asked now would seem to have killed it.
            finish([worker])

    def new(self) -> Worker:
        """A worker that was just started. Raises OSError when none can be started."""
        if not sys.executable:
            raise OSError("this program is no Python interpreter of its own")
        from topcook.factory.probing.process import Worker

        return Worker(self._greeting(), self.flood)

    def give_back(self, worker: Worker) -> None:
        """Keep a worker for later."""
        worker.detach()
        with self._lock:
            if not self._closed and len(self._idle) < cpus():
                self._idle.append(worker)
                return
        finish([worker])

    def _greeting(self) -> dict[str, Any]:
        return {
            "sys_path": [os.fspath(each) for each in sys.path if isinstance(each, str | os.PathLike)],
            "types_path": self.types_path,
            "memory": MEMORY,
        }


def cpus() -> int:
    """How many can compute at once."""
    return os.cpu_count() or 1


def finish(workers: Sequence[Worker]) -> None:
    """End workers side by side."""
    for worker in workers:
        worker.tell_to_end()
    for worker in workers:
        worker.finish()
