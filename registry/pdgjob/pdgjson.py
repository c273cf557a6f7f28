"""A job's view of its work item: ``pdgjson.WorkItem.fromJobEnvironment()``.

Reads the item's data file (or asks the cook) and offers the attributes and files by the names of ``pdg.WorkItem``.
What is set is also reported to the cook, so that items downstream see it. A copy beside a script works like the one in
the package ``pdgjob``.
"""

import json
import os
import sys

if __name__ != "pdgjob.pdgjson":
    # As in pdgcmd.py: a copy in a job's script directory finds the package beside it.
    _here = os.path.dirname(os.path.abspath(__file__))
    if os.path.basename(_here) == "pdgjob":
        _here = os.path.dirname(_here)
    if _here not in sys.path:
        sys.path.insert(0, _here)
    import pdgjob

    _beside = os.path.join(_here, "pdgjob")
    if _beside not in pdgjob.__path__ and os.path.isdir(_beside):
        pdgjob.__path__.insert(0, _beside)

from pdgjob import _ask, _report
from pdgjob._attributes import AttribFlag, AttribType, Attributes
from pdgjob._files import File, Files, file_of
from pdgjob._paths import delocalizePath, fileStem, localizePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["AttribFlag", "AttribType", "File", "WorkItem", "delocalizePath", "localizePath"]

_NEWEST = 7
#: Since which version an item is found by its id.
_BY_ID = 3


class WorkItemDataError(Exception):
    """An item's data is missing or cannot be read; the text names the file and what to look at."""


