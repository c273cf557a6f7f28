"""The local scheduler: each work item's command as a process on this machine.

Read it as the example of a scheduler file: it is found, loaded and called like any other. What is Topcook's own comes
from ``topcook.author``; the rest is PDG's contract.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from typing import Any

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from pdg.utils import expand_vars
from topcook.author import (
    JobEnd,
    JobEnvironments,
    JobKeeper,
    JobParms,
    LocalJob,
    command_argv,
    cook_detached,
    end_server,
    file_stem,
    grace_of,
    has_data,
    job_limits,
    limit_in_flight,
    local_jobs,
    report,
)

#: The parms, with PDG's names: name, label, type, default.
PARMS: tuple[tuple[str, str, str, float | str], ...] = (
    # Freed slots are filled at once, so there is no need for a limit between two ticks.
    ("pdg_maxitems", "Max Items", "Integer", 0),
    ("tempdirmenu", "Temp Directory", "Integer", 0),
    ("tempdirappendpid", "Append a Name of the Cook", "Toggle", 1),
    ("tempdircustom", "Custom Temp Directory", "String", ""),
    ("maxprocsmenu", "Total Slots", "Integer", 0),
    ("maxprocs", "Custom Slot Count", "Integer", 0),
    # From here on job parms: nodes and items may override them.
    ("local_single", "Single", "Toggle", 0),
    ("local_is_CPU_number_set", "Use Slots per Work Item", "Toggle", 0),
    ("local_CPUs_to_use", "Slots per Work Item", "Integer", 1),
    ("local_usehoudinimaxthreads", "Use Houdini Max Threads", "Toggle", 0),
    ("local_houdinimaxthreads", "Houdini Max Threads", "Integer", 0),
    ("local_memory", "Memory", "String", ""),
    ("local_cpus", "CPUs", "Float", 0.0),
    ("local_cputime", "CPU Time in Seconds", "Float", 0.0),
    ("local_inheritlocalenv", "Inherit Local Environment", "Toggle", 1),
    ("local_envunset", "Unset Variables", "String", ""),
    ("local_envmulti", "Environment Variables", "Integer", 0),
    ("local_envname#", "Name", "String", ""),
    ("local_envvalue#", "Value", "String", ""),
)
#: What is read of an item's job parms, with what stands when nobody gave it.
JOB_PARMS: dict[str, bool | float | str] = {
    "single": False,
    "is_CPU_number_set": False,
    "CPUs_to_use": 1,
    "usehoudinimaxthreads": False,
    "houdinimaxthreads": 0,
    "memory": "",
    "cpus": 0.0,
    "cputime": 0.0,
}
#: The temp directory: below the working directory, below the machine's own, or as given.
TEMP_IN_WORKING_DIR, TEMP_OF_MACHINE, TEMP_CUSTOM = 0, 1, 2
#: Total slots: a quarter of the CPUs, as given, all CPUs but one.
SLOTS_QUARTER, SLOTS_CUSTOM, SLOTS_ALL_BUT_ONE = 0, 1, -1
#: A job of fewer seconds than this is over before the cook could hand the next one over without loss.
SHORT = 1.0
#: While jobs are short, so many seconds of work wait where the slots are, within these bounds for each of the two.
AHEAD, LEAST_AHEAD, MOST_AHEAD = 0.1, 4, 256
#: What one more job says about how long they are, and after how many the room is measured anew.
WEIGHT, MEASURE = 0.125, 16


class LocalScheduler(CallbackServerMixin, PyScheduler):
    """Hands commands to the cook's keeper process, which starts them as slots come free.

    While jobs are short the keeper gets a few more than there are slots, so that a slot that comes free is taken at
    once; while they are long, the next item is chosen when it can start.
    """

    #: It may start while the rest of a large network is still being made.
    beginsEarly = True

    def __init__(self, scheduler: Any, name: str) -> None:
        """Nothing can be read yet: parms exist from ``onStart`` on."""
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)  # True: this machine only
        self._keeper: JobKeeper | None = None
        self._slots = 1
        #: What a class that derives from this one overrides may need everything as PDG has it, and at once.
        self._ours = type(self) is LocalScheduler
        # Written here and by the reports, which come on another thread.
        self._lock = threading.Lock()
        self._taken = 0
        self._room = 1
        #: How long jobs are, in seconds, and how many have ended since the room was measured.
        self._usual = SHORT
        self._ended = 0
        self._single: int | None = None
        #: Whether the log says how limits are held.
        self._told_limits = False
        self._tokens: dict[int, str] = {}
        #: The slots of jobs that wait for other items meanwhile, and of all jobs.
        self._lent: dict[int, int] = {}
        self._held: dict[int, int] = {}

    @classmethod
    def templateName(cls) -> str:
        """The type's name in networks."""
        return "localscheduler"

    @classmethod
    def templateBody(cls) -> str:
        """The parms; ``pdg::scheduler`` tags those that nodes and items may override."""
        parameters = [
            {"name": name, "label": label, "type": kind, "value": value, "tag": _tags(name)}
            for name, label, kind, value in PARMS
        ]
        return json.dumps({"name": "localscheduler", "parameters": parameters})

    # -- the cook -------------------------------------------------------------------------------------------------

    def onStartCook(self, static: bool, cook_set: Any) -> bool:
        """Read what holds for the whole cook, once."""
        self._slots = self._total_slots()
        self._set_temp_directory()
        self._job_parms = JobParms(self, "local", JOB_PARMS)
        self._environments = JobEnvironments(self, "local", self._job_parms)
        self._keeper = local_jobs(self)
        self._keeper.set_slots(self._slots)
        self._taken, self._single, self._tokens = 0, None, {}
        self._lent, self._held = {}, {}
        self._usual, self._ended = SHORT, 0
        self._measure()
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        return True

    def onStopCook(self, cancel: bool) -> bool:
        """End what still runs, with all it started, and come back when it is gone."""
        if cancel and self._keeper is not None:
            self._warn_of(self._keeper.cancel_all())
        self.stopCallbackServer()
        return True

    def onCancelWorkItems(self, work_items: Any, node: Any) -> None:
        """End the jobs of these items."""
        with self._lock:
            tokens = [self._tokens[item.id] for item in work_items if item.id in self._tokens]
        if tokens and self._keeper is not None:
            self._warn_of(self._keeper.cancel(tokens, max(map(grace_of, work_items))))

    def onAdoptWorkItems(self, jobs: Any) -> list[Any]:
        """Take up what the keeper still has of the session before this one, or has written down of its end."""
        given = {token: work_item for work_item, token, _ in jobs}
        assert self._keeper is not None, "onAdoptWorkItems before onStartCook"  # noqa: S101 - the order of callbacks
        left = [self._job_left(work_item, token) for token, work_item in given.items()]
        return [given[token] for token in self._keeper.adopt(left)]

    def _job_left(self, work_item: Any, token: str) -> LocalJob:
        told, item_id = report(self, work_item), work_item.id
        slots = self._slots_of(work_item, self._job_parms.of(work_item))
        taken: list[int] = []

        def on_start(_pid: int, at: float) -> None:
            taken.append(slots)
            with self._lock:
                self._taken += slots
                self._tokens[item_id], self._held[item_id] = token, slots
            told.started(at)

        def on_end(end: JobEnd) -> None:
            if taken:
                self._give_back(item_id, slots)
            told.ended(end)

        return LocalJob(token, (), {}, "", self._log_path(work_item), slots, on_start, on_end)

    def _warn_of(self, survivors: list[int]) -> None:
        if survivors:
            self.cookWarning(f"these processes could not be ended: {', '.join(map(str, survivors))}")

    def submitAsJob(self, graph_file: str, node_path: str) -> tuple[str, str]:
        """Cook the whole network in the background; the URI of its status file, and its process id."""
        return cook_detached(self, graph_file, node_path)

    # -- an item --------------------------------------------------------------------------------------------------

    def onSchedule(self, work_item: Any) -> pdg.scheduleResult:
        """Hand the item's command to the keeper, if there is room for it."""
        if not work_item.command:
            return pdg.scheduleResult.CookSucceeded
        with self._lock:
            # This comes first: it is the answer to every second call while the machine is busy.
            if self._taken >= self._room:
                return pdg.scheduleResult.FullDeferred
            parms = self._job_parms.of(work_item)
            slots = self._slots_of(work_item, parms)
            if self._taken and self._taken + slots > self._room:
                return pdg.scheduleResult.Deferred
            if parms["single"]:
                if self._single is not None:
                    return pdg.scheduleResult.Deferred
                self._single = work_item.id
            # While the slots are busy nobody waits for this very job.
            later = self._ours and self._taken >= self._slots
            self._taken += slots
        try:
            self._start(work_item, parms, slots, later=later)
        except BaseException:
            # Whatever kept it from starting: its slots are free again.
            self._give_back(work_item.id, slots)
            raise
        return pdg.scheduleResult.Succeeded

    def _measure(self) -> None:
        """Room is the slots; while jobs are short, more, so that what comes next waits where the slots are."""
        self._ended = 0
        ahead = 0
        if self._usual < SHORT:
            least = max(LEAST_AHEAD, self._slots)
            ahead = min(max(least, int(self._slots * AHEAD / max(self._usual, 1e-6))), max(least, MOST_AHEAD))
            # By powers of two, so that the cook is not told of every breath.
            ahead = max(least, 1 << ahead.bit_length() - 1)
        self._room = self._slots + ahead
        limit_in_flight(self, self._room + len(self._lent))

    def _took(self, seconds: float) -> None:
        """Learn from a job that has ended; one that was long counts at once."""
        if seconds >= SHORT or self._usual >= SHORT:
            changed, self._usual = (seconds < SHORT) != (self._usual < SHORT), seconds
        else:
            changed = False
            self._usual += (seconds - self._usual) * WEIGHT
        self._ended += 1
        if changed or self._ended >= MEASURE:
            self._measure()

    def _start(self, work_item: Any, parms: dict[str, Any], slots: int, *, later: bool) -> None:
        base, environment = self._environments.of(work_item)
        if has_data(work_item) or not self._ours:
            self.createJobDirsAndSerializeWorkItems(work_item)
        else:
            environment["PDG_ITEM_DATA_SOURCE"] = "1"
        if parms["usehoudinimaxthreads"]:
            environment["HOUDINI_MAXTHREADS"] = str(parms["houdinimaxthreads"])
        command = self.expandCommandTokens(work_item.command, work_item)
        if "$" in command or not self._ours:
            # Now they have to be one: to read variables in, and for those who change it below.
            base, environment = None, {**(base or {}), **environment}
            # The job's own variables first, then this process's, for items that do not inherit them; \$ is none.
            parts = [expand_vars(expand_vars(part, environment), os.environ) for part in command.split("\\$")]
            command = "\\$".join(parts)
            command = self.onPreSubmitItem(work_item, environment, command)
        told = report(self, work_item)
        item_id = work_item.id

        def on_start(_pid: int, at: float) -> None:
            told.started(at)

        def on_end(end: JobEnd) -> None:
            # The slots first: the report below may have the next item offered at once.
            self._give_back(item_id, slots)
            self._took(told.duration(end.at))
            told.ended(end)

        token = environment["PDG_ITEM_TOKEN"]
        self._tokens[item_id], self._held[item_id] = token, slots
        assert self._keeper is not None, "onSchedule before onStartCook"  # noqa: S101 - the order of callbacks
        limits = job_limits(parms, "local")
        if limits is not None and not self._told_limits:
            self._told_limits = True
            print(self._keeper.limits_by())  # noqa: T201 - what a scheduler prints is in its log
        self._keeper.start(
            LocalJob(
                token=token,
                argv=command_argv(command),
                env=environment,
                cwd=self.workingDir(True),
                log_path=self._log_path(work_item),
                slots=slots,
                on_start=on_start,
                on_end=on_end,
                base=base,
                limits=limits,
            ),
            later=later,
        )

    def _give_back(self, item_id: int, slots: int) -> None:
        with self._lock:
            self._held.pop(item_id, None)
            lent = self._lent.pop(item_id, 0)
            self._taken -= slots - lent
            self._tokens.pop(item_id, None)
            if self._single == item_id:
                self._single = None
        if lent:
            self._share_slots()

    def lendSlots(self, item_id: int, waits: bool) -> None:
        """A batch's job waits for items that others cook: they get its slots until it goes on."""
        with self._lock:
            if waits and item_id in self._held and item_id not in self._lent:
                self._lent[item_id] = self._held[item_id]
                self._taken -= self._held[item_id]
            elif not waits:
                self._taken += self._lent.pop(item_id, 0)
        self._share_slots()
        self._measure()
        if waits:
            self.requestTask()

    def _share_slots(self) -> None:
        if self._keeper is not None:
            self._keeper.set_slots(self._slots + sum(self._lent.values()))

    def _slots_of(self, work_item: Any, parms: dict[str, Any]) -> int:
        wanted = parms["CPUs_to_use"] if parms["is_CPU_number_set"] else work_item.record.slots
        # An item that wants more than there is gets all there is.
        return int(min(max(wanted, 1), self._slots))

    # -- shared servers -------------------------------------------------------------------------------------------

    def endSharedServer(self, sharedserver_name: str, kill: bool = False) -> bool:
        """End a server that one of our jobs has started, with all it started itself; whether there was one."""
        info = self.getSharedServerInfo(sharedserver_name)
        self.clearSharedServerInfo(sharedserver_name)
        if not info:
            return False
        self._warn_of(end_server(self, info, grace=0.0 if kill else 5.0))
        return True

    # -- logs, directories, slots ---------------------------------------------------------------------------------

    def getLogURI(self, work_item: Any) -> str:
        """Where the output of the item's job goes."""
        return f"file:///{self._log_path(work_item).lstrip('/')}"

    def _log_path(self, work_item: Any) -> str:
        return f"{self.logDir(True)}/{file_stem(work_item.name)}.log"

    def _set_temp_directory(self) -> None:
        menu = self["tempdirmenu"].evaluateInt()
        if menu == TEMP_IN_WORKING_DIR and self["tempdirappendpid"].evaluateInt():
            return  # what every scheduler has by default: <working directory>/pdgtemp/<cook>
        # The last part of the default names the cook: as a pid it tells cooks apart, and it is never used again.
        cook = os.path.basename(self.tempDir(True))
        base = os.path.join(self.workingDir(True), "pdgtemp") if menu == TEMP_IN_WORKING_DIR else _own_temp_directory()
        if menu == TEMP_CUSTOM:
            base = self["tempdircustom"].evaluateString() or base
        path = os.path.join(base, cook) if self["tempdirappendpid"].evaluateInt() else base
        self.setTempDir(path, path)

    def _total_slots(self) -> int:
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        menu = self["maxprocsmenu"].evaluateInt()
        if menu == SLOTS_CUSTOM:
            wanted = self["maxprocs"].evaluateInt()
            return wanted if wanted > 0 else max(cpus + wanted, 1)
        return max(cpus - 1 if menu == SLOTS_ALL_BUT_ONE else cpus // 4, 1)


def _tags(name: str) -> list[str]:
    tags = ["pdg::scheduler"] if name.startswith("local_") else []
    return [*tags, "size"] if name == "local_memory" else tags


def _own_temp_directory() -> str:
    """A directory of the user's own in the system's temp directory, where anybody may have made one of that name.

    Raises ``pdg.CookError`` when it is somebody else's: job scripts are run from there.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    path = os.path.join(tempfile.gettempdir(), f"pdgtemp-{user}")
    os.makedirs(path, 0o700, exist_ok=True)
    found = os.lstat(path)
    if hasattr(os, "getuid") and (os.path.islink(path) or found.st_uid != user or found.st_mode & 0o022):
        raise pdg.CookError(
            f'the temp directory "{path}" belongs to somebody else, or may be changed by others\n'
            "    remove it, or choose another: tempdirmenu = 2 and tempdircustom"
        )
    return path


def registerTypes(type_registry: Any) -> None:
    """Called when the file is found."""
    type_registry.registerScheduler(LocalScheduler, name="localscheduler", label="Local Scheduler")
