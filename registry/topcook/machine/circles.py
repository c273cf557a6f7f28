"""Items that wait for each other in a circle, and so forever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine.phases import Phase

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem


def circle_of(item: WorkItem) -> list[WorkItem]:
    """The circle that a stuck item is in, or waits for: each waits for the next, the last for the first.

    Invariant: a waiting item that nothing can move has a dependency of the same kind, or one in a waiting batch; a
    waiting batch has a waiting sub-item.
    """
    place: dict[int, int] = {}
    path: list[WorkItem] = []
    while item.id not in place:
        place[item.id] = len(path)
        path.append(item)
        item = _next(item)
    return path[place[item.id] :]


def _next(item: WorkItem) -> WorkItem:
    if item.batch is not None:
        return next(each for each in item.batch.items if each.phase == Phase.WAITING)
    for each in item.dependencies:
        if each.phase == Phase.WAITING:
            return each
        if each.phase == Phase.READY and each.batch_parent is not None:
            return each.batch_parent
    raise LookupError(f"{item!r} waits for nothing that waits")
