"""A farm that only answers when asked: onTick polls it. And a file that implements all that PDG's help calls a must.

For you in most cases: PDG calls onTick twice a second (`pdg_tickperiod`) from the first moment of a cook to its last,
and never together with another callback, so there is no thread and no lock. `farms/spool_farm.py` stands in for the
farm's command line. `topcook check --strict` finds nothing to add here. What to copy:

- onTick may come before anything was scheduled;
- one poll asks for all jobs at once;
- a farm that cannot be reached is asked again at the next tick; after a minute of that the cook is canceled;
- files and paths: this machine's working directory, the farm's, and the way from one to the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import time

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

# What is tagged "pdg::scheduler" a node may override for its own work items.
PARMS = [
    {"name": "spool_program", "label": "Farm Program", "type": "String", "value": "$HIP/farms/spool_farm.py"},
    {"name": "spool_folder", "label": "Spool", "type": "String", "value": "$HIP/work/spool"},
    {"name": "spool_slots", "label": "Slots", "type": "Integer", "value": 2, "tag": ["pdg::scheduler"]},
    {"name": "spool_farmdir", "label": "Working Directory on the Farm", "type": "String", "value": ""},
    {"name": "spool_patience", "label": "Seconds to Reach the Farm", "type": "Float", "value": 60.0},
]


class TickPoll(CallbackServerMixin, PyScheduler):
    """Cooks work items on a farm with a command line, polled by onTick."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self._items = {}  # job -> id of its work item, for the jobs that have not ended
        self._reached = 0.0

    @classmethod
    def templateName(cls):
        return "tick_poll"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "tick_poll", "parameters": PARMS})

    # A cook.

    def onStart(self):
        return True

    def onStop(self):
        return True

    def onStartCook(self, static, cook_set):
        here = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(here, self["spool_farmdir"].evaluateString() or here)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()  # for jobs that report themselves, with pdgcmd
        self._items = {}
        self._reached = time.monotonic()
        return True

    def onStopCook(self, cancel):
        if cancel and self._items:
            self._spool("cancel", *self._items)
        self._items = {}
        self.stopCallbackServer()
        return True

    # Work items out, reports back.

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        slots = self.evaluateIntOverride(work_item.node, "spool", "slots", work_item, 2)
        said = self._spool(
            "submit",
            f"--name={work_item.name}",
            f"--folder={self.workingDir(False)}",
            f"--log={self._logFile(work_item)}",
            f"--slots={slots}",
            command,
            env=env,
        )
        self._items[said.split()[1]] = work_item.id
        return pdg.scheduleResult.Succeeded

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        """Nothing: this farm knows no dependencies, so each item comes to onSchedule when it is ready."""

    def onTick(self):
        if not self._items:
            self._reached = time.monotonic()
            return pdg.tickResult.SchedulerReady
        try:
            lines = self._spool("status", *self._items).splitlines()
        except pdg.CookError as error:
            if time.monotonic() - self._reached < self["spool_patience"].evaluateFloat():
                return pdg.tickResult.SchedulerBusy  # nothing is handed over until the farm is back
            self.cookError(str(error))
            return pdg.tickResult.SchedulerCancelCook
        self._reached = time.monotonic()
        for line in lines:
            job, state, seconds, _name = line.split(" ", 3)
            self._tell(job, state, float(seconds))
        return pdg.tickResult.SchedulerReady

    def _tell(self, job, state, seconds):
        item = self._items[job]
        if state == "running":
            self.onWorkItemStartCook(item, -1)  # on every poll: PDG counts the first
        elif state == "done":
            self.onWorkItemSucceeded(item, -1, seconds)
        elif state == "failed":
            self.onWorkItemFailed(item, -1)
        elif state == "canceled":
            self.onWorkItemCanceled(item, -1)
        if state not in ("queued", "running"):
            del self._items[job]

    def onCancelWorkItems(self, work_items, node):
        unwanted = {work_item.id for work_item in work_items}
        jobs = [job for job, item in self._items.items() if item in unwanted]
        if jobs:
            self._spool("cancel", *jobs)

    # Files and paths. What the base class does is right here; each says what it is for.

    def workingDir(self, local):
        """As this machine (local) or as the farm names it: the pair that setWorkingDir was given."""
        return super().workingDir(local)

    def localizePath(self, path):
        """`__PDG_DIR__/frame.exr`, as jobs report it, becomes a path of this machine."""
        return super().localizePath(path)

    def transferFile(self, file_path):
        """A file that jobs need is copied into the working directory, unless it is there already."""
        return super().transferFile(file_path)

    def getLogURI(self, work_item):
        return "file://" + self._logFile(work_item)

    def getStatusURI(self, work_item):
        return ""

    def _logFile(self, work_item):
        return f"{self.logDir(False)}/{work_item.name}.log"

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


def registerTypes(type_registry):
    type_registry.registerScheduler(TickPoll, label="Tick Poll")
