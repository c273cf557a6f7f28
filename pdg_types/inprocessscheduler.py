"""The in-process scheduler: work items that are Python functions of their node, on threads of this process."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from queue import SimpleQueue
from typing import Any

import pdg
from pdg.scheduler import PyScheduler
from topcook.author import JobReport, log_to_scheduler, report, traceback_text
from topcook.author.report import attempt_of, function_reports

#: How long a canceled cook waits for functions that are in the middle of something: a thread cannot be killed.
PATIENCE = 5.0


class InProcessScheduler(PyScheduler):
    """Cooks in-process items, as many at a time as there are threads."""

    #: It may start while the rest of a large network is still being made.
    beginsEarly = True
    #: Functions need no script directory; it is filled when one asks for the environment of a job.
    runsNoJobs = True

    def __init__(self, scheduler: Any, name: str) -> None:
        """Threads start with the cook."""
        PyScheduler.__init__(self, scheduler, name)
        self._queue: SimpleQueue[tuple[Any, int] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._canceled = threading.Event()

    @classmethod
    def templateName(cls) -> str:
        """The type's name in networks."""
        return "inprocessscheduler"

    @classmethod
    def templateBody(cls) -> str:
        """The parms."""
        return json.dumps(
            {
                "name": "inprocessscheduler",
                "parameters": [
                    {"name": "pdg_maxitems", "type": "Integer", "value": 0},
                    {
                        "name": "maxthreads",
                        "label": "Maximum Threads (0: one for each CPU)",
                        "type": "Integer",
                        "value": 0,
                    },
                ],
            }
        )

    def onStart(self) -> bool:
        """Say that in-process items are welcome."""
        self.setAcceptInProcess(True)
        return True

    def onStartCook(self, static: bool, cook_set: Any) -> bool:
        """Start the threads."""
        # A cook has its own queue: a thread that a canceled cook could not end takes nothing from this one.
        self._queue, self._canceled = SimpleQueue(), threading.Event()
        count = self["maxthreads"].evaluateInt()
        if count <= 0:
            count = os.cpu_count() or 1
        self._threads = [
            threading.Thread(
                target=self._work, args=(self._queue, self._canceled), name=f"{self.name}-{number}", daemon=True
            )
            for number in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()
        return True

    def onStopCook(self, cancel: bool) -> bool:
        """Let the threads end; those of a canceled cook finish what they are in and take nothing more."""
        if cancel:
            self._canceled.set()
        for _ in self._threads:
            self._queue.put(None)
        deadline = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        busy = [thread.name for thread in self._threads if thread.is_alive()]
        if busy:
            self.cookWarning(f"still in the middle of an item, which cannot be interrupted: {', '.join(busy)}")
        self._threads = []
        return True

    def onSchedule(self, work_item: Any) -> pdg.scheduleResult:
        """Queue the item; one whose command wants a process is refused: passing it over would look like success."""
        self.scheduleAll([work_item])
        return pdg.scheduleResult.Succeeded

    def scheduleAll(self, work_items: list[Any]) -> None:
        """Queue many items at once, each as ``onSchedule`` does (Topcook's own)."""
        put = self._queue.put
        for work_item in work_items:
            if work_item.command and not work_item.isInProcess:
                self._refuse(work_item)
            else:
                put((work_item, attempt_of(work_item)))

    def _refuse(self, work_item: Any) -> None:
        report(self, work_item).failed(
            f'"{self.name}" runs Python functions of nodes, and "{work_item.name}" has a command; '
            f'give node "{work_item.node.name}" a scheduler that starts processes: localscheduler',
            time.monotonic(),
        )

    def _work(self, queue: SimpleQueue[tuple[Any, int] | None], canceled: threading.Event) -> None:
        log_to_scheduler(self)
        runs = function_reports(self)
        while (job := queue.get()) is not None:
            work_item, attempt = job
            if canceled.is_set():
                report(self, work_item, attempt).canceled("canceled before it started")
                continue
            runs.started(work_item, attempt)
            try:
                self.cookWorkItem(work_item)
            except BaseException as error:  # noqa: BLE001 - author code; sys.exit() in it must not end this thread
                if not (isinstance(error, SystemExit) and error.code in (None, 0)):
                    self._failed(work_item, report(self, work_item, attempt), error)
                    continue
            runs.succeeded(work_item, attempt)

    def _failed(self, work_item: Any, told: JobReport, error: BaseException) -> None:
        at = time.monotonic()
        text = traceback_text(error, "inprocessscheduler.py", "pythonscript.py")
        sys.stderr.write(text)
        self.onWorkItemAppendLog(work_item.id, -1, text, int(pdg.workItemLogType.Error))
        told.failed(f"{type(error).__name__}: {error}", at)


def registerTypes(type_registry: Any) -> None:
    """Called when the file is found."""
    type_registry.registerScheduler(InProcessScheduler, name="inprocessscheduler", label="In-Process Scheduler")
