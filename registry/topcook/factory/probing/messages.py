"""What the host and a probe worker say to each other: JSON, each message behind its length.

Only JSON's own types, so that a worker that went mad can make the host read nonsense, but execute nothing.
"""

from __future__ import annotations

import json
import os
from binascii import a2b_base64, b2a_base64
from typing import Any

from topcook.factory.records import Origin, Tier
from topcook.factory.sources import Candidate
from topcook.factory.trust import Trust
from topcook.factory.wire import FileRead, ProbeReport, record_of

__all__ = [
    "candidate_data",
    "candidate_of",
    "hold_to_wire",
    "packed",
    "read_message",
    "report_data",
    "report_of",
    "write_message",
]

#: More than that is no report but a worker gone mad.
LONGEST = 256 * 1024 * 1024
_NOBODY = Origin(Tier.PATH, "")
#: What a record, a problem and a parm are made of, as far as making them of it does not tell; None is an absent one.
_TEXT, _NUMBER = (str,), (int, type(None))
_RECORD: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "label", "category", "parm_category", "about", "reason", "content_hash", "module"), _TEXT),
    **dict.fromkeys(("parms", "problems", "static", "aliases"), (list,)),
    "callbacks": (dict,),
    "static_gen": (bool,),
    "import_ms": (int, float),
    "line": _NUMBER,
}
_PROBLEM: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("code", "message"), _TEXT),
    **dict.fromkeys(("path", "hint"), (str, type(None))),
    **dict.fromkeys(("line", "column", "end_column"), _NUMBER),
}
_PARM: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "type", "label", "help"), _TEXT),
    **dict.fromkeys(("secret", "declared"), (bool,)),
    "size": (int,),
}
#: Lines and columns beyond that are none.
_FARTHEST = 1 << 31


def packed(message: dict[str, Any]) -> bytes:
    """A message as bytes. Raises what JSON raises for values that are not its own."""
    # ASCII: names of files may hold bytes that are no text, which only escapes carry across.
    text = json.dumps(message, separators=(",", ":")).encode("ascii")
    return len(text).to_bytes(4, "big") + text


def write_message(descriptor: int, data: bytes) -> None:
    """Write all of a packed message. Raises OSError when nobody reads any more."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_message(descriptor: int) -> dict[str, Any] | None:
    """The next message; None at the end, an empty one when what comes is none."""
    head = _exactly(descriptor, 4)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    if not 0 < length <= LONGEST:
        return {}
    text = _exactly(descriptor, length)
    if text is None:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        return {}
    return message if isinstance(message, dict) else {}


def _exactly(descriptor: int, count: int) -> bytes | None:
    parts = []
    while count:
        try:
            part = os.read(descriptor, count)
        except OSError:
            return None
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def candidate_data(candidate: Candidate) -> dict[str, Any]:
    """What a worker needs to know of a candidate."""
    origin = candidate.origin
    return {
        "tier": origin.tier.value,
        "origin": [origin.path, origin.root, origin.distribution, origin.version],
        "path": candidate.path,
        "stem": candidate.stem,
        "is_package": candidate.is_package,
        "skipped": candidate.skipped,
        "trust": candidate.trust.data() if candidate.trust is not None else None,
    }


def candidate_of(data: dict[str, Any]) -> Candidate:
    """The candidate again; of an entry point its path says what to import."""
    origin = Origin(Tier(data["tier"]), *data["origin"])
    trust = Trust.of_data(data["trust"]) if data["trust"] is not None else None
    return Candidate(origin, data["path"], data["stem"], data["is_package"], skipped=data["skipped"], trust=trust)


def report_data(report: ProbeReport) -> dict[str, Any]:
    """A report as plain data."""
    return {
        "records": report.records,
        "files": [
            [each.path, each.digest, b2a_base64(each.content, newline=False).decode("ascii")] for each in report.files
        ],
        "missing": list(report.missing),
        "transient": report.transient,
    }


def report_of(data: dict[str, Any]) -> ProbeReport:
    """The report again. Raises KeyError, TypeError, AttributeError or ValueError for other data.

    Whoever takes it need not look at it again: a worker gone mad is found out here, and nowhere later.
    """
    files = [FileRead(path, digest, a2b_base64(content)) for path, digest, content in data["files"]]
    records, missing = data["records"], data["missing"]
    hold_to_wire(records)
    for record in records:
        record_of(record, _NOBODY)
    _hold_to_text([*missing, *(each.path for each in files), *(each.digest for each in files)])
    return ProbeReport(records, files, tuple(missing), bool(data["transient"]))


def hold_to_wire(records: list[dict[str, Any]]) -> None:
    """Raise TypeError, KeyError or ValueError unless records are what ``wire.record_data`` promises."""
    if not (isinstance(records, list) and records):
        raise ValueError("a report without records")
    for record in records:
        _hold_to(record, _RECORD)
        for problem in record["problems"]:
            _hold_to(problem, _PROBLEM)
        for parm in record["parms"]:
            _hold_to(parm, _PARM)
            _hold_to_text(parm["tags"])
        _hold_to_text([*record["aliases"], *record["callbacks"].values(), record["static"][1]])


def _hold_to(data: dict[str, Any], types: dict[str, tuple[type, ...]]) -> None:
    for name, allowed in types.items():
        value = data[name]
        # By its type: an author's text may be of a class of his own, which isinstance would ask.
        if not issubclass(type(value), allowed):
            raise TypeError(f"{name} is of type {type(value).__name__}")
        if allowed is _NUMBER and value is not None and not 0 <= value < _FARTHEST:
            raise ValueError(f"{name} is {value}")


def _hold_to_text(values: list[Any]) -> None:
    if not all(issubclass(type(each), str) for each in values):
        raise TypeError("what is to be text is none")
