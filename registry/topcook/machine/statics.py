"""Which items are handed over statically, all at once, with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine.phases import Phase
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.model.workitem import WorkItem

_STATIC = int(Trait.STATIC)
_AUTOMATIC = int(Trait.AUTOMATIC)


def eligible_statics(scheduler: str, items: Iterable[WorkItem]) -> list[WorkItem]:
    """The uncooked static items of ``scheduler`` whose unfinished ancestors are all static and its own, by id.

    Items that cook nothing (partitions, mostly) are nobody's: they are not handed over, and what they wait for counts.
    Counts dependencies down from the ready items, so that it is linear and items that wait in a circle stay out.
    """
    mine: dict[int, int] = {}
    found: list[WorkItem] = []
    for item in items:
        traits = int(item.traits)
        if traits & _STATIC and (traits & _AUTOMATIC or item.scheduler == scheduler):
            if item.phase == Phase.READY:
                found.append(item)
            elif item.phase == Phase.WAITING:
                mine[item.id] = item.pending
    for item in found:
        for dependent in item.dependents or ():
            left = mine.get(dependent.id, 0) - 1
            mine[dependent.id] = left
            if left == 0:
                found.append(dependent)
    return sorted((item for item in found if not int(item.traits) & _AUTOMATIC), key=lambda item: item.id)
