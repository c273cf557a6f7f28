"""Looking items up in the past: what an earlier cook has done, and what it left under way.

Nothing of this happens in a cook without a past (``remembers``). In one that has, every item is looked up once, when
all that it waits for is done; what is found out decides whether it is done, cooked, or taken up where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import instructions as ins
from topcook.machine.many import Many
from topcook.machine.phases import HELD, Phase, Trigger
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from topcook.machine import events as ev
    from topcook.model.workitem import WorkItem

_AUTOMATIC = int(Trait.AUTOMATIC)


class Recalling(Many):
    """The past, on top of what is done with many items at once."""

    def item_event(self, event: ev.ItemEvent) -> None:
        """What a job tells while it is being taken up counts once it is."""
        job = event.item.batch_parent or event.item
        left = job.batch.begun is not None if job.batch is not None else False
        if left or (event.item.phase == Phase.CHECKING and event.item.id in self.recalling):
            self._told_early.setdefault(job.id, []).append(event)
        else:
            super().item_event(event)

    def _all_plain(self) -> bool:
        return not self.recalling and super()._all_plain()

    def _is_plain(self, item: WorkItem) -> bool:
        return item.id not in self.recalling and super()._is_plain(item)

    def ask_past(self) -> None:
        """Have what became ready looked up, and what was found in flight taken up where its scheduler has started."""
        if self.to_recall:
            asked, self.to_recall = self.to_recall, []
            self.recalling.update((item.id, item) for item in asked)
            self._out.append(ins.Recall(asked))
        for name in list(self.adoptable):
            if self.schedulers[name].stage == "started":
                self._out.append(ins.Adopt(name, self.adoptable.pop(name)))

    def recalled(self, event: ev.Recalled) -> None:
        """Let each item go where what was found about it sends it."""
        if self.policies is not None:
            for item, statuses in event.tried:
                self.policies.count_on(item, statuses)
        for item, trigger, reason in event.found:
            self.recalling.pop(item.id, None)
            if item.phase != Phase.CHECKING and not _found_with_batch(item, trigger):
                continue
            if reason:
                self._note_reason(item, reason)
            if int(item.traits) & _AUTOMATIC:
                self._done_by_itself(item, trigger, event.at)
            elif trigger is Trigger.ADOPT:
                self.needed.add(item.scheduler)
                self.adoptable.setdefault(item.scheduler, []).append(item)
                self.recalling[item.id] = item
            elif trigger is Trigger.FRESH:
                self.needed.add(item.scheduler)
                self._cook(item, event.at)
            else:
                if item.batch is not None:
                    item.batch.begun = None
                self.move(item, self._still(item, trigger), event.at)
                self._read_early(item)

    def _cook(self, item: WorkItem, at: float) -> None:
        """It was looked up, and is to be cooked: a batch when its sub-items say so, they with it."""
        if item.batch is not None:
            item.batch.begun = None
            self.move(item, Trigger.LOOKED_UP, at)
        else:
            self.move(item, Trigger.FRESH, at)
        parent = item.batch_parent
        if parent is not None and parent.phase in HELD:
            # Its job was taken up meanwhile, and comes to it.
            self.take_along(parent)
        self._read_early(item)

    def _read_early(self, item: WorkItem) -> None:
        for told in self._told_early.pop(item.id, ()):
            if item.batch is None:
                self.item_event(told)
            else:
                self.batch_event(told)

    def adopted(self, event: ev.Adopted) -> None:
        """The scheduler has these again, or has them not; what was canceled meanwhile is ended."""
        unwanted: list[WorkItem] = []
        for item, taken in event.items:
            self.recalling.pop(item.id, None)
            if item.phase == Phase.CHECKING:
                if taken:
                    run = item.ran()
                    run.queued = run.queued or event.at
                    self._take_up(item, event.at)
                else:
                    self._cook(item, event.at)
            elif taken and item.phase == Phase.CANCELED:
                unwanted.append(item)
        if unwanted and self.schedulers[event.scheduler].stage == "started":
            self._out.append(ins.CancelHeld(event.scheduler, unwanted))

    def _take_up(self, item: WorkItem, at: float) -> None:
        """Its job goes on; of a batch, with whatever is not done yet, some of which it has begun with."""
        self.move(item, Trigger.ADOPT, at)
        if item.batch is not None:
            begun, item.batch.begun = item.batch.begun or [], None
            self.take_along(item)
            for sub in begun:
                if sub.phase == Phase.HANDED_OVER:
                    self.move(sub, Trigger.START, at)
                    self._note_start(sub, at)
        self._read_early(item)


def _found_with_batch(item: WorkItem, trigger: Trigger) -> bool:
    return trigger is Trigger.FOUND and item.batch_parent is not None and item.phase in {Phase.WAITING, Phase.READY}