class WorkItem(Attributes, Files):
    """One work item, read once; ``set…`` and ``add…`` change this copy and tell the cook."""

    def __init__(self, data: "dict[str, Any]", version: int = _NEWEST, parent: "WorkItem | None" = None) -> None:
        Attributes.__init__(self, data.get("attributes") or {})
        Files.__init__(self, data)
        self._data = data
        self.batchParent = parent
        self.id = int(data.get("id", -1))
        self.name = str(data.get("name") or (self.id if version >= _BY_ID else ""))
        self.batchItems = [WorkItem(part, version, self) for part in data.get("subItems", ())]

    @classmethod
    def fromJobEnvironment(cls) -> "WorkItem":
        """This job's own item, by PDG_ITEM_NAME; PDG_ITEM_DATA_SOURCE=1: by message instead of file."""
        batch = os.environ.get("PDG_BATCH_NAME", "")
        if batch:
            # A program that a batch runs for one of its sub-items.
            return cls._ofJob(batch, os.environ.get("PDG_BATCH_ID", "")).batchItems[int(os.environ["PDG_BATCH_INDEX"])]
        return cls._ofJob(os.environ.get("PDG_ITEM_NAME", ""), os.environ.get("PDG_ITEM_ID", ""))

    @classmethod
    def _ofJob(cls, name: str, key: str) -> "WorkItem":
        if os.environ.get("PDG_ITEM_DATA_SOURCE", "0") == "1":
            return cls.fromRPC(key or name)
        if not name:
            raise WorkItemDataError("this is no job of a cook: PDG_ITEM_NAME is not set")
        return cls.fromItemName(name)

    @classmethod
    def fromItemName(cls, name: str) -> "WorkItem":
        """The item of that name, from its file below PDG_TEMP (or the folder above PDG_SCRIPTDIR).

        This job's own comes by message where it has none (PDG_ITEM_DATA_SOURCE=1).
        """
        tried = []
        flat = fileStem(name)
        for folder in _data_folders():
            for end in (".json", ".json.gz"):
                path = os.path.join(folder, flat + end)
                if os.path.exists(path):
                    return cls.fromFile(path)
                tried.append(path)
        if os.environ.get("PDG_ITEM_DATA_SOURCE") == "1" and name == os.environ.get("PDG_ITEM_NAME"):
            return cls.fromRPC(os.environ.get("PDG_ITEM_ID") or name)
        raise WorkItemDataError(
            'work item "%s" has no data file; looked for %s'
            % (name, ", ".join(tried) or "nothing: PDG_TEMP is not set")
        )

    @classmethod
    def fromFile(cls, path: str) -> "WorkItem":
        """The item of a data file, ``.json`` or ``.json.gz``."""
        try:
            if path.endswith(".gz"):
                import gzip

                with gzip.open(path, "rb") as stream:
                    text = stream.read().decode("utf-8")
            else:
                with open(path, encoding="utf-8") as stream:
                    text = stream.read()
        except (OSError, EOFError, UnicodeDecodeError) as problem:
            raise WorkItemDataError('"%s" cannot be read: %s' % (path, problem)) from problem
        return cls.fromString(text, path)

    @classmethod
    def fromRPC(cls, workitem_id: "int | str", subindex: int = -1) -> "WorkItem":
        """The item as the cook has it now."""
        text = _ask.getWorkItemJSON(workitem_id, subindex)
        if text is None:
            raise WorkItemDataError("work item %s: there is no server to ask (PDG_RESULT_SERVER)" % workitem_id)
        return cls.fromString(text, "the result server")

    @classmethod
    def fromString(cls, text: str, source: str = "the given text") -> "WorkItem":
        """The item of a JSON text; ``source`` is what errors call it."""
        try:
            top = json.loads(text)
            version = int(top.get("version", _NEWEST))
            data = top["workitem"]
            if not isinstance(data, dict):
                raise TypeError("workitem is no object")
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise WorkItemDataError("%s holds no work item: %s" % (source, problem)) from problem
        if version > _NEWEST:
            raise WorkItemDataError("%s has version %d; this pdgjson reads up to %d" % (source, version, _NEWEST))
        return cls(data, version)

    def __repr__(self) -> str:
        return "<pdgjson.WorkItem %s id=%s>" % (self.name, self.id)

    # what Attributes and Files need to know

    def reportAddress(self) -> "tuple[int | str, int]":
        """Item and sub-index that reports go to."""
        parent = self.batchParent
        whole = self if parent is None else parent
        return whole.id if whole.id > 0 else whole.name, -1 if parent is None else self.batchIndex

    # what it is

    @property
    def label(self) -> str:
        """Its label."""
        return str(self._data.get("label", ""))

    @property
    def nodeName(self) -> str:
        """The node that made it."""
        return str(self._data.get("nodeName", ""))

    @property
    def schedulerName(self) -> str:
        """The scheduler that it was handed to."""
        return str(self._data.get("schedulerName", ""))

    @property
    def command(self) -> str:
        """Its command, tokens not expanded."""
        return str(self._data.get("command") or self.stringAttribValue("command") or "")

    @property
    def index(self) -> int:
        """Its index among its node's items."""
        return int(self._data.get("index", 0))

    @property
    def batchIndex(self) -> int:
        """Its place in its batch, -1 outside of one."""
        return int(self._data.get("batchIndex", -1))

    @property
    def priority(self) -> int:
        """Its priority."""
        return int(self._data.get("priority", 0))

    @property
    def frame(self) -> float:
        """Its frame, 0 without one."""
        return float(self._data.get("frame", 0.0))

    @property
    def frameStep(self) -> float:
        """The step between frames."""
        return float(self._data.get("frameStep", 1.0))

    @property
    def hasFrame(self) -> bool:
        """Whether it has a frame."""
        return bool(self._data.get("hasFrame", False))

    @property
    def isStatic(self) -> bool:
        """Whether it was known before the cook."""
        return bool(self._data.get("isStatic", False))

    @property
    def isInProcess(self) -> bool:
        """Whether it was meant to cook inside the cook's own process."""
        return bool(self._data.get("isInProcess", self._data.get("cookType") == 1))

    @property
    def isLateCommand(self) -> bool:
        """Whether its command still names inputs that were not known when this was written."""
        return bool(self._data.get("lateCommand", False))

    def exportedAttributes(self) -> "dict[str, str]":
        """The variables that its attributes export to a job."""
        return {
            name: " ".join(str(value["file"] if isinstance(value, dict) else value) for value in found["value"])
            for name, found in (self._data.get("attributes") or {}).items()
            if int(found.get("flag", 0)) & AttribFlag.EnvExport
        }

    @property
    def isBatch(self) -> bool:
        """Whether it has sub-items."""
        return bool(self.batchItems)

    @property
    def state(self) -> int:
        """``pdg.workItemState`` as its number, as it was when the data was written."""
        return int(self._data.get("state", 0))

    @property
    def type(self) -> int:
        """``pdg.workItemType`` as its number."""
        return int(self._data.get("type", 0))

    # what it tells

    def startSubItem(self, sub_item: "WorkItem", wait: bool = True) -> None:
        """A sub-item starts; first waits until it may, unless ``wait`` is off."""
        key, index = sub_item.reportAddress()
        if wait:
            _ask.waitUntilReady(key, index)
        _report.workItemStartCook(key, index)

    def succeedSubItem(self, sub_item: "WorkItem", duration: float = 0.0) -> None:
        """A sub-item has succeeded."""
        key, index = sub_item.reportAddress()
        _report.workItemSuccess(key, index, duration=duration)

    def setCustomState(self, state: str) -> None:
        """Show this text as its state."""
        key, index = self.reportAddress()
        _report.workItemSetCustomState(state, key, index)

    def setCookPercent(self, percent: float) -> None:
        """How much is done, from 0 to 1."""
        key, index = self.reportAddress()
        _report.workItemSetCookPercent(percent, key, index)

    def appendLog(self, text: str, log_type: int = 3) -> None:
        """A text for its log."""
        key, index = self.reportAddress()
        _report.workItemAppendLog(text, log_type, key, index)

    def addMessage(self, text: str) -> None:
        """A message for its log."""
        self.appendLog(text, 2)

    def addWarning(self, text: str) -> None:
        """A warning for its log."""
        self.appendLog(text, 1)

    def addError(self, text: str, fail_task: bool = False) -> None:
        """An error for its log; with ``fail_task`` it has failed."""
        self.appendLog(text, 0)
        if fail_task:
            _report.workItemFailed(self.reportAddress()[0])

    def invalidateCache(self) -> None:
        """What it had in the cache is worth nothing."""
        key, index = self.reportAddress()
        _report.invalidateCache(key, index)

    def localizePath(self, path: str) -> str:
        """A path as this machine knows it."""
        return localizePath(path)

    def addOutputFile(self, path: "Any", tag: str = "", hash_code: int = 0, own: bool = True) -> None:
        """It has made this file."""
        made = file_of(path, tag, hash_code, own)
        self._outputs.append(made)
        key, index = self.reportAddress()
        _report.addOutputFile(made.path, key, result_data_tag=made.tag, subindex=index, hash_code=made.hash)

    def addOutputFiles(self, paths: "Any", tag: str = "", hash_codes: "Any" = (), own: bool = True) -> None:
        """It has made these files."""
        hashes = list(hash_codes) or [0] * len(paths)
        self._outputs.extend(file_of(path, tag, code, own) for path, code in zip(paths, hashes))
        key, index = self.reportAddress()
        _report.addOutputFiles(
            [file_of(path).path for path in paths],
            key,
            output_file_tag=tag,
            subindex=index,
            hash_codes=list(hash_codes),
        )

    addResultData = addOutputFile


def _data_folders() -> "list[str]":
    roots = [os.environ.get("PDG_TEMP"), os.environ.get("PDG_SHARED_TEMP")]
    script_dir = os.environ.get("PDG_SCRIPTDIR")
    if script_dir:
        roots.append(os.path.dirname(script_dir.rstrip("/\\")))
    found = []  # type: list[str]
    for root in roots:
        if root:
            folder = os.path.join(localizePath(root), "data")
            if folder not in found:
                found.append(folder)
    return found
