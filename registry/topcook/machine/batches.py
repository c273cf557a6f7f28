"""Batches: one job for many sub-items, each of which has its own state, dependencies and dependents.

A sub-item is never offered itself: it goes along with its batch, comes back with it when it was not taken, and ends
with it unless the job told its end before. The batch is ready by its activation. A sub-item that is lost (failed,
canceled, blocked) blocks what waits for it, as any item does, and the others go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine.failing import Failing
from topcook.machine.phases import DONE_WELL, HELD, LOST, SETTLED, Phase, Trigger
from topcook.model.enums import BatchActivation

if TYPE_CHECKING:
    from topcook.machine import events as ev
    from topcook.model.workitem import Batch, WorkItem

#: How a settled batch settles the sub-items that are not.
_SHARED = {
    Phase.SUCCESS: Trigger.BATCH_SUCCEEDED,
    Phase.CACHED: Trigger.FOUND,
    Phase.FAILED: Trigger.BATCH_FAILED,
    Phase.CANCELED: Trigger.BATCH_CANCELED,
    Phase.BLOCKED: Trigger.BATCH_BLOCKED,
    Phase.TOLERATED: Trigger.BATCH_FAILED,
}
#: A batch whose job ended well has failed nevertheless when a sub-item did not succeed.
_FAILED_INSTEAD = {Trigger.SUCCEED: Trigger.FAIL, Trigger.COOK_SUCCEEDED: Trigger.COOK_FAILED}
#: How many names a reason lists before it counts the rest.
NAMES_TOLD = 3


class Batches(Failing):
    """Batches, on top of the items' steps."""

    def look_at_batches(self) -> None:
        """Let each batch follow its sub-items, and them it, until nothing changes any more."""
        while self.batches:
            self._look_at_batch(self.batches.popleft())

    def _look_at_batch(self, item: WorkItem) -> None:
        batch, phase = _batch_of(item), item.phase
        if phase in SETTLED:
            self._share_end(item)
        elif batch.lost == len(batch.items):
            self._lose(item)
        elif phase == Phase.WAITING:
            if batch.lost and batch.activation == BatchActivation.All:
                self.block(item)
            elif _may_start(item, batch):
                self._start(item)

    def _start(self, item: WorkItem) -> None:
        """Let a batch be offered; one that has a past is looked up first, if all that it is made of can be.

        Where its sub-items are looked up by themselves, that has been done by now.
        """
        if self.remembers and item.id not in self._looked_up:
            self._looked_up.add(item.id)
            batch = _batch_of(item)
            known = batch.apart or batch.begun is not None
            if known or all(needed.phase in DONE_WELL for needed in item.needs):
                self.to_recall.append(item)
                self.move(item, Trigger.RECALL, self.now)
                return
        self.needed.add(item.scheduler)
        self.move(item, Trigger.RELEASE, self.now)

    def _lose(self, item: WorkItem) -> None:
        """No sub-item is left that could be cooked; where any was found failed, so has the batch."""
        failed_before = self.remembers and any(sub.phase == Phase.FAILED for sub in _batch_of(item).items)
        if item.phase == Phase.WAITING and failed_before and item.id not in self._looked_up:
            self._start(item)
        elif item.phase in {Phase.READY, Phase.DELAYED}:
            self.take_back(item, Trigger.CANCEL_ORDER, self.now)
        elif item.phase in {Phase.WAITING, Phase.HANDED_OVER} and item.id not in self._doomed:
            self.block(item)

    def _share_end(self, item: WorkItem) -> None:
        trigger = _SHARED.get(Phase(item.phase))
        for sub in _batch_of(item).items if trigger is not None else ():
            if sub.phase in SETTLED:
                continue
            if trigger is Trigger.FOUND:
                self.move(sub, trigger, self.now)
                continue
            if trigger is Trigger.BATCH_FAILED and sub.phase not in {*HELD, Phase.DELAYED}:
                # It was found failed.
                self.move(sub, Trigger.FAILED_BEFORE, self.now)
                continue
            if trigger is Trigger.BATCH_BLOCKED:
                self.move(sub, trigger, self.now)
                self._block_dependents(sub, self.now)
                continue
            if trigger is Trigger.BATCH_FAILED:
                self._note_reason(sub, f'its batch "{item.name}" failed before it was done')
            assert trigger is not None  # noqa: S101 - the loop has nothing to go through otherwise
            self.take_back(sub, trigger, self.now)

    def take_along(self, item: WorkItem) -> None:
        """A batch is handed over, and with it what of its sub-items can still be cooked."""
        for sub in _batch_of(item).items:
            if sub.phase in {Phase.WAITING, Phase.READY}:
                sub.attempt = item.attempt
                self.note_outputs(sub)
                run = sub.ran()
                if run.queued is None:
                    run.queued = self.now
                self.move(sub, Trigger.BATCH_OFFERED, self.now)

    def batch_event(self, event: ev.ItemEvent) -> None:
        """Apply what was said of a batch or of a sub-item."""
        item = event.item
        well = event.trigger in _FAILED_INSTEAD and event.attempt in {None, item.attempt}
        if item.batch is not None and well and item.phase in HELD and self._has_lost(item.batch):
            self._fail_instead(item, event)
        before = item.phase
        self.item_event(event)
        parent = item.batch_parent
        if parent is not None and item.phase != before and parent.phase in {Phase.HANDING_OVER, Phase.HANDED_OVER}:
            # Who cooks a sub-item has begun with the batch.
            self.move(parent, Trigger.START, event.at)
            self._note_start(parent, event.at)

    def _has_lost(self, batch: Batch) -> bool:
        return batch.lost > 0 or (self.policies is not None and any(sub.phase == Phase.DELAYED for sub in batch.items))

    def _fail_instead(self, item: WorkItem, event: ev.ItemEvent) -> None:
        """Its job ended well, so what was not told of is done; but the batch is not, as long as anything is lost."""
        lost = []
        for sub in _batch_of(item).items:
            if sub.phase in LOST or sub.phase == Phase.DELAYED:
                lost.append(f"{sub.name} {_ended(sub)}")
            elif sub.phase in HELD:
                self.take_back(sub, Trigger.BATCH_SUCCEEDED, event.at)
        more = f" and {len(lost) - NAMES_TOLD} more" if len(lost) > NAMES_TOLD else ""
        event.trigger = _FAILED_INSTEAD[event.trigger]
        event.reason = f"not all of its sub-items succeeded: {', '.join(lost[:NAMES_TOLD])}{more}"


