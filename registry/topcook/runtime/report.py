"""The report of a cook: JSON as ``model/schemas/report.schema.json`` says, written item by item."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, TextIO

from topcook.contract.secrets import redacted
from topcook.errors import CookRefusedError
from topcook.model.attributes import AttribType, Attribute
from topcook.model.files import File
from topcook.runtime.summary import blockers, counts, end_state

if TYPE_CHECKING:
    from topcook.model.workitem import Attempt, Run, WorkItem
    from topcook.runtime.cook import Cook

VERSION = 1

#: How deep values may be nested; what lies deeper is only said to be there.
DEEPEST = 100
#: Python refuses to write whole numbers of some thousand digits in decimals.
_MOST_BITS = 4096


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - an author's __repr__ may raise anything, and must not cost the report
        return f"<{type(value).__name__}>"


# Author code puts anything anywhere.
_encode_plain = json.JSONEncoder(allow_nan=False, default=_shown).encode


def _encode(value: Any) -> str:
    return _encode_plain(redacted(value))


def check_report_path(path: str) -> None:
    """Refuse, before a cook, a path that its report could not be written to; raises ``CookRefusedError``."""
    folder = os.path.dirname(os.path.abspath(path))
    reason = ""
    if os.path.isdir(path):
        reason = "it is a directory"
    elif not os.path.isdir(folder):
        reason = f'there is no directory "{folder}"'
    elif not os.access(folder, os.W_OK | os.X_OK):
        reason = f'the directory "{folder}" may not be written to'
    if reason:
        raise CookRefusedError(
            f'the report cannot be written to "{path}": {reason}\n    name another file: --report FILE'
        )


def write_report(cook: Cook, path: str, *, interrupted: bool = False) -> None:
    """Write the report of a cook that has ended; the file is there whole or not at all. Raises ``OSError``."""
    write_parts(report_parts(cook, interrupted=interrupted), path)


def write_parts(parts: Iterable[str], path: str) -> None:
    """Write a report's text; the file is there whole or not at all. Raises ``OSError``."""
    with _whole_file(path) as stream:
        stream.writelines(parts)


def print_report(cook: Cook, stream: TextIO, *, interrupted: bool = False) -> None:
    """Write the report to a stream."""
    stream.writelines(report_parts(cook, interrupted=interrupted))
    stream.flush()


def report_parts(cook: Cook, *, interrupted: bool = False) -> Iterator[str]:
    """The text of the report in pieces, an item a piece, so that a million items need no room at once."""
    head = {
        "version": VERSION,
        "network": cook.graph.network.name,
        "state": end_state(cook, interrupted=interrupted),
        "started": cook.started,
        "finished": cook.finished,
        "counts": {state.name: number for state, number in counts(cook).items()},
        # A callback that raises for every item says the same every time.
        "messages": list(dict.fromkeys(f"{each.level}: {each.source}: {each.text}" for each in cook.messages)),
        "schedulers": scheduler_records(cook),
        "types": cook.used.rows(),
    }
    yield from parts_of(head, list(cook.state.all_items()))


def parts_of(head: dict[str, Any], items: Sequence[WorkItem]) -> Iterator[str]:
    """The text of a report with this head on these items, in pieces."""
    yield _encode(head)[:-1] + ', "items": ['
    held_by = blockers(items)
    before = "\n"
    for item in items:
        yield before + _encode(item_record(item, held_by.get(item.id, ())))
        before = ",\n"
    yield "\n]}\n"


def item_record(item: WorkItem, blocked_by: tuple[int, ...] = ()) -> dict[str, Any]:
    """One item of the report; what is not known is null."""
    run = item.run
    return {
        "id": item.id,
        "name": item.name,
        "label": item.label,
        "index": item.index,
        "frame": _number(item.frame),
        "node": item.node.name,
        "scheduler": item.scheduler or None,
        "state": item.state.name,
        "attempts": item.attempt,
        "queued": run.queued if run else None,
        "started": run.started if run else None,
        "finished": run.finished if run else None,
        "duration": _duration(run) if run else None,
        "exit_status": run.exit_status if run else None,
        "outputs": [{"path": file.path, "tag": file.tag, "checksum": file.hash} for file in item.outputs or ()],
        "attributes": {name: _attribute(attribute) for name, attribute in (item.attributes or {}).items()},
        "log_uri": (run.log_uri or None) if run else None,
        "status_uri": (run.status_uri or None) if run else None,
        "dependencies": list(dict.fromkeys(dependency.id for dependency in item.needs)),
        "batch": item.batch_parent.id if item.batch_parent is not None else None,
        "blocked_by": list(blocked_by),
        "messages": list(run.messages) if run else [],
        "earlier_attempts": [_attempt(each) for each in run.attempts or ()] if run else [],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt": attempt.number,
        "scheduler": attempt.scheduler or None,
        "queued": attempt.queued,
        "started": attempt.started,
        "finished": attempt.finished,
        "duration": attempt.duration,
        "exit_status": attempt.exit_status,
        "messages": list(attempt.messages),
    }


def _duration(run: Run) -> float | None:
    if run.duration is not None:
        return run.duration
    if run.started is None or run.finished is None:
        return None
    return max(0.0, run.finished - run.started)


def scheduler_records(cook: Cook) -> dict[str, Any]:
    """The schedulers of a cook as the report has them."""
    return {name: _scheduler(cook, name) for name in cook.state.schedulers}


def _scheduler(cook: Cook, name: str) -> dict[str, Any]:
    node = cook.graph.network.schedulers[name]
    record = cook.graph.host(name).record
    origin = record.origin
    named = f"{origin.distribution} {origin.version}" if origin.distribution else ""
    return {
        "type": node.type_name,
        "origin": named or origin.path,
        "version": record.content_hash,
        "static": cook.state.schedulers[name].takes_static,
        "errors": list(dict.fromkeys(node.errors)),
        "warnings": list(dict.fromkeys(node.warnings)),
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    return {"type": AttribType(attribute.type).name.lower(), "value": [_plain(value) for value in attribute.values]}


def _plain(value: object, depth: int = 0) -> Any:
    """A value as JSON has it: files by their path, numbers that JSON lacks as null, objects by their text."""
    match value:
        case None | str():
            return value
        case int():
            return value if value.bit_length() <= _MOST_BITS else hex(value)
        case float():
            return _number(value)
        case File():
            return value.path
        case list() | tuple() | Mapping() if depth == DEEPEST:
            return "…"
        case list() | tuple():
            return [_plain(each, depth + 1) for each in value]
        case Mapping():
            return {str(key): _plain(each, depth + 1) for key, each in value.items()}
    return _shown(value)


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


@contextmanager
def _whole_file(path: str) -> Iterator[IO[str]]:
    """A file that takes its name only once all of it is on the disk; pipes and devices are written directly."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        with open(path, "w", encoding="utf-8") as stream:
            yield stream
        return
    draft = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}.tmp")
    try:
        with open(draft, "w", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except BaseException:
        # Whatever ended the writing, a half of it must not stay behind.
        with suppress(OSError):
            os.unlink(draft)
        raise
