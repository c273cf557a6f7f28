"""What is heard of tasks, and how the cook is told: starts and ends at once, all else in the order it was said."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from topcook.author.farm import FarmJob, tick_soon
from topcook.author.farm.ends import Ends, tell_cook
from topcook.author.report import Reports
from topcook_dask.inprocess import AT_ONCE

__all__ = ["Heard"]

#: Seconds after which the file of an end that was heard is not needed any more: it is recorded by then.
_RECORDED = 5.0
#: Seconds for which a task may have no worker before it is looked into: one may be on its way.
_WAITS = 2.0


def _read(words: Any) -> Any:
    """Words that Dask could not send come as their JSON."""
    return json.loads(words) if isinstance(words, str) else words


class Heard:
    """The jobs of a cook by token; ``over(job)`` is called with each whose end was heard."""

    def __init__(self, scheduler: Any, over: Callable[[FarmJob], None], look: Callable[[float], None]) -> None:
        """``look(seconds)`` is called when the cluster should be asked soon why tasks wait."""
        self._scheduler = scheduler
        self._over = over
        self._look = look
        self._ends = Ends(scheduler)
        self._jobs: dict[str, FarmJob] = {}
        #: Of one event, on the client's thread.
        self._reports = Reports(scheduler)
        #: What jobs have told beside their start and end, by token, until their end comes; then what is told together.
        self._said: dict[str, list[list[Any]]] = {}
        self._told: deque[list[list[Any]]] = deque()
        self._done: deque[tuple[float, str]] = deque()
        self._remove_at = 0.0
        self._gone: set[str] = set()
        self._lock = threading.Lock()

    def expect(self, job: FarmJob) -> None:
        """Its events are on their way."""
        self._jobs[job.token] = job

    def expects(self, job: FarmJob) -> bool:
        """Whether its end was not heard yet."""
        return job.token in self._jobs

    def hear(self, event: dict[str, Any]) -> None:
        """Take an event, on the client's thread: of jobs ``{"said": [[token, words], ...]}``, or of the scheduler."""
        try:
            self._hear(event)
        finally:
            self._reports.send()

    def _hear(self, event: dict[str, Any]) -> None:
        said = [(token, _read(words)) for token, words in event.get("said", ())]
        ended = {token for token, words in said if words[0] == "ended"}
        for token, words in said:
            job = self._jobs.get(token)
            # A start that comes with its end is no news.
            if job is not None and not (words[0] == "start_cook" and token in ended):
                self._of_the_job(job, words)
        if event.get("what") == "look":
            self._look(0.0)
        job = self._jobs.get(event.get("token", ""))
        if job is not None:
            self._of_the_scheduler(job, event)

    def _of_the_job(self, job: FarmJob, words: list[Any]) -> None:
        if words[0] in AT_ONCE:
            self._tell([words])
        elif job.token in self._said:
            # Its end comes after what it told before, by the same way.
            self._said[job.token].append(words)
            if words[0] == "ended":
                self._tell(self._said.pop(job.token))
                self._is_over(job)
        elif words[0] == "start_cook":
            self._reports.of(job.work_item, job.attempt).started()
        elif words[0] == "ended":
            self._end(job, words)
        else:
            self._said[job.token] = [words]

    def _end(self, job: FarmJob, words: list[Any]) -> None:
        _, _, _, state, status, seconds, reason, _ = words
        told = self._reports.of(job.work_item, job.attempt)
        if state == "succeeded":
            told.succeeded(exit_status=status, seconds=seconds)
        elif state == "failed":
            told.failed(reason, exit_status=status)
        elif state == "canceled":
            told.canceled(reason, exit_status=status)
        self._is_over(job)

    def _is_over(self, job: FarmJob) -> None:
        self._jobs.pop(job.token, None)
        self._over(job)
        self._done.append((time.monotonic() + _RECORDED, job.token))

    def _of_the_scheduler(self, job: FarmJob, event: dict[str, Any]) -> None:
        what, why = event["what"], event["why"]
        if what == "waits":
            self._look(_WAITS)
        elif what == "failed":
            self._reports.of(job.work_item, job.attempt).failed(why)
            self._is_over(job)
        elif what == "again":
            # What its first run told in vain is told by nobody else: it is withdrawn with the second one's end.
            self._said.pop(job.token, None)
            self._scheduler.onWorkItemSetCustomState(job.item, -1, f"its worker {why} is gone: it runs again")
            with self._lock:
                is_new = why not in self._gone
                self._gone.add(why)
            if is_new:
                self._scheduler.cookWarning(f"Dask's worker {why} is gone: what ran there runs again")

    def _tell(self, words: list[list[Any]]) -> None:
        self._told.append(words)
        tick_soon(self._scheduler)

    def tick(self) -> None:
        """Pass on what is told by the result server, and remove what is on disk of ends that are recorded."""
        words: list[list[Any]] = []
        while self._told:
            words += self._told.popleft()
        if words:
            try:
                for each in tell_cook(self._scheduler, words):
                    self._scheduler.cookWarning(f"a report was refused: {each}")
            except OSError as error:
                # The ends are on disk, too.
                self._scheduler.cookWarning(f"what jobs told could not be passed on: {error}")
        now = time.monotonic()
        if now >= self._remove_at:
            self._remove_at = now + _RECORDED
            self._remove(now)

    def _remove(self, now: float) -> None:
        tokens = []
        with suppress(IndexError):
            while self._done[0][0] <= now:
                tokens.append(self._done.popleft()[1])
        if tokens:
            self._ends.remove_all(tokens)

    def close(self, in_flight: Iterable[str]) -> None:
        """All has been heard: leave nothing on disk but of jobs that are in flight."""
        self._remove(float("inf"))
        self._ends.tidy(in_flight)
