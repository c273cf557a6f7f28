"""A scheduler host: one scheduler instance on a thread of its own, its callbacks one after the other.

The cook thread only queues calls here; every answer comes back through the inbox.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, TypeVar

from topcook.contract.node import Node as NodeHandle
from topcook.contract.source import is_authors
from topcook.contract.static_graph import dependency_maps
from topcook.contract.staticcook import StaticCookMixin
from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import CallbackError, CookRefusedError, TopcookError
from topcook.machine import events as ev
from topcook.machine.phases import Trigger
from topcook.model.directories import Directories
from topcook.model.enums import TickResult
from topcook.runtime.adopting import adopt_items
from topcook.runtime.calls import Caller
from topcook.runtime.children import end_children
from topcook.runtime.delegate import Delegate
from topcook.runtime.faults import describe, full_text, stack_of
from topcook.runtime.filedependencies import FileDependencies, without_dependents
from topcook.runtime.handingover import HandingOver, takes_all
from topcook.runtime.hostdoor import SchedulerHandle
from topcook.runtime.inbox import Broken, UrisTold
from topcook.runtime.leaving import ask_leave
from topcook.runtime.paths import is_absolute, working_directories
from topcook.runtime.uris import ask_uris

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topcook.factory import Record
    from topcook.model.node import SchedulerNode
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink
    from topcook.runtime.resume.restoring import Left

T = TypeVar("T")

#: Seconds between ticks are kept within these, whatever the parm says.
TICK_BOUNDS = (0.01, 3600.0)
USUAL_TICK = 0.5
#: How long a thread that was given up is waited for at the end, in seconds.
GIVEN_UP = 0.5
#: How often who waits for ``onStart`` looks around, in seconds.
LOOK_EVERY = 0.25
#: After so many seconds the cook is woken up for hand-overs that it has not heard of by itself.
HEARD_AFTER = 0.1


class Host(HandingOver):
    """Runs one scheduler instance."""

    def __init__(self, node: SchedulerNode, graph: Graph, record: Record, cls: type, *, static: bool) -> None:
        """Prepare the host; ``open`` makes the instance. ``static``: it takes static items with their dependencies.

        ``record`` is the type in the version that ``cls`` is of.
        """
        super().__init__(node, graph)
        self.record = record
        self.cls = cls
        self.takes_static = static
        self._accepts_by_item = is_authors(cls, "onAcceptWorkItem")
        self._takes_all = takes_all(cls)
        #: Whether the class says, for itself and not for those derived from it, that it need not see all static items.
        self.begins_early = bool(vars(cls).get("beginsEarly"))
        #: The same of jobs: none of its items starts a process that reports or reads its item.
        self.runs_no_jobs = bool(vars(cls).get("runsNoJobs"))
        self.draining = False
        #: A cook has ended without waiting any longer for the callback that still runs.
        self.given_up = False
        #: (callback, item or None, since) while a callback runs.
        self.busy_with: tuple[str, WorkItem | None, float] | None = None
        self._thread = threading.Thread(target=self._run, name=f"scheduler-{node.name}", daemon=True)
        #: The cook for which it ticks; ends with that, whatever the thread is in.
        self._ticking_for: CookLink | None = None
        self._next_tick = 0.0
        self._tick_error = ""
        #: The directories as they were before the last cook's own callbacks, and the working one as the parms say.
        self._kept: Directories | None = None
        self._by_parms: tuple[str, str] | None = None
        self._caller: Caller | None = None
        self._files = FileDependencies(node, graph, cls)
        self._refused: CookRefusedError | None = None
        self.delegate = Delegate(self)

    # ------------------------------------------------------------------ life

    def open(self, waiting: Callable[[], None] | None = None) -> None:
        """Make the instance, call ``onStart``, wait; raises ``CookRefusedError`` with what the author has to mend.

        ``waiting`` is called now and again meanwhile; what it raises ends the waiting.
        """
        if self.given_up:
            raise CookRefusedError(f"an earlier cook still waits for its end: {self.where_it_stands()}")
        done = threading.Event()

        def make() -> None:
            try:
                self._make_once()
            finally:
                done.set()

        self._begin()
        self._calls.put(make)
        while not done.wait(LOOK_EVERY if waiting is not None else None):
            try:
                if waiting is not None:
                    waiting()
            except BaseException:
                self.given_up = True
                raise
        if self._refused is not None:
            raise self._refused

    def outside_a_cook(self, work: Callable[[Callable[..., Any]], T]) -> T:
        """Run ``work``, given what calls a callback by its name, on the host's thread; raises what it raises."""
        from concurrent.futures import Future

        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(work(self._call))
            except BaseException as error:  # noqa: BLE001 - carried to whoever asked
                answer.set_exception(error)

        self._calls.put(run)
        return answer.result()

    def close(self, timeout: float = 10.0) -> None:
        """Call ``onStop`` and end the thread; what hangs in there is left behind after ``timeout`` seconds."""
        if not self._thread.is_alive():
            return
        self._calls.put(self._stop)
        self._calls.put(None)
        # What was waited for in vain has had its time.
        self._thread.join(min(timeout, GIVEN_UP) if self.given_up else timeout)

    @property
    def thread_id(self) -> int | None:
        """The host thread's, ``None`` before its start."""
        return self._thread.ident

    @property
    def native_id(self) -> int | None:
        """What the system calls the thread, likewise."""
        return self._thread.native_id

    def _begin(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def _make_once(self) -> None:
        if self._caller is not None:
            return
        self._refused = None
        try:
            self._make()
        except CookRefusedError as error:
            self._refused = error
            self._caller = None
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for the instance or for this
            self.log(full_text(error))
            self._refused = CookRefusedError(f'scheduler "{self.name}" cannot be made: {describe(error)}')
            self._caller = None

    def _make(self) -> None:
        self.directories.working = self._by_parms = working_directories(self.graph, self.node)
        self.busy_with = ("__init__", None, time.monotonic())
        try:
            self.instance = self.cls(SchedulerHandle(self), self.name)
        except BaseException as error:
            self.log(full_text(error))
            raise CookRefusedError(
                f'scheduler "{self.name}" ({self.type_name}) cannot be made: {describe(error)}'
            ) from error
        finally:
            self.busy_with = None
        self.ports_ready = True
        self._caller = Caller(self.name, self.instance, self.log, traced=self.graph.trace)
        try:
            started = self._call("onStart")
        except CallbackError as error:
            raise CookRefusedError(str(error)) from error
        if started is False:
            raise CookRefusedError(f'scheduler "{self.name}": onStart returned False{self._recorded()}')

    def _stop(self) -> None:
        if self._caller is None:
            return
        # The instance is on its way out and its own log has the traceback: nothing is left that could fail.
        with contextlib.suppress(CallbackError):
            self._call("onStop")

    def _recorded(self) -> str:
        """What the scheduler said by cookError, to be put behind a refusal."""
        return "".join(f"\n    {text}" for text in self.node.errors[-3:])

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        self.adopt_thread()
        while True:
            try:
                call = self._calls.get(timeout=self._until_look())
            except Empty:
                self._rouse()
                self._tick_if_due()
                continue
            if call is None:
                return
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - a mistake of ours: the cook has to hear of it, or waits forever
                self._broken(error)
            self._tick_if_due()

    def _until_look(self) -> float | None:
        """Seconds until the next tick, or until the cook is to have heard of the last hand-over."""
        tick = max(0.0, self._next_tick - time.monotonic()) if self._ticking_for is not None else None
        return min(tick, HEARD_AFTER) if self._posted_soon and tick is not None else tick

    def _rouse(self) -> None:
        if self._posted_soon and self.link is not None:
            self._posted_soon = False
            self.link.inbox.rouse()

    def _tick_if_due(self) -> TickResult | None:
        """The regular ``onTick``; ``None`` when it is not time."""
        link = self._ticking_for
        if link is None or time.monotonic() < self._next_tick:
            return None
        if link is not self.link:
            self._ticking_for = None
            return None
        return self._tick(link)

    def _broken(self, error: BaseException) -> None:
        self.log(full_text(error))
        if self.link is not None:
            self.link.inbox.post(Broken(error))

    def _call(self, name: str, *args: Any, item: WorkItem | None = None) -> Any:
        assert self._caller is not None  # noqa: S101 - set by _make, before any other call is queued
        self.busy_with = (name, item, time.monotonic())
        try:
            return self._caller.call(name, *args)
        finally:
            self.busy_with = None

    def _problem(self, link: CookLink, error: TopcookError) -> None:
        self.node.errors.append(str(error))
        link.message("error", self.name, str(error))

    # ------------------------------------------------------------------ a cook, told by the cook thread

    def begin_cook(self, link: CookLink) -> None:
        """Belong to a cook from now on: fresh directories, unless the scheduler set its own before any cook."""
        mine = self._kept or self.directories
        by_parms = working_directories(self.graph, self.node)
        working = by_parms if self._by_parms in {None, mine.working} else mine.working
        self._by_parms = by_parms
        self.directories = Directories(working, mine.temp, mine.script, link.cook_id)
        self._common = None
        self._keeper = None
        self.room = 0
        self._logged = 0
        self._files = FileDependencies(self.node, self.graph, self.cls)
        self._tick_error = ""
        self.shown = frozenset()
        self.function_runs = []
        self.draining = False
        self.link = link
        link.post_limits(self)

    def end_cook(self) -> None:
        """Belong to no cook any more."""
        self.link = None

    def start(self, nodes: Sequence[str]) -> None:
        """Queue ``onStartCook``, ``onSetupCook`` and the first tick (``onStart`` first, where nobody asked before)."""
        self._begin()
        self._order(lambda link: self._start_cook(link, list(nodes)))

    def hand_over(self, items: list[WorkItem]) -> None:
        """Queue ``onSchedule`` for each item."""
        self._order(lambda link: self._hand_over(link, items))

    def hand_over_static(self, items: list[WorkItem]) -> None:
        """Queue one ``onScheduleStatic``."""
        self._order(lambda link: self._hand_over_static(link, items))

    def adopt(self, left: list[Left], drop: Callable[[list[str]], None]) -> None:
        """Queue ``onAdoptWorkItems`` for what a cook that goes on has left; ``drop`` ends what is not taken up."""
        self._order(lambda link: adopt_items(self.name, left, link, self.graph, self._call, drop))

    def leave(self, items: list[WorkItem]) -> None:
        """Queue ``onLeaveWorkItems``."""
        self._order(lambda link: ask_leave(self.name, items, link, self.graph, self._call))

    def cancel_items(self, items: list[WorkItem]) -> None:
        """Queue ``onCancelWorkItems``."""
        self._order(lambda link: self._cancel_items(link, items))

    def deliver(self) -> None:
        """Queue what waits for the author's event methods."""
        self._calls.put(self.delegate.run)

    def static_succeeded(self, item: WorkItem) -> None:
        """Queue what a ``StaticCookMixin`` schedules once ``item`` has ended well, whoever reported it."""
        if issubclass(self.cls, StaticCookMixin):
            self._order(lambda link: self._static_succeeded(link, item.id))

    def shared_server_started(self, info: dict[str, Any]) -> None:
        """Queue ``onSharedServerStarted``, where the scheduler listens for it."""
        if self._caller is not None and self._caller.has("onSharedServerStarted"):
            self._order(lambda link: self._tell(link, "onSharedServerStarted", info))

    def stop(self, *, cancel: bool) -> None:
        """Queue ``onStopCook``; with ``cancel``, hand-overs that were queued before it are dropped."""
        self.draining = cancel
        self._order(lambda link: self._stop_cook(link, cancel=cancel))

    # ------------------------------------------------------------------ the calls

    def _start_cook(self, link: CookLink, nodes: list[str]) -> None:
        ok, message = True, ""
        try:
            self._make_once()
            if self._refused is not None:
                raise self._refused
            self.settle_working_dir()
            self._remember_directories()
            self.prepare_directories()
            cook_set = [NodeHandle(self.graph.network.nodes[name], self.graph) for name in nodes]
            ok = bool(self._call("onStartCook", self.takes_static, cook_set))
            message = "" if ok else f'scheduler "{self.name}": onStartCook returned False{self._recorded()}'
            if ok and self._caller is not None and self._caller.has("onSetupCook"):
                ok = bool(self._call("onSetupCook"))
                message = "" if ok else f'scheduler "{self.name}": onSetupCook returned False{self._recorded()}'
            if ok:
                # onStartCook may have moved the directories.
                self.prepare_directories()
                if not self.runs_no_jobs:
                    self.copy_support_files()
        except (TopcookError, OSError) as error:
            ok, message = False, str(error)
        if message:
            self.node.errors.append(message)
        if ok and link is self.link:
            self._tick(link)
            self._ticking_for = link
        link.inbox.post(ev.SchedulerStarted(self.name, ok, link.clock.now(), message))

    def _remember_directories(self) -> None:
        """What ``onStart`` has set holds for every cook; what ``onStartCook`` sets, for its own."""
        self._kept = Directories(self.directories.working, self.directories.temp, self.directories.script)

    def settle_working_dir(self) -> None:
        """Work where the author's own ``workingDir`` says; a relative directory starts at ``$HIP``."""
        if is_authors(self.cls, "workingDir"):
            asked, farms = (self._call("workingDir", view) for view in (True, False))
            if asked:
                self.directories.working = (asked, farms or asked)
        local, remote = self.directories.working
        if not Path(local).is_absolute():
            local = str(Path(self.graph.network.hip, local).resolve())
            self.directories.working = (local, remote if is_absolute(remote) else local)

    def _hand_over_static(self, link: CookLink, items: list[WorkItem]) -> None:
        if self.draining or link is not self.link:
            link.inbox.post(ev.StaticReturned(self.name, items, raised=False, at=link.clock.now()))
            return
        missing = {
            item: reason
            for item in items
            if (reason := self._not_accepted(item) or self._files.bring_for(item, self._call))
        }
        for item, reason in missing.items():
            link.inbox.post(ev.ItemEvent(item, Trigger.FAIL, link.clock.now(), reason=reason))
        given, message = without_dependents(items, missing), ""
        try:
            self._call("onScheduleStatic", *dependency_maps(given, self.graph, lambda _: True))
        except CallbackError as error:
            self._problem(link, error)
            message = str(error)
        self.delegate.run()
        link.inbox.post(ev.StaticReturned(self.name, items, bool(message), link.clock.now(), message))

    def _static_succeeded(self, link: CookLink, item_id: int) -> None:
        self.instance.static_completed(item_id)
        if self.draining or link is not self.link:
            return
        self.busy_with = ("onSchedule", None, time.monotonic())
        try:
            self.instance.static_tick()
        except BaseException as error:  # noqa: BLE001 - author code: its onSchedule
            self.log(full_text(error))
            self._problem(link, CallbackError(f'scheduler "{self.name}": onSchedule raised {describe(error)}'))
        finally:
            self.busy_with = None

    def _cancel_items(self, link: CookLink, items: list[WorkItem]) -> None:
        node = NodeHandle(items[0].node, self.graph) if len({item.node.name for item in items}) == 1 else None
        self._tell(link, "onCancelWorkItems", [ItemHandle(item, self.graph) for item in items], node)
        link.inbox.post(ev.ItemsReleased(items, link.clock.now()))

    def _tell(self, link: CookLink, name: str, *args: Any) -> None:
        try:
            self._call(name, *args)
        except CallbackError as error:
            self._problem(link, error)

    def _stop_cook(self, link: CookLink, *, cancel: bool) -> None:
        self._ticking_for = None
        self.given_up = False
        if not cancel:
            self._tell_uris(link)
        if self._caller is not None:
            self._end_shared_servers(link, self._caller)
            self._tell(link, "onStopCook", cancel)
        if cancel:
            # Ending the jobs comes first when somebody waits for it.
            self._tell_uris(link)
        link.inbox.post(ev.SchedulerStopped(self.name, link.clock.now()))

    def _end_shared_servers(self, link: CookLink, caller: Caller) -> None:
        """Nobody has ended these, and they would outlive the cook."""
        for name in self.shared_servers():
            if caller.has("endSharedServer"):
                self._tell(link, "endSharedServer", name)
            self.set_shared_server(name, None)

    def _tell_uris(self, link: CookLink) -> None:
        """Ask where the logs and pages of items are, while the scheduler still knows, and tell the cook."""
        caller = self._caller
        if caller is not None:

            def ask(name: str, handle: ItemHandle) -> object:
                return self._call(name, handle) if caller.has(name) else ""

            link.inbox.post(UrisTold(ask_uris(self.graph, self.name, ask, every=link.all_uris)))

    def _tick(self, link: CookLink) -> TickResult | None:
        result, cancel = None, ""
        try:
            result = self._call("onTick")
            if result is TickResult.SchedulerCancelCook:
                cancel = f'scheduler "{self.name}" canceled the cook{self._recorded()}'
        except CallbackError as error:
            if str(error) != self._tick_error:
                # A tick comes twice a second, for days: what it says again is in the log only.
                self._tick_error = str(error)
                self._problem(link, error)
        self._next_tick = time.monotonic() + self._tick_period()
        link.inbox.post(ev.Ticked(self.name, result is TickResult.SchedulerBusy, link.clock.now(), cancel))
        return result

    def _tick_period(self) -> float:
        low, high = TICK_BOUNDS
        try:
            period = float(self.parm_value("pdg_tickperiod"))
        except (TypeError, ValueError):
            return USUAL_TICK
        return min(max(period, low), high) if period == period else USUAL_TICK  # noqa: PLR0124 - only NaN differs from itself

    # ------------------------------------------------------------------ when a callback does not come back

    def where_it_stands(self) -> str:
        """The callback under way, since when, and the stack of the host's thread; empty while it is idle."""
        busy = self.busy_with
        if busy is None:
            return ""
        callback, item, since = busy
        about = f" for {item.name}" if item is not None else ""
        lasts = f"{time.monotonic() - since:.0f} s"
        return f'scheduler "{self.name}" has been in {callback}{about} for {lasts}:\n{stack_of(self.thread_id)}'

    def end_children(self, *, kill: bool = False) -> None:
        """End the processes that the callback under way has started and blocks on (Linux only)."""
        end_children(self._thread.native_id, spare=self.graph.keeper_pid(), how="KILL" if kill else "TERM")
