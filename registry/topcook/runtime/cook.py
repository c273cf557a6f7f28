"""The cook: drains the inbox, lets the machine decide, records, then acts.

Everything here runs on the cook thread unless said otherwise.
"""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from topcook.errors import ExpressionError, ProblemsError, RecorderError, TopcookError
from topcook.machine import CookState, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.nodes import NodeState
from topcook.machine.schedulers import SchedulerState
from topcook.model.node import NodeType
from topcook.model.workitem import Trait
from topcook.runtime import strays
from topcook.runtime.generation import (
    GenerationRequest,
    GenerationResult,
    Generator,
    finish_late_command,
    pass_outputs,
    plan_generation,
)
from topcook.runtime.inbox import Report, UrisTold
from topcook.runtime.link import CookLink, Message
from topcook.runtime.localize import localize
from topcook.runtime.observers import Observers
from topcook.runtime.paths import working_directories
from topcook.runtime.recorder import HandOverNote, MemoryRecorder, Recorder
from topcook.runtime.reports import Reports
from topcook.runtime.statedir import cook_directory, forget_cook
from topcook.runtime.watch import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from topcook.contract.host import JobKeeper
    from topcook.errors import Problem
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.keeper.client import KeeperProcess


def new_cook_id() -> str:
    """A cook id that sorts by time and is unique on a farm: ``20261121-215930-9f3a``."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


class Cook:
    """One cook of some nodes of a graph, with everything they depend on.

    ``run`` cooks on the calling thread; ``start`` on a thread of its own, ``wait`` waits for that.
    """

    def __init__(
        self,
        graph: Graph,
        wanted: Sequence[Node],
        *,
        recorder: Recorder | None = None,
        observers: Sequence[object] = (),
        static_only: bool = False,
    ) -> None:
        """Prepare: plan when nodes generate; raises ``ProblemsError`` for what cannot be cooked at all.

        ``static_only`` makes the static items and stops there (a dry run): no scheduler is started.
        """
        self.graph = graph
        self.cook_id = new_cook_id()
        self.link = CookLink(self.cook_id, self._keeper_pool)
        self.wanted = list(wanted)
        self.nodes = with_ancestors(wanted)
        self.static_only = static_only
        self.outcome = ""
        self.messages: list[Message] = []
        self.generation_problems: list[Problem] = []
        self.started = self.finished = self.link.clock.now()
        self.error: BaseException | None = None
        self.observers = Observers()
        for observer in observers:
            self.observers.add(observer)
        self._recorder = recorder or MemoryRecorder()
        self._reports = Reports(graph, self.link)
        self._generator = Generator(graph, self._generated)
        self._keeper: KeeperProcess | None = None
        self._keeper_lock = threading.Lock()
        self._patience = Patience(self)
        self._thread: threading.Thread | None = None
        plans = plan_generation(self.nodes, graph.node_class)
        states = {
            node: NodeState(
                node,
                plans[node].when,
                partitioner=node.kind is not NodeType.Processor,
                static=plans[node].static,
                prepared=bool(node.items),
            )
            for node in self.nodes
        }
        for node, state in states.items():
            state.link(states[source] for source in node.inputs)
        self.state = CookState(states.values(), ())

    # ------------------------------------------------------------------ from outside (any thread)

    def start(self) -> None:
        """Cook on a thread of its own."""
        self._thread = threading.Thread(target=self._run_quietly, name="topcook-cook", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False when it has not come within ``timeout`` seconds. Raises what broke the cook."""
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
        if self.error is not None:
            raise self.error
        return True

    def cancel(self, reason: str = "canceled") -> None:
        """Ask the cook to end: jobs are ended, ``onStopCook(True)`` runs. Safe in a signal handler."""
        self.link.cancel(reason)

    def cancel_items(self, items: list[WorkItem]) -> None:
        """Ask for single items to be canceled."""
        self.link.inbox.post(ev.CancelItems(items, self.link.clock.now()))

    def pause(self, *, paused: bool) -> None:
        """Hand over nothing new while paused."""
        self.link.inbox.post(ev.PauseSet(paused))

    def refuse(self, reason: str) -> None:
        """End it before it has begun, because a scheduler cannot be made."""
        self.outcome = "failed"
        self._tell(Message("error", "cook", reason))
        self.finished = self.link.clock.now()

    def kill(self) -> None:
        """End all local jobs at once, without asking anybody; for the second Ctrl-C."""
        keeper = self._keeper
        if keeper is not None:
            with contextlib.suppress(Exception):  # the program is about to end; whatever this raises must not stop it
                keeper.cancel("", (), 0.0)

    def keeper_pid(self) -> int | None:
        """The keeper's process id, ``None`` before the first local job."""
        return self._keeper.pid if self._keeper is not None else None

    # ------------------------------------------------------------------ the loop

    def _run_quietly(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - carried to whoever waits
            self.error = error

    def run(self) -> str:
        """Cook to the end; answers the outcome: cooked, failed, canceled, or static for a dry run."""
        self.graph.cook = self
        if not self.graph.debug:
            strays.install()
        try:
            with _home(self.graph.network.hip):
                self._loop()
        finally:
            self.finished = self.link.clock.now()
            self._close()
        return self.outcome

    def _loop(self) -> None:
        batch: list[ev.Event] = [ev.CookRequested(self.link.clock.now())]
        while not self.outcome:
            events, acknowledge = self._translate(batch)
            with _collector_at_rest(len(events)):
                instructions = self.state.handle(*events)
            changes = self.state.drain_changes()
            for item, _, _, _ in changes:
                if item.traits & Trait.AUTOMATIC:
                    pass_outputs(item)
            self._record(batch, instructions, acknowledge)
            if changes:
                self.observers.tell("items_changed", cook=self, changes=changes)
            for item, what in self.state.drain_problems():
                self._tell(Message("warning", item.scheduler, f"{item.name}: {what}"))
            for instruction in instructions:
                _ACTIONS[type(instruction)](self, instruction)
            batch = [] if self.outcome else self._next_batch()

    def _next_batch(self) -> list[ev.Event]:
        while True:
            batch = self.link.inbox.drain(self._patience.timeout())
            batch += self._patience.look()
            if batch:
                return batch

    def _translate(self, batch: list[Any]) -> tuple[list[ev.Event], list[Callable[[Exception | None], None]]]:
        events: list[ev.Event] = []
        acknowledge: list[Callable[[Exception | None], None]] = []
        for entry in batch:
            if type(entry) is ev.ItemEvent:
                events.append(self._reports.checked(entry))
            elif type(entry) is Report:
                events += [self._reports.checked(event) for event in self._reports.read(entry)]
                if entry.done is not None:
                    acknowledge.append(entry.done)
            elif type(entry) is Message:
                self._tell(entry)
            elif type(entry) is GenerationResult:
                events += self._joined(entry)
            elif type(entry) is UrisTold:
                for item, log, status in entry.told:
                    run = item.ran()
                    run.log_uri, run.status_uri = log, status
            else:
                events.append(entry)
        return events, acknowledge

    def _record(
        self,
        batch: list[Any],
        instructions: list[ins.Instruction],
        acknowledge: list[Callable[[Exception | None], None]],
    ) -> None:
        """Keep what happened and what is about to be handed over; only then are reports acknowledged."""
        notes = [
            HandOverNote(item, item.attempt, instruction.scheduler, self.link.token(item))
            for instruction in instructions
            if isinstance(instruction, ins.HandOver | ins.HandOverStatic)
            for item in instruction.items
        ]
        try:
            self._recorder.commit(batch, notes)
        except Exception as error:
            for done in acknowledge:
                done(error)
            raise RecorderError(
                f"the cook stops: what happened could not be recorded: {error}\n  nothing was handed over after it"
            ) from error
        for done in acknowledge:
            done(None)

    # ------------------------------------------------------------------ carrying out

    def _act_generate(self, order: ins.Generate) -> None:
        node = self.state.nodes[order.node].node
        try:
            instance = self.graph.node_instance(node)
        except Exception as error:  # noqa: BLE001 - a node type is author code; its __init__ may raise anything
            self._tell(Message("error", node.name, f'node "{node.name}" cannot be made: {error}'))
            self.link.inbox.post(ev.GenerationFailed(node.name, str(error), self.link.clock.now()))
            return
        self._patience.generating(node.name)
        self._generator.submit(GenerationRequest(node, instance, order.upstream, order.static, order.each))

    def _generated(self, result: GenerationResult) -> None:
        """Called on the generator's thread."""
        self.link.inbox.post(result)

    def _joined(self, result: GenerationResult) -> list[ev.Event]:
        """Give each new item its scheduler and its place among the items; a problem fails the node."""
        node, now = result.node, self.link.clock.now()
        self._patience.generated(node.name)
        try:
            for item in result.items:
                self._place(item)
        except TopcookError as error:
            problems = error.problems if isinstance(error, ProblemsError) else []
            self.generation_problems += problems
            self._tell(Message("error", node.name, f'node "{node.name}": {error}'))
            return [ev.GenerationFailed(node.name, str(error), now)]
        self.graph.keep_items(result.items)
        events: list[ev.Event] = [ev.ItemsGenerated(node.name, result.items, now, bool(result.problems))]
        if result.problems:
            self.generation_problems += result.problems
            for problem in result.problems:
                self._tell(Message("error", node.name, str(problem)))
        return events

    def _place(self, item: WorkItem) -> None:
        if not item.traits & Trait.AUTOMATIC:
            name, _ = self.graph.choice.for_item(item)
            item.scheduler = name
            if name not in self.state.schedulers:
                host = self.graph.host(name)
                self.state.know_scheduler(SchedulerState(name, takes_static=host.takes_static))
                host.begin_cook(self.link)
        for files in (item.outputs, item.expected_outputs):
            for file in files or ():
                if "__PDG_" in file.path:
                    file.path = self._local_path(item, file.path)

    def _local_path(self, item: WorkItem, path: str) -> str:
        """A path in this machine's view; an item that nothing schedules stands in its node's scheduler's directory."""
        name = item.scheduler or self.graph.scheduler_name_for(item.node)
        host = self.graph.host(name)
        if host.instance is None:
            host.directories.working = working_directories(self.graph, host.node)
        return localize(path, host.directories)

    def _act_static_ready(self, _order: ins.StaticReady) -> None:
        if self.generation_problems:
            self.outcome = "refused"
        elif self.static_only:
            self.outcome = "static"
        else:
            self.observers.tell("cook_started", cook=self)
            self.link.inbox.post(ev.Go(self.link.clock.now()))

    def _act_start(self, order: ins.StartScheduler) -> None:
        self.graph.host(order.scheduler).start(order.nodes)

    def _act_hand_over(self, order: ins.HandOver) -> None:
        items = [item for item in order.items if self._finish_command(item)]
        if items:
            self.graph.host(order.scheduler).hand_over(items)

    def _finish_command(self, item: WorkItem) -> bool:
        """Put a late command together; an item whose command cannot be is failed here."""
        if not item.traits & Trait.LATE_COMMAND:
            return True
        try:
            finish_late_command(item, self.graph)
        except ExpressionError as error:
            self.link.inbox.post(ev.ItemEvent(item, Trigger.RAISED, self.link.clock.now(), reason=str(error)))
            return False
        return True

    def _act_hand_over_static(self, order: ins.HandOverStatic) -> None:
        for item in order.items:
            if item.traits & Trait.LATE_COMMAND:
                with contextlib.suppress(ExpressionError):
                    finish_late_command(item, self.graph)
        self.graph.host(order.scheduler).hand_over_static(order.items)

    def _act_cancel(self, order: ins.CancelHeld) -> None:
        self.graph.host(order.scheduler).cancel_items(order.items)

    def _act_stop(self, order: ins.StopScheduler) -> None:
        self._patience.stopping(order.scheduler, cancel=order.cancel)
        self.graph.host(order.scheduler).stop(cancel=order.cancel)

    def _act_finish(self, order: ins.Finish) -> None:
        self.outcome = order.outcome
        if self.state.start_failed:
            self._tell(Message("error", "cook", self.state.cancel_reason))

    # ------------------------------------------------------------------ odds and ends

    def _tell(self, message: Message) -> None:
        self.messages.append(message)
        self.observers.tell("cook_message", cook=self, level=message.level, source=message.source, text=message.text)

    def _keeper_pool(self, scheduler: str) -> JobKeeper:
        """Called on a host's thread when its scheduler starts its first local job."""
        from topcook.runtime.keeper.client import KeeperProcess

        with self._keeper_lock:
            if self._keeper is None:
                self._keeper = KeeperProcess(
                    cook_directory(self.cook_id), on_error=lambda text: self.link.message("error", "keeper", text)
                )
            return self._keeper.pool(scheduler)

    def _close(self) -> None:
        for name in self.state.schedulers:
            self.graph.host(name).end_cook()
        self._generator.close(timeout=1.0)
        if self._keeper is not None:
            self._keeper.close()
            forget_cook(self.cook_id)
        self._recorder.close()
        self.graph.cook = None
        if not self.graph.debug:
            strays.uninstall()
        if self.outcome not in {"static", "refused"}:
            self.observers.tell("cook_finished", cook=self, outcome=self.outcome)


_ACTIONS: dict[type, Callable[[Cook, Any], None]] = {
    ins.Generate: Cook._act_generate,
    ins.StaticReady: Cook._act_static_ready,
    ins.StartScheduler: Cook._act_start,
    ins.HandOver: Cook._act_hand_over,
    ins.HandOverStatic: Cook._act_hand_over_static,
    ins.CancelHeld: Cook._act_cancel,
    ins.StopScheduler: Cook._act_stop,
    ins.Finish: Cook._act_finish,
}


def with_ancestors(wanted: Sequence[Node]) -> list[Node]:
    """The wanted nodes and all they depend on, inputs first."""
    order: dict[Node, None] = {}
    todo = list(reversed(wanted))
    while todo:
        node = todo[-1]
        missing = [source for source in node.inputs if source not in order]
        if node in order or not missing:
            todo.pop()
            order.setdefault(node)
        else:
            todo += reversed(missing)
    return list(order)


@contextlib.contextmanager
def _home(hip: str) -> Iterator[None]:
    """Set ``$HIP`` in the process's own environment: scheduler files and in-process items read it there."""
    before = os.environ.get("HIP")
    os.environ["HIP"] = hip
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("HIP", None)
        else:
            os.environ["HIP"] = before


@contextlib.contextmanager
def _collector_at_rest(size: int) -> Iterator[None]:
    """Keep the cyclic collector off while many objects are made: it would walk them all, again and again."""
    rest = size > 1000 and gc.isenabled()  # noqa: PLR2004 - below this the collector costs nothing noticeable
    if rest:
        gc.disable()
    try:
        yield
    finally:
        if rest:
            gc.enable()
