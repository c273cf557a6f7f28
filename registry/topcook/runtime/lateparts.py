"""What of an item is known only when it is handed over: attributes of its parents, a command that names input files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.inherit import take_late_attributes
from topcook.errors import CookRefusedError, ExpressionError
from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine.statics import pending_of
from topcook.model.states import SUCCESSFUL
from topcook.model.workitem import Trait
from topcook.runtime.generation_texts import finish_late_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.machine.items import Change
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

# Plain integers: a flag's own ``&`` is a Python function, and this is asked of every item.
_LATE_COMMAND = int(Trait.LATE_COMMAND)
_LATE = _LATE_COMMAND | int(Trait.PARTITION)


def completed(items: list[WorkItem], graph: Graph, link: CookLink) -> list[WorkItem]:
    """Complete items that are about to be handed over, and leave out those whose command cannot be: they fail."""
    late = [item for item in items if item.parent is not None or int(item.traits) & _LATE]
    if not late:
        return items
    refused = set()
    for item in late:
        take_late_attributes(item)
        if int(item.traits) & _LATE_COMMAND:
            try:
                finish_late_command(item, graph)
            except ExpressionError as error:
                refused.add(item.id)
                link.inbox.post(ev.ItemEvent(item, Trigger.RAISED, link.clock.now(), reason=str(error)))
    return [item for item in items if item.id not in refused] if refused else items


def complete_given(changes: Iterable[Change], graph: Graph, link: CookLink) -> None:
    """Give items that were handed over before their time what they may be known of now: attributes, input files.

    Called before the job whose end is among the changes is answered: whatever begins when that has ended reads it.
    """
    for item, _, new, _ in changes:
        if new in SUCCESSFUL:
            for dependent in item.dependents or ():
                unit = dependent.batch_parent or dependent
                if unit.phase == Phase.HANDED_OVER and not pending_of(unit):
                    _complete_one(unit, graph, link)


def _complete_one(item: WorkItem, graph: Graph, link: CookLink) -> None:
    for each in (item, *(item.batch.items if item.batch is not None else ())):
        take_late_attributes(each)
    try:
        graph.host(item.scheduler).refresh_item(item)
    except CookRefusedError as error:
        link.message("warning", item.scheduler, str(error))
