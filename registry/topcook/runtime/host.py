"""A scheduler host: one scheduler instance on a thread of its own, its callbacks one after the other.

The cook thread only queues calls here; every answer comes back through the inbox.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from topcook.contract.node import Node as NodeHandle
from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import CallbackError, CookRefusedError, TopcookError
from topcook.machine import events as ev
from topcook.machine.phases import Trigger
from topcook.model.directories import Directories
from topcook.model.enums import ScheduleResult, TickResult
from topcook.model.states import UNSUCCESSFUL
from topcook.runtime import strays
from topcook.runtime.calls import Caller
from topcook.runtime.faults import describe, full_text, stack_of
from topcook.runtime.hostdoor import HostDoor
from topcook.runtime.inbox import UrisTold
from topcook.runtime.paths import working_directories

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topcook.model.node import SchedulerNode
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

TRIGGER_OF: dict[ScheduleResult, Trigger] = {
    ScheduleResult.Succeeded: Trigger.ACCEPTED,
    ScheduleResult.Failed: Trigger.REJECTED,
    ScheduleResult.Deferred: Trigger.DEFERRED,
    ScheduleResult.FullDeferred: Trigger.FULL,
    ScheduleResult.CookSucceeded: Trigger.COOK_SUCCEEDED,
    ScheduleResult.CookFailed: Trigger.COOK_FAILED,
    ScheduleResult.CookCanceled: Trigger.COOK_CANCELED,
}

#: Asking a scheduler for log and status URIs ends after this many seconds …
URIS_TAKE = 10.0
#: … or, of either kind, when this many calls have raised.
URI_FAILURES = 3
#: Seconds between ticks are kept within these, whatever the parm says.
TICK_BOUNDS = (0.01, 3600.0)


class SchedulerHandle:
    """The opaque handle that a scheduler class gets as ``scheduler``."""

    __slots__ = ("host",)

    def __init__(self, host: Host) -> None:
        """Carry the host."""
        self.host = host


class Host(HostDoor):
    """Runs one scheduler instance."""

    def __init__(self, node: SchedulerNode, graph: Graph, cls: type, *, static: bool) -> None:
        """Prepare the host; ``open`` makes the instance. ``static``: it takes static items with their dependencies."""
        super().__init__(node, graph)
        self.cls = cls
        self.takes_static = static
        self.draining = False
        #: (callback, item or None, since) while a callback runs.
        self.busy_with: tuple[str, WorkItem | None, float] | None = None
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"scheduler-{node.name}", daemon=True)
        self._ticking = False
        self._next_tick = 0.0
        self._caller: Caller | None = None
        self._refused: CookRefusedError | None = None

    # ------------------------------------------------------------------ life

    def open(self) -> None:
        """Make the instance, call ``onStart``, wait; raises ``CookRefusedError`` with what the author has to mend."""
        done = threading.Event()

        def make() -> None:
            self._make_once()
            done.set()

        self._begin()
        self._calls.put(make)
        done.wait()
        if self._refused is not None:
            raise self._refused

    def close(self, timeout: float = 10.0) -> None:
        """Call ``onStop`` and end the thread; what hangs in there is left behind after ``timeout`` seconds."""
        if not self._thread.is_alive():
            return
        self._calls.put(self._stop)
        self._calls.put(None)
        self._thread.join(timeout)

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

    def _make(self) -> None:
        self.directories.working = working_directories(self.graph, self.node)
        try:
            self.instance = self.cls(SchedulerHandle(self), self.name)
        except BaseException as error:
            self.log(full_text(error))
            raise CookRefusedError(
                f'scheduler "{self.name}" ({self.type_name}) cannot be made: {describe(error)}'
            ) from error
        self.ports_ready = True
        self._caller = Caller(self.name, self.instance, self.log)
        try:
            started = self._call("onStart")
        except CallbackError as error:
            raise CookRefusedError(str(error)) from error
        if started is False:
            raise CookRefusedError(f'scheduler "{self.name}": onStart returned False{self._recorded()}')

    def _stop(self) -> None:
        if self._caller is None:
            return
        with contextlib.suppress(CallbackError):
            self._call("onStop")

    def _recorded(self) -> str:
        """What the scheduler said by cookError, to be put behind a refusal."""
        return "".join(f"\n    {text}" for text in self.node.errors[-3:])

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        strays.speak_through(self.log)
        while True:
            try:
                call = self._calls.get(timeout=self._until_tick())
            except Empty:
                self._tick()
                continue
            if call is None:
                return
            call()
            if self._ticking and time.monotonic() >= self._next_tick:
                self._tick()

    def _until_tick(self) -> float | None:
        return max(0.0, self._next_tick - time.monotonic()) if self._ticking else None

    def _call(self, name: str, *args: Any, item: WorkItem | None = None) -> Any:
        assert self._caller is not None  # noqa: S101 - set by _make, before any other call is queued
        self.busy_with = (name, item, time.monotonic())
        try:
            return self._caller.call(name, *args)
        finally:
            self.busy_with = None

    def _post(self, event: ev.Event) -> None:
        if self.link is not None:
            self.link.inbox.post(event)

    def _now(self) -> float:
        return self.link.clock.now() if self.link is not None else time.time()

    def _problem(self, error: TopcookError) -> None:
        self.node.errors.append(str(error))
        if self.link is not None:
            self.link.message("error", self.name, str(error))

    # ------------------------------------------------------------------ a cook, told by the cook thread

    def begin_cook(self, link: CookLink) -> None:
        """Belong to a cook from now on: fresh directories, unless a callback has set its own."""
        mine = self.directories
        self.directories = Directories(mine.working, mine.temp, mine.script, link.cook_id)
        self._common = None
        self._keeper = None
        self.draining = False
        self.link = link
        link.post_limits(self)

    def end_cook(self) -> None:
        """Belong to no cook any more."""
        self.link = None
        self._ticking = False

    def start(self, nodes: Sequence[str]) -> None:
        """Queue ``onStartCook``, ``onSetupCook`` and the first tick (``onStart`` first, where nobody asked before)."""
        self._begin()
        self._calls.put(lambda: self._start_cook(list(nodes)))

    def hand_over(self, items: list[WorkItem]) -> None:
        """Queue ``onSchedule`` for each item."""
        self._calls.put(lambda: self._hand_over(items))

    def hand_over_static(self, items: list[WorkItem]) -> None:
        """Queue one ``onScheduleStatic``."""
        self._calls.put(lambda: self._hand_over_static(items))

    def cancel_items(self, items: list[WorkItem]) -> None:
        """Queue ``onCancelWorkItems``."""
        self._calls.put(lambda: self._cancel_items(items))

    def shared_server_started(self, info: dict[str, Any]) -> None:
        """Queue ``onSharedServerStarted``, where the scheduler listens for it."""
        if self._caller is not None and self._caller.has("onSharedServerStarted"):
            self._calls.put(lambda: self._tell("onSharedServerStarted", info))

    def stop(self, *, cancel: bool) -> None:
        """Queue ``onStopCook``; with ``cancel``, hand-overs that were queued before it are dropped."""
        self.draining = cancel
        self._calls.put(lambda: self._stop_cook(cancel=cancel))

    # ------------------------------------------------------------------ the calls

    def _start_cook(self, nodes: list[str]) -> None:
        ok, message = True, ""
        try:
            self._make_once()
            if self._refused is not None:
                raise self._refused
            self._refresh_working_dir()
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
                self.copy_support_files()
        except (TopcookError, OSError) as error:
            ok, message = False, str(error)
        if message:
            self.node.errors.append(message)
        if ok:
            self._tick()
            self._ticking = True
        self._post(ev.SchedulerStarted(self.name, ok, self._now(), message))

    def _refresh_working_dir(self) -> None:
        """Make a relative working directory absolute: relative to the network file, as ``$HIP`` is."""
        local, remote = self.directories.working
        if not Path(local).is_absolute():
            local = str(Path(self.graph.network.hip, local).resolve())
            self.directories.working = (local, remote if remote.startswith(("/", "__")) else local)

    def _hand_over(self, items: list[WorkItem]) -> None:
        full = False
        for item in items:
            if full or self.draining:
                self._post(ev.ItemEvent(item, Trigger.NOT_OFFERED, self._now()))
                continue
            trigger, reason = self._schedule(item)
            full = trigger is Trigger.FULL
            self._post(ev.ItemEvent(item, trigger, self._now(), reason=reason))

    def _schedule(self, item: WorkItem) -> tuple[Trigger, str]:
        try:
            result = self._call("onSchedule", ItemHandle(item, self.graph), item=item)
        except CallbackError as error:
            self._problem(error)
            return Trigger.RAISED, str(error)
        reason = ""
        if result is ScheduleResult.Failed:
            reason = f'scheduler "{self.name}" could not schedule it: onSchedule returned Failed'
        elif result is ScheduleResult.CookFailed:
            reason = f'scheduler "{self.name}" said at once that it failed: onSchedule returned CookFailed'
        return TRIGGER_OF[result], reason

    def _hand_over_static(self, items: list[WorkItem]) -> None:
        handles = {item.id: ItemHandle(item, self.graph) for item in items}
        dependencies = {
            handles[item.id]: [handles[d.id] for d in item.dependencies if d.id in handles] for item in items
        }
        dependents = {
            handles[item.id]: [handles[d.id] for d in item.dependents or () if d.id in handles] for item in items
        }
        ready = [handle for handle, waits in dependencies.items() if not waits]
        message = ""
        try:
            self._call("onScheduleStatic", dependencies, dependents, ready)
        except CallbackError as error:
            self._problem(error)
            message = str(error)
        self._post(ev.StaticReturned(self.name, items, bool(message), self._now(), message))

    def _cancel_items(self, items: list[WorkItem]) -> None:
        node = NodeHandle(items[0].node, self.graph) if len({item.node.name for item in items}) == 1 else None
        self._tell("onCancelWorkItems", [ItemHandle(item, self.graph) for item in items], node)
        self._post(ev.ItemsReleased(items, self._now()))

    def _tell(self, name: str, *args: Any) -> None:
        try:
            self._call(name, *args)
        except CallbackError as error:
            self._problem(error)

    def _stop_cook(self, *, cancel: bool) -> None:
        self._ticking = False
        if not cancel:
            self._tell_uris()
        if self._caller is not None:
            self._tell("onStopCook", cancel)
        if cancel:
            # Ending the jobs comes first when somebody waits for it.
            self._tell_uris()
        self._post(ev.SchedulerStopped(self.name, self._now()))

    def _tell_uris(self) -> None:
        """Ask where the logs and pages of items are, while the scheduler still knows, and tell the cook."""
        if self._caller is None or self.link is None:
            return
        asked = self.link.all_uris
        told: list[tuple[WorkItem, str, str]] = []
        failures: dict[str, int] = {}
        give_up = time.monotonic() + URIS_TAKE
        for item in self.graph.items():
            if item.scheduler == self.name and item.attempt and (asked or item.state in UNSUCCESSFUL):
                handle = ItemHandle(item, self.graph)
                told.append(
                    (item, self._uri("getLogURI", handle, failures), self._uri("getStatusURI", handle, failures))
                )
                if time.monotonic() > give_up:
                    break
        if told:
            self.link.inbox.post(UrisTold(told))

    def _uri(self, name: str, handle: ItemHandle, failures: dict[str, int]) -> str:
        assert self._caller is not None  # noqa: S101 - the caller looked
        if failures.get(name, 0) >= URI_FAILURES or not self._caller.has(name):
            return ""
        try:
            return str(self._call(name, handle) or "")
        except CallbackError:
            # Its place is in the scheduler's log; a page that is not known fails nothing.
            failures[name] = failures.get(name, 0) + 1
            return ""

    def _tick(self) -> None:
        low, high = TICK_BOUNDS
        try:
            period = min(max(float(self.parm_value("pdg_tickperiod")), low), high)
        except (TypeError, ValueError):
            period = 0.5
        busy, cancel = False, ""
        try:
            result = self._call("onTick")
            busy = result is TickResult.SchedulerBusy
            if result is TickResult.SchedulerCancelCook:
                cancel = f'scheduler "{self.name}" canceled the cook{self._recorded()}'
        except CallbackError as error:
            self._problem(error)
        self._next_tick = time.monotonic() + period
        self._post(ev.Ticked(self.name, busy, self._now(), cancel))

    # ------------------------------------------------------------------ when a callback does not come back

    def where_it_stands(self) -> str:
        """The callback under way, since when, and the stack of the host's thread; empty while it is idle."""
        busy = self.busy_with
        if busy is None:
            return ""
        name, item, since = busy
        about = f" for {item.name}" if item is not None else ""
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - the documented way to see a thread
        return (
            f'scheduler "{self.name}" has been in {name}{about} for {time.monotonic() - since:.0f} s:\n'
            f"{stack_of(frame)}"
        )

    def end_children(self) -> None:
        """End the processes that the callback under way has started and blocks on (Linux only)."""
        native = self._thread.native_id
        with contextlib.suppress(OSError, ValueError):
            text = Path(f"/proc/self/task/{native}/children").read_text()
            for pid in map(int, text.split()):
                if pid != self.graph.keeper_pid():
                    end_tree(pid)


def end_tree(pid: int) -> None:
    """Send SIGTERM to a process and everything below it, children first."""
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            end_tree(int(child))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)
