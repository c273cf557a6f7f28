"""Events of many items at once: what costs most about a thousand small events is that they are a thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import events as ev
from topcook.machine.generating import Generating
from topcook.machine.phases import Trigger

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem

_ACCEPTED, _START, _SUCCEED = Trigger.ACCEPTED, Trigger.START, Trigger.SUCCEED


class Many(Generating):
    """The same steps as one by one, in the same order."""

    def items_accepted(self, event: ev.ItemsAccepted) -> None:
        """Apply that a scheduler took all of these."""
        scheduler, at = self.schedulers[event.scheduler], event.at
        for item in event.items:
            if item.id in scheduler.calls:
                scheduler.call_ended(item, _ACCEPTED)
                self.move(item, _ACCEPTED, at)
                if self._due:
                    self._wake_if_due(item)
            else:
                self._ignore(item, _ACCEPTED, at, "late: nobody asked")

    def items_ran(self, event: ev.ItemsRan) -> None:
        """Apply starts and good ends."""
        plain, move = self._all_plain(), self.move
        for item, attempt, at, duration in event.rows:
            trigger = _START if duration is None else _SUCCEED
            if attempt != item.attempt or not (plain or self._is_plain(item)):
                self.item_event(ev.ItemEvent(item, trigger, at, attempt, duration))
            elif move(item, trigger, at):
                if duration is None:
                    self._note_start(item, at)
                else:
                    self._note_end(item, at, duration)

    def _all_plain(self) -> bool:
        """Whether that is so for every item."""
        return not (self._doomed or self._ending)

    def _is_plain(self, item: WorkItem) -> bool:
        """Whether nothing else than the step is to be thought of."""
        return item.id not in self._doomed and item.id not in self._ending
