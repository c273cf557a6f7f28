"""Tells a graph context's event handlers what happens in a cook.

An observer of the cook. Of PDG's event types it tells those that a cook here has: its start and end, items that appear,
change state or are told about, nodes whose items are all there or all done, errors and warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.node import Node as NodeHandle
from topcook.model.enums import EventType
from topcook.runtime.events import Event
from topcook.runtime.observers import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine.items import Change
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph

#: How many seconds the end of a cook waits for handlers to have heard of it.
PATIENCE = 5.0


class EventFeed:
    """One cook's observer; costs a look at an empty list while nobody listens."""

    def __init__(self, graph: Graph) -> None:
        """Tell the handlers of ``graph``."""
        self._graph = graph
        self._board = graph.board
        self._cooked: set[str] = set()

    @hookimpl
    def cook_started(self) -> None:
        """``CookStart``."""
        self._of_cook(EventType.CookStart)

    @hookimpl
    def items_generated(self, node: Node, items: Sequence[WorkItem], more: bool) -> None:  # noqa: FBT001 - by its name
        """``WorkItemAdd`` for each, then ``NodeGenerated``."""
        if not self._board.wanted:
            return
        for item in items:
            self._of_node(EventType.WorkItemAdd, node, item=item.id)
        if not more:
            self._of_node(EventType.NodeGenerated, node)

    @hookimpl
    def items_changed(self, cook: Any, changes: Sequence[Change]) -> None:
        """``WorkItemStateChange``; ``NodeCooked`` when nothing more is expected of a node."""
        if not self._board.wanted:
            return
        for item, before, after, _ in changes:
            handle = NodeHandle(item.node, self._graph)
            event = Event(EventType.WorkItemStateChange, self._context(), handle, item=item.id, states=(before, after))
            self._board.tell(event, self._graph.name, item.node, item.id)
        for name in {item.node.name: None for item, _, _, _ in changes}:
            state = cook.state.nodes.get(name)
            if name not in self._cooked and state is not None and state.complete and not state.unsettled:
                self._cooked.add(name)
                self._of_node(EventType.NodeCooked, state.node)

    @hookimpl
    def cook_message(self, level: str, source: str, text: str) -> None:
        """``CookError`` and ``CookWarning``, of the scheduler or node that they are about."""
        if not self._board.wanted or level not in {"error", "warning"}:
            return
        kind = EventType.CookError if level == "error" else EventType.CookWarning
        node = self._graph.network.nodes.get(source)
        owners: list[object] = [self._graph.name]
        if node is not None:
            owners.append(node)
        owners += [host.instance for host in self._graph.hosts() if host.name == source]
        handle = NodeHandle(node, self._graph) if node is not None else None
        self._board.tell(Event(kind, self._context(), handle, message=text), *owners)

    @hookimpl
    def cook_finished(self) -> None:
        """``CookComplete``; waits a little until it was heard."""
        if self._board.wanted:
            self._of_cook(EventType.CookComplete)
            self._board.wait(PATIENCE)

    def _of_cook(self, kind: EventType) -> None:
        if self._board.wanted:
            # Handlers of nodes and schedulers hear of the whole cook, too.
            instances = [host.instance for host in self._graph.hosts()]
            owners = (self._graph.name, *self._graph.network.nodes.values(), *instances)
            self._board.tell(Event(kind, self._context()), *owners)

    def _of_node(self, kind: EventType, node: Node, item: int = -1) -> None:
        event = Event(kind, self._context(), NodeHandle(node, self._graph), item=item)
        self._board.tell(event, self._graph.name, node)

    def _context(self) -> Any:
        return self._graph.context_object()
