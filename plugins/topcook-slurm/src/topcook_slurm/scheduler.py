"""The scheduler of Slurm clusters: ready items as job arrays, ends by callback, or by Slurm's word where it is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from topcook.author import JobParms, report, submitted_cook
from topcook.author.farm import (
    Collector,
    EngineAwayError,
    EngineError,
    FarmJob,
    FarmPhase,
    FarmState,
    LostJobs,
    Reconciler,
    Stragglers,
    farm_job,
    log_uri,
    tick_soon,
    warn_of_local_disk,
)
from topcook_slurm.again import RunsAgain
from topcook_slurm.commands import Slurm
from topcook_slurm.ids import condensed
from topcook_slurm.later import cancel_later
from topcook_slurm.leftovers import Leftovers
from topcook_slurm.options import JOB_PARMS, PREFIX, BadOptionError, options, template_parms
from topcook_slurm.reasons import ACCOUNTING_AWAY, Waiting, explained
from topcook_slurm.states import SlurmJob, never_began, never_begins, state_of
from topcook_slurm.static import StaticHandOver
from topcook_slurm.submissions import JOB_VARIABLE, Submission, Submissions, cook_script, name_of, output_path, twins

#: Seconds that canceled jobs have to be gone: a cook waits for 30 for a scheduler to stop.
_GONE = 25.0
#: Seconds for which a controller that is away is tried then, and that a command may take.
_AWAY, _A_TRY = 12.0, 10.0
_CANCEL_AGAIN = 2.0
#: Seconds that jobs try to tell their end, and tries of a report within them: some two seconds.
_PATIENCE, _LEFT_PATIENCE, _LEFT_TRIES = 120.0, 5.0, "4"


class SlurmScheduler(CallbackServerMixin, PyScheduler):
    """Sends items to a Slurm cluster: those that get ready within a moment go as one array."""

    #: Unless it is asked for: what needs what is decided where the results are known, and upstream results reach jobs.
    staticCook = False

    def __init__(self, scheduler: Any, name: str) -> None:
        """Nothing can be read yet: parms exist from ``onStart`` on."""
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)  # False: jobs run on other machines
        self._engine_ids: dict[int, str] = {}
        #: All that Slurm has had of this session, of earlier attempts too, and the names of their items.
        self._had: dict[str, str] = {}
        self._uncanceled: set[str] = set()
        self._cancel_next = 0.0
        self._ending = False
        self._begun = False

    @classmethod
    def templateName(cls) -> str:
        """The type's name in networks."""
        return "slurmscheduler"

    @classmethod
    def templateBody(cls) -> str:
        """The parms; ``pdg::scheduler`` tags those that nodes and items may override."""
        return json.dumps({"name": "slurmscheduler", "parameters": template_parms()})

    # -- the cook -------------------------------------------------------------------------------------------------

    def onStartCook(self, static: bool, cook_set: Any) -> bool:
        """Read what holds for the whole cook."""
        self._begun = False
        try:
            self._slurm = self._commands()
        except EngineError as error:
            self.cookError(str(error))
            return False
        self._parms = JobParms(self, PREFIX, JOB_PARMS)
        self._submissions = Submissions(self, self._slurm, self._watch, self._cancel)
        self._reconciler = Reconciler(
            self,
            self._poll,
            engine="Slurm",
            every=self["slurm_poll"].evaluateFloat(),
            lost_after=self["slurm_lostafter"].evaluateFloat(),
            find=self._find,
            also=self._submissions.waits_for,
            # A controller that was killed may have lost all that it had taken a moment before.
            lost=LostJobs(self._send_again, begun=False),
        )
        self._collector: Collector[FarmJob] = Collector(
            self, self._send, wait=self["slurm_collect"].evaluateFloat(), most=10_000
        )
        self._static = StaticHandOver(
            self,
            self._submissions,
            make=lambda item: self._job(item, left=True),
            words_of=self._words_of,
            offer=self._collect,
            cancel=lambda items: self._cancel(self._reconciler.ids_of(items)),
        )
        self._engine_ids, self._had = {}, {}
        self._uncanceled, self._ending = set(), False
        self._waiting, self._leftovers = Waiting(self.cookWarning), Leftovers()
        self._stragglers = Stragglers(self._slurm.present)
        self._again = RunsAgain(self._submissions.again_folder(local=True), self.cookWarning, self._slurm.why_again)
        warn_of_local_disk(self)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        self._begun = True
        return True

    def onStopCook(self, cancel: bool = False) -> bool:
        """End what is queued or runs, and come back when it is gone."""
        if not self._begun:
            return True
        if cancel:
            self._end_all()
        elif self._slurm.was_away:
            self._end_leftovers()
        self._again.look(self._slurm.known, self._had, last=True)
        self.stopCallbackServer()
        return True

    def onSchedule(self, work_item: Any) -> Any:
        """Keep the item's job for a moment, to be sent with others; not while one of an earlier attempt ends still."""
        if self._stragglers.holds(work_item.id):
            return pdg.scheduleResult.Deferred
        self._static.retried(work_item.id)
        self._collect(work_item)
        return pdg.scheduleResult.Succeeded

    def onScheduleStatic(self, dependencies: Any, dependents: Any, ready_items: Any) -> None:
        """Give all of them to Slurm, as arrays that wait for each other there."""
        self._static.begin(dependencies, self._most())

    def onTick(self) -> Any:
        """Send what has waited long enough, and look after what nobody has told the end of."""
        self._static.tick()
        self._collector.flush_if_due()
        # First: what waits to be sent may be the next attempt of what is to end.
        if self._uncanceled and time.monotonic() >= self._cancel_next:
            self._cancel([])
        self._submissions.retry()
        self._reconciler.tick()
        return pdg.tickResult.SchedulerReady

    def onCancelWorkItems(self, work_items: Sequence[Any], node: Any = None) -> None:
        """End the jobs of these items."""
        gone = {item.id for item in work_items}
        self._static.drop(gone)
        self._collector.drop(lambda job: job.item in gone)
        self._submissions.drop(gone)
        self._stragglers.add(self._reconciler.flights_of(work_items))
        self._cancel(self._reconciler.ids_of(work_items))

    def onAdoptWorkItems(self, jobs: Iterable[tuple[Any, str, str]]) -> list[Any]:
        """Take up the jobs that an earlier session has left, running or ended."""
        taken = self._reconciler.adopt(jobs)
        self._static.adopt(taken)
        self._engine_ids |= {each.work_item.id: each.engine_id for each in self._reconciler.in_flight}
        self._had |= {each.engine_id: each.work_item.name for each in self._reconciler.in_flight}
        for item, engine_id in self._engine_ids.items():
            # An earlier session has taken it from Slurm, because what it waited for there had failed.
            if engine_id in self._slurm.known and never_began(self._slurm.known[engine_id]):
                self._static.cut_off(item)
        return taken

    def onLeaveWorkItems(self, work_items: Sequence[Any]) -> list[Any]:
        """What Slurm has, and drives: it goes on when this program has ended."""
        if self._uncanceled:
            # Jobs that nobody wants any more are still to be ended, and only this cook knows which.
            return []
        return [item for item in self._reconciler.leave(work_items) if not self._static.holds(item.id)]

    def submitAsJob(self, graph_file: str, node_path: str) -> tuple[str, str]:
        """The cook of a whole network as one job; its status file, and its id."""
        cook = submitted_cook(self, graph_file, node_path, "Slurm")
        words = [
            f"--job-name={Path(graph_file).stem}",
            f"--comment=topcook submit {node_path}",
            f"--output={output_path(cook.log)}",
            "--open-mode=append",
            f"--chdir={self.workingDir(False)}",
            *options(JobParms(self, PREFIX, JOB_PARMS).own()),
        ]
        job = self._commands().submit(cook_script(cook), words)
        conf, timeout = self["slurm_conf"].evaluateString(), self["slurm_timeout"].evaluateFloat()
        cook.is_job(self, job, conf=conf, timeout=str(timeout))
        return cook.status_uri, job

    @classmethod
    def submittedJobEnd(cls, job: str, asked: Mapping[str, str]) -> str:
        """Why the job of a whole network will do nothing more, empty while it may; raises ``EngineError``."""
        found = Slurm(asked["conf"], float(asked["timeout"])).states([job]).get(job)
        return state_of(found).why_over if found is not None else "Slurm does not know it any more"

    # -- what is shown --------------------------------------------------------------------------------------------

    def getLogURI(self, work_item: Any) -> str:
        """The log that the job's wrapper keeps."""
        return log_uri(self, work_item)

    def getStatusURI(self, work_item: Any) -> str:
        """What ``slurm_statusurl`` makes of the job's id."""
        job = self._engine_ids.get(work_item.id, "")
        return self._status_url(job) if job else ""

    def _status_url(self, job: str) -> str:
        return str(self["slurm_statusurl"].evaluateString()).replace("{job}", job)

    # -- submitting -----------------------------------------------------------------------------------------------

    def _commands(self) -> Slurm:
        conf, timeout = self["slurm_conf"].evaluateString(), self["slurm_timeout"].evaluateFloat()
        # Slurm's commands would look for it for a minute each.
        if conf and not Path(conf).is_file():
            raise EngineError(
                f"slurm_conf: there is no file {conf}\n    blank: the one that this machine is set up for"
            )
        if timeout <= 0:
            raise EngineError(f"slurm_timeout is {timeout:g}: the seconds for each command of Slurm, 30 by default")
        return Slurm(conf, timeout)

    def _of(self, work_item: Any) -> dict[str, Any]:
        return self._parms.of(work_item)

    def _collect(self, work_item: Any) -> None:
        self._collector.add(self._job(work_item))

    def _job(self, work_item: Any, *, left: bool = False) -> FarmJob:
        """The item's job; one that is ``left`` to Slurm must not hold up what waits for it there by its reports."""
        tries = {"PDG_RPC_RETRIES": _LEFT_TRIES} if left else {}
        requeue = bool(self._of(work_item)["requeue"])
        return farm_job(
            self,
            work_item,
            prefix=PREFIX,
            environment={"PDG_JOBID_VAR": JOB_VARIABLE, **tries},
            signaled="leave",
            leash=True,
            again=requeue,
            patience=_LEFT_PATIENCE if left else _PATIENCE,
        )

    def _words_of(self, work_item: Any) -> tuple[int, tuple[str, ...]] | None:
        """How many of its array may run at a time, and the options of that; ``None`` where they are told as wrong."""
        values = self._of(work_item)
        try:
            return int(values["simultaneous"]), tuple(options(values))
        except BadOptionError as error:
            report(self, work_item).failed(str(error))
            return None

    def _send(self, jobs: list[FarmJob]) -> None:
        """Jobs of one node with the same options are one array, as long as Slurm lets it be."""
        groups: dict[tuple[Any, ...], list[FarmJob]] = {}
        for job in jobs:
            words = self._words_of(job.work_item)
            if words is not None:
                groups.setdefault((job.work_item.node.name, *words), []).append(job)
        most = self._most() if groups else 1
        for (_, simultaneous, words), group in groups.items():
            for start in range(0, len(group), most):
                self._submissions.send(Submission(group[start : start + most], words, simultaneous))

    def _most(self) -> int:
        wanted = int(self["slurm_maxarray"].evaluateInt())
        try:
            allowed = self._slurm.max_array_size()
        except EngineError:
            # It is away: what it takes everywhere by default.
            allowed = 1001
        # The size is one more than the largest index; 1: there are no arrays here.
        return max(1, min(wanted or allowed, allowed))

    def _watch(self, job: FarmJob, engine_id: str) -> None:
        self._engine_ids[job.item] = engine_id
        self._had[engine_id] = job.work_item.name
        self._reconciler.watch(job, engine_id)

    # -- what became of jobs --------------------------------------------------------------------------------------

    def _poll(self, ids: Sequence[str]) -> dict[str, FarmState]:
        jobs = self._slurm.states(ids)
        logs = Path(str(self.logDir(True)))
        states = {each: explained(state_of(job), job, logs / f"{name_of(job)}.slurm") for each, job in jobs.items()}
        self._note_held(jobs, states)
        unknown = [each for each in ids if each not in states]
        self._note_canceled(unknown, states)
        self._note_unknown(unknown, states)
        self._waiting.look(states)
        self._note_again()
        unwanted = twins(self._slurm.known.values(), self._engine_ids.values())
        # What can never begin has failed, and waits there for ever.
        unwanted += [
            each for each, job in jobs.items() if states[each].phase is FarmPhase.FAILED and "PENDING" in job.states
        ]
        unwanted += self._leftovers.look(self._slurm.known, self._ended())
        if unwanted:
            self._cancel(unwanted)
        return states

    def _ended(self) -> set[str]:
        """What Slurm calls the jobs of items that have ended."""
        return self._had.keys() - {flight.engine_id for flight in self._reconciler.in_flight}

    def _find(self, tokens: Sequence[str]) -> dict[str, str]:
        return self._submissions.find(tokens)

    def _note_held(self, jobs: Mapping[str, SlurmJob], states: dict[str, FarmState]) -> None:
        """What Slurm says of jobs whose items wait here: it has ended the jobs, and that is not how the items end."""
        for flight in self._reconciler.in_flight:
            item, job = flight.work_item.id, jobs.get(flight.engine_id)
            if job is not None and never_begins(job):
                self._static.cut_off(item)
            if self._static.holds(item):
                states[flight.engine_id] = FarmState(FarmPhase.QUEUED)

    def _note_canceled(self, unknown: list[str], states: dict[str, FarmState]) -> None:
        """Of a task that is canceled before it begins no record is left, while its array has some."""
        flights = self._reconciler.in_flight if unknown else []
        unbegun = {each.engine_id for each in flights if each.work_item.state == pdg.workItemState.Scheduled}
        for each in unbegun.intersection(unknown):
            array, _, task = each.partition("_")
            if task and array in self._slurm.arrays:
                states[each] = FarmState(FarmPhase.CANCELED, f"somebody canceled its job {each} on Slurm")

    def _note_unknown(self, unknown: list[str], states: dict[str, FarmState]) -> None:
        """What the controller has forgotten accounting knows: while that is away, no job can be said to be lost."""
        if self._slurm.history_refused:
            self.cookWarning(f"accounting is asked no more: {self._slurm.history_refused}")
            self._slurm.history_refused = ""
        if self._slurm.no_history and not self._ending:
            for each in unknown:
                states.setdefault(each, FarmState(FarmPhase.QUEUED, ACCOUNTING_AWAY))

    def _note_again(self) -> None:
        new = set(self._again.look(self._slurm.known, self._had))
        for flight in self._reconciler.in_flight if new else ():
            if flight.engine_id in new:
                self.onWorkItemSetCustomState(flight.work_item.id, -1, f"Slurm {flight.engine_id}: it runs again")

    def _send_again(self, work_item: Any) -> None:
        if not self._static.cut_off(work_item.id):
            self._collect(work_item)

    # -- ending ---------------------------------------------------------------------------------------------------

    def _cancel(self, ids: Iterable[str]) -> None:
        """End jobs now, or as soon as Slurm answers again."""
        self._uncanceled.update(ids)
        if not self._uncanceled:
            return
        try:
            self._slurm.cancel(self._uncanceled)
        except EngineAwayError:
            self._cancel_next = time.monotonic() + _CANCEL_AGAIN
            tick_soon(self, _CANCEL_AGAIN)
        except EngineError as error:
            self.cookWarning(f"{len(self._uncanceled)} jobs could not be canceled: {error}")
            self._uncanceled.clear()
        else:
            self._uncanceled.clear()

    def _end_leftovers(self) -> None:
        """All items have ended; what a controller has queued again that was killed meanwhile is not to run."""
        with suppress(EngineError):
            self._slurm.cancel(self._leftovers.look(self._slurm.jobs(), self._ended()))

    def _end_all(self) -> None:
        self._ending = True
        self._slurm.hurry(_A_TRY)
        self._collector.drop(lambda _job: True)
        unheard = [*self._submissions.drop_all(), *self._static.drop_all()]
        tokens = [job.token for submission in unheard for job in submission.jobs]
        left = [*self._reconciler.all_ids(), *self._leftovers.look(self._slurm.known, self._ended())]
        until = time.monotonic() + _AWAY
        while True:
            try:
                left += self._submissions.find(tokens).values() if tokens else []
                tokens = []
                left += self._submissions.alive()
                self._slurm.cancel({*left, *self._uncanceled})
            except EngineAwayError:
                if time.monotonic() < until:
                    time.sleep(_CANCEL_AGAIN)
                    continue
                self._leave_to_another([*left, *self._uncanceled], [each.name for each in unheard])
                return
            except EngineError as error:
                self.cookWarning(f"jobs could not be canceled: {error}")
            break
        alive = self._reconciler.gone(_GONE)
        if alive:
            self.cookWarning(f"these jobs could not be ended: {', '.join(alive)}")

    def _leave_to_another(self, left: list[str], names: list[str]) -> None:
        """The cook ends; a process that goes on cancels its jobs as soon as Slurm answers."""
        may = [f"these jobs may go on: scancel {' '.join(condensed(left))}"] if left else []
        may += ["what was being submitted may get through"] if names else []
        words = f"Slurm does not answer; {', and '.join(may)}"
        try:
            log = Path(str(self.logDir(True))) / "scancel.log"
            cancel_later(self["slurm_conf"].evaluateString(), left, names, log)
        except OSError as error:
            self.cookWarning(f"{words}\n    nobody cancels it by himself: {error}")
        else:
            self.cookWarning(
                f"{words}\n    a process on this machine cancels it as soon as Slurm answers, for a day; see {log}"
            )


def registerTypes(type_registry: Any) -> None:
    """PDG's hook."""
    type_registry.registerScheduler(SlurmScheduler, label="Slurm Scheduler")
