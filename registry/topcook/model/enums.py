"""PDG's enumerations: their members, and the integers where PDG publishes them.

The classes carry Python's spelling; the `pdg` façade exports them under PDG's (``ScheduleResult`` is
``pdg.scheduleResult``). Those that live beside the noun they describe are gathered here, so that this is
the one place to look.

An enumeration whose integers users see (states, types, events, flags) is an ``IntEnum``. The others
compare only with themselves and are always true, as PDG's do: ``CookCanceled`` must not be mistaken
for ``False``, nor ``CookFailed`` for ``True``.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from topcook.model.attributes import AttribFlag, AttribType
from topcook.model.node import NodeType
from topcook.model.states import WorkItemState
from topcook.model.workitem import WorkItemType

__all__ = [
    "AcceptResult",
    "AttribFlag",
    "AttribType",
    "BatchActivation",
    "CacheMode",
    "CloneMode",
    "CookType",
    "DataType",
    "DirtyHandlerType",
    "EventType",
    "GenerateWhen",
    "GenerationType",
    "Language",
    "NodeSubtype",
    "NodeType",
    "PathMapMatchType",
    "Platform",
    "PortType",
    "RegisteredType",
    "Result",
    "ScheduleResult",
    "ServiceOwner",
    "ServiceState",
    "TickResult",
    "WorkItemCacheState",
    "WorkItemCookType",
    "WorkItemDataSource",
    "WorkItemExecutionType",
    "WorkItemLogType",
    "WorkItemStatType",
    "WorkItemState",
    "WorkItemType",
]


class PdgEnum(Enum):
    """An enumeration that turns into an integer when asked, and equals none."""

    def __int__(self) -> int:
        """The member's number."""
        return int(self.value)

    def __index__(self) -> int:
        """The member's number."""
        return int(self.value)


class ScheduleResult(PdgEnum):
    """``pdg.scheduleResult``: what became of a hand-over. The ``Cook…`` ones end the item at once."""

    CookCanceled = 0
    CookFailed = 1
    CookSucceeded = 2
    Failed = 3
    Succeeded = 4
    Deferred = 5
    FullDeferred = 6


class TickResult(PdgEnum):
    """``pdg.tickResult``: whether the scheduler takes work now, or wants the cook to end."""

    SchedulerReady = 0
    SchedulerBusy = 1
    SchedulerCancelCook = 2


class AcceptResult(PdgEnum):
    """``pdg.acceptResult``: whether a scheduler wants a work item."""

    Accept = 0
    Reject = 1
    Default = 2


class WorkItemExecutionType(IntEnum):
    """``pdg.workItemExecutionType``."""

    Regular = 0
    LongRunning = 1
    Cleanup = 2


class WorkItemCookType(PdgEnum):
    """``pdg.workItemCookType``: who cooks an item."""

    Automatic = 0
    InProcess = 1
    OutOfProcess = 2
    Generate = 3
    Service = 4


class WorkItemLogType(IntEnum):
    """``pdg.workItemLogType``, the numbers of ``append_log``."""

    Error = 0
    Warning = 1
    Message = 2
    Raw = 3


class WorkItemStatType(PdgEnum):
    """``pdg.workItemStatType``."""

    CookEndTime = 0
    CookStartTime = 1
    FileSize = 2
    QueueTime = 3
    ScheduleTime = 4


class WorkItemCacheState(PdgEnum):
    """``pdg.workItemCacheState``."""

    Clean = 0
    CleanPending = 1
    DirtyAlways = 2
    DirtyEmpty = 3
    DirtyMissing = 4
    DirtyNew = 5
    DirtyStale = 6
    Undefined = 7


class WorkItemDataSource(IntEnum):
    """``pdg.workItemDataSource``: how an item's data reaches its job; ``pdg_workitemdatasource`` holds it."""

    JSONFile = 0
    RPC = 1


class BatchActivation(IntEnum):
    """``pdg.batchActivation``: how many sub-items must be ready before a batch starts."""

    First = 0
    Any = 1
    All = 2


class DirtyHandlerType(PdgEnum):
    """``pdg.dirtyHandlerType``."""

    Any = 0
    Delete = 1
    Files = 2


class ServiceState(PdgEnum):
    """``pdg.serviceState``."""

    Stopped = 0
    Starting = 1
    Running = 2


class ServiceOwner(PdgEnum):
    """``pdg.serviceOwner``."""

    Scheduler = 0
    Session = 1


