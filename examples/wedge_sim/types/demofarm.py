"""A PDG scheduler for tinyfarm, the farm program that lies beside the network of this example.

It is written as a pipeline TD would write one for Houdini, with PDG's documented interface only. PDG finds it on the
types path: in Houdini `$HOUDINI_PATH/pdg/types`, here PDG_TYPES_PATH.

The farm is a process of its own. It is started with the cook and told a secret through its input; after that,
every request is a line of JSON over a socket. Each work item becomes one job of the farm, and onTick asks how the
jobs stand. The exit status of a job decides whether its work item has cooked; its outputs are those it was expected
to make.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess

import pdg
from pdg.scheduler import PyScheduler

SECONDS_TO_ANSWER = 60

# What is tagged "pdg::scheduler" a node may override for its own work items.
PARMS = [
    {"name": "farm_program", "label": "Farm Program", "type": "String", "value": "$HIP/tinyfarm.py"},
    {"name": "farm_workers", "label": "Workers", "type": "Integer", "value": 2},
    {"name": "farm_priority", "label": "Job Priority", "type": "Integer", "value": 0, "tag": ["pdg::scheduler"]},
    {"name": "farm_slots", "label": "Slots per Job", "type": "Integer", "value": 1, "tag": ["pdg::scheduler"]},
]


class DemoFarm(PyScheduler):
    """Cooks work items on a tinyfarm."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        self._farm = None
        self._port = 0
        self._secret = ""
        self._items = {}  # job number -> id of its work item, for the jobs that have not ended
        self._started = set()  # the jobs whose start has been told

    @classmethod
    def templateName(cls):
        return "demofarm"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "demofarm", "parameters": PARMS})

    # The life of the farm: as long as the cook.

    def onStart(self):
        return True

    def onStartCook(self, static, cook_set):
        working_dir = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(working_dir, working_dir)
        self._stopFarm()
        self._startFarm()
        return True

    def onStopCook(self, cancel):
        if cancel and self._items and self._farm:
            with contextlib.suppress(OSError):  # a farm that is gone has taken its jobs with it
                self._ask("cancel", jobs=list(self._items))
        self._stopFarm()
        return True

    def onStop(self):
        self._stopFarm()
        return True

    # Work items out, reports back.

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        answer = self._ask(
            "submit",
            name=work_item.name,
            command=self.expandCommandTokens(work_item.command, work_item),
            folder=self.workingDir(True),
            env=self._jobEnvironment(work_item),
            log=self._logFile(work_item),
            priority=self.evaluateIntOverride(work_item.node, "farm", "priority", work_item, 0),
            slots=self.evaluateIntOverride(work_item.node, "farm", "slots", work_item, 1),
        )
        self._items[answer["job"]] = work_item.id
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        if not self._items:
            return pdg.tickResult.SchedulerReady
        try:
            reports = self._ask("report", jobs=list(self._items))["jobs"]
        except OSError as error:
            self.cookError(f"{self.name}: the farm does not answer any more: {error}")
            return pdg.tickResult.SchedulerCancelCook
        for job, report in reports.items():
            self._tell(int(job), report)
        return pdg.tickResult.SchedulerReady

    def onCancelWorkItems(self, work_items, node):
        unwanted = {work_item.id for work_item in work_items}
        jobs = [job for job, item in self._items.items() if item in unwanted]
        if jobs:
            self._ask("cancel", jobs=jobs)

    def getLogURI(self, work_item):
        return "file://" + self._logFile(work_item)

    def getStatusURI(self, work_item):
        return ""

    def _tell(self, job, report):
        """Pass on to PDG what the farm says of a job."""
        item, state, seconds = self._items[job], report["state"], report["seconds"]
        if state in ("running", "done", "failed") and job not in self._started:
            self._started.add(job)
            self.onWorkItemStartCook(item, -1)
        if state == "done":
            self.onWorkItemSucceeded(item, -1, seconds)
        elif state == "failed":
            self.onWorkItemFailed(item, -1)
        elif state == "canceled":
            self.onWorkItemCanceled(item, -1)
        if state not in ("queued", "running"):
            del self._items[job]

    def _jobEnvironment(self, work_item):
        """The environment of a job: this one's, and what tells the job which work item it is."""
        env = dict(os.environ)
        env["PDG_ITEM_NAME"] = work_item.name
        env["PDG_ITEM_ID"] = str(work_item.id)
        env["PDG_INDEX"] = str(work_item.index)
        env["PDG_DIR"] = self.workingDir(True)
        env["PDG_TEMP"] = self.tempDir(True)
        env["PDG_SCRIPTDIR"] = self.scriptDir(True)
        return env

    def _logFile(self, work_item):
        return f"{os.path.abspath(self.logDir(True))}/{work_item.name}.log"

    # The farm program.

    def _startFarm(self):
        program = self["farm_program"].evaluateString()
        workers = self["farm_workers"].evaluateInt()
        self._items, self._started = {}, set()
        self._secret = secrets.token_hex(16)
        self._farm = subprocess.Popen(
            [self.expandCommandTokens("__PDG_PYTHON__", None), program, "--workers", str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._farm.stdin.write(self._secret + "\n")
            self._farm.stdin.flush()
            self._port = json.loads(self._farm.stdout.readline() or "{}")["port"]
        except (OSError, ValueError, KeyError) as error:
            self._stopFarm()
            raise pdg.CookError(
                f"{self.name}: the farm program {program} did not start; its own words stand in the log."
                " Set farm_program to the path of tinyfarm.py"
            ) from error

    def _stopFarm(self):
        """End the farm, and with it every job it still has. Does nothing when there is none."""
        farm, self._farm = self._farm, None
        if farm is None:
            return
        with contextlib.suppress(OSError):  # it may have ended already
            farm.stdin.close()
        try:
            farm.wait(SECONDS_TO_ANSWER)
        except subprocess.TimeoutExpired:
            farm.kill()
            farm.wait()
        farm.stdout.close()

    def _ask(self, wish, **details):
        """Send the farm a request and wait for its answer. Raises OSError if it does not come."""
        request = dict(details, do=wish, secret=self._secret)
        with socket.create_connection(("127.0.0.1", self._port), SECONDS_TO_ANSWER) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("r", encoding="utf-8") as answers:
                line = answers.readline()
        if not line:
            raise ConnectionError("the farm hung up")
        answer = json.loads(line)
        if "error" in answer:
            raise pdg.CookError(f"{self.name}: the farm refuses to {wish}: {answer['error']}")
        return answer


def registerTypes(type_registry):
    type_registry.registerScheduler(DemoFarm, label="Demo Farm")
