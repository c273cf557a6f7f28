"""What a work item says about itself while it cooks, and what one may do to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.eventhandlers import EventHandlers
from topcook.contract.workitem_files import ItemFiles
from topcook.errors import CookRefusedError
from topcook.model.enums import WorkItemLogType

if TYPE_CHECKING:
    from topcook.contract.host import GraphServices


class ItemLog(ItemFiles, EventHandlers):
    """Messages, progress and the few commands of ``pdg.WorkItem``."""

    __slots__ = ()

    def _scheduler(self) -> Any:
        name = self.record.scheduler or self.services.scheduler_name_for(self.record.node)
        found = self.services.scheduler_object(name)
        if found is None:
            raise CookRefusedError(
                f'work item "{self.record.name}" has no scheduler yet\n    this is known once the cook has started'
            )
        return found

    @property
    def logMessages(self) -> str:
        """What was said so far, one message per line."""
        return "\n".join(self.record.run.messages) if self.record.run else ""

    @property
    def logURI(self) -> str:
        """Where its job's log is, empty while unknown."""
        return self.record.run.log_uri if self.record.run else ""

    @property
    def statusURI(self) -> str:
        """Where its job's status page is, empty while unknown."""
        return self.record.run.status_uri if self.record.run else ""

    @property
    def tempDir(self) -> str:
        """The temp directory of its scheduler, on this machine."""
        return str(self._scheduler().tempDir(True))

    @property
    def workingDir(self) -> str:
        """The working directory of its scheduler, on this machine."""
        return str(self._scheduler().workingDir(True))

    @property
    def scriptDir(self) -> str:
        """The script directory of its scheduler, on this machine."""
        return str(self._scheduler().scriptDir(True))

    def _topcook_events(self) -> tuple[GraphServices, object]:
        return self.services, self.record.id

    def addLog(self, type: Any, text: str) -> None:
        """Keep a message of a ``pdg.workItemLogType``."""
        kind = WorkItemLogType(int(type))
        prefix = "" if kind in (WorkItemLogType.Message, WorkItemLogType.Raw) else f"{kind.name.lower()}: "
        self.record.ran().messages.append(f"{prefix}{text}")

    def addMessage(self, message: str, timestamp: bool = True) -> None:
        """Keep a message."""
        self.addLog(WorkItemLogType.Message, message)

    def addWarning(self, message: str, timestamp: bool = True) -> None:
        """Keep a warning."""
        self.addLog(WorkItemLogType.Warning, message)

    def addError(self, message: str, fail_task: bool = False, timestamp: bool = True) -> None:
        """Keep an error; with ``fail_task`` the item fails."""
        self.addLog(WorkItemLogType.Error, message)
        if fail_task:
            self._scheduler().onWorkItemFailed(self.record.id, -1)

    def cookWarning(self, message: str) -> None:
        """Keep a warning."""
        self.addWarning(message)

    @property
    def customState(self) -> str:
        """What its scheduler calls its state."""
        return self.record.run.custom_state if self.record.run else ""

    def setCustomState(self, state: str) -> None:
        """Set what its scheduler calls its state."""
        self.record.ran().custom_state = str(state)

    @property
    def cookPercent(self) -> float:
        """How much is done, 0 to 1; -1 while nobody said."""
        return self.record.run.percent if self.record.run else -1.0

    def setCookPercent(self, percent: float) -> None:
        """Say how much is done, 0 to 1."""
        self.record.ran().percent = min(max(float(percent), 0.0), 1.0)

    def cancel(self) -> None:
        """Cancel it, as a person would."""
        self._scheduler().onWorkItemCanceled(self.record.id, -1)

    def invalidateCache(self) -> None:
        """Say that its cached outputs are stale."""
        self._scheduler().onWorkItemInvalidateCache(self.record.id, -1)

    def localizePath(self, path: str) -> str:
        """A path as this machine sees it."""
        return str(self._scheduler().localizePath(path))

    def transferFiles(self, *args: Any, **kwargs: Any) -> bool:
        """Send its input files through its scheduler's ``transferFile``; whether all went."""
        scheduler = self._scheduler()
        return False not in [bool(scheduler.transferFile(made.path)) for made in self.inputFiles]

    def saveJSONString(self, *args: Any) -> str:
        """Its data as the JSON text a job reads."""
        return str(self.services.context_object().serializeWorkItemJSON(self.record.id))

    def saveJSONFile(self, path: str, *args: Any) -> bool:
        """Write its data as JSON; whether it was written."""
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(self.saveJSONString())
        return True

    serializeData = saveJSONString
    serializeDataToFile = saveJSONFile

    @staticmethod
    def loadJSONString(*args: Any) -> None:
        """Raises: outside of a job an item belongs to a graph."""
        raise NotImplementedError(
            "WorkItem.loadJSONString makes an item without a graph; in a job use pdgjson.WorkItem.fromString"
        )

    loadJSONFile = loadJSONString

    def geometryAttribValue(self, *args: Any) -> None:
        """Raises: geometry is Houdini's."""
        raise NotImplementedError("geometry attributes hold Houdini geometry; pass the path of a file instead")

    setGeometryAttrib = geometryAttribValue

    def makeActive(self) -> None:
        """Raises: a selected item exists in Houdini's panes only."""
        raise NotImplementedError("WorkItem.makeActive selects an item in Houdini's panes; there are none here")

    def dirty(self, *args: Any, **kwargs: Any) -> None:
        """Raises: nothing is cooked in place here."""
        raise NotImplementedError("WorkItem.dirty takes back a cook inside a Houdini session; start the cook again")
