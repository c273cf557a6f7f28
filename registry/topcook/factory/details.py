"""One type of the menu in full, as a person wants to see it: what it is, where it comes from, what can be set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.factory.menu import MenuRow, row_of
from topcook.factory.names import state_told
from topcook.factory.records import Kind
from topcook.lean import dataclass
from topcook.model.cells import printable

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.records import Record
    from topcook.model.parms import ParmSpec

__all__ = ["Ability", "Details", "ParmLine", "details_of"]

#: What a scheduler can do beyond cooking items, by the callback of its own that does it.
_ABILITIES = {"submit": "submitAsJob", "logs": "getLogURI", "status": "getStatusURI"}


@dataclass(frozen=True, slots=True)
class ParmLine:
    """A parm as it is shown: ``value`` is its default as it would be typed into a network."""

    name: str
    value: str
    overridable: bool
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that a scheduler does or does not do by itself, and why."""

    word: str
    has: bool
    because: str


@dataclass(frozen=True, slots=True)
class Details:
    """All that is shown of one record; every text is fit for a terminal.

    ``state`` is its state with the reason. ``own``, ``default`` and ``missing`` are the names of callbacks: those
    that the class brings, those that its base answers, those that nobody does.
    """

    row: MenuRow
    kind: str
    about: str
    place: str
    state: str
    parms: tuple[ParmLine, ...]
    own: tuple[str, ...]
    default: tuple[str, ...]
    missing: tuple[str, ...]
    abilities: tuple[Ability, ...]
    problems: tuple[Problem, ...]
    shadowed_by: str
    shadows: tuple[str, ...]
    import_ms: float


def details_of(record: Record) -> Details:
    """What is known of a record."""
    own, default, missing = (_callbacks(record, status) for status in ("implemented", "default", "missing"))
    return Details(
        row_of(record),
        _kind(record),
        printable(record.about),
        printable(record.place),
        state_told(record),
        tuple(_parm_line(parm) for parm in record.parms),
        own,
        default,
        missing,
        tuple(_abilities(record)),
        tuple(record.problems),
        printable(record.shadowed_by.place) if record.shadowed_by is not None else "",
        tuple(printable(each.place) for each in record.shadows),
        record.import_ms,
    )


def _kind(record: Record) -> str:
    if record.kind is Kind.UNKNOWN:
        return "file"
    return record.node_type.name.lower() if record.node_type is not None else record.kind.value


def _parm_line(parm: ParmSpec) -> ParmLine:
    if parm.secret:
        value = "(secret)"
    else:
        values = [_typed(parm.default_at(index)) for index in range(parm.size)]
        value = values[0] if parm.size == 1 else f"[{', '.join(values)}]"
    texts = (printable(parm.name), printable(value))
    return ParmLine(*texts, parm.is_job_parm, printable(parm.label), printable(parm.help))


def _typed(value: Any) -> str:
    """A default as it stands in a network file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _callbacks(record: Record, status: str) -> tuple[str, ...]:
    return tuple(name for name, found in record.callbacks.items() if found == status)


def _abilities(record: Record) -> list[Ability]:
    if record.kind is not Kind.SCHEDULER or not record.usable:
        return []
    takes, why = record.static
    if any(parm.name == "onschedulestatic" for parm in record.parms):
        why = "the field onschedulestatic of its node decides"
    elif not takes and why.startswith("staticCook") and record.callbacks.get("onScheduleStatic") == "implemented":
        why += "; it has onScheduleStatic for those who ask by --static"
    static = Ability("static", takes, printable(why))
    others = [
        Ability(word, record.callbacks.get(name) == "implemented", f"it has {_no(record, name)}{name} of its own")
        for word, name in _ABILITIES.items()
    ]
    return [static, *others]


def _no(record: Record, name: str) -> str:
    return "" if record.callbacks.get(name) == "implemented" else "no "
