"""The notifications of ``pdg.Scheduler``: how a scheduler tells what became of an item.

Each may be called from any thread, early, late or twice. Items are named by id (18.0 and later) or by name (17.5);
arguments come by position or under any name that PDG has used for them. What is unknown is dropped by the cook.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from topcook.contract.scheduler_link import SchedulerLink
from topcook.contract.workitem_files import made_file
from topcook.model.attributes import AttribType, attribute_of
from topcook.model.files import File
from topcook.model.notification import Kind, Notification

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Of an item's id that comes as text.
MOST_DIGITS = 18
#: Our name of an argument → the other names it is passed under.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "workitem_id": (
        "work_item_id",
        "item_id",
        "item_name",
        "workitem_name",
        "work_item_name",
        "name",
        "id",
        "item",
        "work_item",
        "workitem",
        "name_or_id",
    ),
    "index": ("subindex", "sub_index", "batch_index"),
    "cook_duration": ("duration",),
    "result": ("result_data", "path", "file", "result_data_list", "paths", "files", "outputs"),
    "tag": ("result_data_tag", "tags"),
    "checksum": ("hash", "hash_code", "hashes", "checksums", "hash_codes"),
    "attribute_name": ("attr_name", "attrib_name", "attr", "attribute"),
    "value": ("attr_value", "attrib_value", "attribute_value", "values"),
    "attrib_index": ("attr_index", "attribute_index"),
    "log_data": ("text", "message", "log"),
    "log_type": ("type",),
    "custom_state": ("state",),
    "cook_percent": ("percent",),
    "own": ("owned",),
    "jobid": ("job_id",),
}
_OURS = {spelling: ours for ours, spellings in SPELLINGS.items() for spelling in spellings}


def settle(method: str, given: dict[str, Any], spelled: dict[str, Any]) -> dict[str, Any]:
    """``given`` with each oddly spelled argument under our name; raises ``TypeError`` for a name nobody uses."""
    for spelling, value in spelled.items():
        ours = _OURS.get(spelling)
        if ours not in given:
            raise TypeError(f'{method}() got an unexpected argument "{spelling}"; it takes {", ".join(given)}')
        given[ours] = value
    if given.get("workitem_id") is None:
        raise TypeError(f"{method}() needs the work item's id or name as its first argument")
    return given


def item_key(method: str, item: Any) -> int | str:
    """An item's id or name as the cook looks it up; raises ``TypeError`` for anything else."""
    if type(item) is int:
        return item
    if isinstance(item, bytes):
        item = item.decode("utf-8", "replace")
    if isinstance(item, str):
        # An id that went through an environment variable or a farm's metadata comes back as text.
        # Python refuses to read numbers of thousands of digits, and no id has them.
        return int(item) if item.isdecimal() and len(item) <= MOST_DIGITS else item
    record = getattr(item, "record", None)
    if record is not None:
        return int(record.id)
    try:
        return operator.index(item)
    except TypeError:
        raise TypeError(f"{method}(): a work item is named by its id or its name, not by {item!r}") from None


