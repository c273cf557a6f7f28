"""The report of a cook from its journal alone: a view of what happened, whoever died of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from topcook.machine.phases import STATE_OF, Phase
from topcook.model.node import Node, NodeType
from topcook.model.workitem import WorkItem
from topcook.runtime.report import VERSION, parts_of

if TYPE_CHECKING:
    from topcook.runtime.journal.past import Past, PastItem

_PHASE_OF = {state: phase for phase, state in reversed(STATE_OF.items())}


def records_of(past: Past) -> list[WorkItem]:
    """The items of a journal as a cook has them, with their dependencies, by id."""
    nodes: dict[str, Node] = {}
    made: dict[int, WorkItem] = {}
    needs: dict[int, list[int]] = {}
    for item in past.items():
        node = nodes.get(item.node) or nodes.setdefault(item.node, Node(item.node, "", NodeType.Processor))
        made[item.id] = _record_of(item, node)
        needs[item.id] = item.needs
    for number, record in made.items():
        record.dependencies = [made[each] for each in needs[number] if each in made]
    for item in past.items():
        if item.batch in made:
            made[item.id].batch_parent = made[item.batch]
    return list(made.values())


def _record_of(item: PastItem, node: Node) -> WorkItem:
    record = WorkItem(item.id, node, item.index)
    record.custom_name = item.name if item.name != record.name else None
    record.label, record.frame, record.scheduler = item.label, item.frame, item.scheduler
    record.state, record.phase, record.attempt = item.state, _PHASE_OF.get(item.state, Phase.UNCOOKED), item.attempt
    record.outputs, record.attributes = item.outputs or None, item.attributes or None
    run = record.ran()
    run.queued, run.started, run.finished = item.queued, item.started, item.finished
    run.duration, run.exit_status = item.duration, item.exit_status
    run.attempts = item.earlier or None
    run.messages, run.log_uri, run.status_uri = item.messages, item.log_uri, item.status_uri
    return record


def report_parts_of(past: Past) -> Iterator[str]:
    """The text of the report in pieces, as ``report.schema.json`` says.

    A cook that was killed, or still runs, is told as interrupted, with no end.
    """
    items = records_of(past)
    session = past.sessions[-1]
    facts = session.facts
    told = {"": "interrupted"} | {name: name for name in ("cooked", "canceled", "detached")}
    state = told.get(session.outcome, "failed")
    head: dict[str, Any] = {
        "version": VERSION,
        "network": facts.get("name", session.network),
        "state": state,
        "started": session.started,
        "finished": session.finished,
        "counts": {each.name: number for each, number in sorted(Counter(item.state for item in items).items())},
        "messages": list(dict.fromkeys(f"{level}: {source}: {text}" for _, level, source, text in past.messages)),
        "schedulers": facts.get("schedulers", {}),
        "types": facts.get("types", []),
    }
    return parts_of(head, items)
