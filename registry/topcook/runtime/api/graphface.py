"""``pdg.Graph``: look-ups in a graph context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.node import Node
from topcook.contract.static_graph import dependency_maps
from topcook.contract.workitem import WorkItem

if TYPE_CHECKING:
    from topcook.runtime.graph import Graph as Core


class Graph:
    """The nodes and work items of a graph context."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        """Look into ``core``."""
        self._core = core

    def node(self, name: str) -> Node | None:
        """The node of that name, ``None`` when there is none."""
        record = self._core.network.nodes.get(name)
        return Node(record, self._core) if record is not None else None

    def nodes(self) -> list[Node]:
        """All nodes, in the order they were added."""
        return [Node(record, self._core) for record in self._core.network.nodes.values()]

    def workItemById(self, item_id: int) -> WorkItem | None:
        """The work item with this id, ``None`` when there is none."""
        record = self._core.item(int(item_id))
        return WorkItem(record, self._core) if record is not None else None

    def workItemByName(self, name: str) -> WorkItem | None:
        """The work item of this name, ``None`` when there is none."""
        record = self._core.item(str(name))
        return WorkItem(record, self._core) if record is not None else None

    def dependencyGraph(
        self, expand_partitions: bool = False
    ) -> tuple[dict[WorkItem, list[WorkItem]], dict[WorkItem, list[WorkItem]], list[WorkItem]]:
        """Dependencies, dependents and ready items of all work items; partitions may be replaced by their members."""
        core = self._core
        return dependency_maps(
            core.items(), core, lambda _: True, expand_partitions=bool(expand_partitions), finished=True
        )
