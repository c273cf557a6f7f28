"""``pdg.Node``: a handle on a node of the network, and the small object that stands in for its TOP node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.eventhandlers import EventHandlers
from topcook.contract.port import Port
from topcook.model.states import SUCCESSFUL
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topcook.contract.host import GraphServices
    from topcook.contract.workitem import WorkItem
    from topcook.model.node import Node as Record
    from topcook.model.node import NodeType
    from topcook.model.parms import Parm, Parms


class TopParm:
    """What ``topNode().parm(name)`` gives: ``eval`` and its kin read the same value as the port."""

    __slots__ = ("_port",)

    def __init__(self, port: Port) -> None:
        """Stand for ``port``."""
        self._port = port

    def name(self) -> str:
        """The parm's name."""
        return self._port.name

    def eval(self) -> Any:
        """The value in its own type."""
        return self._port.evaluate()

    def evalAsString(self) -> str:
        """The value as text."""
        return self._port.evaluateString()

    def evalAsInt(self) -> int:
        """The value as an int."""
        return self._port.evaluateInt()

    def evalAsFloat(self) -> float:
        """The value as a float."""
        return self._port.evaluateFloat()

    def rawValue(self) -> str:
        """The value as it is written."""
        return str(self._port.value)


class TopType:
    """What ``topNode().type()`` gives."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        """Stand for the type ``name``."""
        self._name = name

    def name(self) -> str:
        """The type's name."""
        return self._name

    nameWithCategory = name


class TopNode:
    """What Houdini calls the TOP node of a PDG node: name, path, type and parms, read like ``hou.TopNode``'s."""

    __slots__ = ("_parms", "_path", "_services", "_type")

    def __init__(self, path: str, type_name: str, parms: Parms, services: GraphServices) -> None:
        """Stand for the node at ``path`` (``/<network>/<node>``)."""
        self._path, self._type, self._parms, self._services = path, type_name, parms, services

    def name(self) -> str:
        """The node's name."""
        return self._path.rpartition("/")[2]

    def path(self) -> str:
        """``/<network>/<node>``."""
        return self._path

    def type(self) -> TopType:
        """The type, with a ``name()``."""
        return TopType(self._type)

    def parm(self, name: str) -> TopParm | None:
        """The parm, ``None`` when there is none."""
        found = self._parms.get(name)
        return None if found is None else TopParm(Port(found, self._services))

    def parms(self) -> list[TopParm]:
        """All parms."""
        return [TopParm(Port(found, self._services)) for found in self._parms]

    def evalParm(self, name: str) -> Any:
        """A parm's value; ``AttributeError`` when there is none."""
        found = self.parm(name)
        if found is None:
            raise AttributeError(f'node "{self._path}" has no parm "{name}"')
        return found.eval()