def _batch_of(item: WorkItem) -> Batch:
    assert item.batch is not None  # noqa: S101 - only called for batches
    return item.batch


def _ended(sub: WorkItem) -> str:
    return "was canceled" if sub.phase == Phase.CANCELED else "is blocked" if sub.phase == Phase.BLOCKED else "failed"


def _may_start(item: WorkItem, batch: Batch) -> bool:
    if batch.checking:
        # What is found done is to be known to the job.
        return False
    if batch.apart and batch.begun is not None:
        # Its job has been started already: only what that has begun with has to be as it was.
        return all(sub.phase != Phase.WAITING or _waits_inside(sub, item) for sub in batch.begun)
    if batch.activation == BatchActivation.Any:
        return batch.ready > 0 or not batch.waiting
    if batch.activation == BatchActivation.All:
        # What a sub-item waits for inside its batch only comes once that has started.
        return not batch.waiting or all(_waits_inside(sub, item) for sub in batch.items if sub.phase == Phase.WAITING)
    # What is lost, or done in an earlier cook, is never looked at again.
    while batch.first < len(batch.items) and (batch.items[batch.first].phase in LOST | DONE_WELL):
        batch.first += 1
    return batch.first == len(batch.items) or batch.items[batch.first].phase == Phase.READY


def _waits_inside(sub: WorkItem, item: WorkItem) -> bool:
    return all(needed.batch_parent is item or needed.phase in DONE_WELL for needed in sub.dependencies)
