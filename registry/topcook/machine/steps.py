"""The transition table as it is read: for each phase and trigger everything that the step changes, worked out once.

Read for every step of every item, so plain tuples by position: an enumeration's call is a Python function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine.phases import HELD, SETTLED, STATE_OF, Phase, Trigger
from topcook.machine.transitions import TRANSITIONS

if TYPE_CHECKING:
    from topcook.machine.transitions import Row
    from topcook.model.states import WorkItemState

__all__ = ["BACK", "FREED", "QUEUED", "SAME", "STEPS", "TAKEN", "Step"]

#: What a step means for the item's scheduler: nothing, one more that it holds, one less with room for another, one
#: that it gave back, one more in its queue.
SAME, TAKEN, FREED, BACK, QUEUED = range(5)

#: before, after (the same where it stays), mark, whether it moves, the new state where that is another one, what it
#: means for the scheduler, whether nothing more is expected of the item
Step = tuple[Phase, Phase, str, bool, "WorkItemState | None", int, bool]


def _means(before: Phase, after: Phase) -> int:
    if before in HELD:
        if after in HELD:
            return SAME
        return BACK if after is Phase.READY else FREED
    if after in HELD:
        return TAKEN
    return QUEUED if after is Phase.READY else SAME


def _step(before: Phase, row: Row) -> Step:
    if row.to is None:
        return before, before, row.mark, False, None, SAME, False
    new = STATE_OF[row.to] if STATE_OF[row.to] is not STATE_OF[before] else None
    return before, row.to, row.mark, True, new, _means(before, row.to), row.to in SETTLED


#: By phase.
STEPS: tuple[dict[Trigger, Step], ...] = tuple(
    {trigger: _step(phase, row) for trigger, row in TRANSITIONS[phase].items()} for phase in Phase
)