class RegisteredType(PdgEnum):
    """``pdg.registeredType``: the kinds of type a registry keeps."""

    Dependency = 0
    Node = 1
    Scheduler = 2
    WorkItem = 3
    Service = 4


class PathMapMatchType(PdgEnum):
    """``pdg.pathMapMatchType``: where in a path a rule of the path map looks for what it replaces."""

    Contains = 0
    Prefix = 1
    Suffix = 2


class NodeSubtype(PdgEnum):
    """``pdg.nodeSubtype``; ``Normal`` is the one that registrations name."""

    Normal = 0


class PortType(PdgEnum):
    """``pdg.portType``."""

    Input = 0
    Output = 1
    Parameter = 2


class DataType(PdgEnum):
    """``pdg.dataType``: what a port holds."""

    Float = 0
    Integer = 1
    String = 2
    Invalid = 3


class Language(PdgEnum):
    """``pdg.language``: what a type is written in."""

    Cpp = 0
    Python = 1


class CloneMode(PdgEnum):
    """``pdg.cloneMode``."""

    Always = 0
    Default = 1
    Never = 2


class Platform(PdgEnum):
    """``pdg.platform``."""

    Undefined = 0
    Linux = 1
    Mac = 2
    Windows = 3


class CacheMode(PdgEnum):
    """``pdg.cacheMode``: whether existing outputs spare an item its cook."""

    Automatic = 0
    AutomaticIgnore = 1
    AlwaysRead = 2
    AlwaysWrite = 3


class GenerateWhen(PdgEnum):
    """``pdg.generateWhen``, numbered as the menu of ``pdg_workitemgeneration``."""

    Automatic = 0
    AllUpstreamGenerated = 1
    AllUpstreamCooked = 2
    EachUpstreamCooked = 3


class CookType(PdgEnum):
    """``pdg.cookType``; the ``StaticDeps…`` ones hand the static items over in one piece."""

    Full = 0
    Node = 1
    GenerateFull = 2
    GenerateNode = 3
    GenerateStatic = 4
    StaticDepsFull = 5
    StaticDepsNode = 6
    StaticDepsGen = 7


class GenerationType(PdgEnum):
    """``pdg.generationType``: the occasion of a generation call."""

    Static = 0
    Dynamic = 1
    Regenerate = 2


class EventType(IntEnum):
    """``pdg.EventType`` with the numbers of Houdini 21."""

    Null = 0
    WorkItemAdd = 1
    WorkItemAddList = 2
    WorkItemRemove = 3
    WorkItemRemoveList = 4
    WorkItemStateChange = 5
    WorkItemCookPercentUpdate = 6
    WorkItemAddDep = 7
    WorkItemRemoveDep = 8
    WorkItemAddParent = 9
    WorkItemRemoveParent = 10
    NodeClear = 11
    CookError = 12
    CookWarning = 13
    CookComplete = 14
    DirtyStart = 15
    DirtyStop = 16
    DirtyAll = 17
    UISelect = 18
    NodeCreate = 19
    NodeRemove = 20
    NodeRename = 21
    NodeConnect = 22
    NodeDisconnect = 23
    NodeFirstCook = 24
    NodeGenerated = 25
    NodeCooked = 26
    WorkItemSetInt = 27
    WorkItemSetFloat = 28
    WorkItemSetString = 29
    WorkItemSetFile = 30
    WorkItemSetDict = 31
    WorkItemSetPyObject = 32
    WorkItemSetGeometry = 33
    WorkItemMerge = 34
    WorkItemResult = 35
    WorkItemOutputFiles = 35
    WorkItemPriority = 36
    WorkItemFrame = 37
    CookStart = 38
    WorkItemAddStaticAncestor = 39
    WorkItemRemoveStaticAncestor = 40
    NodeProgressUpdate = 41
    All = 43
    Log = 44
    SchedulerAdded = 45
    SchedulerRemoved = 46
    NodeSetScheduler = 47
    ServiceManagerAll = 48
    ServiceStartBegin = 49
    ServiceStartEnd = 50
    ServiceClientStarted = 51
    ServiceClientChanged = 52


if TYPE_CHECKING:

    class Result(PdgEnum):
        """``pdg.result``: how a generation or partition call went."""

        Success = 0
        Failure = 1
        Missing = 2
        All = 3
else:
    # The functional form, because PDG has a member called None, which no class body can spell.
    Result = PdgEnum("Result", {"Success": 0, "Failure": 1, "Missing": 2, "All": 3, "None": 4}, module=__name__)
    Result.__doc__ = "``pdg.result``: how a generation or partition call went; ``None`` is ``getattr(result, 'None')``."
