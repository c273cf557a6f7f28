"""Shared servers, events, logs and the graph, as ``pdg.Scheduler`` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.eventhandlers import EventHandlers
from topcook.contract.scheduler_environment import SchedulerEnvironment
from topcook.contract.static_graph import Graph, dependency_maps, readiness
from topcook.errors import CookError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from topcook.contract.host import GraphServices
    from topcook.contract.workitem import WorkItem
    from topcook.model.workitem import WorkItem as Record


class SchedulerServices(SchedulerEnvironment, EventHandlers):
    """What a scheduler may ask of the cook beyond its items, parms and paths."""

    _verbose: Any = False

    # the graph

    @property
    def context(self) -> Any:
        """The ``pdg.GraphContext``."""
        return self._topcook.graph.context_object()

    @property
    def type(self) -> Any:
        """This scheduler's class."""
        return type(self)

    @property
    def typeName(self) -> str:
        """The registered type's name."""
        return self._topcook.type_name

    @property
    def customId(self) -> int:
        """The place among the network's schedulers; stands in for the id of Houdini's node."""
        names = list(self._topcook.graph.network.schedulers)
        return names.index(self._topcook.name) if self._topcook.name in names else -1

    topNodeId = customId

    def jobName(self, work_item: Any = None) -> str:
        """What to call a job on a farm: the network and, if one is given, the item."""
        network = self._topcook.graph.network.name
        return network if work_item is None else f"{network}.{work_item.name}"

    def dependencyGraph(self, expand_partitions: bool = False) -> tuple[Graph, Graph, list[WorkItem]]:
        """``(dependencies, dependents, ready_items)`` over this scheduler's unfinished items.

        A farm may be given them all at once, ahead of their ``onSchedule``: what it reports of one before that
        counts as soon as the item is handed over.
        """
        graph = self._topcook.graph
        maps = dependency_maps(graph.items(), graph, self._topcook_is_mine, expand_partitions=bool(expand_partitions))
        self._topcook.graph_shown(item.id for item in maps[1])
        return maps

    def _topcook_is_mine(self, record: Record) -> bool:
        return (record.scheduler or self._topcook.graph.scheduler_name_for(record.node)) == self._topcook.name

    def isWorkItemReady(self, name_or_id: Any, index: int = -1) -> int:
        """Whether a batch's job may go on with sub-item ``index``: 1 ready, 2 a dependency failed, 0 not yet."""
        record = self._topcook_record(name_or_id)
        return readiness(record if record is None else record.part(index))

    def cookWorkItem(self, work_item: Any) -> bool:
        """Run an in-process item's own function on this thread; true. Raises what the function raises."""
        self._topcook.graph.cook_in_process(self._topcook_record(work_item))
        return True

    def runOnMainThread(self, wait: bool, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call ``function`` here and now: without a user interface there is no thread that owns it."""
        return function(*args, **kwargs)

    # shared servers

    def setSharedServerInfo(self, sharedserver_name: str, info: Mapping[str, Any]) -> None:
        """Remember a shared server (name, pid, host, port, proto_type)."""
        self._topcook.set_shared_server(str(sharedserver_name), dict(info) if info else None)

    def getSharedServerInfo(self, sharedserver_name: str) -> dict[str, Any]:
        """What is known of a shared server; empty when nothing is."""
        return dict(self._topcook.shared_servers().get(str(sharedserver_name), {}))

    def getSharedServers(self) -> list[str]:
        """The names of the shared servers that are known."""
        return list(self._topcook.shared_servers())

    def clearSharedServerInfo(self, sharedserver_name: str) -> None:
        """Forget a shared server."""
        self._topcook.set_shared_server(str(sharedserver_name), None)

    #: The 17.5 reference's spelling.
    cleanSharedServerInfo = clearSharedServerInfo

    def onSharedServerStarted(self, args: Mapping[str, Any]) -> bool:
        """A job started a shared server: remember it."""
        self.setSharedServerInfo(args["name"], args)
        return True

    def endSharedServer(self, sharedserver_name: str, kill: bool = False) -> bool:
        """Forget a shared server; whether it was known. How to end its process only its scheduler knows."""
        known = sharedserver_name in self._topcook.shared_servers()
        self.clearSharedServerInfo(sharedserver_name)
        return known

    # services

    @staticmethod
    def hasServiceSupport() -> bool:
        """False: override it together with ``startService`` and ``stopService``."""
        return False

    def startService(self, service: Any) -> bool:
        """Raises: services are pools of Houdini sessions."""
        raise NotImplementedError("a PDG service is a pool of Houdini sessions; this scheduler type starts none")

    def stopService(self, service: Any) -> bool:
        """Raises: services are pools of Houdini sessions."""
        raise NotImplementedError("a PDG service is a pool of Houdini sessions; this scheduler type has none")

    def getPollingClient(self) -> Any:
        """Raises: the message queue is Houdini's."""
        raise NotImplementedError(
            "getPollingClient returns a client of Houdini's PDGNet message queue; jobs report to the result server here"
        )

    def _topcook_events(self) -> tuple[GraphServices, object]:
        return self._topcook.graph, self

    # logs

    def _verboseLog(self, fmt: str, *args: Any) -> None:
        """A line into the scheduler's log, if its ``_verbose`` is set."""
        if self._verbose:
            self._topcook.log(fmt % args if args else str(fmt))

    def initLogger(self, logger: Any, level: Any = None) -> None:
        """Send what a ``logging.Logger`` gets to the scheduler's log as well."""
        import logging

        tell = self._topcook.log

        class ToSchedulerLog(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                tell(self.format(record))

        logger.addHandler(ToSchedulerLog())
        if level is not None:
            logger.setLevel(level)

    # what a scheduler has none of

    @property
    def attributeInfo(self) -> Any:
        """Raises: it describes a node in Houdini's panes."""
        raise NotImplementedError(
            "attributeInfo, commonVars and scriptInfo describe a node in Houdini's panes; parms are in self.parameters"
        )

    def default(self, *args: Any) -> Any:
        """Raises: it answers for Houdini's own node, and no public page says what."""
        raise NotImplementedError(
            "default() belongs to Houdini's scheduler node; a parm's default is self[name].defaultValue"
        )

    commonVars = attributeInfo
    scriptInfo = attributeInfo

    inputs: tuple[Any, ...] = ()
    outputs: tuple[Any, ...] = ()
    inputNames: tuple[str, ...] = ()
    outputNames: tuple[str, ...] = ()
    inputCount = 0
    outputCount = 0

    def inputsForNode(self, *args: Any) -> list[Any]:
        """Nothing: a scheduler has no inputs."""
        return []

    inputsForWorkItem = inputsForNode

    def isItemFromPort(self, *args: Any) -> bool:
        """False: a scheduler has no inputs."""
        return False

    def input(self, name: str) -> Any:
        """Raises: a scheduler has no inputs."""
        raise CookError(f'scheduler "{self.name}" has no input "{name}": schedulers are not wired')

    output = input

    @staticmethod
    def preExecProcess() -> None:
        """Nothing to prepare: only Houdini's process must be made ready before it starts another."""

    @staticmethod
    def postExecProcess() -> None:
        """Nothing to undo: see ``preExecProcess``."""
