"""Records as plain data: how a probe worker reports them, and how the index keeps them.

Only JSON's own types, so that nothing is ever executed by reading them.
"""

from __future__ import annotations

import sys
from typing import Any

from topcook.errors import Problem
from topcook.factory.bundles import Bundle, content_hash
from topcook.factory.records import Kind, Origin, Record, State
from topcook.factory.versions import Version, forgotten_with, kept_in_memory
from topcook.lean import dataclass, field, names, replace
from topcook.model.enums import NodeType
from topcook.model.parms import ParmSpec

__all__ = ["FileRead", "ProbeReport", "files_of", "fill_details", "record_data", "record_of", "records_of"]


@dataclass(frozen=True, slots=True)
class FileRead:
    """A source file that a candidate consists of or imported: where it was, and the bytes that were executed."""

    path: str
    digest: str
    content: bytes = field(repr=False)


@dataclass(slots=True)
class ProbeReport:
    """What came out of probing one candidate; ``records`` is never empty.

    ``files`` are the candidate's own file first, then all that it may import from beside it (empty for an entry
    point). ``missing`` are top-level modules that it asked for and that are not installed. ``transient`` says
    that the outcome hangs on the moment (a time-out, a server that was away) and not on the files alone.
    ``live`` are the records themselves, classes and all, where they were made in this very process.
    """

    records: list[dict[str, Any]]
    files: list[FileRead] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    transient: bool = False
    live: list[Record] = field(default_factory=list, repr=False)


def files_of(bundle: Bundle) -> list[FileRead]:
    """The files of a bundle, the module's own first."""
    return [FileRead(path, content_hash(content), content) for path, content in bundle.files.items()]


def records_of(report: ProbeReport, origin: Origin, stem: str) -> list[Record]:
    """The records of a report, with the version that they speak of; the report keeps its bytes for them."""
    records = report.live or [record_of(data, origin) for data in report.records]
    names = frozenset((record.kind.value, record.name.lower()) for record in records)
    fetch = kept_in_memory((each.path, each.digest, each.content) for each in report.files)
    version = Version(origin.path, stem, tuple((each.path, each.digest) for each in report.files), names, fetch)
    for record in records:
        record.version = version
    executed = sys.modules.get(report.live[0].module) if report.live and report.files else None
    if executed is not None:
        forgotten_with(version, executed)
    return records


def record_data(record: Record) -> dict[str, Any]:
    """A record as plain data, without its origin, which the candidate has, and without who shadows whom."""
    return {
        "name": record.name,
        "state": record.state.value,
        "kind": record.kind.value,
        "label": record.label,
        "category": record.category,
        "parm_category": record.parm_category,
        "about": record.about,
        "node_type": record.node_type.name if record.node_type is not None else None,
        "static_gen": record.static_gen,
        "parms": [_parm_data(parm) for parm in record.parms],
        "callbacks": record.callbacks,
        "static": list(record.static),
        "problems": [{name: getattr(problem, name) for name in _PROBLEM_FIELDS} for problem in record.problems],
        "reason": record.reason,
        "aliases": list(record.aliases),
        "content_hash": record.content_hash,
        "import_ms": round(record.import_ms, 3),
        "line": record.line,
        "module": record.module,
    }


def record_of(data: dict[str, Any], origin: Origin) -> Record:
    """The record that ``record_data`` was given. Raises KeyError, TypeError or ValueError for other data."""
    takes, why = data["static"]
    return Record(
        data["name"],
        origin,
        State(data["state"]),
        Kind(data["kind"]),
        label=data["label"],
        category=data["category"],
        static=(takes, why),
        reason=data["reason"],
        aliases=tuple(data["aliases"]),
        line=data["line"],
        **_details(data),
    )


def fill_details(record: Record) -> None:
    """Decode the details of a record out of the index. Raises what ``record_of`` raises for other data."""
    import json

    try:
        details = _details(json.loads(record.raw))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # A disk may give back other bytes than it was given.
        damaged = Problem("index-damaged", "what the index kept of it cannot be read", record.origin.path)
        details = _details(dict(_NO_DETAILS)) | {"problems": [replace(damaged, hint="topcook index clear")]}
    for name, value in details.items():
        try:
            object.__getattribute__(record, name)
        except AttributeError:
            setattr(record, name, value)


#: What a record without any details has.
_NO_DETAILS: dict[str, Any] = {
    **dict.fromkeys(("parm_category", "about", "content_hash", "module"), ""),
    **dict.fromkeys(("parms", "problems"), ()),
    "node_type": None,
    "static_gen": False,
    "callbacks": {},
    "import_ms": 0.0,
}


def _details(data: dict[str, Any]) -> dict[str, Any]:
    node_type = data["node_type"]
    return {
        "parm_category": data["parm_category"],
        "about": data["about"],
        "node_type": NodeType[node_type] if node_type is not None else None,
        "static_gen": data["static_gen"],
        "parms": tuple(_parm_of(each) for each in data["parms"]),
        "callbacks": data["callbacks"],
        "problems": [Problem(**each) for each in data["problems"]],
        "content_hash": data["content_hash"],
        "import_ms": data["import_ms"],
        "module": data["module"],
    }


_PARM_FIELDS, _PROBLEM_FIELDS = names(ParmSpec), names(Problem)


def _parm_data(parm: ParmSpec) -> dict[str, Any]:
    data = {name: getattr(parm, name) for name in _PARM_FIELDS}
    return data | {"default": list(parm.default), "tags": sorted(parm.tags)}


def _parm_of(data: dict[str, Any]) -> ParmSpec:
    return ParmSpec(**data | {"default": tuple(data["default"]), "tags": frozenset(data["tags"])})
