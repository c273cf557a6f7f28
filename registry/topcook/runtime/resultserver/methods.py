"""The methods that a job may call, as one table: name, arguments in order, and what each becomes.

The wire knows three kinds. A *report* becomes notifications and is answered when they are recorded; a *query* is
answered with a value; an *event* is passed on and answered at once.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from topcook.lean import dataclass
from topcook.model.attributes import AttribType, attribute_of
from topcook.model.files import File
from topcook.model.notification import Kind, Notification
from topcook.runtime.resultserver.arguments import (
    ATTRIBUTE_READERS,
    BadArgumentError,
    list_of,
    read_dict,
    read_float,
    read_int,
    read_item,
    read_job_id,
    read_list,
    read_log_type,
    read_name,
    read_path,
    read_percent,
    read_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Said = dict[str, Any]


class Sort(Enum):
    """What is done with a call."""

    REPORT = "report"
    QUERY = "query"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Method:
    """One row: the sort, the names of the arguments in order, and for a report what it becomes."""

    sort: Sort
    arguments: tuple[str, ...]
    build: Callable[[Said], list[Notification]] | None = None
    type: AttribType | None = None

    def read(self, given: Sequence[object]) -> Said:
        """The arguments by name; raises BadArgumentError when they do not fit."""
        if len(given) > len(self.arguments):
            raise BadArgumentError(f"takes {len(self.arguments)} arguments, got {len(given)}")
        said: Said = {}
        for name, value in zip(self.arguments, given, strict=False):
            try:
                said[name] = self._reader(name)(value)
            except BadArgumentError as problem:
                raise BadArgumentError(f'argument "{name}": {problem}') from None
        for name in self.arguments[len(given) :]:
            if name not in DEFAULTS:
                raise BadArgumentError(f'argument "{name}" is missing; the arguments are {", ".join(self.arguments)}')
            said[name] = DEFAULTS[name]
        if self.type is not None:
            said["type"] = self.type
        return said

    def _reader(self, name: str) -> Callable[[object], Any]:
        if self.type is not None and name == "value":
            return ATTRIBUTE_READERS[self.type]
        if self.type is not None and name == "values":
            return list_of(ATTRIBUTE_READERS[self.type])
        return READERS[name]


#: How each argument is read. "value" and "values" of a typed attribute are read by the attribute's type.
READERS: dict[str, Callable[[object], Any]] = {
    "item": read_item,
    "sub": read_int,
    "job": read_job_id,
    "duration": read_float,
    "path": read_path,
    "tag": read_text,
    "hash": read_int,
    "paths": list_of(read_path),
    "tags": list_of(read_text),
    "hashes": list_of(read_int),
    "attribute": read_name,
    "values": read_list,
    "component": read_int,
    "text": read_text,
    "log_type": read_log_type,
    "percent": read_percent,
    "server": read_dict,
    "name": read_name,
    "end": read_text,
    "status": read_int,
    "reason": read_text,
}

#: What may be left out at the end of the arguments: older clients and scripts written by hand do.
DEFAULTS: Said = {"job": "", "log_type": 3}


#: How a job ends, in the job wrapper's words.
ENDS = {"succeeded": Kind.SUCCEEDED, "failed": Kind.FAILED, "canceled": Kind.CANCELED}


def _note(said: Said, kind: Kind, *payload: object) -> Notification:
    return Notification(kind, said["item"], said.get("sub", -1), payload, job_id=said["job"])


def _started(said: Said) -> list[Notification]:
    return [_note(said, Kind.STARTED)]


def _succeeded(said: Said) -> list[Notification]:
    return [_note(said, Kind.SUCCEEDED, said["duration"])]


def _failed(said: Said) -> list[Notification]:
    return [_note(said, Kind.FAILED)]


def _canceled(said: Said) -> list[Notification]:
    return [_note(said, Kind.CANCELED)]


def _ended(said: Said) -> list[Notification]:
    kind = ENDS.get(said["end"])
    if kind is None:
        raise BadArgumentError(f'argument "end": expected {" or ".join(ENDS)}, got {said["end"][:60]!r}')
    payload = (said["duration"],) if kind is Kind.SUCCEEDED else ()
    about = {"job_id": said["job"], "exit_status": said["status"], "reason": said["reason"]}
    return [Notification(kind, said["item"], payload=payload, **about)]


def _output(said: Said) -> list[Notification]:
    return [_note(said, Kind.OUTPUTS, File(said["path"], said["tag"], said["hash"]))]


def _output_and_success(said: Said) -> list[Notification]:
    return _output(said) + _succeeded(said)


def _outputs(said: Said) -> list[Notification]:
    paths, tags, hashes = said["paths"], said["tags"], said["hashes"]
    for name, found in (("tags", tags), ("hashes", hashes)):
        if len(found) not in {0, 1, len(paths)}:
            raise BadArgumentError(f'argument "{name}": {len(found)} for {len(paths)} paths')
    tags = tags * len(paths) if len(tags) == 1 else tags or [""] * len(paths)
    hashes = hashes * len(paths) if len(hashes) == 1 else hashes or [0] * len(paths)
    files = [File(*parts) for parts in zip(paths, tags, hashes, strict=True)]
    return [_note(said, Kind.OUTPUTS, *files)] if files else []


def _component(said: Said) -> list[Notification]:
    if said["component"] not in range(1 << 20):
        raise BadArgumentError(f'argument "component": {said["component"]} is no index of an array')
    return [_note(said, Kind.ATTRIBUTE, said["attribute"], said["type"], said["value"], said["component"])]


def _array(said: Said) -> list[Notification]:
    return [_note(said, Kind.ATTRIBUTE, said["attribute"], said["type"], said["values"], None)]


def _object(said: Said) -> list[Notification]:
    return [_note(said, Kind.ATTRIBUTE, said["attribute"], said["type"], said["value"], 0)]


def _untyped(said: Said) -> list[Notification]:
    guessed = attribute_of(said["values"])
    read = ATTRIBUTE_READERS.get(guessed.type)
    if read is None or guessed.type is AttribType.PyObject:
        raise BadArgumentError('argument "values": expected numbers or texts, all of one kind')
    values = [read(value) for value in guessed.values]
    return [_note(said, Kind.ATTRIBUTE, said["attribute"], guessed.type, values, None)]


def _invalid(said: Said) -> list[Notification]:
    return [_note(said, Kind.INVALIDATE_CACHE)]


def _log(said: Said) -> list[Notification]:
    return [_note(said, Kind.LOG, said["text"], said["log_type"])]


def _custom_state(said: Said) -> list[Notification]:
    return [_note(said, Kind.CUSTOM_STATE, said["text"])]


def _percent(said: Said) -> list[Notification]:
    return [_note(said, Kind.PERCENT, said["percent"])]


def _report(arguments: str, build: Callable[[Said], list[Notification]], of: AttribType | None = None) -> Method:
    return Method(Sort.REPORT, tuple(arguments.split()), build, of)


def _query(arguments: str) -> Method:
    return Method(Sort.QUERY, tuple(arguments.split()))


def _event(arguments: str) -> Method:
    return Method(Sort.EVENT, tuple(arguments.split()))


METHODS: dict[str, Method] = {
    "start_cook": _report("item job", _started),
    "start_cook_batch": _report("item sub job", _started),
    "success": _report("item duration job", _succeeded),
    "success_batch": _report("item sub duration job", _succeeded),
    "failed": _report("item job", _failed),
    "cancelled": _report("item job", _canceled),
    # Topcook's own: the job wrapper tells all that is known of an end.
    "ended": _report("item end status duration reason job", _ended),
    "result": _report("item path tag hash job", _output),
    "result_batch": _report("item path tag sub hash job", _output),
    "success_and_result": _report("item path tag hash duration job", _output_and_success),
    "success_and_result_batch": _report("item path tag sub hash duration job", _output_and_success),
    "result_array": _report("item paths tags hashes job", _outputs),
    "result_array_batch": _report("item sub paths tags hashes job", _outputs),
    "write_attr": _report("item attribute values job", _untyped),
    "set_string_attrib": _report("item sub attribute value component job", _component, AttribType.String),
    "set_int_attrib": _report("item sub attribute value component job", _component, AttribType.Int),
    "set_float_attrib": _report("item sub attribute value component job", _component, AttribType.Float),
    "set_file_attrib": _report("item sub attribute value component job", _component, AttribType.File),
    "set_dict_attrib": _report("item sub attribute value component job", _component, AttribType.Dict),
    "set_string_attrib_array": _report("item sub attribute values job", _array, AttribType.String),
    "set_int_attrib_array": _report("item sub attribute values job", _array, AttribType.Int),
    "set_float_attrib_array": _report("item sub attribute values job", _array, AttribType.Float),
    "set_file_attrib_array": _report("item sub attribute values job", _array, AttribType.File),
    "set_dict_attrib_array": _report("item sub attribute values job", _array, AttribType.Dict),
    "set_pyobject_attrib": _report("item sub attribute value job", _object, AttribType.PyObject),
    "invalidate_cache": _report("item sub job", _invalid),
    "append_log": _report("item sub text log_type job", _log),
    "set_custom_state": _report("item sub text job", _custom_state),
    "set_cook_percent": _report("item sub percent job", _percent),
    "warning": _event("item text job"),
    "keepalive": _event("item job"),
    "sharedserver_started": _event("server job"),
    "release_job_slots": _event("item job"),
    "acquire_job_slots": _event("item job"),
    "check_ready_batch": _query("item sub"),
    "add_sub_item_batch": _query("item"),
    "get_workitem_json": _query("item sub"),
    "getSharedServerInfo": _query("name"),
}
