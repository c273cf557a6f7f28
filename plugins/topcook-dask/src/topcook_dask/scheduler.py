"""The scheduler of Dask clusters: each item a task, whose start and end come by Dask's own connection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from topcook.author import JobParms, report
from topcook.author.farm import (
    Collector,
    EngineAwayError,
    EngineError,
    FarmJob,
    FarmState,
    LostJobs,
    Reconciler,
    Stragglers,
    log_uri,
    prepare_farm,
    tick_soon,
    warn_of_local_disk,
    write_jobs,
)
from topcook.author.farm.variables import JobVariables
from topcook_dask.connect import Connection, connect
from topcook_dask.heard import Heard
from topcook_dask.inprocess import job_of, welcome
from topcook_dask.options import JOB_PARMS, PREFIX, BadOptionError, TaskOptions, task_options, template_parms
from topcook_dask.reasons import Reasons
from topcook_dask.session import DELETED, Session
from topcook_dask.settings import BadClusterError, ConnectError, Settings
from topcook_dask.submitting import network_end, submit_network
from topcook_dask.tasks import WorkerCode, key_of, token_of

#: Seconds until it is tried again to submit or cancel while the cluster is away.
_AGAIN = 1.0
#: Seconds that canceled jobs have to be gone: a cook waits for 30 for a scheduler to stop.
_GONE = 20.0


class DaskScheduler(CallbackServerMixin, PyScheduler):
    """Sends items to a Dask cluster: to one that runs, or to one that is started for the cook."""

    #: The cook drives the order: what needs what is decided where the results are known.
    staticCook = False

    def __init__(self, scheduler: Any, name: str) -> None:
        """Nothing can be read yet: parms exist from ``onStart`` on."""
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)  # False: jobs run on other machines
        self._session: Session | None = None
        self._dashboard = ""
        self._keys: dict[int, str] = {}

    @classmethod
    def templateName(cls) -> str:
        """The type's name in networks."""
        return "daskscheduler"

    @classmethod
    def templateBody(cls) -> str:
        """The parms; ``pdg::scheduler`` tags those that nodes and items may override."""
        return json.dumps({"name": "daskscheduler", "parameters": template_parms()})

    # -- the cook -------------------------------------------------------------------------------------------------

    def onStart(self) -> bool:
        """Say which in-process items are welcome."""
        welcome(self)
        return True

    def onStartCook(self, static: bool, cook_set: Any) -> bool:
        """Connect, and read what holds for the whole cook."""
        self._parms = JobParms(self, PREFIX, JOB_PARMS)
        self._variables = JobVariables(self, PREFIX, self._parms)
        self._keys = {}
        self._code: WorkerCode | None = None
        self._waiting: list[FarmJob] = []
        self._uncanceled: set[str] = set()
        self._cancel_at = 0.0
        self._tell_away = True
        self._stragglers = Stragglers(self._present)
        self._told_why_kept = ""
        self._reasons = Reasons(self.cookWarning, self._look_soon)
        self._look_at = float("inf")
        self._heard = Heard(self, self._over, self._look_soon)
        try:
            self._session = Session(self._connection, self._heard.hear, self.cookWarning)
        except (ConnectError, BadClusterError) as error:
            self.cookError(str(error))
            return False
        self._dashboard = self._session.connection.dashboard
        poll = self["dask_poll"].evaluateFloat()
        self._reconciler = Reconciler(
            self, self._poll, engine="Dask", every=poll, lost_after=self["dask_lostafter"].evaluateFloat(),
            find=self._session.find, also=self._waits_also, lost=LostJobs(self.onSchedule),
        )  # fmt: skip
        self._collector: Collector[FarmJob] = Collector(
            self, self._send, wait=self["dask_collect"].evaluateFloat(), most=2000
        )
        for mismatch in self._session.connection.mismatches():
            self.cookWarning(f"versions differ, which Dask may not bear: {mismatch}")
        if self._session.connection.is_elsewhere:
            warn_of_local_disk(self)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        return True

    def _connection(self) -> Connection:
        settings = Settings.read(lambda name: self[name].evaluate())
        return connect(
            settings,
            name=f"topcook-{self.name}",
            logs=str(self.logDir(True)),
            shared=str(self.tempDir(True)),
            say=self.cookWarning,
        )

    def _cluster(self) -> Session:
        if self._session is None:
            raise EngineAwayError("Dask is connected while something cooks")
        return self._session

    def onStopCook(self, cancel: bool = False) -> bool:
        """End what is queued or runs, and come back when it is gone."""
        if self._session is not None:
            if cancel:
                self._end_all()
            stay = not cancel and bool(self._reconciler.in_flight)
            self._heard.tick()
            if not stay:
                self._heard.close(flight.token for flight in self._reconciler.in_flight)
            self._session.close(stay=stay)
            self._session = None
        self.stopCallbackServer()
        return True

    def onSchedule(self, work_item: Any) -> Any:
        """Keep the item's job for a moment, to be sent with others; not while one of an earlier attempt ends still."""
        if self._stragglers.holds(work_item.id):
            return pdg.scheduleResult.Deferred
        self._collector.add(job_of(self, work_item, again=True, variables=self._variables))
        return pdg.scheduleResult.Succeeded

    def onTick(self) -> Any:
        """Send what has waited long enough, and look after what nobody has told the end of."""
        self._collector.flush_if_due()
        if self._waiting:
            self._submit_waiting()
        if self._uncanceled and time.monotonic() >= self._cancel_at:
            self._cancel([])
        self._heard.tick()
        if self._session is not None:
            self._session.forget()
        if time.monotonic() >= self._look_at:
            self._look_at = float("inf")
            self._reconciler.look()
        self._reconciler.tick()
        return pdg.tickResult.SchedulerReady

    def onCancelWorkItems(self, work_items: Sequence[Any], node: Any = None) -> None:
        """End the jobs of these items."""
        gone = {item.id for item in work_items}
        self._collector.drop(lambda job: job.item in gone)
        self._waiting = [job for job in self._waiting if job.item not in gone]
        self._stragglers.add(self._reconciler.flights_of(work_items))
        self._cancel(self._reconciler.ids_of(work_items))

    def onAdoptWorkItems(self, jobs: Iterable[tuple[Any, str, str]]) -> list[Any]:
        """Take up the tasks that an earlier session has left, running or ended."""
        if self._session is None:
            return []
        given = list(jobs)
        prepare_farm(self)
        left = [FarmJob.left(item, token) for item, token, _ in given]
        for job in left:
            self._heard.expect(job)
        try:
            for cook in {job.cook for job in left}:
                self._session.follow(cook)
        except EngineAwayError as error:
            self.cookWarning(str(error))
        taken = self._reconciler.adopt(given)
        self._keys |= {each.work_item.id: each.engine_id for each in self._reconciler.in_flight}
        return taken

    def onLeaveWorkItems(self, work_items: Sequence[Any]) -> list[Any]:
        """What a cluster has that somebody else has started: it goes on when this program has ended."""
        why = self._session.why_tasks_end_with_us() if self._session is not None else ""
        if why and why != self._told_why_kept:
            self._told_why_kept = why
            self.cookWarning(f"tasks on Dask end with this cook, which stays with them: {why}")
        return [] if why else self._reconciler.leave(work_items)

    def submitAsJob(self, graph_file: str, node_path: str) -> tuple[str, str]:
        """The cook of a whole network as one task, which goes on when this program has ended."""
        return submit_network(self, self._connection, graph_file, node_path)

    @classmethod
    def submittedJobEnd(cls, job: str, asked: Mapping[str, str]) -> str:
        """Why the task of a whole network will do nothing more, empty while it may; raises where none can be asked."""
        return network_end(job, asked)

    # -- what is shown --------------------------------------------------------------------------------------------

    def getLogURI(self, work_item: Any) -> str:
        """The log that the job's wrapper keeps."""
        return log_uri(self, work_item)

    def getStatusURI(self, work_item: Any) -> str:
        """The task's page on Dask's dashboard, or what ``dask_statusurl`` makes of its key."""
        key = self._keys.get(work_item.id, "")
        if not key:
            return ""
        given = str(self["dask_statusurl"].evaluateString())
        if given:
            return given.replace("{key}", quote(key))
        pages = self._dashboard.removesuffix("/status")
        return f"{pages}/info/task/{quote(key)}.html" if pages else f"dask:{key}"

    # -- submitting -----------------------------------------------------------------------------------------------

    def _send(self, jobs: list[FarmJob]) -> None:
        self._waiting += jobs
        self._submit_waiting()

    def _submit_waiting(self) -> None:
        """Submit all there is; what cannot be while the cluster is away waits."""
        jobs, self._waiting = self._waiting, []
        groups: dict[TaskOptions, list[FarmJob]] = {}
        for job in jobs:
            try:
                options = task_options(self._parms.of(job.work_item))
            except BadOptionError as error:
                report(self, job.work_item, job.attempt).failed(str(error))
                continue
            groups.setdefault(options, []).append(job)
        for options, group in groups.items():
            try:
                self._submit(options, group)
            except EngineAwayError as error:
                self._waiting += group
                tick_soon(self, _AGAIN)
                if self._tell_away:
                    self._tell_away = False
                    wait = "1 job waits" if len(jobs) == 1 else f"{len(jobs):,} jobs wait"
                    self.cookWarning(f"{error}\n    {wait} to be submitted")
            except Exception as error:  # noqa: BLE001 - nobody else has them: their items would wait for ever
                for job in group:
                    if not job.watched:
                        reason = f"it could not be submitted: {type(error).__name__}: {error}"
                        report(self, job.work_item, job.attempt).failed(reason)
            else:
                self._tell_away = True

    def _submit(self, options: TaskOptions, jobs: list[FarmJob]) -> None:
        session = self._cluster()
        topic = session.follow(jobs[0].cook)
        code = self._worker_code()
        path = write_jobs(self, jobs).words[-1]
        keys = [key_of(job.work_item.node.name, job.token) for job in jobs]
        for key, job in zip(keys, jobs, strict=True):
            self._keys[job.item] = key
            self._heard.expect(job)
        session.submit(options, keys, [code.call("run", path, index, topic) for index in range(len(jobs))])
        self._reconciler.watch_all(zip(jobs, keys, strict=True))
        for key, job in zip(keys, jobs, strict=True):
            if not self._heard.expects(job):
                # Its end came before there was anything to be forgotten.
                session.over(key)

    def _waits_also(self) -> str:
        """What waits here, and the workers that do not come, in words; empty where nothing does."""
        count = len(self._waiting)
        to_take = f"Dask to take {count:,} job{'s' if count > 1 else ''}, which does not answer" if count else ""
        coming = self._session.connection.waits_for() if self._session is not None else ""
        return "; ".join(filter(None, (to_take, coming)))

    def _worker_code(self) -> WorkerCode:
        if self._code is None:
            prepare_farm(self)
            self._code = WorkerCode(str(self.scriptDir(True)), str(self.scriptDir(False)))
        return self._code

    # -- what became of jobs --------------------------------------------------------------------------------------

    def _over(self, job: FarmJob) -> None:
        """Its end was heard, on the client's thread."""
        key = self._keys.get(job.item)
        # Not where the item is at another attempt by now.
        if key is not None and token_of(key) == job.token and self._session is not None:
            self._session.over(key)

    def _look_soon(self, seconds: float) -> None:
        self._look_at = min(self._look_at, time.monotonic() + seconds)
        tick_soon(self, seconds)

    def _present(self, keys: Sequence[str]) -> set[str]:
        """Those of these tasks whose job some worker has in hand."""
        running = self._cluster().running(keys, self._worker_code())
        return {key for key in keys if token_of(key) in running}

    def _poll(self, keys: Sequence[str]) -> dict[str, FarmState]:
        session = self._cluster()
        states = session.states(keys)
        session.listen_again()
        deleted = [key for key in keys if key in states and states[key].reason == DELETED]
        if deleted:
            # What runs has to be told to end: Dask lets it go on.
            session.cancel(deleted, self._worker_code(), DELETED)
        connection = session.connection
        self._reasons.note(states.values(), owned=connection.owned, starting=connection.waits_for())
        return states

    # -- ending ---------------------------------------------------------------------------------------------------

    def _cancel(self, keys: Iterable[str]) -> None:
        """End tasks now, or as soon as Dask answers again."""
        self._uncanceled.update(keys)
        if not self._uncanceled or self._session is None:
            return
        began = time.monotonic()
        try:
            self._session.cancel(sorted(self._uncanceled), self._worker_code(), "canceled")
        except EngineAwayError:
            # A worker that hangs takes us some time, in which nothing else is done.
            pause = max(_AGAIN, time.monotonic() - began)
            self._cancel_at = time.monotonic() + pause
            tick_soon(self, pause)
        except EngineError as error:
            self.cookWarning(f"{len(self._uncanceled)} tasks could not be canceled: {error}")
            self._uncanceled.clear()
        else:
            self._uncanceled.clear()

    def _end_all(self) -> None:
        session = self._cluster()
        self._collector.drop(lambda _job: True)
        self._waiting.clear()
        keys = sorted({*self._reconciler.all_ids(), *self._uncanceled})
        if not keys:
            return
        try:
            session.cancel(keys, self._worker_code(), "the cook was canceled")
            left = session.gone(keys, self._worker_code(), _GONE)
        except EngineError as error:
            self.cookWarning(f"{error}\n    {len(keys)} tasks may go on; they end with their workers")
        else:
            if left:
                self.cookWarning(f"these jobs could not be ended: {', '.join(sorted(left))}")


def registerTypes(type_registry: Any) -> None:
    """PDG's hook."""
    type_registry.registerScheduler(DaskScheduler, label="Dask Scheduler")
