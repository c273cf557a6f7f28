"""Farm software in this very process calls back when the state of a job changes.

For you when your farm has a Python module that takes a listener: a render manager's client, a thread pool, Dask.
`Farm`, below, stands in for that module. What to copy:

- the listener runs on the farm's threads, and may come before `submit` has returned: `onSchedule` therefore notes which
  work item a job is for while it holds the lock that the listener takes first;
- `self.onWorkItem...` may be called from any thread, and twice; nothing here needs to count.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

PARMS = [{"name": "inprocess_workers", "label": "Workers", "type": "Integer", "value": 2}]


class InProcessCallback(CallbackServerMixin, PyScheduler):
    """Cooks work items on a farm in this process."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self._farm = None
        self._items = {}  # job -> id of its work item, for the jobs that have not ended
        self._lock = threading.Lock()

    @classmethod
    def templateName(cls):
        return "inprocess_callback"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "inprocess_callback", "parameters": PARMS})

    # The farm lives as long as the scheduler, a listener as long as the farm.

    def onStart(self):
        self._farm = Farm(self["inprocess_workers"].evaluateInt(), self._jobChanged)
        return True

    def onStop(self):
        self._farm.close()
        return True

    def onStartCook(self, static, cook_set):
        working_dir = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(working_dir, working_dir)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()  # for jobs that report themselves, with pdgcmd
        return True

    def onStopCook(self, cancel):
        if cancel:
            self._farm.cancel(self._jobsOf(None))
        self.stopCallbackServer()
        return True

    # Work items out, reports back.

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        with self._lock:
            job = self._farm.submit(command, env, self.workingDir(True), self._logFile(work_item))
            self._items[job] = work_item.id
        return pdg.scheduleResult.Succeeded

    def _jobChanged(self, job, state, seconds):
        """Called by the farm, on one of its threads."""
        with self._lock:
            item = self._items.get(job) if state == "running" else self._items.pop(job, None)
        if item is None:
            return  # its end has been told
        if state == "running":
            self.onWorkItemStartCook(item, -1)
        elif state == "done":
            self.onWorkItemSucceeded(item, -1, seconds)
        elif state == "failed":
            self.onWorkItemFailed(item, -1)
        else:
            self.onWorkItemCanceled(item, -1)

    def onCancelWorkItems(self, work_items, node):
        self._farm.cancel(self._jobsOf({work_item.id for work_item in work_items}))

    def _jobsOf(self, items):
        """The jobs of these work items, of all without `items`."""
        with self._lock:
            return [job for job, item in self._items.items() if items is None or item in items]

    def getLogURI(self, work_item):
        return "file://" + self._logFile(work_item)

    def getStatusURI(self, work_item):
        return ""

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        """Nothing: this farm knows no dependencies, so each item comes to onSchedule when it is ready."""

    def _logFile(self, work_item):
        return f"{self.logDir(True)}/{work_item.name}.log"


class Farm:
    """Stands in for your farm's Python module. Calls `listener(job, state, seconds)` on its own threads.

    A job is running, then done, failed or canceled.
    """

    def __init__(self, workers, listener):
        self._listener = listener
        self._pool = ThreadPoolExecutor(max(1, workers))
        self._numbers = itertools.count(1)
        self._processes = {}
        self._futures = {}
        self._canceled = set()
        self._lock = threading.Lock()

    def submit(self, command, env, folder, log):
        job = next(self._numbers)
        self._futures[job] = self._pool.submit(self._run, job, command, env, folder, log)
        return job

    def cancel(self, jobs):
        """End these jobs with all that they started; returns when they are gone."""
        with self._lock:
            self._canceled.update(jobs)
            for job in jobs:
                if job in self._processes:
                    end_group(self._processes[job])
        for job in jobs:
            if self._futures[job].cancel():
                self._listener(job, "canceled", 0.0)
            else:
                self._futures[job].exception()

    def close(self):
        self.cancel(list(self._futures))
        self._pool.shutdown()

    def _run(self, job, command, env, folder, log):
        begun = time.monotonic()
        try:
            with open(log, "wb") as output:
                with self._lock:
                    if job in self._canceled:
                        raise InterruptedError
                    process = self._processes[job] = subprocess.Popen(
                        command,
                        shell=True,
                        cwd=folder,
                        env=env,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                    )
                self._listener(job, "running", 0.0)
                state = "failed" if process.wait() else "done"
        except OSError as error:
            print(f"job {job} could not be started: {error}")  # into the scheduler's log
            state = "failed"
        with self._lock:
            self._processes.pop(job, None)
            state = "canceled" if job in self._canceled else state
        self._listener(job, state, time.monotonic() - begun)


def end_group(process):
    """End a process with all that it started. That it has just ended by itself is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def registerTypes(type_registry):
    type_registry.registerScheduler(InProcessCallback, label="In-Process Callback")
