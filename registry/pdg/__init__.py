"""The names Houdini's `pdg` module has; no logic lives here.

What needs a running graph or the factory is loaded when it is asked for, so that ``import pdg`` stays light.
"""

from __future__ import annotations

import importlib
from typing import Any

from topcook.contract.holders import PartitionHolder, WorkItemHolder, WorkItemOptions
from topcook.contract.houdini import createHarsServer, createProcessJob
from topcook.contract.mapper import PyMapper
from topcook.contract.node import Node
from topcook.contract.nodebase import PyNode
from topcook.contract.partitioner import PyPartitioner
from topcook.contract.pathmap import PathMap
from topcook.contract.port import Port
from topcook.contract.processor import PyProcessor
from topcook.contract.scheduler import PyScheduler, convertEnvMapToUTF8
from topcook.contract.scheduler import PyScheduler as Scheduler
from topcook.contract.scheduler import PyScheduler as SchedulerBase
from topcook.contract.utils import TickTimer, print_headless
from topcook.contract.workitem import WorkItem
from topcook.contract.workitem_attributes import AttributeView as Attribute
from topcook.contract.workitem_data import WorkItemData
from topcook.errors import CookError, ServiceError
from topcook.model.enums import AcceptResult as acceptResult
from topcook.model.enums import AttribFlag as attribFlag
from topcook.model.enums import AttribType as attribType
from topcook.model.enums import BatchActivation as batchActivation
from topcook.model.enums import CacheMode as cacheMode
from topcook.model.enums import CloneMode as cloneMode
from topcook.model.enums import CookType as cookType
from topcook.model.enums import DataType as dataType
from topcook.model.enums import DirtyHandlerType as dirtyHandlerType
from topcook.model.enums import EventType
from topcook.model.enums import GenerateWhen as generateWhen
from topcook.model.enums import GenerationType as generationType
from topcook.model.enums import Language as language
from topcook.model.enums import NodeSubtype as nodeSubtype
from topcook.model.enums import NodeType as nodeType
from topcook.model.enums import PathMapMatchType as pathMapMatchType
from topcook.model.enums import Platform as platform
from topcook.model.enums import PortType as portType
from topcook.model.enums import RegisteredType as registeredType
from topcook.model.enums import Result as result
from topcook.model.enums import ScheduleResult as scheduleResult
from topcook.model.enums import ServiceOwner as serviceOwner
from topcook.model.enums import ServiceState as serviceState
from topcook.model.enums import TickResult as tickResult
from topcook.model.enums import WorkItemCacheState as workItemCacheState
from topcook.model.enums import WorkItemCookType as workItemCookType
from topcook.model.enums import WorkItemDataSource as workItemDataSource
from topcook.model.enums import WorkItemExecutionType as workItemExecutionType
from topcook.model.enums import WorkItemLogType as workItemLogType
from topcook.model.enums import WorkItemState as workItemState
from topcook.model.enums import WorkItemStatType as workItemStatType
from topcook.model.enums import WorkItemType as workItemType
from topcook.model.files import File

#: By this Topcook knows its own ``pdg`` from Houdini's, and from the one of the Particle Data Group.
TOPCOOK = "topcook"

_RUNTIME = ("CookOptions", "Event", "Graph", "GraphContext", "PyEventHandler")
_MODULES = (
    "callback",
    "context",
    "dependency",
    "feedback",
    "hda",
    "job",
    "mapper",
    "node",
    "parms",
    "partitioner",
    "processor",
    "scheduler",
    "staticcook",
    "toplevel",
    "types",
    "utils",
    "workitem",
)

__all__ = [
    "Attribute", "CookError", "EventType", "File", "Node", "PartitionHolder", "PathMap", "Port", "PyMapper", "PyNode",
    "PyPartitioner", "PyProcessor", "PyScheduler", "Scheduler", "SchedulerBase", "ServiceError", "TickTimer",
    "WorkItem", "WorkItemData", "WorkItemHolder", "WorkItemOptions", "acceptResult", "attribFlag", "attribType",
    "batchActivation", "cacheMode", "cloneMode", "convertEnvMapToUTF8", "cookType", "createHarsServer",
    "createProcessJob", "dataType", "dirtyHandlerType", "generateWhen", "generationType", "language", "nodeSubtype",
    "nodeType", "pathMapMatchType", "platform", "portType", "print_headless", "registeredType", "result",
    "scheduleResult", "serviceOwner", "serviceState", "tickResult", "workItemCacheState", "workItemCookType",
    "workItemDataSource", "workItemExecutionType", "workItemLogType", "workItemStatType", "workItemState",
    "workItemType",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is loaded late: the graph API, the type registry, and the submodules."""
    if name in _RUNTIME:
        from topcook.runtime import api

        return getattr(api, name)
    if name == "TypeRegistry":
        from topcook.factory.typeregistry import TypeRegistry

        return TypeRegistry
    if name in _MODULES:
        return importlib.import_module(f"pdg.{name}")
    raise AttributeError(f"module 'pdg' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Every name, those loaded late included."""
    return sorted([*__all__, *_RUNTIME, *_MODULES, "TypeRegistry"])
