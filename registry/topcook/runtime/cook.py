"""The cook: drains the inbox, lets the machine decide, records, then acts.

Everything here runs on the cook thread unless said otherwise.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from topcook.contract.inherit import take_late_attributes
from topcook.errors import InternalError, Problem, RecorderError, TopcookError
from topcook.machine import CookState
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.model.collector import collector_at_rest, seldom_collected, take_in_again
from topcook.runtime.cookset import check_items, idle_schedulers, node_states, with_ancestors
from topcook.runtime.eventfeed import EventFeed
from topcook.runtime.generation import GenerationRequest, GenerationResult, Generator, pass_outputs
from topcook.runtime.inbox import Broken, Ran, Report, UrisTold
from topcook.runtime.keeper.ofcook import CookKeeper
from topcook.runtime.lateparts import complete_given, completed
from topcook.runtime.leaving import hang_up
from topcook.runtime.limits import Limits
from topcook.runtime.link import CookLink, Message, untold
from topcook.runtime.observers import Observers
from topcook.runtime.orders import Orders
from topcook.runtime.placement import Placement, as_problems
from topcook.runtime.recorder import HandOverNotes, MemoryRecorder, Recorder
from topcook.runtime.reports import Reports
from topcook.runtime.resume.memory import Judged, Memory
from topcook.runtime.standstill import Standstill
from topcook.runtime.statedir import cook_directory, forget_cook
from topcook.runtime.surroundings import ready_for_callbacks
from topcook.runtime.tokens import new_cook_id
from topcook.runtime.usedtypes import UsedTypes
from topcook.runtime.watch import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topcook.machine.items import Change
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph


#: From so many items on a cook begins while the rest is being made, where its schedulers have nothing against it.
EARLY_FROM = 20_000


class Cook(Orders):
    """One cook of some nodes of a graph, with everything they depend on.

    ``run`` cooks on the calling thread; ``start`` on a thread of its own, ``wait`` waits for that.
    """

    #: How it ended, empty before; what broke it.
    outcome = ""
    error: BaseException | None = None
    #: Items may be cooking: a mistake found from now on is no refusal.
    _begun = False

    def __init__(
        self,
        graph: Graph,
        wanted: Sequence[Node],
        *,
        recorder: Recorder | None = None,
        cook_id: str = "",
        observers: Sequence[object] = (),
        static_only: bool = False,
        memory: Memory | None = None,
    ) -> None:
        """Prepare: plan when nodes generate; raises ``ProblemsError`` for what cannot be cooked at all.

        ``static_only`` makes the static items and stops there (a dry run): no scheduler is started. ``memory`` is what
        is known of an earlier cook, and takes down what the next one will ask.
        Raises ``CycleError`` for items, added by hand, that wait for themselves.
        """
        self.graph = graph
        self._over = threading.Event()
        self.cook_id = cook_id or new_cook_id()
        self._keeper = CookKeeper(
            cook_directory(self.cook_id),
            lambda text: self.link.message("error", "keeper", text),
            graph.config,
        )
        self.link = CookLink(self.cook_id, self._keeper.pool)
        self.wanted = list(wanted)
        self.nodes = with_ancestors(wanted)
        check_items(self.nodes)
        self.static_only = static_only
        self.messages: list[Message] = []
        self.generation_problems: list[Problem] = []
        self.started = self.finished = self.link.clock.now()
        self.observers = Observers()
        self.observers.add(EventFeed(graph))
        for observer in observers:
            self.observers.add(observer)
        self.recorder: Recorder = recorder or MemoryRecorder()
        self.memory = memory
        if memory is not None:
            memory.keeper = self._keeper
            self._keeper.goes_on = memory.how.resume
        self.used = UsedTypes(self.cook_id, lambda text: self.link.message("warning", "types", text))
        self._reports = Reports(graph, self.link)
        self._generator = Generator(
            graph,
            self._generated,
            make=graph.node_instance,
            adopt_thread=graph.factory.registry.adopt_thread,
            identify=memory.identify if memory is not None else None,
        )
        self._patience = Patience(graph, self.link, self._generator)
        #: Schedulers whose ``onStartCook`` was ordered and that have not stopped yet: whether they were asked to.
        self._running: dict[str, bool] = {}
        self.state = CookState(node_states(self.nodes, graph.node_class), ())
        self.state.early_from = 0 if static_only else EARLY_FROM
        self._standstill = Standstill(graph, self.link, self.state)
        self._limits = Limits(graph, self.link, self.state, self.nodes)
        self._placement = Placement(graph, self.link, self.state, self._limits)

    # ------------------------------------------------------------------ from outside (any thread)

    def start(self) -> None:
        """Cook on a thread of its own; raises ``CookRefusedError`` while the graph context is cooking already."""
        self.graph.begin_cook(self)
        self._thread = threading.Thread(target=self._run_quietly, name="topcook-cook", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False when it has not come within ``timeout`` seconds. Raises what broke the cook."""
        # Not the thread's own end: a ``join`` that Ctrl-C interrupts takes the thread for ended.
        if self._thread is not None and not self._over.wait(timeout):
            return False
        if self.error is not None:
            raise self.error
        return True

    def refuse(self, reason: str) -> None:
        """End it before it has begun, because a scheduler cannot be made."""
        self.outcome = "failed"
        self._tell(Message("error", "cook", reason))
        self.finished = self.link.clock.now()
        self.recorder.close("refused")

    # ------------------------------------------------------------------ the loop

    def _run_quietly(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - carried to whoever waits
            self.error = error
        finally:
            self._over.set()

    def run(self) -> str:
        """Cook to the end; answers the outcome: cooked, failed, canceled, detached, refused, or static for a dry run.

        Whatever breaks it, every scheduler that was started gets its ``onStopCook`` before this raises.
        """
        self.graph.begin_cook(self)
        with contextlib.ExitStack() as ends:
            ends.callback(self._tell_end)
            ends.callback(self.graph.end_cook, self)
            ends.enter_context(ready_for_callbacks(self.graph.network, debug=self.graph.debug))
            ends.enter_context(seldom_collected())
            ends.callback(self._close)
            try:
                self._loop()
            except BaseException as error:
                self._abandon(error)
                raise
        return self.outcome

    def _loop(self) -> None:
        batch: list[ev.Event] = self._first_batch()
        while not self.outcome:
            # What a batch makes is mostly gone with it: the collector need not see it.
            with collector_at_rest():
                self._carry_out(batch)
            batch = [] if self.outcome else self._next_batch()

    def _carry_out(self, batch: list[ev.Event]) -> None:
        """Let the machine decide about a batch, keep that, then act."""
        acknowledge: list[Callable[[Exception | None], None]] = []
        try:
            instructions = self.state.handle(*self._translate(batch, acknowledge))
            changes = self.state.drain_changes()
            for item in self.state.drain_completed():
                pass_outputs(item)
                take_late_attributes(item)
            self._record(batch, changes, instructions)
        except Exception as error:
            for done in acknowledge:
                done(error)
            raise
        if self._standstill.statics:
            complete_given(changes, self.graph, self.link)
        for done in acknowledge:
            done(None)
        offers = 0
        # Whoever waits for work comes before those who only hear of it.
        for order in instructions:
            if not isinstance(order, ins.HandOver):
                break
            self._act_hand_over(order)
            offers += 1
        if changes:
            self._standstill.changed(changes)
            self.observers.tell("items_changed", cook=self, changes=changes)
        for item, what in self.state.drain_problems():
            self._tell(Message("warning", item.scheduler, f"{item.name}: {what}"))
        for instruction in instructions[offers:]:
            _ACTIONS[type(instruction)](self, instruction)

    def _first_batch(self) -> list[ev.Event]:
        """Items that were added by hand get their schedulers before anything happens."""
        if self.memory is not None:
            self.memory.identify(item for node in self.nodes for item in node.items)
            self.state.remembers = self.memory.remembers and not self.static_only
            self.state.left_behind = self.memory.left_behind
        self.recorder.begin(item for node in self.nodes for item in node.items)
        self.used.use_all(map(self.graph.node_record, [] if self.static_only else self.nodes))
        try:
            self._placement.place([item for node in self.nodes for item in node.items])
        except TopcookError as error:
            self.generation_problems += as_problems(error)
            self.outcome = "refused"
        return [ev.CookRequested(self.link.clock.now())]

    def _next_batch(self) -> list[ev.Event]:
        if self.state.cancel_reason:
            self._patience.hurry()
        while True:
            batch = self.link.inbox.drain(self._limits.timeout(self._standstill.timeout(self._patience.timeout())))
            batch += [*self._patience.look(), *self._standstill.look(), *self._limits.look()]
            if batch:
                return batch

    def _translate(self, batch: list[Any], acknowledge: list[Callable[[Exception | None], None]]) -> list[ev.Event]:
        """What the machine is to know of a batch; who waits for a receipt goes into ``acknowledge``."""
        acknowledge += [entry.done for entry in batch if type(entry) is Report and entry.done is not None]
        events: list[ev.Event] = []
        for entry in batch:
            kind = type(entry)
            if kind is ev.ItemEvent:
                events += self._reports.checked(entry)
            elif kind is Report:
                events += self._reports.read(entry)
            elif kind is Ran:
                events += self._reports.ran(entry)
            elif kind is Message:
                self._tell(entry)
            elif kind is GenerationResult:
                events += self._joined(entry)
            elif kind is Judged:
                events.append(entry.memory.settle(entry, self.link.clock.now()))
            elif kind is UrisTold:
                for item, log, status in entry.told:
                    run = item.ran()
                    run.log_uri, run.status_uri = log, status
            elif kind is Broken:
                raise InternalError(f"a thread of the cook broke: {entry.error!r}") from entry.error
            else:
                self._note(entry)
                events.append(entry)
        return events

    def _note(self, event: ev.Event) -> None:
        if type(event) is ev.CancelRequested:
            self._patience.hurry()
        elif type(event) is ev.SchedulerStopped:
            self._running.pop(event.scheduler, None)
            self._patience.stopped(event.scheduler)

    def _record(self, batch: list[Any], changes: list[Change], instructions: list[ins.Instruction]) -> None:
        """Keep what happened and what is about to be handed over."""
        try:
            if self.memory is not None:
                self.memory.note(instructions, changes)
            self.recorder.commit(batch, changes, HandOverNotes(instructions, self.link.token))
        except Exception as error:
            raise RecorderError(
                f"the cook stops: what happened could not be recorded: {error}\n  nothing was handed over after it"
            ) from error

    # ------------------------------------------------------------------ generation

    def _act_generate(self, order: ins.Generate) -> None:
        node = self.state.nodes[order.node].node
        self._patience.generating(node.name)
        self._generator.submit(GenerationRequest(node, None, order.upstream, order.static, order.each))

    def _generated(self, result: GenerationResult) -> None:
        """Called on the generator's thread."""
        try:
            if not self.static_only:
                result.problems += self._placement.open_asked(result.items)
                result.portion(EARLY_FROM)
        except BaseException as error:  # noqa: BLE001 - a mistake of ours: the cook has to hear of it, or waits forever
            self.link.inbox.post(Broken(error))
        self.link.inbox.post(result)

    def _joined(self, result: GenerationResult) -> list[ev.Event]:
        """Give each new item its scheduler and its place among the items; a problem fails the node."""
        node, now = result.node, self.link.clock.now()
        if not result.goes_on:
            self._patience.generated(node.name)
            try:
                for items in (result.items, *result.later):
                    self._placement.place(items)
            except TopcookError as error:
                text = f'node "{node.name}": {error}'
                self._tell_generation(node, as_problems(error, text), [text])
                return [ev.GenerationFailed(node.name, str(error), now)]
        self.graph.keep_items(result.items)
        more = bool(result.later)
        self.observers.tell("items_generated", cook=self, node=node, items=result.items, more=more)
        if more:
            # Behind what has come meanwhile: the first of them may begin before the last have joined.
            self.link.inbox.post(result.rest())
        self._tell_generation(node, result.problems, [str(problem) for problem in result.problems])
        return [ev.ItemsGenerated(node.name, result.items, now, bool(result.problems), more)]

    def _tell_generation(self, node: Node, problems: list[Problem], texts: list[str]) -> None:
        """Mistakes found before the cook are its refusal, and told as that."""
        self.generation_problems += problems
        if self._begun:
            for text in texts:
                self._tell(Message("error", node.name, text))

    def _act_static_ready(self, _order: ins.StaticReady) -> None:
        if self.generation_problems:
            self.outcome = "refused"
        elif self.static_only:
            self.outcome = "static"
        else:
            for message in idle_schedulers(self.graph, self.state.schedulers):
                self._tell(message)
            self._begun = True
            self.observers.tell("cook_started", cook=self)
            self._limits.begin(self.observers)
            self.link.inbox.post(ev.Go(self.link.clock.now()))

    # ------------------------------------------------------------------ schedulers

    def _act_start(self, order: ins.StartScheduler) -> None:
        self._running[order.scheduler] = False
        self.used.use(self.graph.host(order.scheduler).record)
        self.graph.host(order.scheduler).start(order.nodes)

    def _act_hand_over(self, order: ins.HandOver) -> None:
        items = completed(order.items, self.graph, self.link)
        if items:
            self.graph.host(order.scheduler).hand_over(items)
            self._read_kept(items)

    def _act_hand_over_static(self, order: ins.HandOverStatic) -> None:
        self._standstill.given(order.scheduler, order.items)
        self.graph.host(order.scheduler).hand_over_static(order.items)
        self._read_kept(order.items)

    def _read_kept(self, items: list[WorkItem]) -> None:
        """A farm that was shown the graph may have been ahead of the hand-over: what it said counts now."""
        for report in self._reports.kept_for(items):
            self.link.inbox.post(report)

    def _act_wake(self, order: ins.WakeAt) -> None:
        self._limits.wake_at(order)

    def _act_recall(self, order: ins.Recall) -> None:
        if self.memory is not None:
            self.memory.recall(order.items, self.link)

    def _act_adopt(self, order: ins.Adopt) -> None:
        if self.memory is not None:
            self.graph.host(order.scheduler).adopt(self.memory.left(order.items), self._keeper.drop)

    def _act_ask_leave(self, order: ins.AskLeave) -> None:
        self.graph.host(order.scheduler).leave(order.items)

    def _act_say_kept(self, order: ins.SayKept) -> None:
        self._tell(Message("warning", "cook", "not let go yet:\n    " + "\n    ".join(order.words)))

    def _act_cancel(self, order: ins.CancelHeld) -> None:
        self._limits.ended(order)
        self.graph.host(order.scheduler).cancel_items(order.items)

    def _act_stop(self, order: ins.StopScheduler) -> None:
        self._running[order.scheduler] = True
        self._patience.stopping(order.scheduler)
        self.graph.host(order.scheduler).stop(cancel=order.cancel)

    def _act_finish(self, order: ins.Finish) -> None:
        self.outcome = order.outcome
        if self.outcome == "detached":
            hang_up(self)
        if self.state.start_failed or self.state.gave_up:
            self._tell(Message("error", "cook", untold(self.state.cancel_reason, self.messages)))
        if told := self.graph.refusals():
            self._tell(Message("warning", "result server", told))

    # ------------------------------------------------------------------ odds and ends

    def _tell(self, message: Message) -> None:
        self.messages.append(message)
        self.recorder.tell(message)
        self.observers.tell("cook_message", cook=self, level=message.level, source=message.source, text=message.text)

    # ------------------------------------------------------------------ the end

    def _abandon(self, error: BaseException) -> None:
        """The cook cannot go on: nothing is handed over any more, and every scheduler is stopped."""
        self.outcome = "failed"
        self._tell(Message("error", "cook", str(error) or type(error).__name__))
        self._patience.hurry()
        for name, asked in list(self._running.items()):
            if not asked:
                self._act_stop(ins.StopScheduler(name, cancel=True))
        while self._running:
            for entry in self._next_batch():
                if type(entry) is Message:
                    self._tell(entry)
                elif type(entry) is Report:
                    if entry.done is not None:
                        entry.done(RecorderError(f"the cook has ended: {error}"))
                else:
                    self._note(entry)

    def _close(self) -> None:
        self.finished = self.link.clock.now()
        with contextlib.ExitStack() as ends:
            ends.callback(self._close_recorder)
            ends.callback(self.used.close)
            ends.callback(self._limits.close)
            ends.callback(self._close_keeper)
            if self.memory is not None and not self.static_only:
                # A dry run is looked at afterwards.
                ends.callback(self.memory.close)
            ends.callback(take_in_again)
            ends.callback(self._generator.close, timeout=1.0)
            for name in self.state.schedulers:
                ends.callback(self.graph.host(name).end_cook)
        for message in self.link.close():
            self._tell(message)

    def _close_keeper(self) -> None:
        # A scheduler that was given up, or whose onStopCook raised, may have left jobs behind.
        self._keeper.close(end_all=self.outcome not in {"cooked", "failed"} or self.state.stage != "finished")

    def _close_recorder(self) -> None:
        # What the keeper wrote down is all there is of ends that could not be recorded.
        if self.recorder.close(self.outcome) and self._keeper.used:
            forget_cook(self.cook_id, let_go=self.outcome == "detached")

    def _tell_end(self) -> None:
        if self.outcome not in {"static", "refused"}:
            self.observers.tell("cook_finished", cook=self, outcome=self.outcome)


_ACTIONS: dict[type, Callable[[Cook, Any], None]] = {
    ins.Generate: Cook._act_generate,
    ins.StaticReady: Cook._act_static_ready,
    ins.StartScheduler: Cook._act_start,
    ins.HandOver: Cook._act_hand_over,
    ins.HandOverStatic: Cook._act_hand_over_static,
    ins.WakeAt: Cook._act_wake,
    ins.Recall: Cook._act_recall,
    ins.Adopt: Cook._act_adopt,
    ins.AskLeave: Cook._act_ask_leave,
    ins.SayKept: Cook._act_say_kept,
    ins.CancelHeld: Cook._act_cancel,
    ins.StopScheduler: Cook._act_stop,
    ins.Finish: Cook._act_finish,
}
