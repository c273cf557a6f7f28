"""A bench for node types: lets a node make its items without a cook, in a unit test."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

from topcook.contract.mapper import PyMapper
from topcook.contract.partitioner import PyPartitioner
from topcook.contract.processor import PyProcessor
from topcook.contract.secrets import Vault
from topcook.factory.scan import Factory
from topcook.model.builtinparms import NODE_PARMS
from topcook.model.files import File
from topcook.model.node import Network, Node, NodeType
from topcook.model.states import WorkItemState
from topcook.model.workitem import Trait, WorkItem
from topcook.runtime.generation import GenerationRequest, GenerationResult, Generator, cook_in_process, pass_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NodeBench"]


_KINDS: dict[type, NodeType] = {
    PyProcessor: NodeType.Processor,
    PyPartitioner: NodeType.Partitioner,
    PyMapper: NodeType.Mapper,
}


class _Handle:
    def __init__(self, record: Node, graph: NodeBench) -> None:
        self.record = record
        self.graph = graph


class NodeBench:
    """A network without a cook: nodes are added by type, and make items when told to.

    It stands in for the graph context (``topcook.contract.host.GraphServices``), without schedulers or events.
    """

    def __init__(self, hip: str | os.PathLike[str] = ".", factory: Factory | None = None) -> None:
        """An empty network in the directory ``hip``, with the types of ``factory`` (default: all there are)."""
        self.name = "bench"
        self.network = Network("bench", os.fspath(hip))
        self.factory = factory or Factory.scan(os.environ)
        self.generator = Generator(self)
        self._ids = itertools.count(1)
        self._items: dict[int, WorkItem] = {}
        self._instances: dict[Node, Any] = {}
        self._environment = {**os.environ, "HIP": self.network.hip}
        self.vault = Vault(lambda: self._environment)

    def node(self, name: str, type_name: str | type, inputs: Sequence[Node] = (), **parms: Any) -> Node:
        """A new node of a registered type, or of a class of its own; raises ``UnknownTypeError``."""
        if isinstance(type_name, str):
            record = self.factory.node_type(type_name)
            node = Node(name, record.name, record.node_type or NodeType.Processor)
            node.parms.declare([*NODE_PARMS, *record.parms])
            cls = self.factory.load(record)
        else:
            kinds = [kind for base, kind in _KINDS.items() if issubclass(type_name, base)]
            node, cls = Node(name, type_name.__name__.lower(), kinds[0]), type_name
        for parm, value in parms.items():
            node.parms.set(parm, value)
        node.inputs = list(inputs)
        for source in inputs:
            source.outputs.append(node)
        self.network.nodes[name] = node
        self._instances[node] = cls(_Handle(node, self), name)
        return node

    def instance(self, node: Node) -> Any:
        """The node's object."""
        return self._instances[node]

    def upstream(self, node: Node) -> list[WorkItem]:
        """The items of a node's inputs, in input order."""
        return [item for source in node.inputs for item in source.items]

    def generate(self, node: Node, *, static: bool = True, each: bool = False) -> GenerationResult:
        """Let a node make items from those of its inputs; what it makes joins the network."""
        request = GenerationRequest(node, self.instance(node), self.upstream(node), static, each)
        result = self.generator.run(request)
        self.keep(result)
        return result

    def make(self, node: Node, *, static: bool = True, each: bool = False) -> list[WorkItem]:
        """The items that ``generate`` makes; raises ``AssertionError`` with the problems when there are any."""
        result = self.generate(node, static=static, each=each)
        if result.problems:
            raise AssertionError("\n".join(str(problem) for problem in result.problems))
        return result.items

    def keep(self, result: GenerationResult) -> None:
        """Let the items of a result join the network."""
        result.node.items += result.items
        self._items.update((item.id, item) for item in result.items)

    def cook(self, item: WorkItem, *outputs: str) -> None:
        """Let an item have cooked well, with these output files; an in-process item truly cooks, here."""
        if Trait.IN_PROCESS in item.traits:
            self.cook_in_process(item)
        if outputs:
            item.outputs = [File(path) for path in outputs]
        item.state = WorkItemState.CookedSuccess
        pass_outputs(item)

    # GraphServices

    def item(self, key: int | str) -> WorkItem | None:
        """The item with this id or name."""
        if isinstance(key, int):
            return self._items.get(key)
        return next((item for item in self._items.values() if item.name == key), None)

    def new_item(self, node: Node, index: int) -> WorkItem:
        """A fresh record with the next id."""
        return WorkItem(next(self._ids), node, index)

    def environment(self) -> Mapping[str, str]:
        """The process environment and ``HIP``."""
        return self._environment

    def scheduler_name_for(self, _node: Node) -> str:
        """No node has a scheduler."""
        return ""

    def scheduler_object(self, _name: str) -> Any:
        """There is no scheduler."""
        return None

    def context_object(self) -> Any:
        """There is no graph context."""
        return None

    def node_instance(self, node: Node) -> Any:
        """The node's object."""
        return self._instances[node]

    def cook_in_process(self, item: WorkItem) -> None:
        """Run the item's own Python cook here."""
        cook_in_process(self.instance(item.node), item, self)

    def items(self) -> list[WorkItem]:
        """Every item, by id."""
        return list(self._items.values())

    def add_event_handler(self, *_args: Any, **_options: Any) -> Any:
        """There are no events."""
        raise NotImplementedError("a bench has no events; cook the network to see some")

    def remove_event_handler(self, _handler: object) -> None:
        """There are no events."""

    def event_handlers(self, _owner: object) -> list[Any]:
        """There are no events."""
        return []
