"""What a cook would do with each item that is known before it: a dry run's look at the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.inherit import pass_outputs, take_late_attributes
from topcook.machine.phases import STATE_OF, Phase
from topcook.model.workitem import Trait
from topcook.runtime.resume.restoring import restore
from topcook.runtime.resume.verdicts import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from topcook.model.workitem import WorkItem
    from topcook.runtime.resume.memory import Memory

__all__ = ["foresee"]

_AUTOMATIC = int(Trait.AUTOMATIC)


def foresee(memory: Memory, items: Iterable[WorkItem]) -> list[Finding]:
    """What is to become of each item, those first that others depend on. What is done gets its outputs again."""
    found: dict[int, Finding] = {}
    #: Ids of items of which it is known already what they will give.
    known: set[int] = set()
    apart: list[WorkItem] = []
    for item in _in_order(items):
        again = next((found[each.id] for each in item.needs if each.id not in known), None)
        if _is_apart(item):
            # What becomes of it is said by its sub-items.
            found[item.id] = Finding(item, Verdict.COOK)
            apart.append(item)
            continue
        if again is not None:
            found[item.id] = Finding(item, Verdict.COOK, _behind(again))
            if again.verdict is Verdict.FAILED or again.item.phase == Phase.BLOCKED:
                item.phase = Phase.BLOCKED
        elif item.batch_parent is not None and not _is_apart(item.batch_parent):
            found[item.id] = _with_batch(memory, item, found, known)
        else:
            found[item.id] = memory.judge(item)
        if found[item.id].verdict is Verdict.DONE or (again is None and int(item.traits) & _AUTOMATIC):
            known.add(item.id)
            _take_for_done(found[item.id])
        elif found[item.id].verdict is Verdict.FAILED:
            item.phase = Phase.FAILED
    found.update((item.id, memory.judge(item)) for item in apart)
    return list(found.values())


def _is_apart(item: WorkItem) -> bool:
    return item.batch is not None and item.batch.apart


def _with_batch(memory: Memory, item: WorkItem, found: dict[int, Finding], known: set[int]) -> Finding:
    """What becomes of a sub-item: what becomes of its batch."""
    parent = item.batch_parent
    assert parent is not None  # noqa: S101 - only asked of sub-items
    whole = found.get(parent.id)
    if whole is None and all(each.id in known for each in parent.needs):
        whole = found[parent.id] = memory.judge(parent)
    if whole is None or whole.verdict is not Verdict.DONE:
        return Finding(item, Verdict.COOK, f'its batch "{parent.name}" cooks again')
    return next((each for each in whole.parts if each.item is item), whole)


#: What is said of an item to those that depend on it.
_WHICH = {Verdict.FAILED: "failed before", Verdict.IN_FLIGHT: "is in flight"}


def _behind(again: Finding) -> str:
    if int(again.item.traits) & _AUTOMATIC and again.reason.startswith("depends on"):
        return again.reason
    return f'depends on "{again.item.name}", which {_WHICH.get(again.verdict, "cooks again")}'


def _take_for_done(found: Finding) -> None:
    item = found.item
    item.phase = Phase.CACHED if found.verdict is Verdict.DONE else Phase.SUCCESS
    item.state = STATE_OF[Phase(item.phase)]
    if int(item.traits) & _AUTOMATIC:
        pass_outputs(item)
        take_late_attributes(item)
    else:
        restore(item, found.past)


def _in_order(items: Iterable[WorkItem]) -> Iterator[WorkItem]:
    """Every item behind what it depends on."""
    seen: set[int] = set()
    for start in items:
        todo = [start]
        while todo:
            item = todo[-1]
            missing = [each for each in item.needs if each.id not in seen] if item.id not in seen else []
            if missing:
                todo += missing
                continue
            todo.pop()
            if item.id not in seen:
                seen.add(item.id)
                yield item
