"""One call of ``probe``: who executes what, how long it may take, and what to make of those who die of it."""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from topcook.factory.probing.messages import candidate_data, report_of
from topcook.factory.probing.pool import WorkerPool, cpus, finish
from topcook.factory.probing.verdict import Ending, not_probed, verdict
from topcook.lean import dataclass

if TYPE_CHECKING:
    from topcook.factory.probing.prober import Done
    from topcook.factory.probing.process import Event, Worker
    from topcook.factory.sources import Candidate

__all__ = ["Session"]

#: Seconds after which a file is taken to wait for something, and another worker may use its processor.
SITTING = 0.3
#: Seconds that a worker has to be ready.
STARTING = 20.0
#: How many workers in a row may end before they are ready until it is said that none can be started.
STILLBORN = 3


@dataclass(slots=True)
class _Task:
    """A candidate on its way; ``alone`` in a worker that has executed nothing else.

    ``word`` goes with the request and comes back with the report: what a file writes to its worker's descriptors
    itself is taken for no report, neither on it nor on the file after it.
    """

    candidate: Candidate
    alone: bool = False
    since: float = 0.0
    word: str = ""


class Session:
    """The candidates of one call, on the thread that called; worker threads only put events into its inbox."""

    def __init__(
        self,
        pool: WorkerPool,
        inbox: SimpleQueue[Event | None],
        candidates: Sequence[Candidate],
        done: Done,
        deadline: float | None,
    ) -> None:
        self._pool, self._inbox, self._done, self._deadline = pool, inbox, done, deadline
        self._pending = deque(_Task(each) for each in candidates)
        self._busy: dict[Worker, _Task] = {}
        self._waiting: list[Worker] = []
        self._starting: list[Worker] = []
        self._cannot: tuple[str, str] | None = None
        #: Workers that ended before they were ready; one may have been killed, several are no chance.
        self._stillborn = 0

    def run(self) -> list[Candidate]:
        """Probe all; returns what was not finished by the deadline, or by the time the pool was closed."""
        try:
            while self._pending or self._busy:
                now = time.monotonic()
                if self._pool.closed or (self._deadline is not None and now >= self._deadline):
                    break
                self._assign()
                self._staff(now)
                # Among them may be one that was kept, warm and ready.
                self._assign()
                if not (self._busy or self._starting or self._waiting):
                    self._give_up()
                    continue
                self._hear(self._patience(now))
                self._look_at_clocks(time.monotonic())
            return [task.candidate for task in (*self._busy.values(), *self._pending)]
        finally:
            self._leave()

    def _leave(self) -> None:
        """Keep the workers that are as they began, end the others."""
        kept = [each for each in (*self._waiting, *self._starting) if not (each.spoiled or each.foreign)]
        for worker in kept:
            self._pool.give_back(worker)
        finish([each for each in (*self._waiting, *self._starting, *self._busy) if each not in kept])

    # Handing out work

    def _assign(self) -> None:
        for worker in list(self._waiting):
            task = next((each for each in self._pending if not each.alone or not worker.served), None)
            if task is None:
                if self._pending:
                    # What is left is to be executed alone, and this worker has company to offer.
                    self._drop(worker)
                continue
            self._pending.remove(task)
            self._waiting.remove(worker)
            task.since, task.word = time.monotonic(), os.urandom(8).hex()
            self._busy[worker] = task
            patience = self._pool.limit * 0.9
            worker.ask({"candidate": candidate_data(task.candidate), "patience": patience, "word": task.word})

    def _staff(self, now: float) -> None:
        """Have one worker for each processor that is not in use, and more while they all sit and wait."""
        sitting = sum(now - task.since > SITTING for task in self._busy.values())
        active = len(self._busy) - sitting + len(self._starting) + len(self._waiting)
        wanted = max(cpus(), sitting) - active
        room = self._pool.most - len(self._busy) - len(self._starting) - len(self._waiting)
        needed = len(self._pending) - len(self._starting) - len(self._waiting)
        for _ in range(min(wanted, room, needed)):
            self._start()

    def _start(self) -> None:
        worker = self._pool.take_idle()
        try:
            if worker is None and self._cannot is None:
                worker = self._pool.new()
        except (OSError, ValueError) as error:
            self._cannot = _reason(error)
        if worker is not None:
            worker.attach(self._inbox)
            (self._waiting if worker.ready else self._starting).append(worker)

    def _give_up(self) -> None:
        """Say honestly of each file that it was not executed."""
        why, todo = self._cannot or ("it ended before it was ready", f"try: {_executable()} -c pass")
        while self._pending:
            task = self._pending.popleft()
            self._done(task.candidate, not_probed(task.candidate, why, todo))

    # What workers say

    def _patience(self, now: float) -> float:
        ends = [task.since + self._pool.limit for task in self._busy.values()]
        ends += [worker.started + STARTING for worker in self._starting]
        if self._pending and len(self._busy) + len(self._starting) < self._pool.most:
            ends += [task.since + SITTING + 0.01 for task in self._busy.values() if now - task.since <= SITTING]
        if self._deadline is not None:
            ends.append(self._deadline)
        return max(min(ends, default=now + 1.0) - now, 0.0)

    def _hear(self, patience: float) -> None:
        try:
            event = self._inbox.get(timeout=patience)
            while event is not None:
                self._handle(event)
                event = self._inbox.get_nowait()
        except Empty:
            return

    def _handle(self, event: Event) -> None:
        worker = event.worker
        if event.what == "end":
            self._ended(worker, "")
        elif event.what == "flood":
            self._ended(worker, "prints-endlessly")
        elif worker in self._starting:
            # The first that it says, before it executes anything.
            worker.ready, worker.pid = True, int(event.data["ready"])
            self._starting.remove(worker)
            self._waiting.append(worker)
            self._assign()
        elif worker in self._busy:
            self._reported(worker, event.data)
        else:
            # Nobody has asked it: what a file left in it is speaking.
            self._drop(worker)

    def _reported(self, worker: Worker, data: dict[str, Any]) -> None:
        try:
            report = report_of(data["report"])
            garbled = data["word"] != self._busy[worker].word
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            garbled = True
        if garbled:
            self._ended(worker, "garbled")
            return
        task = self._busy.pop(worker)
        worker.served += 1
        worker.spoiled, worker.foreign = bool(data.get("spoiled")), bool(data.get("foreign"))
        if worker.spoiled:
            self._drop(worker)
        else:
            self._waiting.append(worker)
            # The worker goes on while the report is taken in.
            self._assign()
        self._done(task.candidate, report)

    def _look_at_clocks(self, now: float) -> None:
        for worker, task in list(self._busy.items()):
            if now - task.since >= self._pool.limit:
                self._ended(worker, "endless")
        for worker in list(self._starting):
            if now - worker.started >= STARTING:
                self._cannot = (f"it was not ready after {STARTING:g} s", f"try: {_executable()} -c pass")
                self._drop(worker)

    def _ended(self, worker: Worker, cause: str) -> None:
        """A worker is at its end, or to be brought to it; what it had in work is judged, or tried again alone."""
        task = self._busy.pop(worker, None)
        if task is None:
            if worker in self._starting:
                self._stillborn += 1
                if self._stillborn >= STILLBORN:
                    self._cannot = ("it ended before it was ready", f"try: {_executable()} -P -c 'import topcook'")
            self._drop(worker)
            return
        # One that died has a moment to be dead; one that cut its connection and lives is another program now.
        status = worker.wait(1.0) if not cause else None
        if cause in {"endless", "prints-endlessly"}:
            worker.end_with_stack()
        ending = Ending(cause, status, worker.last_stack(), self._pool.limit, self._pool.flood >> 20)
        self._drop(worker)
        if worker.served and ending.place(task.candidate) is None:
            # It may have been another file's doing, a thread for instance that ends the process later.
            self._pending.appendleft(_Task(task.candidate, alone=True))
            return
        self._done(task.candidate, verdict(task.candidate, ending))

    def _drop(self, worker: Worker) -> None:
        for group in (self._waiting, self._starting):
            if worker in group:
                group.remove(worker)
        finish([worker])


def _executable() -> str:
    import sys

    return sys.executable or "python"


def _reason(error: OSError | ValueError) -> tuple[str, str]:
    """Why no worker can be started, and what to do about it."""
    number = getattr(error, "errno", None)
    if number in {errno.EMFILE, errno.ENFILE}:
        return "too many files are open", "close some, or raise the limit: ulimit -n 4096"
    if number in {errno.EAGAIN, errno.ENOMEM}:
        return f"{os.strerror(number)}", "end some processes, or raise the limit: ulimit -u"
    text = f"{error}"
    return text, "run topcook with a Python interpreter of its own: python -m topcook"
