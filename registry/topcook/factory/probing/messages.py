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
from topcook.factory.wire import FileRead, ProbeReport

__all__ = ["candidate_data", "candidate_of", "packed", "read_message", "report_data", "report_of", "write_message"]

#: More than that is no report but a worker gone mad.
LONGEST = 256 * 1024 * 1024


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
    """The next message; None at the end, or when what comes is none."""
    length = int.from_bytes(_exactly(descriptor, 4) or b"", "big")
    if not 0 < length <= LONGEST:
        return None
    text = _exactly(descriptor, length)
    if text is None:
        return None
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


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
    """The report again. Raises KeyError, TypeError or ValueError for other data."""
    files = [FileRead(path, digest, a2b_base64(content)) for path, digest, content in data["files"]]
    records = data["records"]
    if not (isinstance(records, list) and records and all(isinstance(each, dict) for each in records)):
        raise ValueError("a report without records")
    return ProbeReport(records, files, tuple(data["missing"]), bool(data["transient"]))
