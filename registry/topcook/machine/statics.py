"""Which items are handed over statically, all at once, with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine.phases import DONE_WELL, Phase
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.model.workitem import WorkItem

_OPEN = frozenset({Phase.WAITING, Phase.READY})


def eligible_statics(scheduler: str, items: Iterable[WorkItem]) -> list[WorkItem]:
    """The uncooked static items of ``scheduler`` whose unfinished ancestors are all static and its own, by id.

    Linear: what is not eligible spreads to its dependents once.
    """
    mine: dict[int, WorkItem] = {}
    barred: list[WorkItem] = []
    for item in items:
        if item.scheduler == scheduler and item.phase in _OPEN and item.traits & Trait.STATIC:
            mine[item.id] = item
        elif item.phase not in DONE_WELL:
            barred.append(item)
    while barred:
        dependents = barred.pop().dependents or ()
        barred.extend(dependent for dependent in dependents if mine.pop(dependent.id, None) is not None)
    return [mine[item_id] for item_id in sorted(mine)]
