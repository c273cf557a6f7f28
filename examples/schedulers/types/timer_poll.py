"""A farm that only answers when asked: a timer thread polls it, from onStartCook to onStopCook.

For you when a poll may take long, or the rhythm must be the farm's: onTick would keep `onSchedule` waiting meanwhile.
If neither is so, take `tick_poll.py`: it needs no thread and no lock. `farms/spool_farm.py` stands in for the farm's
command line. What to copy:

- the timer is a thread with an event that tells it to stop; `onStopCook` sets it and waits for the thread's end, so
  that no poll outlives the cook;
- one poll asks for all jobs at once;
- an item whose job has ended is forgotten: its end is told once, whatever the farm says of it afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

PARMS = [
    {"name": "spool_program", "label": "Farm Program", "type": "String", "value": "$HIP/farms/spool_farm.py"},
    {"name": "spool_folder", "label": "Spool", "type": "String", "value": "$HIP/work/spool"},
    {"name": "spool_slots", "label": "Slots", "type": "Integer", "value": 2},
    {"name": "spool_period", "label": "Seconds between Polls", "type": "Float", "value": 0.5},
]


class TimerPoll(CallbackServerMixin, PyScheduler):
    """Cooks work items on a farm with a command line, polled by a thread of its own."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self._timer = None
        self._items = {}  # job -> id of its work item, for the jobs that have not ended
        self._lock = threading.Lock()

    @classmethod
    def templateName(cls):
        return "timer_poll"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "timer_poll", "parameters": PARMS})

    def onStart(self):
        return True

    def onStop(self):
        return True

    def onStartCook(self, static, cook_set):
        working_dir = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(working_dir, working_dir)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()  # for jobs that report themselves, with pdgcmd
        self._items = {}
        self._timer = Timer(self["spool_period"].evaluateFloat(), self._poll)
        self._timer.start()
        return True

    def onStopCook(self, cancel):
        timer, self._timer = self._timer, None
        if timer is not None:  # this may be called twice
            timer.stop()
        if cancel:
            self._cancel(None)
        self.stopCallbackServer()
        return True

    # Work items out, reports back.

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        with self._lock:  # no poll comes between the farm's knowing of the job and ours
            said = self._spool(
                "submit",
                f"--name={work_item.name}",
                f"--folder={self.workingDir(True)}",
                f"--log={self._logFile(work_item)}",
                f"--slots={self['spool_slots'].evaluateInt()}",
                command,
                env=env,
            )
            self._items[said.split()[1]] = work_item.id
        return pdg.scheduleResult.Succeeded

    def _poll(self):
        """Called by the timer, on its thread."""
        with self._lock:
            jobs = list(self._items)
            lines = self._spool("status", *jobs).splitlines() if jobs else ()
        for line in lines:
            job, state, seconds, _name = line.split(" ", 3)
            self._tell(job, state, float(seconds))

    def _tell(self, job, state, seconds):
        with self._lock:
            item = self._items.get(job) if state in ("queued", "running") else self._items.pop(job, None)
        if item is None:
            return
        if state == "running":
            self.onWorkItemStartCook(item, -1)  # on every poll: PDG counts the first
        elif state == "done":
            self.onWorkItemSucceeded(item, -1, seconds)
        elif state == "failed":
            self.onWorkItemFailed(item, -1)
        elif state == "canceled":
            self.onWorkItemCanceled(item, -1)

    def onCancelWorkItems(self, work_items, node):
        self._cancel({work_item.id for work_item in work_items})

    def _cancel(self, items):
        """End the jobs of these work items, of all without `items`; comes back when their processes are gone."""
        with self._lock:
            jobs = [job for job, item in self._items.items() if items is None or item in items]
            if jobs:
                self._spool("cancel", *jobs)

    def getLogURI(self, work_item):
        return "file://" + self._logFile(work_item)

    def getStatusURI(self, work_item):
        return ""

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        """Nothing: this farm knows no dependencies, so each item comes to onSchedule when it is ready."""

    def _logFile(self, work_item):
        return f"{self.logDir(True)}/{work_item.name}.log"

    def _spool(self, *words, env=None):
        """Run the farm's program, and give back what it prints. Raises CookError when it fails."""
        python = self.expandCommandTokens("__PDG_PYTHON__", None)
        program, folder = self["spool_program"].evaluateString(), self["spool_folder"].evaluateString()
        done = subprocess.run(
            [python, program, folder, *map(str, words)], env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise pdg.CookError(f"{self.name}: {program} {words[0]} failed: {done.stderr.strip()}")
        return done.stdout


class Timer(threading.Thread):
    """Calls a function again and again, until told to stop."""

    def __init__(self, period, function):
        threading.Thread.__init__(self, name="poll", daemon=True)
        self._period, self._function = period, function
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.wait(self._period):
            try:
                self._function()
            except Exception as error:
                print(f"the farm was not reached, it is asked again: {error}")  # into the scheduler's log

    def stop(self):
        """Come back when no call is under way, and none will come."""
        self._stopped.set()
        self.join()


def registerTypes(type_registry):
    type_registry.registerScheduler(TimerPoll, label="Timer Poll")
