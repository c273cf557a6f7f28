"""The dependencies between work items as PDG hands them out: two maps and a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.workitem import WorkItem
from topcook.machine.phases import DONE_WELL
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.contract.host import GraphServices
    from topcook.model.workitem import WorkItem as Record

Maps = tuple[dict[WorkItem, list[WorkItem]], dict[WorkItem, list[WorkItem]], list[WorkItem]]


def dependency_graph(graph: GraphServices, items: Sequence[Record], *, expand_partitions: bool) -> Maps:
    """Item to what it waits for, item to what waits for it, and those that wait for nothing.

    Every item is a key of both maps, leaves included. ``expand_partitions`` leaves partitions out and puts their
    members in their place.
    """
    kept = [item for item in items if not (expand_partitions and item.traits & Trait.PARTITION)]
    handles = {item.id: WorkItem(item, graph) for item in kept}
    waits: dict[WorkItem, list[WorkItem]] = {}
    followers: dict[WorkItem, list[WorkItem]] = {handle: [] for handle in handles.values()}
    ready = []
    for item in kept:
        needed = [handles[d.id] for d in _needs(item, expand=expand_partitions) if d.id in handles]
        handle = handles[item.id]
        waits[handle] = needed
        for other in needed:
            followers[other].append(handle)
        if all(d.phase in DONE_WELL for d in item.dependencies):
            ready.append(handle)
    return waits, followers, ready


def _needs(item: Record, *, expand: bool) -> list[Record]:
    if not expand:
        return item.dependencies
    found: dict[int, Record] = {}
    todo = list(reversed(item.dependencies))
    while todo:
        needed = todo.pop()
        if needed.traits & Trait.PARTITION:
            todo += reversed(needed.dependencies)
        else:
            found.setdefault(needed.id, needed)
    return list(found.values())
