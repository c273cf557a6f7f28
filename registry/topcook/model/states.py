"""The states of a work item, with PDG's names and numbers."""

from __future__ import annotations

from enum import IntEnum


class WorkItemState(IntEnum):
    """``pdg.workItemState``: the ten states and their integers."""

    Undefined = 0
    Dirty = 1
    Uncooked = 2
    Waiting = 3
    Scheduled = 4
    Cooking = 5
    CookedSuccess = 6
    CookedCache = 7
    CookedFail = 8
    CookedCancel = 9


SUCCESSFUL = frozenset({WorkItemState.CookedSuccess, WorkItemState.CookedCache})
UNSUCCESSFUL = frozenset({WorkItemState.CookedFail, WorkItemState.CookedCancel})
FINAL = SUCCESSFUL | UNSUCCESSFUL
