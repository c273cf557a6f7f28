"""From a registered class to its record: validate it, read its template, see what it implements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topcook.contract.callbacks import CALLBACKS
from topcook.contract.node_callbacks import rows_for
from topcook.contract.source import place_of
from topcook.contract.static_source import takes_static
from topcook.contract.template import Template
from topcook.contract.tolerated import TOLERATED
from topcook.contract.validate import callback_status, validate_node, validate_scheduler
from topcook.factory.places import called_at
from topcook.factory.records import Kind, Record, State
from topcook.model.enums import NodeType, RegisteredType

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.records import Origin
    from topcook.factory.typeregistry import Registration

__all__ = ["describe"]

_KINDS = {
    RegisteredType.Scheduler: Kind.SCHEDULER,
    RegisteredType.Node: Kind.NODE,
    RegisteredType.WorkItem: Kind.WORK_ITEM,
}
#: The submenu of a type that names none.
_CATEGORIES = {NodeType.Processor: "Processors", NodeType.Partitioner: "Partitioners", NodeType.Mapper: "Mappers"}


def describe(registration: Registration, origin: Origin) -> Record:
    """The record of one registration; its state is OK or INVALID. Never raises."""
    record = Record(registration.name, origin, kind=_KINDS[registration.kind], label=registration.label)
    record.parm_category = registration.parm_category
    cls = registration.type_object
    try:
        _look_at(record, registration)
    except Exception as error:  # noqa: BLE001 - a metaclass or descriptor of the author's may raise from any look at it
        from topcook.factory.faults import problem_of  # heavy, and rarely needed

        record.problems.append(problem_of(error, origin.path, "the class was looked at"))
    record.problems = [_placed(each, registration, origin) for each in record.problems]
    record.label = record.label or _label_of(record.name)
    record.type_object = cls if isinstance(cls, type) else None
    record.module = getattr(cls, "__module__", "")
    if any(problem.code not in TOLERATED for problem in record.problems):
        record.state = State.INVALID
    return record


def _placed(problem: Problem, registration: Registration, origin: Origin) -> Problem:
    """What was registered and is no class is a mistake of the call; what has no place is one of the file."""
    if problem.code == "not-a-class":
        return called_at(registration.called, origin.path).problem(problem.code, problem.message, problem.hint)
    return problem if problem.path else replace(problem, path=origin.path)


def _look_at(record: Record, registration: Registration) -> None:
    cls = registration.type_object
    if record.kind is Kind.SCHEDULER:
        record.category = registration.category or "Schedulers"
        record.problems += validate_scheduler(cls)
    elif record.kind is Kind.NODE:
        record.node_type = registration.node_type or NodeType.Processor
        record.static_gen = registration.static_gen
        record.category = registration.category or _CATEGORIES[record.node_type]
        record.problems += validate_node(cls, record.node_type)
    if not isinstance(cls, type) or record.kind is Kind.WORK_ITEM:
        return
    record.about = _first_sentence(cls.__doc__)
    template = registration.template or Template(registration.name)
    record.parms = tuple(template.parms)
    # Validation has already said when a template method is of the wrong kind.
    wrong = {problem.line for problem in record.problems if problem.code == "wrong-kind"}
    record.problems += [each for each in template.problems if each.line not in wrong or each.line is None]
    record.line = place_of(cls).line if record.problems else registration.line
    rows = CALLBACKS if record.node_type is None else rows_for(record.node_type)
    record.callbacks = callback_status(cls, rows)
    if record.kind is Kind.SCHEDULER:
        record.static = takes_static(cls)


def _first_sentence(text: object) -> str:
    """The first sentence of a docstring, on one line; empty where there is none."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split()) if isinstance(text, str) else ""
    first, dot, _ = paragraph.partition(". ")
    return first + dot.rstrip()


def _label_of(name: str) -> str:
    """A label made of a type name, for a type that gives none: ``local_scheduler`` is "Local Scheduler"."""
    words = name.replace("_", " ").replace("-", " ").split()
    text = " ".join(words)
    for ending in ("scheduler", "processor", "partitioner", "mapper"):
        if len(words) == 1 and text.lower().endswith(ending) and len(text) > len(ending):
            text = f"{text[: -len(ending)]} {text[-len(ending) :]}"
    return " ".join(word[:1].upper() + word[1:] for word in text.split())
