"""A scheduler that schedules by itself: longest first, with licence tokens.

For you when there is no farm, or its order is not yours. PDG says which items may go; which goes next is decided here.
onSchedule takes every item at once and only queues it. What to copy:

- what takes longest goes first: short work fills the gaps that it leaves, so that the last minutes of a cook keep all
  slots busy. How long an item takes is guessed by `own_seconds`, which a node or item overrides;
- an item that needs a licence waits for a token of it, and lets those pass that need none or another;
- with `pdg_maxitems` raised, the queue sees what there is rather than thirty items between two ticks.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import signal
import subprocess
import threading
import time

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

# What is tagged "pdg::scheduler" a node may override for its own work items.
PARMS = [
    {"name": "own_slots", "label": "Slots", "type": "Integer", "value": 2},
    {"name": "own_licenses", "label": "Licences", "type": "String", "value": ""},  # as in "nuke:2 karma:1"
    {"name": "own_license", "label": "Needs Licence", "type": "String", "value": "", "tag": ["pdg::scheduler"]},
    {"name": "own_seconds", "label": "Expected Seconds", "type": "Float", "value": 1.0, "tag": ["pdg::scheduler"]},
]


class OwnScheduler(CallbackServerMixin, PyScheduler):
    """Cooks work items on this machine, longest first, no more than there are slots and licences."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        # Callbacks run on PDG's thread, the ends of jobs are noticed on others: all below is changed under the lock.
        self._lock = threading.Condition()
        self._queue = []
        self._running = {}  # id of a work item -> its process
        self._free_slots = 0
        self._free_licenses = {}

    @classmethod
    def templateName(cls):
        return "own_scheduler"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "own_scheduler", "parameters": PARMS})

    def onStart(self):
        return True

    def onStop(self):
        return True

    def onStartCook(self, static, cook_set):
        working_dir = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(working_dir, working_dir)
        self["pdg_maxitems"] = 1000
        self._queue, self._running = [], {}
        self._free_slots = max(1, self["own_slots"].evaluateInt())
        self._free_licenses = self._licenses()
        if not self.isCallbackServerRunning():
            self.startCallbackServer()  # for jobs that report themselves, with pdgcmd
        return True

    def onStopCook(self, cancel):
        if cancel:
            self._cancel(None)
        self.stopCallbackServer()
        return True

    def _licenses(self):
        """How many tokens there are of each licence."""
        words = self["own_licenses"].evaluateString().split()
        try:
            return {name: int(count) for name, _, count in (word.partition(":") for word in words)}
        except ValueError:
            raise pdg.CookError(f'{self.name}: own_licenses is "{" ".join(words)}"; write "nuke:2 karma:1"') from None

    # Work items in.

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        node = work_item.node
        license_name = self.evaluateStringOverride(node, "own", "license", work_item, "")
        if license_name and license_name not in self._free_licenses:
            work_item.addError(f'there is no licence "{license_name}"; own_licenses names those there are')
            return pdg.scheduleResult.CookFailed
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        job = Job(
            work_item.id,
            self.evaluateFloatOverride(node, "own", "seconds", work_item, 1.0),
            license_name,
            self.expandCommandTokens(work_item.command, work_item),
            env,
            self._logFile(work_item),
        )
        with self._lock:
            heapq.heappush(self._queue, job)
        return pdg.scheduleResult.Succeeded

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        """Nothing: an item may take its place in the queue when it is ready."""

    def onTick(self):
        # Not in onSchedule: the first tick after a burst of items finds all of them in the queue.
        self._startWhatFits()
        return pdg.tickResult.SchedulerReady

    # Jobs.

    def _startWhatFits(self):
        """Start the longest of the queue, as far as slots and licences go; those that must wait keep their place."""
        with self._lock:
            passed = []
            while self._queue and self._free_slots:
                job = heapq.heappop(self._queue)
                if self._free_licenses.get(job.license, 1):
                    self._start(job)
                else:
                    passed.append(job)
            for job in passed:
                heapq.heappush(self._queue, job)

    def _start(self, job):
        """Start a job in a session of its own, so that all its processes can be ended together. The lock is held."""
        try:
            with open(job.log, "wb") as log:
                process = subprocess.Popen(
                    job.command,
                    shell=True,
                    cwd=self.workingDir(True),
                    env=job.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            print(f"work item {job.item} could not be started: {error}")  # into the scheduler's log
            self.onWorkItemFailed(job.item, -1)
            return
        self._free_slots -= 1
        if job.license:
            self._free_licenses[job.license] -= 1
        self._running[job.item] = process
        self.onWorkItemStartCook(job.item, -1)
        threading.Thread(target=self._wait, args=(job, process, time.monotonic()), daemon=True).start()

    def _wait(self, job, process, begun):
        """Tell how a job ended, and give what it held to the next."""
        status = process.wait()
        with self._lock:
            canceled = self._running.pop(job.item, None) is None
            self._free_slots += 1
            if job.license:
                self._free_licenses[job.license] += 1
            if canceled:
                self.onWorkItemCanceled(job.item, -1)
            elif status:
                self.onWorkItemFailed(job.item, -1)
            else:
                self.onWorkItemSucceeded(job.item, -1, time.monotonic() - begun)
            self._lock.notify_all()
        self._startWhatFits()

    def onCancelWorkItems(self, work_items, node):
        self._cancel({work_item.id for work_item in work_items})

    def _cancel(self, items):
        """End the jobs of these work items, of all without `items`; comes back when they are gone."""
        with self._lock:
            unwanted = [job for job in self._queue if items is None or job.item in items]
            self._queue = [job for job in self._queue if job not in unwanted]
            heapq.heapify(self._queue)
            for job in unwanted:
                self.onWorkItemCanceled(job.item, -1)
            ending = {item: process for item, process in self._running.items() if items is None or item in items}
            for item, process in ending.items():
                del self._running[item]
                with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                    os.killpg(process.pid, signal.SIGKILL)
            self._lock.wait_for(lambda: all(process.returncode is not None for process in ending.values()))

    def getLogURI(self, work_item):
        return "file://" + self._logFile(work_item)

    def getStatusURI(self, work_item):
        return ""

    def _logFile(self, work_item):
        return f"{self.logDir(True)}/{work_item.name}.log"


class Job:
    """A queued work item; the longest comes first, among equals the one with the lower id."""

    def __init__(self, item, seconds, license_name, command, env, log):
        self.item, self.seconds, self.license = item, seconds, license_name
        self.command, self.env, self.log = command, env, log

    def __lt__(self, other):
        return (-self.seconds, self.item) < (-other.seconds, other.item)


def registerTypes(type_registry):
    type_registry.registerScheduler(OwnScheduler, label="Own Scheduler")
