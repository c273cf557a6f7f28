"""A complete scheduler for a farm, on `topcook.author.farm`: copy it, and put your engine's calls in place of four.

The engine here is the small one of the test kit, a directory in which a daemon looks for jobs. What talks to it stands
in `_submit`, `_poll`, `_find` and `_cancel`.
"""

from __future__ import annotations

import json
import os

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from topcook.author import cook_command, report
from topcook.author.farm import (
    Collector,
    EngineAwayError,
    FarmPhase,
    FarmState,
    Reconciler,
    farm_job,
    log_uri,
    write_jobs,
)
from topcook.testkit.processfarm import ProcessFarm

PARMS = [
    {"name": "queue_folder", "label": "Queue Folder", "type": "String", "value": "$HIP/farm"},
    {"name": "queue_poll", "label": "Ask Every", "type": "Float", "value": 10.0},
    {"name": "queue_limit", "label": "Time Limit", "type": "Float", "value": 0.0, "tag": ["pdg::scheduler"]},
    {"name": "queue_requeue", "label": "Requeue", "type": "Toggle", "value": 0, "tag": ["pdg::scheduler"]},
]
PHASES = {
    "queued": FarmPhase.QUEUED,
    "running": FarmPhase.RUNNING,
    "succeeded": FarmPhase.SUCCEEDED,
    "failed": FarmPhase.FAILED,
    "canceled": FarmPhase.CANCELED,
}


class QueueFarm(CallbackServerMixin, PyScheduler):
    """Sends items to the farm in `queue_folder`, many at a time."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        # False: jobs run on other machines. It is also how Topcook knows that the working directory has to be shared.
        CallbackServerMixin.__init__(self, False)

    @classmethod
    def templateName(cls):
        return "queuefarm"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "queuefarm", "parameters": PARMS})

    # -- the cook

    def onStartCook(self, static, cook_set):
        self._farm = ProcessFarm(self["queue_folder"].evaluateString())
        self._reconciler = Reconciler(
            self, self._poll, engine="queue farm", every=self["queue_poll"].evaluateFloat(), grace=2.0, find=self._find
        )
        self._collector = Collector(self, self._send)
        self.startCallbackServer()
        return True

    def onStopCook(self, cancel):
        if cancel:
            self._collector.drop(lambda job: True)
            self._cancel(self._reconciler.all_ids())
            left = self._reconciler.gone()
            if left:
                self.cookWarning(f"these jobs could not be ended: {', '.join(left)}")
        self.stopCallbackServer()
        return True

    def onSchedule(self, work_item):
        self._collector.add(farm_job(self, work_item, prefix="queue", signaled="leave", again=True))
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        self._collector.flush_if_due()
        self._reconciler.tick()
        return pdg.tickResult.SchedulerReady

    def onCancelWorkItems(self, work_items, node):
        gone = {item.id for item in work_items}
        self._collector.drop(lambda job: job.item in gone)
        self._cancel(self._reconciler.ids_of(work_items))

    def onAdoptWorkItems(self, jobs):
        return self._reconciler.adopt(jobs)

    def onLeaveWorkItems(self, work_items):
        return self._reconciler.leave(work_items)

    def getLogURI(self, work_item):
        return log_uri(self, work_item)

    def getStatusURI(self, work_item):
        return f"file://{self._farm.folder}/jobs"

    def submitAsJob(self, graph_file, node_path):
        farm = ProcessFarm(self["queue_folder"].evaluateString())
        # The job finds types where this machine does: the folders are shared.
        env = {name: os.environ[name] for name in ("PDG_TYPES_PATH",) if name in os.environ}
        (job,) = farm.submit([cook_command(self, graph_file, node_path)], [os.path.basename(graph_file)], env=env)
        return f"file://{farm.folder}/jobs/{job}.json", job

    # -- the engine

    def _send(self, jobs):
        alike = {}
        for job in jobs:
            item = job.work_item
            try:
                limit = self.evaluateFloatOverride(item.node, "queue", "limit", item, 0.0)
                requeue = self.evaluateBoolOverride(item.node, "queue", "requeue", item, False)
            except Exception as error:
                # One item's wrong value must not cost the others anything.
                report(self, item, job.attempt).failed(str(error))
                continue
            alike.setdefault((limit, requeue), []).append(job)
        for (limit, requeue), some in alike.items():
            self._submit(some, limit, requeue)

    def _submit(self, jobs, limit, requeue):
        file = write_jobs(self, jobs)
        try:
            argvs = [file.argv(index) for index in range(len(jobs))]
            ids = self._farm.submit(argvs, [job.token for job in jobs], limit=limit, requeue=requeue)
        except OSError as error:
            for job in jobs:
                report(self, job.work_item, job.attempt).failed(f"the queue farm did not take it: {error}")
            return
        for job, engine_id in zip(jobs, ids):
            self._reconciler.watch(job, engine_id)

    def _poll(self, ids):
        try:
            found = self._farm.jobs(ids)
        except OSError as error:
            raise EngineAwayError(f"queue farm: {error}") from error
        return {each: FarmState(PHASES[job["phase"]], job["reason"], job["exit"]) for each, job in found.items()}

    def _find(self, tokens):
        try:
            return {job["name"]: each for each, job in self._farm.jobs().items() if job["name"] in tokens}
        except OSError as error:
            raise EngineAwayError(f"queue farm: {error}") from error

    def _cancel(self, ids):
        try:
            self._farm.cancel(ids)
        except OSError as error:
            self.cookWarning(f"the queue farm cannot be told to end {len(ids)} jobs: {error}")


def registerTypes(type_registry):
    type_registry.registerScheduler(QueueFarm, label="Queue Farm")