class Node(EventHandlers):
    """A node that makes work items; equal to another handle on the same node of the same graph context."""

    __slots__ = ("record", "services")

    def __init__(self, record: Record, services: GraphServices) -> None:
        """Stand for ``record`` of the graph behind ``services``."""
        self.record = record
        self.services = services

    def __eq__(self, other: object) -> bool:
        """Same graph context, same name."""
        if not isinstance(other, Node):
            return NotImplemented
        return self.record.name == other.record.name and self.services.name == other.services.name

    def __hash__(self) -> int:
        """By context and name."""
        return hash((self.services.name, self.record.name))

    def __repr__(self) -> str:
        """Name and type."""
        return f"<pdg.Node {self.record.name} ({self.record.type_name})>"

    @property
    def name(self) -> str:
        """The node's name."""
        return self.record.name

    @property
    def typeName(self) -> str:
        """The registered type's name."""
        return self.record.type_name

    templateName = typeName

    @property
    def nodeType(self) -> NodeType:
        """``pdg.nodeType``."""
        return self.record.kind

    @property
    def customId(self) -> int:
        """The place among the network's nodes; stands in for the id of Houdini's node."""
        return list(self.services.network.nodes).index(self.record.name)

    topNodeId = customId

    @property
    def context(self) -> Any:
        """The ``pdg.GraphContext``."""
        return self.services.context_object()

    @property
    def scheduler(self) -> Any:
        """The scheduler that cooks its items: its own or the network's; ``None`` before the cook made it."""
        return self.services.scheduler_object(self.services.scheduler_name_for(self.record))

    def topNode(self) -> TopNode:
        """The stand-in for its ``hou.TopNode``."""
        path = f"/{self.services.network.name}/{self.record.name}"
        return TopNode(path, self.record.type_name, self.record.parms, self.services)

    # work items

    @property
    def workItems(self) -> list[WorkItem]:
        """Its items so far."""
        from topcook.contract.workitem import WorkItem

        return [WorkItem(item, self.services) for item in self.record.items]

    @property
    def staticWorkItems(self) -> list[WorkItem]:
        """Those known before the cook."""
        return [item for item in self.workItems if item.record.traits & Trait.STATIC]

    @property
    def partitions(self) -> list[WorkItem]:
        """Those that gather others."""
        return [item for item in self.workItems if item.record.traits & Trait.PARTITION]

    @property
    def isCooked(self) -> bool:
        """Whether it has items and all ended well."""
        return bool(self.record.items) and all(item.state in SUCCESSFUL for item in self.record.items)

    # how it is connected

    @property
    def inputs(self) -> list[Node]:
        """The nodes it takes items from."""
        return [Node(other, self.services) for other in self.record.inputs]

    @property
    def outputs(self) -> list[Node]:
        """The nodes that take its items."""
        return [Node(other, self.services) for other in self.record.outputs]

    dependencies = inputs

    @property
    def inputNames(self) -> list[str]:
        """The names of the nodes it takes items from."""
        return [other.name for other in self.record.inputs]

    @property
    def outputNames(self) -> list[str]:
        """The names of the nodes that take its items."""
        return [other.name for other in self.record.outputs]

    @property
    def depth(self) -> int:
        """How many nodes the longest way to a generator has."""
        seen: dict[str, int] = {}
        stack = [self.record]
        while stack:
            waiting = [other for other in stack[-1].inputs if other.name not in seen]
            if waiting:
                stack.append(waiting[0])
            else:
                done = stack.pop()
                seen[done.name] = max((seen[other.name] + 1 for other in done.inputs), default=0)
        return seen[self.record.name]

    @property
    def loopDepth(self) -> int:
        """Always -1: Topcook has no feedback loops."""
        return -1

    # parms

    def _port(self, parm: Parm) -> Port:
        return Port(parm, self.services, owner=self, scoped=True)

    def parameter(self, name: str) -> Port | None:
        """The port of a parm, ``None`` when there is none."""
        found = self.record.parms.get(name)
        return None if found is None else self._port(found)

    port = parameter
    __getitem__ = parameter

    @property
    def parameters(self) -> list[Port]:
        """The ports of all parms."""
        return [self._port(found) for found in self.record.parms]

    ports = parameters

    @property
    def parameterNames(self) -> list[str]:
        """The names of all parms."""
        return [found.name for found in self.record.parms]

    @property
    def parameterCount(self) -> int:
        """How many parms there are."""
        return len(self.parameterNames)

    def __iter__(self) -> Iterator[Port]:
        """The ports of all parms."""
        return iter(self.parameters)

    def parametersForTag(self, tag: str) -> list[Port]:
        """The ports of the parms with a tag."""
        return [port for port in self.parameters if port.hasTag(tag)]

    # errors and events

    def cookError(self, message: str) -> None:
        """Keep an error on the node."""
        self.record.errors.append(str(message))

    def cookWarning(self, message: str) -> None:
        """Keep a warning on the node."""
        self.record.warnings.append(str(message))

    def _topcook_events(self) -> tuple[GraphServices, object]:
        return self.services, self.record

    def cook(self, block: bool = False) -> Any:
        """Cook this node through its graph context."""
        return self.context.cook(block, name=self.record.name)

    def dirty(self, remove_outputs: bool = False) -> None:
        """Raises: nothing is cooked in place here."""
        raise NotImplementedError("Node.dirty takes back a cook inside a Houdini session; start the cook again")
