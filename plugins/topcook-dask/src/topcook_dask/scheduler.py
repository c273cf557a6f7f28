"""The scheduler of Dask clusters: each item a task, whose start and end come by Dask's own connection."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from topcook.author import JobParms, report
from topcook.author.farm import (
    Collector,
    FarmJob,
    FarmState,
    Phase,
    Reconciler,
    tell_cook,
    tick_soon,
    write_jobs,
)
from topcook_dask.connect import Connection, connect
from topcook_dask.inprocess import AT_ONCE, job_of, welcome
from topcook_dask.options import JOB_PARMS, PREFIX, BadOptionError, TaskOptions, task_options, template_parms
from topcook_dask.settings import Settings
from topcook_dask.tasks import WorkerCode, key_of, token_of


class DaskScheduler(CallbackServerMixin, PyScheduler):
    """Sends items to a Dask cluster."""

    #: The cook drives the order: what needs what is decided where the results are known.
    staticCook = False

    def __init__(self, scheduler: Any, name: str) -> None:
        """Nothing can be read yet: parms exist from ``onStart`` on."""
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)  # False: jobs run on other machines
        self._connection: Connection | None = None

    @classmethod
    def templateName(cls) -> str:
        """The type's name in networks."""
        return "daskscheduler"

    @classmethod
    def templateBody(cls) -> str:
        """The parms; ``pdg::scheduler`` tags those that nodes and items may override."""
        return json.dumps({"name": "daskscheduler", "parameters": template_parms()})

    def onStart(self) -> bool:
        """Say which in-process items are welcome."""
        welcome(self)
        return True

    def onStartCook(self, static: bool, cook_set: Any) -> bool:
        """Read what holds for the whole cook."""
        self._parms = JobParms(self, PREFIX, JOB_PARMS)
        self._reconciler = Reconciler(self, self._poll, engine="Dask", every=self["dask_poll"].evaluateFloat())
        self._collector: Collector[FarmJob] = Collector(
            self, self._send, wait=self["dask_collect"].evaluateFloat(), most=2000
        )
        self._code: WorkerCode | None = None
        self._topic = ""
        self._jobs: dict[str, FarmJob] = {}
        self._futures: dict[str, Any] = {}
        #: What jobs have told beside their start and end, by token, until their end comes; then what is told together.
        self._said: dict[str, list[list[Any]]] = {}
        self._told: deque[list[list[Any]]] = deque()
        self._connection = connect(
            Settings.read(lambda name: self[name].evaluate()),
            logs=str(self.logDir(True)),
            shared=str(self.scriptDir(True)),
            say=self.cookWarning,
        )
        self._client = self._connection.client
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        return True

    def onStopCook(self, cancel: bool = False) -> bool:
        """End what is queued or runs, and come back when it is gone."""
        if cancel:
            self._collector.drop(lambda _job: True)
            self._cancel(self._reconciler.all_ids())
        if self._connection:
            self._connection.close()
            self._connection = None
        self.stopCallbackServer()
        return True

    def onSchedule(self, work_item: Any) -> Any:
        """Keep the item's job for a moment, to be sent with others."""
        self._collector.add(job_of(self, work_item, prefix=PREFIX, again=True))
        return pdg.scheduleResult.Succeeded

    def onTick(self) -> Any:
        """Send what has waited long enough, and look after what nobody has told the end of."""
        self._collector.flush_if_due()
        while self._told:
            for words in tell_cook(self, self._told.popleft()):
                self.cookWarning(f"a report was refused: {words}")
        self._reconciler.tick()
        return pdg.tickResult.SchedulerReady

    def onCancelWorkItems(self, work_items: Sequence[Any], node: Any = None) -> None:
        """End the jobs of these items."""
        gone = {item.id for item in work_items}
        self._collector.drop(lambda job: job.item in gone)
        self._cancel(self._reconciler.ids_of(work_items))

    def getLogURI(self, work_item: Any) -> str:
        """The log that the job's wrapper keeps."""
        return (Path(str(self.logDir(True))) / f"{work_item.name.replace('/', '_')}.log").as_uri()

    # -- submitting -----------------------------------------------------------------------------------------------

    def _send(self, jobs: list[FarmJob]) -> None:
        groups: dict[TaskOptions, list[FarmJob]] = {}
        for job in jobs:
            try:
                options = task_options(self._parms.of(job.work_item))
            except BadOptionError as error:
                report(self, job.work_item, job.attempt).failed(str(error))
                continue
            groups.setdefault(options, []).append(job)
        for options, group in groups.items():
            self._submit(options, group)

    def _submit(self, options: TaskOptions, jobs: list[FarmJob]) -> None:
        if self._code is None:
            self._code = WorkerCode(str(self.scriptDir(True)), str(self.scriptDir(False)))
            self._topic = "topcook-" + jobs[0].token.rsplit("-", 2)[0]
            self._client.subscribe_topic(self._topic, self._heard)
        file = write_jobs(self, jobs)
        path = file.words[-1]
        keys = [key_of(job.work_item.node.name, job.token) for job in jobs]
        for key, job in zip(keys, jobs, strict=True):
            self._jobs[job.token] = job
            self._reconciler.watch(job, key)
        texts = [self._code.call("run", path, index, self._topic) for index in range(len(jobs))]
        futures = self._client.map(eval, texts, key=keys, pure=False, **options.keywords())
        self._futures.update(zip(keys, futures, strict=True))

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        """On the client's own thread."""
        said = event[1]
        words, job = said["said"], self._jobs.get(said["token"])
        if job is None:
            return
        told = report(self, job.work_item, job.attempt)
        if words[0] in AT_ONCE:
            self._told.append([words])
            tick_soon(self)
        elif said["token"] in self._said:
            # Its end comes after what it told before, by the same way.
            self._said[said["token"]].append(words)
            if words[0] == "ended":
                self._told.append(self._said.pop(said["token"]))
                tick_soon(self)
        elif words[0] == "start_cook":
            told.started()
        elif words[0] == "ended":
            _, _, _, state, status, _took, reason, _ = words
            if state == "succeeded":
                told.succeeded(exit_status=status)
            elif state == "failed":
                told.failed(reason, exit_status=status)
            elif state == "canceled":
                told.canceled(reason, exit_status=status)
            self._futures.pop(key_of(job.work_item.node.name, job.token), None)
        else:
            self._said[said["token"]] = [words]

    # -- what became of jobs --------------------------------------------------------------------------------------

    def _poll(self, ids: Sequence[str]) -> dict[str, FarmState]:
        return {each: FarmState(Phase.QUEUED) for each in ids if each in self._futures}

    # -- ending ---------------------------------------------------------------------------------------------------

    def _cancel(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        if not keys or self._code is None:
            return
        text = self._code.call("cancel", [token_of(key) for key in keys], "canceled")
        self._client.run(eval, text, on_error="ignore")
        self._client.cancel([self._futures[key] for key in keys if key in self._futures])


def registerTypes(type_registry: Any) -> None:
    """PDG's hook."""
    type_registry.registerScheduler(DaskScheduler, label="Dask Scheduler")
