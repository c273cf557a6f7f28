"""Who waits for whom among one scheduler's items, in the form that ``onScheduleStatic`` gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.workitem import WorkItem
from topcook.model.states import FINAL, UNSUCCESSFUL
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from topcook.contract.host import GraphServices
    from topcook.model.workitem import WorkItem as Record

Graph = dict[WorkItem, list[WorkItem]]


def ancestors(item: Record, *, expand_partitions: bool, finished: bool = False) -> list[Record]:
    """What ``item`` still waits for. Items that cook nothing are looked through: what they wait for counts.

    Of a batch, whatever its sub-items wait for; what waits for an unfinished sub-item waits for its batch's job.

    Partitions are among these unless ``expand_partitions`` is off and they have something to cook. With ``finished``
    nothing is looked through but expanded partitions, and what has ended counts too.
    """
    found: dict[int, Record] = {}
    seen: set[int] = set()
    stack = list(reversed(item.needs))
    while stack:
        record = stack.pop()
        if not finished and record.state not in FINAL:
            record = record.batch_parent or record
        if record.id in seen or (record.state in FINAL and not finished):
            continue
        seen.add(record.id)
        through = expand_partitions and record.traits & Trait.PARTITION
        if through or (record.traits & Trait.AUTOMATIC and not finished):
            stack.extend(reversed(record.needs))
        else:
            found[record.id] = record
    return list(found.values())


def dependency_maps(
    items: Iterable[Record],
    services: GraphServices,
    belongs: Callable[[Record], bool],
    *,
    expand_partitions: bool = False,
    finished: bool = False,
) -> tuple[Graph, Graph, list[WorkItem]]:
    """``(dependencies, dependents, ready_items)`` over the unfinished items for which ``belongs`` holds.

    Every such item is a key of both dicts, leaves included. An item that waits for somebody else's is not ready.
    With ``finished`` every item is there, also those that have ended or cook nothing themselves.
    """
    wanted: Sequence[Record] = [
        item
        for item in items
        if (finished or _is_given(item)) and belongs(item)
        if not (finished and expand_partitions and item.traits & Trait.PARTITION)
    ]
    handles = {item.id: WorkItem(item, services) for item in wanted}
    dependencies: Graph = {handle: [] for handle in handles.values()}
    dependents: Graph = {handle: [] for handle in handles.values()}
    ready = []
    for item in wanted:
        handle = handles[item.id]
        waits = ancestors(item, expand_partitions=expand_partitions, finished=finished)
        for other in waits:
            known = handles.get(other.id)
            if known is not None:
                dependencies[handle].append(known)
                dependents[known].append(handle)
        if item.state not in FINAL and all(other.state in FINAL for other in waits):
            ready.append(handle)
    return dependencies, dependents, ready


def _is_given(item: Record) -> bool:
    """Whether a scheduler is, or will be, given it: a sub-item is not, its batch is."""
    return item.state not in FINAL and not item.traits & Trait.AUTOMATIC and item.batch_parent is None


def readiness(record: Record | None) -> int:
    """1 when all that it needs ended well, 2 when it never can begin, 0 while some is open (also for ``None``)."""
    if record is None:
        return 0
    stack, seen = [record], {record.id}
    while stack:
        item = stack.pop()
        if item.state in UNSUCCESSFUL:
            return 2
        # What waits for something that failed never ends itself.
        for needed in item.needs if item.state not in FINAL else ():
            if needed.id not in seen:
                seen.add(needed.id)
                stack.append(needed)
    return int(all(needed.state in FINAL for needed in record.needs))
