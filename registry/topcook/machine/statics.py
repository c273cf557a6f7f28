"""Which items are handed over statically, all at once, with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine.phases import DONE_WELL, Phase
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from topcook.machine.resources import Resources
    from topcook.model.workitem import WorkItem

_STATIC = int(Trait.STATIC)
_AUTOMATIC = int(Trait.AUTOMATIC)
_LATE_COMMAND = int(Trait.LATE_COMMAND)
_OPEN = frozenset({Phase.WAITING, Phase.READY})


def eligible_statics(
    scheduler: str,
    items: Iterable[WorkItem],
    resources: Resources | None = None,
    unseen: Container[int] = frozenset(),
) -> list[WorkItem]:
    """The uncooked static items of ``scheduler`` whose unfinished ancestors are all static and its own, by id.

    Items that cook nothing (partitions, mostly) are nobody's: they are not handed over, and what they wait for counts.
    What needs named resources is handed over when it can have them. A command that names input files which nobody
    knows yet cannot be handed over before they are there. ``unseen`` are ids of items that an earlier session may have
    handed over, and of which nobody has asked yet.
    Counts dependencies down from the ready items, so that it is linear and items that wait in a circle stay out.
    """
    # A batch stands for its sub-items: what they wait for outside of it, and what waits for them.
    mine: dict[int, int] = {}
    found: list[WorkItem] = []
    for item in items:
        traits = int(item.traits)
        if item.phase not in _OPEN or item.batch_parent is not None or not traits & _STATIC or _is_late(item):
            continue
        if item.id in unseen or (item.batch is not None and item.batch.begun is not None):
            # A job of an earlier session may still have it.
            continue
        if resources is not None and resources.needs_of(item):
            continue
        if traits & _AUTOMATIC or item.scheduler == scheduler:
            mine[item.id] = pending_of(item)
            if mine[item.id] == 0:
                found.append(item)
    for unit in found:
        for part in (unit,) if unit.batch is None else (unit, *unit.batch.items):
            for dependent in part.dependents or ():
                waiting = dependent.batch_parent or dependent
                if waiting is unit or dependent.phase not in _OPEN:
                    # What is lost of a batch was not counted either.
                    continue
                left = mine.get(waiting.id, 0) - 1
                mine[waiting.id] = left
                if left == 0:
                    found.append(waiting)
    return sorted((item for item in found if not int(item.traits) & _AUTOMATIC), key=lambda item: item.id)


def _is_late(item: WorkItem) -> bool:
    """Whether the command, or that of a sub-item, is put together when the inputs have cooked."""
    if int(item.traits) & _LATE_COMMAND:
        return True
    return item.batch is not None and any(int(sub.traits) & _LATE_COMMAND for sub in item.batch.items)


def pending_of(item: WorkItem) -> int:
    """How many dependencies have not succeeded; of a batch those outside, each for every sub-item that has it."""
    if item.batch is None:
        return item.pending
    return sum(
        needed.phase not in DONE_WELL and needed.batch_parent is not item
        for sub in item.batch.items
        if sub.phase in _OPEN
        for needed in sub.dependencies
    )
