"""``CookState``: events in, instructions out.

``checks.py`` holds the machine to these and more:

Invariant: an item is counted in its node's ``unsettled`` exactly while ``item.phase in IN_PLAY``.
Invariant: ``item.pending == number of its dependencies whose phase is not in DONE_WELL``.
Invariant: the cook is over when no node is incomplete and ``sum(node.unsettled) == 0``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.checks import check
from topcook.machine.circles import circle_of
from topcook.machine.leaving import Leaving
from topcook.machine.phases import DONE_WELL, HELD, Phase, Trigger
from topcook.machine.resources import Resources
from topcook.machine.statics import eligible_statics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from topcook.machine.nodes import NodeState
    from topcook.machine.schedulers import SchedulerState
    from topcook.model.workitem import WorkItem


_GENERATING = frozenset({"generating", "static ready", "cooking"})
_OPEN = frozenset({Phase.WAITING, Phase.READY, Phase.DELAYED, Phase.CHECKING})
_NOT_BEGUN = frozenset({Phase.WAITING, Phase.READY, Phase.BLOCKED, Phase.CHECKING})


class CookState(Leaving):
    """The state of one cook; only ``handle`` changes it."""

    def __init__(self, nodes: Iterable[NodeState], schedulers: Iterable[SchedulerState]) -> None:
        """Describe the cook: the wanted nodes (their links set), and the schedulers that may be needed."""
        super().__init__(nodes, schedulers)
        self.cancel_reason = ""
        self.start_failed = False
        #: It was canceled because of failures, and has failed itself.
        self.gave_up = False
        self.paused = False

    # ------------------------------------------------------------------ the one door

    def handle(self, *happened: ev.Event) -> list[ins.Instruction]:
        """Take what happened, in order, and answer with everything that follows from all of it."""
        self._out = []
        for event in happened:
            _HANDLERS[type(event)](self, event)
            if self.batches:
                self.look_at_batches()
        if self.in_vain:
            self._take_from_schedulers()
        if self.giving_up and self.stage == "cooking":
            self.gave_up = True
            self._cancel(self.giving_up)
        if self.stage in _GENERATING:
            self.look_at_nodes()
        if self.stage == "cooking":
            self._start_needed()
            if self.remembers:
                self.ask_past()
            self._offer_to_all()
            if self.unsettled and self._stuck():
                self._break_circles()
                self.look_at_nodes()
                self._offer_to_all()
            if self.leaving and self.look_at_leaving():
                self.let_go = True
                self.stage = "stopping"
                self._stop_schedulers(cancel=False)
        self._advance()
        if self.policies is not None and self.stage == "cooking" and (at := self.timers.news()) is not None:
            self._out.append(ins.WakeAt(at))
        out, self._out = self._out, []
        return out

    # ------------------------------------------------------------------ stages

    def _advance(self) -> None:
        """Move the cook to its next stage when nothing holds the present one."""
        if self.stage == "generating" and (not self.calls or self.may_begin_early()):
            self.stage = "static ready"
            self._out.append(ins.StaticReady())
        elif self.stage == "cooking" and self._nothing_left():
            self.stage = "stopping"
            self._stop_schedulers(cancel=False)
        if self.stage == "canceling" and not self.calls:
            self.stage = "stopping"
        if self.stage == "stopping" and all(s.stage in {"idle", "stopped"} for s in self.schedulers.values()):
            self._finish()

    def _nothing_left(self) -> bool:
        if self.unsettled or self.incomplete or self.recalling:
            return False
        return not any(s.stage == "starting" or s.calls or s.static_call for s in self.schedulers.values())

    def _stuck(self) -> bool:
        if self.calls or self.recalling or self.to_recall or any(each.waits() for each in self.schedulers.values()):
            return False
        return not any(item.phase == Phase.DELAYED for item in self.delayed.values())

    def _break_circles(self) -> None:
        """Block what waits although nothing can come any more, until something moves or nothing waits."""
        for item in self.all_items():
            while item.phase == Phase.WAITING:
                if not self._stuck():
                    # A batch that lost a sub-item to a circle goes on with the next.
                    return
                circle = circle_of(item)
                chain = " waits for ".join(f'"{each.name}"' for each in [*circle, circle[0]])
                for each in circle:
                    self._note_reason(each, f"it waits for itself: {chain}")
                # That blocks the whole circle and what waits for it.
                self.block(circle[0])
                self.look_at_batches()

    def _stop_schedulers(self, *, cancel: bool) -> None:
        for scheduler in self.schedulers.values():
            if scheduler.stage in {"starting", "started"}:
                scheduler.stage = "stopping"
                self._out.append(ins.StopScheduler(scheduler.name, cancel))

    def _finish(self) -> None:
        self.stage = "finished"
        if self.cancel_reason:
            for item in self.all_items():
                if item.phase in _NOT_BEGUN:
                    self.move(item, Trigger.PUT_BACK, self.now)
                elif item.phase == Phase.DELAYED:
                    self.take_back(item, Trigger.CANCEL_ORDER, self.now)
            # Each item has gone where it goes by itself.
            self.batches.clear()
        self._out.append(ins.Finish(self.outcome()))

    def outcome(self) -> str:
        """How the cook ended: canceled, detached, failed or cooked."""
        if self.cancel_reason and not (self.start_failed or self.gave_up):
            return "canceled"
        if self.let_go and (self.unsettled or self.incomplete):
            return "detached"
        if any(node.stalled for node in self.nodes.values()):
            return "failed"
        well = all(item.phase in DONE_WELL and item.phase != Phase.TOLERATED for item in self.all_items())
        return "cooked" if well else "failed"

    # ------------------------------------------------------------------ schedulers

    def _start_needed(self) -> None:
        """Start each scheduler that has unfinished items and was not started yet; most want all static ones first."""
        static_to_come = self.begun_early and self.incomplete_static > 0
        for scheduler in self.schedulers.values():
            if static_to_come and not scheduler.begins_early:
                continue
            if scheduler.stage == "idle" and scheduler.name in self.needed:
                scheduler.stage = "starting"
                nodes = sorted({item.node.name for item in self.all_items() if item.scheduler == scheduler.name})
                self._out.append(ins.StartScheduler(scheduler.name, nodes))

    def _offer_to_all(self) -> None:
        if not self.paused:
            for scheduler in self.schedulers.values():
                self._offer(scheduler)

    def _offer(self, scheduler: SchedulerState) -> None:
        if scheduler.takes_static and scheduler.stage == "started" and not scheduler.statics_taken:
            if self.recalling:
                # What is done already is not given away; what is left is, once that is known.
                return
            scheduler.statics_taken = True
            unseen = self.left_behind - self._looked_up
            items = eligible_statics(scheduler.name, self.all_items(), self.resources, unseen)
            for item in items:
                self.hand_over(item, Trigger.OFFER_STATIC)
                if item.batch is not None:
                    self.given_at_once[item.id] = item.attempt
            scheduler.drop_taken()
            if items:
                scheduler.static_call = True
                self._out.append(ins.HandOverStatic(scheduler.name, items))
                return
        batch = scheduler.take()
        if batch:
            self.offer_many(scheduler, batch)
            self._out.append(ins.HandOver(scheduler.name, batch))

    def hand_over(self, item: WorkItem, trigger: Trigger) -> None:
        """One item is being handed over, as its next attempt."""
        item.attempt += 1
        if self.policies is not None:
            self.note_outputs(item)
        run = item.run or item.ran()
        if run.queued is None:
            run.queued = self.now
        self.move(item, trigger, self.now)
        if item.batch is not None:
            self.take_along(item)

    # ------------------------------------------------------------------ one method per event

    def _on_cook_requested(self, event: ev.CookRequested) -> None:
        if self.stage == "new":
            self.now = event.at
            self.stage = "generating"
            self.begin_generating()

    def _on_go(self, event: ev.Go) -> None:
        if self.stage == "static ready":
            self.now = event.at
            self.stage = "cooking"
            self.begin_cooking()

    def _on_scheduler_started(self, event: ev.SchedulerStarted) -> None:
        self.now = event.at
        scheduler = self.schedulers[event.scheduler]
        if scheduler.stage == "starting":
            scheduler.stage = "started"
        if not event.ok and not self.cancel_reason:
            self.start_failed = True
            self._cancel(event.message or f'scheduler "{scheduler.name}" did not start')

    def _on_scheduler_stopped(self, event: ev.SchedulerStopped) -> None:
        self.now = event.at
        scheduler = self.schedulers[event.scheduler]
        scheduler.stage = "stopped"
        if self.let_go:
            return
        for item in self.all_items():
            if item.phase in HELD and item.scheduler == scheduler.name:
                self.take_back(item, Trigger.CANCEL_ORDER, self.now)

    def _on_ticked(self, event: ev.Ticked) -> None:
        self.now = event.at
        self.schedulers[event.scheduler].ticked(busy=event.busy)
        if event.cancel:
            self._cancel(event.cancel)

    def _on_task_requested(self, event: ev.TaskRequested) -> None:
        self.now = event.at
        self.schedulers[event.scheduler].has_room_now()

    def _on_capacity_set(self, event: ev.CapacitySet) -> None:
        self.now = event.at
        if self.resources is not None:
            self.resources.set_total(event.name, event.count)

    def _on_clock(self, event: ev.Clock) -> None:
        if self.stage == "cooking":
            self.on_clock(event)

    def _on_alive(self, event: ev.Alive) -> None:
        self.on_alive(event)

    def _on_limits_set(self, event: ev.LimitsSet) -> None:
        scheduler = self.schedulers[event.scheduler]
        scheduler.max_items, scheduler.max_tasks = event.max_items, event.max_tasks

    def _on_static_returned(self, event: ev.StaticReturned) -> None:
        self.now = event.at
        self.schedulers[event.scheduler].static_call = False
        if event.raised:
            for item in event.items:
                if item.phase == Phase.HANDED_OVER:
                    self._note_reason(item, event.message)
                    self.take_back(item, Trigger.RAISED, event.at)

    def _on_item_event(self, event: ev.ItemEvent) -> None:
        self.now = event.at
        if event.item.batch is None and event.item.batch_parent is None:
            self.item_event(event)
        else:
            self.batch_event(event)

    def _on_items_accepted(self, event: ev.ItemsAccepted) -> None:
        self.now = event.at
        self.items_accepted(event)

    def _on_items_ran(self, event: ev.ItemsRan) -> None:
        self.now = event.rows[-1][2]
        self.items_ran(event)

    def _on_items_generated(self, event: ev.ItemsGenerated) -> None:
        self.now = event.at
        if event.incomplete:
            self._stalls(event.node, "it made not all of its work items")
        self.generated(event.node, event.items, keep=not self.cancel_reason, more=event.more)

    def _on_generation_failed(self, event: ev.GenerationFailed) -> None:
        self.now = event.at
        self._stalls(event.node, event.message)
        self.generated(event.node, [], keep=False)

    def _stalls(self, node: str, reason: str) -> None:
        self.nodes[node].stalled = reason
        # Before the cook it is its refusal, once all other mistakes have been found.
        self.early_from = 0

    def _on_cancel_items(self, event: ev.CancelItems) -> None:
        self.now = event.at
        held: dict[str, dict[int, WorkItem]] = {}
        for asked in event.items:
            item = self._canceled_in_batch(asked)
            if item.phase in HELD and item.batch_parent is None:
                held.setdefault(item.scheduler, {})[item.id] = item
                self._doomed.add(item.id)
            elif item.phase in _OPEN and item.node.name in self.nodes:
                self.take_back(item, Trigger.CANCEL_ORDER, event.at)
        for name, items in held.items():
            # A scheduler that is being stopped drops everything anyway.
            if self.schedulers[name].stage == "started":
                self._out.append(ins.CancelHeld(name, list(items.values())))

    def _take_from_schedulers(self) -> None:
        """Have schedulers end what they were given before its time, and what cannot come any more."""
        held: dict[str, list[WorkItem]] = {}
        for item in self.in_vain:
            held.setdefault(item.scheduler, []).append(item)
        self.in_vain = []
        for name, items in held.items():
            if self.schedulers[name].stage == "started":
                self._out.append(ins.CancelHeld(name, items))

    def _canceled_in_batch(self, item: WorkItem) -> WorkItem:
        """Cancel a sub-item that went along with its batch: the job is told when it asks. With the last, the batch."""
        parent = item.batch_parent
        if parent is None or parent.batch is None or item.phase not in HELD:
            return item
        self.take_back(item, Trigger.CANCEL_ORDER, self.now)
        return parent if parent.batch.lost == len(parent.batch.items) else item

    def _on_items_released(self, event: ev.ItemsReleased) -> None:
        self.now = event.at
        for item in event.items:
            self.released(item, event.at)

    def _on_recalled(self, event: ev.Recalled) -> None:
        self.now = event.at
        self.recalled(event)

    def _on_adopted(self, event: ev.Adopted) -> None:
        self.now = event.at
        self.adopted(event)

    def _on_cancel_requested(self, event: ev.CancelRequested) -> None:
        self.now = event.at
        self._cancel(event.reason or "canceled")

    def _on_detach_requested(self, event: ev.DetachRequested) -> None:
        self.now = event.at
        self.leaving = True
        if event.now:
            self.leaving_now = self.paused = True

    def _on_leave_answered(self, event: ev.LeaveAnswered) -> None:
        self.now = event.at
        self.left_answered(event)

    def _on_pause_set(self, event: ev.PauseSet) -> None:
        self.paused = event.paused

    def _cancel(self, reason: str) -> None:
        if self.stage in {"canceling", "stopping", "finished"}:
            return
        self.cancel_reason = reason
        self.stage = "canceling"
        self._stop_schedulers(cancel=True)

    # ------------------------------------------------------------------ limits

    def limit(self, total: dict[str, int]) -> None:
        """Have no more of each named resource out at once than there are; before the first item is ready."""
        self.resources = Resources(total, self.policies)
        for scheduler in self.schedulers.values():
            scheduler.resources = self.resources

    # ------------------------------------------------------------------ for tests

    def validate(self) -> None:
        """Count every invariant again from scratch; raises ``InternalError`` on the first that does not hold."""
        check(self, looked=self.stage in _GENERATING)


_HANDLERS: dict[type, Callable[[CookState, ev.Event], None]] = {
    ev.CookRequested: CookState._on_cook_requested,  # noqa: SLF001 - the table of this class's own methods
    ev.Go: CookState._on_go,  # noqa: SLF001
    ev.SchedulerStarted: CookState._on_scheduler_started,  # noqa: SLF001
    ev.SchedulerStopped: CookState._on_scheduler_stopped,  # noqa: SLF001
    ev.Ticked: CookState._on_ticked,  # noqa: SLF001
    ev.TaskRequested: CookState._on_task_requested,  # noqa: SLF001
    ev.LimitsSet: CookState._on_limits_set,  # noqa: SLF001
    ev.CapacitySet: CookState._on_capacity_set,  # noqa: SLF001
    ev.Clock: CookState._on_clock,  # noqa: SLF001
    ev.Alive: CookState._on_alive,  # noqa: SLF001
    ev.Recalled: CookState._on_recalled,  # noqa: SLF001
    ev.Adopted: CookState._on_adopted,  # noqa: SLF001
    ev.StaticReturned: CookState._on_static_returned,  # noqa: SLF001
    ev.ItemEvent: CookState._on_item_event,  # noqa: SLF001
    ev.ItemsAccepted: CookState._on_items_accepted,  # noqa: SLF001
    ev.ItemsRan: CookState._on_items_ran,  # noqa: SLF001
    ev.ItemsGenerated: CookState._on_items_generated,  # noqa: SLF001
    ev.GenerationFailed: CookState._on_generation_failed,  # noqa: SLF001
    ev.CancelItems: CookState._on_cancel_items,  # noqa: SLF001
    ev.ItemsReleased: CookState._on_items_released,  # noqa: SLF001
    ev.CancelRequested: CookState._on_cancel_requested,  # noqa: SLF001
    ev.DetachRequested: CookState._on_detach_requested,  # noqa: SLF001
    ev.LeaveAnswered: CookState._on_leave_answered,  # noqa: SLF001
    ev.PauseSet: CookState._on_pause_set,  # noqa: SLF001
}
