"""A graph context's own state: network, work items, schedulers, result server. ``pdg.GraphContext`` is a face on it.

Implements ``topcook.contract.host.GraphServices``.
"""

from __future__ import annotations

import itertools
import os
import secrets
from collections import ChainMap
from typing import TYPE_CHECKING, Any

from topcook.contract.fields import static_of
from topcook.errors import CookRefusedError, InternalError
from topcook.model.builtinparms import NODE_PARMS, SCHEDULER_PARMS
from topcook.model.node import Network, Node, NodeType, SchedulerNode
from topcook.model.workitem import WorkItem
from topcook.runtime.events import EventBoard
from topcook.runtime.generation import cook_in_process
from topcook.runtime.host import Host
from topcook.runtime.overrides import SchedulerChoice
from topcook.runtime.sink import GraphSink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from topcook.factory import Factory
    from topcook.runtime.cook import Cook
    from topcook.runtime.resultserver import ResultServerThread, SchedulerDoor


class NodeHandle:
    """The opaque first argument of a node class."""

    __slots__ = ("graph", "record")

    def __init__(self, record: Node, graph: Graph) -> None:
        """Carry the node's record and its graph."""
        self.record = record
        self.graph = graph


class Graph:
    """Nodes, items and schedulers of one graph context.

    ``static`` says for schedulers by name whether they take static hand-over, where the user decides it.
    """

    def __init__(self, name: str, hip: str, factory: Factory) -> None:
        """An empty network below the directory ``hip``."""
        self.name = name
        self.factory = factory
        self.network = Network(name, hip)
        self.secret = secrets.token_urlsafe(24)
        self.context: Any = None
        self.cook: Cook | None = None
        self.static: dict[str, bool] = {}
        #: Author code may stop at a breakpoint: it has the terminal, and all the time in the world.
        self.debug = False
        self.choice = SchedulerChoice(self.network, self.instance_name, self.accepts_in_process)
        self.board = EventBoard()
        self._ids = itertools.count(1)
        self._items: list[WorkItem | None] = [None]
        self._named: dict[str, WorkItem] = {}
        self._hosts: dict[str, Host] = {}
        self._instances: dict[str, Any] = {}
        self._server: ResultServerThread | None = None

    # ------------------------------------------------------------------ building

    def add_node(self, type_name: str, name: str) -> Node:
        """A new node of a registered type; raises ``UnknownTypeError``, or ``CookRefusedError`` for a taken name."""
        if name in self.network.nodes:
            raise CookRefusedError(f'there is a node "{name}" already')
        record = self.factory.node_type(type_name)
        node = Node(name, record.name, record.node_type or NodeType.Processor)
        node.parms.declare(NODE_PARMS)
        node.parms.declare(record.parms)
        self.network.nodes[name] = node
        return node

    def add_scheduler(self, type_name: str, name: str, *, implicit: bool = False) -> SchedulerNode:
        """A new scheduler of a registered type; the instance is made when a cook needs it.

        Raises ``UnknownSchedulerError``, or ``CookRefusedError`` for a taken name.
        """
        if name in self.network.schedulers:
            raise CookRefusedError(f'there is a scheduler "{name}" already')
        record = self.factory.scheduler(type_name)
        node = SchedulerNode(name, record.name, implicit=implicit)
        node.parms.declare(SCHEDULER_PARMS)
        node.parms.declare(record.parms)
        self.network.schedulers[name] = node
        return node

    def instance_name(self, asked: str) -> str:
        """The scheduler of this network that ``asked`` names; for a type's name an implicit one, made when first asked.

        An instance's name beats a type's. Raises ``UnknownSchedulerError``.
        """
        if asked in self.network.schedulers:
            return asked
        record = self.factory.scheduler(asked)
        name = f"pdg_{record.name}"
        if name not in self.network.schedulers:
            self.add_scheduler(record.name, name, implicit=True)
        return name

    # ------------------------------------------------------------------ GraphServices

    def new_item(self, node: Node, index: int) -> WorkItem:
        """A fresh record with the next id."""
        return WorkItem(next(self._ids), node, index)

    def keep_items(self, items: Sequence[WorkItem]) -> None:
        """Let records be found by id and name; the machine has taken them into their nodes."""
        for item in items:
            missing = item.id - len(self._items) + 1
            if missing > 0:
                self._items += [None] * missing
            self._items[item.id] = item
            if item.custom_name:
                self._named[item.custom_name] = item

    def item(self, key: int | str) -> WorkItem | None:
        """The item with this id or name; an id may come as text, and a label's item only by its own name."""
        if isinstance(key, str):
            if not key.isdecimal():
                return self._named.get(key) or self._by_given_name(key)
            key = int(key)
        return self._items[key] if 0 < key < len(self._items) else None

    def _by_given_name(self, name: str) -> WorkItem | None:
        tail = name.rpartition("_")[2]
        if not tail.isdecimal():
            return None
        item = self.item(int(tail))
        return item if item is not None and item.name == name else None

    def items(self) -> list[WorkItem]:
        """Every item, by id."""
        return [item for item in self._items if item is not None]

    def forget_items(self) -> None:
        """Drop the items that nodes generate, before they generate anew; those that were added by hand stay."""
        for node in self.network.nodes.values():
            node.items = [item for item in node.items if item.data == "by hand"]
        kept = [item for node in self.network.nodes.values() for item in node.items]
        self._items, self._named = [None], {}
        self.keep_items(kept)

    def environment(self) -> Mapping[str, str]:
        """What ``$VAR`` reads."""
        home: MutableMapping[str, str] = {
            "HIP": self.network.hip,
            "HIPNAME": self.network.name,
            "PDG_NETWORK": self.name,
        }
        return ChainMap(self.network.environment, home, os.environ)

    def scheduler_name_for(self, node: Node) -> str:
        """The name of the scheduler that cooks this node's items."""
        return self.choice.for_node(node)[0]

    def scheduler_object(self, name: str) -> Any:
        """The instance of that name, ``None`` before it was made."""
        host = self._hosts.get(name)
        return host.instance if host is not None else None

    def context_object(self) -> Any:
        """The ``pdg.GraphContext`` on this."""
        return self.context

    def cook_in_process(self, item: WorkItem) -> None:
        """Run the item's own Python cook on the calling thread."""
        cook_in_process(self.node_instance(item.node), item, self)

    def add_event_handler(
        self, owner: object, handler: Callable[..., object], events: Sequence[int], *, pass_handler: bool
    ) -> Any:
        """Call ``handler`` with each event of ``owner``."""
        return self.board.add(owner, handler, events, pass_handler=pass_handler)

    def remove_event_handler(self, handler: object) -> None:
        """Stop calling it."""
        self.board.remove(handler)

    # ------------------------------------------------------------------ instances

    def node_class(self, node: Node) -> type:
        """The class of a node's type."""
        return self.factory.load(self.factory.node_type(node.type_name))

    def node_instance(self, node: Node) -> Any:
        """The node's object, made when first asked for."""
        made = self._instances.get(node.name)
        if made is None:
            made = self._instances[node.name] = self.node_class(node)(NodeHandle(node, self), node.name)
        return made

    def host(self, name: str) -> Host:
        """The host of a scheduler of this network; its instance is made by ``Host.open`` or at the start of a cook.

        Raises ``UnknownSchedulerError``, or ``SchedulerLoadError`` when its file does not load any more.
        """
        host = self._hosts.get(name)
        if host is None:
            node = self.network.schedulers.get(name)
            if node is None:
                raise InternalError(f'scheduler "{name}" was resolved but is not in the network')
            record = self.factory.scheduler(node.type_name)
            static = self.static.get(name, static_of(node, record.static)[0])
            host = Host(node, self, self.factory.load(record), static=static)
            self._hosts[name] = host
        return host

    def hosts(self) -> list[Host]:
        """The hosts that are open."""
        return list(self._hosts.values())

    def accepts_in_process(self, name: str, _item: WorkItem) -> bool:
        """Whether a scheduler takes in-process items (``setAcceptInProcess``); one that is not open does not."""
        host = self._hosts.get(name)
        return host is not None and host.accepts_in_process

    def remove_scheduler(self, name: str) -> None:
        """The scheduler leaves the network: ``onStop``."""
        host = self._hosts.pop(name, None)
        if host is not None:
            host.close()
        self.network.schedulers.pop(name, None)

    def close(self) -> None:
        """Every scheduler leaves (``onStop``), the result server closes."""
        for host in self._hosts.values():
            host.close()
        self._hosts.clear()
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    # ------------------------------------------------------------------ result server, data files, keeper

    def server_door(self) -> SchedulerDoor:
        """A new scheduler's door to the one result server; it listens when the first of them starts it."""
        from topcook.runtime.resultserver import ResultServerThread, SchedulerDoor

        if self._server is None:
            self._server = ResultServerThread(GraphSink(self), self.secret)
        return SchedulerDoor(self._server)

    def write_item_data(self, item: WorkItem, directory: str, scheduler: str, *, compress: bool) -> None:
        """Write an item's JSON data file for its job."""
        from topcook.runtime.serialize import write_item

        write_item(item, self, directory, scheduler_name=scheduler, compress=compress)

    def keeper_pid(self) -> int | None:
        """The process id of the keeper of the running cook, if there is one."""
        return self.cook.keeper_pid() if self.cook is not None else None
