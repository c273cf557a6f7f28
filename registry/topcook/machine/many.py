"""Events of many items at once: what costs most about a thousand small events is that they are a thousand.

Items that have nothing special about them (no batch, no policy, no named resource) take their steps here without being
asked about all of that; ``tests/machine`` holds that they take the same ones, in the same order, as by the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import events as ev
from topcook.machine.generating import Generating
from topcook.machine.phases import STATE_OF, Phase, Trigger
from topcook.machine.steps import STEPS
from topcook.model.workitem import Run

if TYPE_CHECKING:
    from topcook.machine.schedulers import SchedulerState
    from topcook.model.workitem import WorkItem

_ACCEPTED, _OFFER, _START, _SUCCEED = Trigger.ACCEPTED, Trigger.OFFER, Trigger.START, Trigger.SUCCEED
_READY, _HANDING_OVER, _HANDED_OVER = Phase.READY, Phase.HANDING_OVER, Phase.HANDED_OVER
_COOKING, _SUCCESS = Phase.COOKING, Phase.SUCCESS
_SCHEDULED_STATE, _COOKING_STATE, _SUCCESS_STATE = STATE_OF[_HANDING_OVER], STATE_OF[_COOKING], STATE_OF[_SUCCESS]
#: Where a function's start is news, and where its end is.
_STARTS = {int(phase): phase for phase in Phase if (step := STEPS[phase].get(_START)) is not None and step[3]}


class Many(Generating):
    """The same steps as one by one, in the same order."""

    def _nothing_special(self) -> bool:
        return self.policies is None and self.resources is None

    def offer_many(self, scheduler: SchedulerState, items: list[WorkItem]) -> None:
        """Note that these ready items are being handed over, each as its next attempt."""
        now, changes, tell = self.now, self.changes, self.tell
        quick = self._nothing_special()
        for item in items:
            if not quick or item.batch is not None:
                self.hand_over(item, _OFFER)
                continue
            item.attempt += 1
            run = item.run
            if run is None:
                run = item.run = Run()
            if run.queued is None:
                run.queued = now
            tell((now, item.id, _READY, _OFFER, _HANDING_OVER, ""))
            changes.append((item, item.state, _SCHEDULED_STATE, now))
            item.phase, item.state = _HANDING_OVER, _SCHEDULED_STATE
            scheduler.in_flight += 1

    def hand_over(self, item: WorkItem, trigger: Trigger) -> None:
        """One item is being handed over."""
        raise NotImplementedError

    def items_accepted(self, event: ev.ItemsAccepted) -> None:
        """Apply that a scheduler took all of these."""
        scheduler, at, tell = self.schedulers[event.scheduler], event.at, self.tell
        asked = scheduler.calls
        items = event.items
        if not all(item.id in asked for item in items):
            for item in items:
                if item.id not in asked:
                    self._ignore(item, _ACCEPTED, at, "late: nobody asked")
            items = [item for item in items if item.id in asked]
        for item in items:
            if item.phase is _HANDING_OVER and item.batch is None:
                tell((at, item.id, _HANDING_OVER, _ACCEPTED, _HANDED_OVER, ""))
                item.phase = _HANDED_OVER
            else:
                self.move(item, _ACCEPTED, at)
            if self._due:
                self._wake_if_due(item)
        scheduler.calls_ended_well(items)

    def items_ran(self, event: ev.ItemsRan) -> None:
        """Apply starts and good ends; an end tells of its start, too, where that was not told."""
        plain = self._all_plain()
        quick = plain and self._nothing_special()
        changes, tell, status = self.changes, self.tell, event.exit_status
        freed: dict[str, int] = {}
        for item, attempt, at, duration in event.rows:
            before = _STARTS.get(item.phase)
            if not quick or attempt != item.attempt or item.batch_parent is not None or item.batch is not None:
                self._item_ran(item, attempt, at, duration, status, plain=plain)
                continue
            if before is not None:
                began = at if duration is None else at - duration
                tell((began, item.id, before, _START, _COOKING, ""))
                changes.append((item, item.state, _COOKING_STATE, began))
                item.phase, item.state = _COOKING, _COOKING_STATE
                run = item.run or item.ran()
                run.started = began
                run.finished = run.duration = run.exit_status = None
            elif duration is None or item.phase is not _COOKING:
                self._item_ran(item, attempt, at, duration, status, plain=plain)
                continue
            if duration is not None:
                tell((at, item.id, _COOKING, _SUCCEED, _SUCCESS, ""))
                changes.append((item, _COOKING_STATE, _SUCCESS_STATE, at))
                item.phase, item.state = _SUCCESS, _SUCCESS_STATE
                run = item.run or item.ran()
                run.finished, run.duration, run.exit_status = at, duration, status
                freed[item.scheduler] = freed.get(item.scheduler, 0) + 1
                self._settled(item, _SUCCESS, at)
        for name, count in freed.items():
            self.schedulers[name].in_flight -= count
            self.schedulers[name].has_room_now()

    def _item_ran(
        self, item: WorkItem, attempt: int, at: float, duration: float | None, status: int | None, *, plain: bool
    ) -> None:
        if duration is not None and item.phase in _STARTS:
            self._item_ran(item, attempt, at - duration, None, None, plain=plain)
        trigger = _START if duration is None else _SUCCEED
        if attempt != item.attempt or not (plain or self._is_plain(item)):
            self.item_event(ev.ItemEvent(item, trigger, at, attempt, duration, status))
        elif not self.move(item, trigger, at):
            self._wake_if_due(item)
        elif duration is None:
            self._note_start(item, at)
        else:
            self._note_end(item, at, duration, status)

    def _all_plain(self) -> bool:
        """Whether that is so for every item."""
        return not (self._doomed or self._ending)

    def _is_plain(self, item: WorkItem) -> bool:
        """Whether nothing else than the step is to be thought of."""
        return item.id not in self._doomed and item.id not in self._ending