class SchedulerNotifications(SchedulerLink):
    """``onWorkItem…``: each becomes one ``Notification`` for the cook."""

    def _topcook_notify(self, method: str, kind: Kind, item: Any, index: Any, payload: tuple[Any, ...] = ()) -> None:
        self._topcook.notify(Notification(kind, item_key(method, item), -1 if index is None else int(index), payload))

    def onWorkItemStartCook(self, workitem_id: Any = None, index: Any = -1, **spelled: Any) -> None:
        """The job of an item that was handed over has started."""
        if spelled:
            given = settle("onWorkItemStartCook", {"workitem_id": workitem_id, "index": index}, spelled)
            workitem_id, index = given["workitem_id"], given["index"]
        self._topcook_notify("onWorkItemStartCook", Kind.STARTED, workitem_id, index)

    def onWorkItemSucceeded(
        self, workitem_id: Any = None, index: Any = -1, cook_duration: Any = 0.0, **spelled: Any
    ) -> None:
        """The job has ended well, after ``cook_duration`` seconds (0 or less: the cook's own clock tells)."""
        if spelled:
            given = settle(
                "onWorkItemSucceeded",
                {"workitem_id": workitem_id, "index": index, "cook_duration": cook_duration},
                spelled,
            )
            workitem_id, index, cook_duration = given["workitem_id"], given["index"], given["cook_duration"]
        duration = float(cook_duration or 0.0)
        # Some farms' clocks run backwards, and one known scheduler subtracts the wrong way round.
        if not math.isfinite(duration) or duration < 0:
            duration = 0.0
        self._topcook_notify("onWorkItemSucceeded", Kind.SUCCEEDED, workitem_id, index, (duration,))

    def onWorkItemFailed(self, workitem_id: Any = None, index: Any = -1, **spelled: Any) -> None:
        """The job has failed."""
        given = settle("onWorkItemFailed", {"workitem_id": workitem_id, "index": index}, spelled)
        self._topcook_notify("onWorkItemFailed", Kind.FAILED, given["workitem_id"], given["index"])

    def onWorkItemCanceled(self, workitem_id: Any = None, index: Any = -1, **spelled: Any) -> None:
        """Somebody canceled the job."""
        given = settle("onWorkItemCanceled", {"workitem_id": workitem_id, "index": index}, spelled)
        self._topcook_notify("onWorkItemCanceled", Kind.CANCELED, given["workitem_id"], given["index"])

    # The 17.5 reference misnames one method; both spellings of the other are in use.
    onWorkItemStartSucceeded = onWorkItemSucceeded
    onWorkItemCancelled = onWorkItemCanceled

    def onWorkItemFileResult(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        result: Any = None,
        tag: Any = "",
        checksum: Any = 0,
        **spelled: Any,
    ) -> None:
        """The job made a file; an empty ``tag`` is read off its extension."""
        given = settle(
            "onWorkItemFileResult",
            {
                "workitem_id": workitem_id,
                "index": index,
                "result": result,
                "tag": tag,
                "checksum": checksum,
                "own": True,
            },
            spelled,
        )
        self._topcook_outputs("onWorkItemFileResult", given)

    def onWorkItemAddOutput(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        path: Any = None,
        tag: Any = "",
        hash: Any = 0,
        own: bool = True,
        **spelled: Any,
    ) -> None:
        """The job made a file: the newer name of ``onWorkItemFileResult``."""
        given = settle(
            "onWorkItemAddOutput",
            {"workitem_id": workitem_id, "index": index, "result": path, "tag": tag, "checksum": hash, "own": own},
            spelled,
        )
        self._topcook_outputs("onWorkItemAddOutput", given)

    def onWorkItemAddOutputs(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        paths: Any = (),
        tags: Any = "",
        hashes: Any = 0,
        own: bool = True,
        **spelled: Any,
    ) -> None:
        """The job made several files; ``tags`` and ``hashes`` are one for all, or one for each."""
        given = settle(
            "onWorkItemAddOutputs",
            {"workitem_id": workitem_id, "index": index, "result": paths, "tag": tags, "checksum": hashes, "own": own},
            spelled,
        )
        self._topcook_outputs("onWorkItemAddOutputs", given)

    def _topcook_outputs(self, method: str, given: dict[str, Any]) -> None:
        paths = _listed(given["result"])
        files = tuple(
            made_file(_text(path), tag, hash, given["own"])
            for path, tag, hash in zip(
                paths, _each(given["tag"], len(paths), ""), _each(given["checksum"], len(paths), 0), strict=True
            )
        )
        if files:
            self._topcook_notify(method, Kind.OUTPUTS, given["workitem_id"], given["index"], files)

    def onWorkItemSetAttribute(self, workitem_id: Any, *rest: Any) -> None:
        """Set all values of an attribute: ``(item, attribute, values)`` or ``(item, index, attribute, values)``."""
        if len(rest) not in (2, 3):
            raise TypeError(
                "onWorkItemSetAttribute() takes (item, attribute, values) or "
                f"(item, index, attribute, values), not {len(rest) + 1} arguments"
            )
        index, (name, values) = (-1, rest) if len(rest) == 2 else (rest[0], rest[1:])  # noqa: PLR2004
        made = attribute_of(list(_listed(values)))
        self._topcook_notify(
            "onWorkItemSetAttribute", Kind.ATTRIBUTE, workitem_id, index, (_text(name), made.type, made.values, None)
        )

    def onWorkItemSetIntAttrib(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        attribute_name: Any = None,
        value: Any = None,
        attrib_index: Any = 0,
        **spelled: Any,
    ) -> None:
        """Set an int component, or with a list all of them."""
        self._topcook_attribute(
            "onWorkItemSetIntAttrib", AttribType.Int, [workitem_id, index, attribute_name, value, attrib_index], spelled
        )

    def onWorkItemSetFloatAttrib(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        attribute_name: Any = None,
        value: Any = None,
        attrib_index: Any = 0,
        **spelled: Any,
    ) -> None:
        """Set a float component, or with a list all of them."""
        self._topcook_attribute(
            "onWorkItemSetFloatAttrib",
            AttribType.Float,
            [workitem_id, index, attribute_name, value, attrib_index],
            spelled,
        )

    def onWorkItemSetStringAttrib(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        attribute_name: Any = None,
        value: Any = None,
        attrib_index: Any = 0,
        **spelled: Any,
    ) -> None:
        """Set a string component, or with a list all of them."""
        self._topcook_attribute(
            "onWorkItemSetStringAttrib",
            AttribType.String,
            [workitem_id, index, attribute_name, value, attrib_index],
            spelled,
        )

    def onWorkItemSetFileAttrib(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        attribute_name: Any = None,
        value: Any = None,
        attrib_index: Any = 0,
        **spelled: Any,
    ) -> None:
        """Set a file component (a ``pdg.File``, a path, or ``(path, tag, hash, owned)``), or with a list all."""
        self._topcook_attribute(
            "onWorkItemSetFileAttrib",
            AttribType.File,
            [workitem_id, index, attribute_name, value, attrib_index],
            spelled,
        )

    def onWorkItemSetDictAttrib(
        self,
        workitem_id: Any = None,
        index: Any = -1,
        attribute_name: Any = None,
        value: Any = None,
        attrib_index: Any = 0,
        **spelled: Any,
    ) -> None:
        """Set a dict component, or with a list all of them."""
        self._topcook_attribute(
            "onWorkItemSetDictAttrib",
            AttribType.Dict,
            [workitem_id, index, attribute_name, value, attrib_index],
            spelled,
        )

    def onWorkItemSetPyObjectAttrib(
        self, workitem_id: Any = None, index: Any = -1, attribute_name: Any = None, value: Any = None, **spelled: Any
    ) -> None:
        """Set a Python object."""
        self._topcook_attribute(
            "onWorkItemSetPyObjectAttrib", AttribType.PyObject, [workitem_id, index, attribute_name, value, 0], spelled
        )

    def _topcook_attribute(self, method: str, kind: AttribType, given: list[Any], spelled: dict[str, Any]) -> None:
        names = ("workitem_id", "index", "attribute_name", "value", "attrib_index")
        said = settle(method, dict(zip(names, given, strict=True)), spelled)
        value, component = said["value"], said["attrib_index"]
        if kind is AttribType.File:
            is_array = isinstance(value, list)
            value = tuple(_file(part) for part in value) if is_array else _file(value)
        else:
            is_array = isinstance(value, list | tuple) and kind is not AttribType.PyObject
            value = tuple(value) if is_array else value
        self._topcook_notify(
            method,
            Kind.ATTRIBUTE,
            said["workitem_id"],
            said["index"],
            (_text(said["attribute_name"]), kind, value, None if is_array else int(component or 0)),
        )

    def onWorkItemAppendLog(
        self, workitem_id: Any = None, index: Any = -1, log_data: Any = "", log_type: Any = 3, **spelled: Any
    ) -> None:
        """Add to the item's log; ``log_type`` is a ``pdg.workItemLogType``."""
        said = settle(
            "onWorkItemAppendLog",
            {"workitem_id": workitem_id, "index": index, "log_data": log_data, "log_type": log_type},
            spelled,
        )
        self._topcook_notify(
            "onWorkItemAppendLog",
            Kind.LOG,
            said["workitem_id"],
            said["index"],
            (_text(said["log_data"]), int(said["log_type"])),
        )

    def onWorkItemSetCustomState(
        self, workitem_id: Any = None, index: Any = -1, custom_state: Any = "", **spelled: Any
    ) -> None:
        """Say what the farm calls the job's state."""
        said = settle(
            "onWorkItemSetCustomState",
            {"workitem_id": workitem_id, "index": index, "custom_state": custom_state},
            spelled,
        )
        self._topcook_notify(
            "onWorkItemSetCustomState",
            Kind.CUSTOM_STATE,
            said["workitem_id"],
            said["index"],
            (_text(said["custom_state"]),),
        )

    def onWorkItemSetCookPercent(
        self, workitem_id: Any = None, index: Any = -1, cook_percent: Any = 0.0, **spelled: Any
    ) -> None:
        """Say how much is done, 0 to 1."""
        said = settle(
            "onWorkItemSetCookPercent",
            {"workitem_id": workitem_id, "index": index, "cook_percent": cook_percent},
            spelled,
        )
        self._topcook_notify(
            "onWorkItemSetCookPercent",
            Kind.PERCENT,
            said["workitem_id"],
            said["index"],
            (min(max(float(said["cook_percent"]), 0.0), 1.0),),
        )

    def onWorkItemInvalidateCache(self, workitem_id: Any = None, index: Any = -1, **spelled: Any) -> None:
        """Say that the item's cached outputs are stale."""
        said = settle("onWorkItemInvalidateCache", {"workitem_id": workitem_id, "index": index}, spelled)
        self._topcook_notify("onWorkItemInvalidateCache", Kind.INVALIDATE_CACHE, said["workitem_id"], said["index"])


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str | bytes | File) or not isinstance(value, list | tuple | set | frozenset):
        return [value]
    return list(value)


def _each(value: Any, count: int, blank: Any) -> Iterable[Any]:
    values = _listed(value)
    return [*values, *[blank] * (count - len(values))][:count] if len(values) != 1 else values * count


def _text(value: Any) -> Any:
    """Bytes and xmlrpc's ``Binary`` as text; a ``File`` and text as they are."""
    data = getattr(value, "data", value)
    if isinstance(data, bytes):
        return data.decode("utf-8", "surrogateescape")
    return value if isinstance(value, File) else str(value)


def _file(value: Any) -> File:
    if isinstance(value, tuple):
        return made_file(_text(value[0]), *value[1:4])
    return made_file(_text(value))
