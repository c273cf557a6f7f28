"""The menu as rows, and the listing as plain data for ``--json``.

Rows carry what a person needs to see; how wide and in which colours is for the command line to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from topcook.contract.tolerated import TOLERATED
from topcook.factory.records import NEEDS_HOUDINI, Kind, Origin, Record, State
from topcook.lean import dataclass
from topcook.model.cells import printable

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.model.parms import ParmSpec

__all__ = ["GLYPHS", "MenuRow", "first_problem", "listing", "look_of", "menu_rows", "row_of"]

#: Shape and word of each state: (glyph, its ASCII form, word). The word says what the colour may add to.
GLYPHS: dict[str, tuple[str, str, str]] = {
    "ok": ("●", "*", "ok"),
    "edit broken": ("◐", "%", "edit broken"),
    "not probed": ("◌", "?", "not probed yet"),
    "needs houdini": ("○", "o", "needs Houdini"),
    "invalid": ("✗", "x", "invalid"),
    "failed": ("✗", "x", "failed"),
    "shadowed": ("◍", "-", "shadowed"),
    "disabled": ("⊘", "/", "disabled"),
    "skipped": ("·", ".", "skipped"),
}

_FORMAT_VERSION = 1
_OTHER = "Other files"


@dataclass(frozen=True, slots=True)
class MenuRow:
    """One line of the menu, its texts fit for a terminal; what to type is ``record.name``.

    ``look`` is a key of GLYPHS; ``note`` the first problem of a broken one, else its ``origin``.
    """

    category: str
    name: str
    label: str
    look: str
    note: str
    origin: str
    record: Record


def menu_rows(records: Iterable[Record], types: str = "all", *, show_all: bool = False) -> list[MenuRow]:
    """The rows in the order of the menu: by category, schedulers first, then by label.

    ``types`` is schedulers, nodes or all. Helper files and shadowed types are left out unless ``show_all``.
    """
    hidden = frozenset() if show_all else frozenset({State.SKIPPED, State.SHADOWED})
    wanted = _wanted(types)
    rows = [row_of(record) for record in records if record.state not in hidden and _shown_kind(record) in wanted]
    return sorted(rows, key=lambda row: (_category_order(row), row.label.lower(), row.name.lower()))


def _wanted(types: str) -> frozenset[Kind]:
    return {
        "schedulers": frozenset({Kind.SCHEDULER, Kind.UNKNOWN}),
        "nodes": frozenset({Kind.NODE, Kind.WORK_ITEM, Kind.UNKNOWN}),
    }.get(types, frozenset(Kind))


def _shown_kind(record: Record) -> Kind:
    """The kind, and of a file that nobody may look into the likeliest: it must not be missing among schedulers."""
    unknown = record.kind is Kind.UNKNOWN and record.state is not State.SKIPPED
    return Kind.SCHEDULER if unknown else record.kind


def _category_order(row: MenuRow) -> tuple[int, str]:
    return (0 if row.category == "Schedulers" else 2 if row.category == _OTHER else 1), row.category


def row_of(record: Record) -> MenuRow:
    """The row of a record, whether the menu shows it or not."""
    origin = printable(str(record.origin))
    others = "Schedulers" if _shown_kind(record) is Kind.SCHEDULER else _OTHER
    return MenuRow(
        printable(record.category or others),
        printable(record.name),
        printable(record.label or record.name),
        look_of(record),
        _note(record, origin),
        origin,
        record,
    )


def look_of(record: Record) -> str:
    """How a record is shown: the key of its row in GLYPHS."""
    if record.edit is not None:
        return "edit broken"
    return "needs houdini" if record.reason == NEEDS_HOUDINI else record.state.value


def first_problem(record: Record) -> Problem | None:
    """The problem to tell where there is room for one: of those that keep it from being used, the first."""
    hindering = (each for each in record.problems if each.code not in TOLERATED)
    return next(hindering, None) or next(iter(record.problems), None)


def _note(record: Record, origin: str) -> str:
    """The origin of a usable type, what is wrong with another."""
    first = first_problem(record)
    if record.edit is not None:
        return printable(record.edit.told)
    if record.usable and first is None:
        return origin
    if record.state is State.SHADOWED or first is None:
        return printable(record.why_not())
    line = f"l.{first.line} " if first.line else ""
    return printable(f"{line}{record.reason or first.message}")


# The listing


def listing(records: Sequence[Record], problems: Sequence[Problem] = (), types: str = "all") -> dict[str, Any]:
    """Everything that is known, as plain data: ``{version, schedulers[], nodes[], other[], problems[]}``.

    The schema is ``topcook/model/schemas/listing.schema.json``. A file that could not be executed stands where its
    text suggests; helper files are in ``other``.
    """
    wanted = _wanted(types)
    groups: dict[str, list[dict[str, Any]]] = {"schedulers": [], "nodes": [], "other": []}
    for record in records:
        kind = _shown_kind(record)
        if kind in wanted:
            group = {Kind.SCHEDULER: "schedulers", Kind.NODE: "nodes"}.get(kind, "other")
            groups[group].append(_entry(record))
    return {"version": _FORMAT_VERSION, **groups, "problems": [problem.row() for problem in problems]}


def _entry(record: Record) -> dict[str, Any]:
    takes, why = record.static
    return {
        "name": record.name,
        "label": record.label or record.name,
        "category": record.category,
        "state": record.state.value,
        "reason": record.why_not(),
        "origin": _origin(record.origin),
        "line": record.line,
        "parms": [_parm(parm) for parm in record.parms],
        "callbacks": dict(record.callbacks),
        "static": {"takes": takes, "because": why},
        "problems": [problem.row() for problem in record.problems],
        "shadows": [_origin(each.origin) for each in record.shadows],
        "shadowed_by": _origin(record.shadowed_by.origin) if record.shadowed_by is not None else None,
        "content_hash": record.content_hash,
        "import_ms": round(record.import_ms, 3),
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "kind": origin.tier.value,
        "path": origin.path,
        "distribution": origin.distribution or None,
        "version": origin.version or None,
    }


def _parm(parm: ParmSpec) -> dict[str, Any]:
    return {
        "name": parm.name,
        "label": parm.label,
        "type": parm.type,
        "size": parm.size,
        # A secret's default is as secret as its value.
        "value": None if parm.secret else [parm.default_at(index) for index in range(parm.size)],
        "tags": sorted(parm.tags),
        "overridable": parm.is_job_parm,
        "help": parm.help,
    }
