"""A work item's data as JSON: what a job reads through ``pdgjson``, from its data file or by message.

The top object is ``{version, graph, workitem}``, in PDG's version 7 with its key names. Files travel as objects with
PDG's names; Python objects as the text of their ``repr``, of which a job reads back literals.
"""

from __future__ import annotations

import contextlib
import json
import os
from threading import get_ident
from typing import TYPE_CHECKING, Any

from topcook.contract.expressions import expand, input_files
from topcook.contract.secrets import redacted
from topcook.errors import CookRefusedError
from topcook.model.attributes import AttribType
from topcook.model.enums import WorkItemCookType, WorkItemExecutionType
from topcook.model.filestem import file_stem
from topcook.model.states import SUCCESSFUL
from topcook.model.workitem import NO_BATCH, Trait, WorkItemType
from topcook.runtime.tokens import attempt_of

if TYPE_CHECKING:
    from topcook.contract.host import GraphServices
    from topcook.model.attributes import Attribute
    from topcook.model.files import File
    from topcook.model.workitem import WorkItem

#: The newest of PDG's versions of this format.
VERSION = 7

# Plain integers: a flag's own ``&`` is a Python function, and this is asked of every item.
_STATIC, _IN_PROCESS, _AUTOMATIC, _PARTITION, _LATE = (
    int(trait) for trait in (Trait.STATIC, Trait.IN_PROCESS, Trait.AUTOMATIC, Trait.PARTITION, Trait.LATE_COMMAND)
)


def serialize(item: WorkItem, graph: GraphServices, scheduler_name: str = "") -> dict[str, Any]:
    """The item's data as plain values; a batch carries its sub-items."""
    scheduler = scheduler_name or item.scheduler or graph.scheduler_name_for(item.node)
    parent = item.batch_parent
    data = _item(item, scheduler, NO_BATCH if parent is None or parent.batch is None else parent.batch.place(item))
    if parent is not None and int(item.traits) & _LATE and all(each.state in SUCCESSFUL for each in item.dependencies):
        # Only a sub-item gets to its job with its command unfinished: what it takes was not known at hand-over.
        data["command"] = expand(item.command, item, graph)
    if item.batch is not None:
        data["batchCount"] = len(item.batch.items)
        data["batchOffset"] = item.batch.offset
        data["batchStart"] = item.batch.items[0].index if item.batch.items else item.batch.offset
        data["activationMode"] = item.batch.activation
        data["subItems"] = [_item(sub, scheduler, place) for place, sub in enumerate(item.batch.items)]
    return {"version": VERSION, "graph": graph.name, "workitem": data}


def item_text(item: WorkItem, graph: GraphServices, scheduler_name: str = "") -> str:
    """The same as JSON text; NaN and infinity, which JSON lacks, are written as Python's json reads them."""
    return json.dumps(redacted(serialize(item, graph, scheduler_name)), separators=(",", ":"))


def write_item(
    item: WorkItem, graph: GraphServices, directory: str, *, scheduler_name: str = "", compress: bool = False
) -> str:
    """Write ``<directory>/<item name>.json`` (``.json.gz`` when compressed), whole or not at all; returns its path.

    Raises CookRefusedError with the reason when it cannot be written.
    """
    path = os.path.join(directory, file_stem(item.name) + (".json.gz" if compress else ".json"))
    data = item_text(item, graph, scheduler_name).encode()
    if compress:
        import gzip

        # Without a time in its head, the same data is the same file.
        data = gzip.compress(data, compresslevel=6, mtime=0)
    try:
        try:
            # The usual case has nobody who reads it yet: its job is started after this.
            _write_new(path, data)
        except FileExistsError:
            # The cook and a scheduler may both do so.
            part = f"{path}.{os.getpid()}.{get_ident()}.part"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
            _write_new(part, data)
            try:
                os.replace(part, path)
            except OSError:
                os.unlink(part)
                raise
    except OSError as error:
        raise CookRefusedError(
            f'the data file "{path}" of work item "{item.name}" cannot be written: {error.strerror or error}\n'
            f"    make room or mend the permissions of {directory}"
        ) from error
    return path


def _write_new(path: str, data: bytes) -> None:
    """Make a file, without the layers of ``open``: there is one for each item. What cannot be whole is removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def _item(item: WorkItem, scheduler: str, place: int) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "label": item.label,
        "index": item.index,
        "nodeName": item.node.name,
        "schedulerName": scheduler,
        "command": item.command,
        "lateCommand": bool(int(item.traits) & _LATE),
        "customDataType": "",
        "customData": "",
        "batchIndex": place,
        "frame": 0.0 if item.frame is None else item.frame,
        "frameStep": item.frame_step,
        "hasFrame": item.frame is not None,
        "isStatic": bool(int(item.traits) & _STATIC),
        "priority": item.priority,
        "state": int(item.state),
        "type": int(_type(item)),
        "executionType": int(WorkItemExecutionType.Regular),
        "cookType": _cook_type(item).value,
        "attempt": attempt_of(item),
        "attributes": {name: _attribute(found) for name, found in (item.attributes or {}).items()},
        "outputs": [_file(made) for made in item.outputs or ()],
        "expectedOutputs": [_file(made) for made in item.expected_outputs or ()],
        "inputs": [_file(made) for made in input_files(item)],
        "dependencies": [needed.id for needed in item.needs],
    }


def _cook_type(item: WorkItem) -> WorkItemCookType:
    traits = int(item.traits)
    if traits & _IN_PROCESS:
        return WorkItemCookType.InProcess
    return WorkItemCookType.Automatic if traits & _AUTOMATIC else WorkItemCookType.OutOfProcess


def _type(item: WorkItem) -> WorkItemType:
    if item.batch is not None:
        return WorkItemType.Batch
    traits = int(item.traits)
    if traits & _PARTITION:
        return WorkItemType.StaticPartition if traits & _STATIC else WorkItemType.DynamicPartition
    return WorkItemType.Regular


def _attribute(attribute: Attribute) -> dict[str, Any]:
    kind = attribute.type
    values: list[Any] = list(attribute.values)
    if kind is AttribType.File:
        values = [None if value is None else _file(value) for value in values]
    elif kind not in {AttribType.Int, AttribType.Float, AttribType.String}:
        values = [value if kind is AttribType.Dict and _is_plain(value) else repr(value) for value in values]
    return {"type": int(kind), "flag": int(attribute.flags), "value": values}


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(part) for key, part in value.items())
    if isinstance(value, list):
        return all(_is_plain(part) for part in value)
    return value is None or isinstance(value, str | int | float)


def _file(made: File) -> dict[str, Any]:
    return {"file": made.path, "tag": made.tag, "hash": made.hash, "own": made.own}
