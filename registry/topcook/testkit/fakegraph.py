"""A graph context in memory: ``GraphServices`` without a cook."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from topcook.contract.node import Node as NodeHandle
from topcook.contract.secrets import Vault
from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.model.attributes import Attribute, attribute_of
from topcook.model.node import Network, Node
from topcook.model.workitem import Trait, WorkItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class FakeContext:
    """What ``work_item.context`` answers: the state a test sets."""

    def __init__(self, graph: FakeGraph) -> None:
        """Belong to ``graph``."""
        self.name = graph.name
        self.graph = graph
        self.cooking = True
        self.canceling = False


class FakeGraph:
    """Nodes and items that a test makes; implements ``topcook.contract.host.GraphServices``.

    ``schedulers`` maps names to instances, ``default_scheduler`` names the one that cooks everything. In-process items
    run the function given to ``add_item(function=…)``.
    """

    def __init__(self, name: str = "context", hip: str = "", environment: Mapping[str, str] | None = None) -> None:
        """An empty network below the directory ``hip``; ``environment`` replaces the process environment."""
        self.name = name
        self.network = Network(name, hip or os.getcwd())
        self.schedulers: dict[str, Any] = {}
        self.default_scheduler = "scheduler"
        self.handlers: list[tuple[object, Callable[..., object], list[int], bool]] = []
        self.context = FakeContext(self)
        self._environment = {**(os.environ if environment is None else environment), "HIP": self.network.hip}
        self.vault = Vault(lambda: self._environment)
        self._items: dict[int, WorkItem] = {}
        self._functions: dict[int, Callable[[ItemHandle], object]] = {}

    # what a test builds

    def add_node(self, name: str = "node", type_name: str = "genericgenerator", **parms: Any) -> Node:
        """The node of that name, made on first use, with parms set."""
        node = self.network.nodes.setdefault(name, Node(name, type_name))
        for parm, value in parms.items():
            node.parms.set(parm, value)
        return node

    def add_item(
        self,
        command: str = "",
        *,
        node: str = "node",
        index: int | None = None,
        frame: float | None = None,
        dependencies: Iterable[WorkItem] = (),
        traits: Trait = Trait.STATIC,
        function: Callable[[ItemHandle], object] | None = None,
        **attributes: Any,
    ) -> WorkItem:
        """A work item's record with a command, dependencies, and attributes from plain values."""
        maker = self.add_node(node)
        item = self.new_item(maker, len(maker.items) if index is None else index)
        item.command, item.frame, item.traits = command, frame, traits
        for name, value in attributes.items():
            item.attributes = item.attributes or {}
            item.attributes[name] = value if isinstance(value, Attribute) else attribute_of(value)
        for other in dependencies:
            item.dependencies.append(other)
            other.dependents = [*(other.dependents or ()), item]
        if function is not None:
            item.traits |= Trait.IN_PROCESS
            self._functions[item.id] = function
        maker.items.append(item)
        return item

    def handle(self, item: WorkItem) -> ItemHandle:
        """The ``pdg.WorkItem`` that author code gets."""
        return ItemHandle(item, self)

    def node_handle(self, name: str) -> NodeHandle:
        """The ``pdg.Node`` that author code gets."""
        return NodeHandle(self.network.nodes[name], self)

    # GraphServices

    def item(self, key: int | str) -> WorkItem | None:
        """By id or name."""
        if isinstance(key, int):
            return self._items.get(key)
        return next((item for item in self._items.values() if item.name == key), None)

    def items(self) -> Sequence[WorkItem]:
        """All, by id."""
        return list(self._items.values())

    def new_item(self, node: Node, index: int) -> WorkItem:
        """A record with the next id."""
        item = WorkItem(len(self._items) + 1, node, index)
        self._items[item.id] = item
        return item

    def environment(self) -> Mapping[str, str]:
        """The one given, with ``HIP``."""
        return self._environment

    def scheduler_name_for(self, node: Node) -> str:
        """The node's override, else the default."""
        return node.scheduler or self.default_scheduler

    def scheduler_object(self, name: str) -> Any:
        """The instance of that name."""
        return self.schedulers.get(name)

    def context_object(self) -> Any:
        """A ``FakeContext``."""
        return self.context

    def node_instance(self, node: Node) -> Any:
        """There is none: nodes here have names and items only."""
        raise LookupError(f'node "{node.name}" has no object')

    def cook_in_process(self, item: WorkItem) -> None:
        """Run the item's function with its handle; raises what that raises."""
        self._functions[item.id](self.handle(item))

    def add_event_handler(
        self, owner: object, handler: Callable[..., object], events: Sequence[int], *, pass_handler: bool
    ) -> Any:
        """Keep it in ``handlers``; a test calls it itself."""
        kept = (owner, handler, list(events), pass_handler)
        self.handlers.append(kept)
        return kept

    def remove_event_handler(self, handler: object) -> None:
        """Drop it."""
        self.handlers = [kept for kept in self.handlers if kept is not handler]

    def event_handlers(self, owner: object) -> list[Any]:
        """Those of ``owner``."""
        return [kept for kept in self.handlers if kept[0] is owner or kept[0] == owner]
