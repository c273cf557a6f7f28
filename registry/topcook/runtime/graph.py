"""A graph context's own state: network, work items, schedulers, result server. ``pdg.GraphContext`` is a face on it.

Implements ``topcook.contract.host.GraphServices``.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections import ChainMap
from typing import TYPE_CHECKING, Any

from topcook.contract.fields import static_of
from topcook.contract.secrets import Vault
from topcook.contract.taskscript import gives_task_script
from topcook.errors import ConfigError, CookRefusedError, InternalError
from topcook.model.builtinparms import NODE_PARMS, SCHEDULER_PARMS
from topcook.model.node import Network, Node, NodeType, SchedulerNode
from topcook.model.states import WorkItemState
from topcook.model.workitem import WorkItem
from topcook.runtime.addresses import address_of, takes_old_clients
from topcook.runtime.configured import give_defaults
from topcook.runtime.events import EventBoard
from topcook.runtime.generation import cook_in_process
from topcook.runtime.host import Host
from topcook.runtime.overrides import SchedulerChoice
from topcook.runtime.sink import GraphSink
from topcook.runtime.surroundings import ready_for_callbacks
from topcook.runtime.usedtypes import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from topcook.config import Config
    from topcook.errors import Problem
    from topcook.factory import Factory, Record
    from topcook.factory.lookup import Lookup, Snapshot
    from topcook.runtime.cook import Cook
    from topcook.runtime.resultserver import ResultServerThread, SchedulerDoor


#: Of an item's id; Python refuses to read numbers of thousands of digits.
MOST_DIGITS = 18


def let_go(graph: Graph) -> None:
    """Close what lost its context. Collecting garbage happens anywhere, so it waits for nothing here."""
    try:
        threading.Thread(target=graph.close, name="topcook-close").start()
    except RuntimeError:
        # No more threads: the program is at its end.
        graph.close()


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

    def __init__(self, name: str, hip: str, factory: Factory, config: Config) -> None:
        """An empty network below the directory ``hip``."""
        self.name = name
        self.factory = factory
        self.config = config
        #: Parms in the configuration that the schedulers of this network do not have.
        self.config_problems: list[Problem] = []
        self.network = Network(name, hip)
        self.secret = os.urandom(24).hex()
        self.vault = Vault(self.environment)
        #: Gives the ``pdg.GraphContext`` on this, which is not kept alive by it, but by a cook.
        self.context: Callable[[], Any] = lambda: None
        self.cook: Cook | None = None
        self._cooking_for: Any = None
        self._closed = False
        #: Held while schedulers are made known; author code may load another one meanwhile, on the same thread.
        self._lock = threading.RLock()
        self.static: dict[str, bool] = {}
        #: Author code may stop at a breakpoint: it has the terminal, and all the time in the world.
        self.debug = False
        #: Each callback and notification becomes a line in its scheduler's log.
        self.trace = False
        self.choice = SchedulerChoice(self.network, self.instance_name, self.accepts_in_process)
        self.board = EventBoard()
        self._ids = itertools.count(1)
        # By id; a dictionary, because ids go on over all cooks, and only the last one's items are kept.
        self._items: dict[int, WorkItem] = {}
        self._named: dict[str, WorkItem] = {}
        self._hosts: dict[str, Host] = {}
        self._instances: dict[Node, Any] = {}
        #: The types as they were when the cook began that is under way.
        self._cooks_types: Snapshot | None = None
        #: The types of node objects, in the versions that they were made of.
        self._node_records: dict[Node, Record] = {}
        self._server: ResultServerThread | None = None
        self._refused = 0
        follow(factory, self.types_changed)

    @property
    def types(self) -> Lookup:
        """Where types are looked up: the factory, and during a cook what it had when that began."""
        return self._cooks_types or self.factory

    # ------------------------------------------------------------------ building

    def add_node(self, type_name: str, name: str) -> Node:
        """A new node of a registered type; raises ``UnknownTypeError``, or ``CookRefusedError`` for a taken name."""
        if name in self.network.nodes:
            raise CookRefusedError(f'there is a node "{name}" already')
        record = self.types.node_type(type_name)
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
        record = self.types.scheduler(type_name)
        node = SchedulerNode(name, record.name, implicit=implicit)
        node.parms.declare(SCHEDULER_PARMS)
        node.parms.declare(record.parms)
        self.config_problems += give_defaults(node, self.config)
        self.network.schedulers[name] = node
        # An instance's name beats a type's, also where that was chosen before.
        self.choice.forget()
        return node

    def instance_name(self, asked: str) -> str:
        """The scheduler of this network that ``asked`` names; for a type's name an implicit one, made when first asked.

        An instance's name beats a type's. Raises ``UnknownSchedulerError``.
        """
        if asked in self.network.schedulers:
            return asked
        record = self.types.scheduler(asked)
        names = (f"pdg_{record.name}{number}" for number in ("", *range(2, 1000)))
        with self._lock:
            # Somebody's own scheduler of that name is not what was asked for.
            name = next(each for each in names if self._may_stand_for(each, record.name))
            if name not in self.network.schedulers:
                self._share_directories(self.add_scheduler(record.name, name, implicit=True))
        return name

    def _share_directories(self, node: SchedulerNode) -> None:
        """Let a scheduler that nobody configured work where the network's default scheduler does."""
        default = self.network.schedulers.get(self.choice.default_name())
        for name in ("pdg_workingdir", "localsharedroot", "remotesharedroot"):
            parm = default.parms.get(name) if default is not None else None
            if parm is not None and parm.is_set and name not in node.configured:
                node.parms.set(name, parm.at())

    def _may_stand_for(self, name: str, type_name: str) -> bool:
        there = self.network.schedulers.get(name)
        return there is None or (there.implicit and there.type_name == type_name)

    # ------------------------------------------------------------------ GraphServices

    def new_item(self, node: Node, index: int) -> WorkItem:
        """A fresh record with the next id."""
        return WorkItem(next(self._ids), node, index)

    def count_from(self, number: int) -> None:
        """Let the next item have this id, or a later one."""
        self._ids = itertools.count(max(number, next(self._ids)))

    def keep_items(self, items: Sequence[WorkItem]) -> None:
        """Let records be found by id and name; the machine has taken them into their nodes."""
        self._items.update([(item.id, item) for item in items])
        self._named.update([(item.custom_name, item) for item in items if item.custom_name])

    def item(self, key: int | str) -> WorkItem | None:
        """The item with this id or name; an id may come as text, and a label's item only by its own name."""
        if isinstance(key, str):
            if not key.isdecimal():
                return self._named.get(key) or self._by_given_name(key)
            key = int(key) if len(key) <= MOST_DIGITS else 0
        return self._items.get(key)

    def _by_given_name(self, name: str) -> WorkItem | None:
        tail = name.rpartition("_")[2]
        if not tail.isdecimal() or len(tail) > MOST_DIGITS:
            return None
        item = self.item(int(tail))
        return item if item is not None and item.name == name else None

    def items(self) -> list[WorkItem]:
        """Every item, by id."""
        return sorted(self._items.values(), key=lambda item: item.id)

    def forget_items(self) -> None:
        """Drop the items that nodes generate, before they generate anew; those added by hand stay, as if new."""
        for node in self.network.nodes.values():
            node.items = [item for item in node.items if item.data == "by hand"]
        kept = [item for node in self.network.nodes.values() for item in node.items]
        ids = {item.id for item in kept}
        for item in kept:
            item.phase, item.state, item.attempt, item.run = 0, WorkItemState.Uncooked, 0, None
            item.dependencies = [needed for needed in item.dependencies if needed.id in ids]
            item.dependents = [other for other in item.dependents or () if other.id in ids] or None
        self._items, self._named = {}, {}
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
        return self.context()

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

    def event_handlers(self, owner: object) -> list[Any]:
        """Those of ``owner``."""
        return self.board.of(owner)

    # ------------------------------------------------------------------ instances

    def node_class(self, node: Node) -> type:
        """The class of a node's type."""
        return self.types.load(self.types.node_type(node.type_name))

    def node_instance(self, node: Node) -> Any:
        """The node's object, made when first asked for."""
        made = self._instances.get(node)
        if made is None:
            record = self._node_records[node] = self.types.node_type(node.type_name)
            made = self._instances[node] = self.types.load(record)(NodeHandle(node, self), node.name)
        return made

    def node_record(self, node: Node) -> Record:
        """A node's type, in the version that its object was made of; of a node without one, as it is now."""
        return self._node_records.get(node) or self.types.node_type(node.type_name)

    def host(self, name: str) -> Host:
        """The host of a scheduler of this network; its instance is made by ``Host.open`` or at the start of a cook.

        Raises ``UnknownSchedulerError``, or ``SchedulerLoadError`` when its file does not load any more.
        """
        host = self._hosts.get(name)
        return host if host is not None else self._new_host(name)

    def _new_host(self, name: str) -> Host:
        with self._lock:
            host = self._hosts.get(name)
            if host is None:
                node = self.network.schedulers.get(name)
                if node is None:
                    raise InternalError(f'scheduler "{name}" was resolved but is not in the network')
                self._refuse_closed()
                record = self.types.scheduler(node.type_name)
                static = self.takes_static(name)[0]
                host = self._hosts[name] = Host(node, self, record, self.types.load(record), static=static)
        return host

    def takes_static(self, name: str) -> tuple[bool, str]:
        """Whether a scheduler of this network is given its static items all at once, and why.

        Raises ``CookRefusedError`` where its parm asks for that, and its type could do nothing with them.
        """
        if name in self.static:
            return self.static[name], f"--{'' if self.static[name] else 'no-'}static was given"
        node = self.network.schedulers[name]
        record = self.types.scheduler(node.type_name)
        parm = node.parms.get("topcook_static")
        if parm is None or not parm.is_set:
            return static_of(node, record.static)
        if parm.at():
            _refuse_static(name, record, "topcook_static")
        return bool(parm.at()), f"its topcook_static is {int(bool(parm.at()))}"

    def decide_static(self, asked: str, *, takes: bool) -> None:
        """Decide it for the scheduler, or for all schedulers of the type, that ``asked`` names.

        Raises ``UnknownSchedulerError``, or ``CookRefusedError`` for a type that could do nothing with them.
        """
        named = [name for name, node in self.network.schedulers.items() if asked in {name, node.type_name}]
        for name in named or [self.instance_name(asked)]:
            if takes:
                _refuse_static(name, self.types.scheduler(self.network.schedulers[name].type_name), "--static")
            self.static[name] = takes

    def parms_changed(self, owner: str, parm: str) -> None:
        """A parm was set from outside; a scheduler that cooks takes notice."""
        if owner in self.network.schedulers:
            self.network.schedulers[owner].configured.pop(parm, None)
        host = self._hosts.get(owner)
        if host is not None:
            host.parms_changed(parm)

    def hosts(self) -> list[Host]:
        """The hosts that are open."""
        return list(self._hosts.values())

    def accepts_in_process(self, name: str, item: WorkItem) -> bool:
        """Whether a scheduler takes this in-process item (``setAcceptInProcess``); one that is not open does not."""
        host = self._hosts.get(name)
        if host is None or not host.accepts_in_process:
            return False
        return not host.takes_text_only or gives_task_script(self.node_class(item.node))

    def remove_node(self, node: Node) -> None:
        """The node leaves the network."""
        for other in node.inputs:
            other.outputs.remove(node)
        for other in node.outputs:
            other.inputs.remove(node)
        del self.network.nodes[node.name]
        if self.network.display == node.name:
            self.network.display = None
        self._instances.pop(node, None)
        self._node_records.pop(node, None)
        self.choice.forget()

    def rename_node(self, node: Node, name: str) -> None:
        """The node gets another name wherever it is named, and keeps its place and its object."""
        old, node.name = node.name, name
        network = self.network
        network.nodes = {each.name: each for each in network.nodes.values()}
        if network.display == old:
            network.display = name
        for by_node in (self.choice.by_node, self.choice.profile_nodes):
            if old in by_node:
                by_node[name] = by_node.pop(old)
        self.choice.forget()

    def remove_scheduler(self, name: str) -> None:
        """The scheduler leaves the network: ``onStop``."""
        host = self._hosts.pop(name, None)
        if host is not None:
            host.close()
        self.network.schedulers.pop(name, None)
        self.choice.forget()

    # ------------------------------------------------------------------ cooks and the end

    def begin_cook(self, cook: Cook) -> None:
        """Let it be the one cook of this graph; raises ``CookRefusedError`` while there is another one."""
        with self._lock:
            self._refuse_closed()
            if self.cook is not None and self.cook is not cook:
                raise CookRefusedError(f'graph context "{self.name}" is cooking already')
            if self.cook is None:
                self._cooks_types = self.factory.snapshot()
            self.cook = cook
            self._cooking_for = self.context()

    def end_cook(self, cook: Cook) -> None:
        """It has ended."""
        if self.cook is cook:
            self.cook = self._cooking_for = self._cooks_types = None
            self.types_changed()

    def types_changed(self) -> None:
        """Let schedulers leave whose type is gone, once no cook holds them: ``onStop``, on a thread of its own."""
        with self._lock:
            if self.cook is not None or self._closed or not self._hosts:
                return
            known = {name for record in self.factory.records for name in (record.name.lower(), *record.aliases)}
            gone = [host for host in self._hosts.values() if host.record.name.lower() not in known]
            self._hosts = {name: host for name, host in self._hosts.items() if host not in gone}
        if gone:
            threading.Thread(target=self._let_go, args=(gone,), name="topcook-let-go", daemon=True).start()

    def _let_go(self, hosts: list[Host]) -> None:
        with ready_for_callbacks(self.network, debug=self.debug):
            for host in hosts:
                host.close()

    def refuse_while_cooking(self) -> None:
        """Raise ``CookRefusedError`` during a cook: the machine counts on the network as it was."""
        if self.cook is not None:
            raise CookRefusedError(
                f'graph context "{self.name}" is cooking: its network can be changed when the cook has ended'
            )

    def _refuse_closed(self) -> None:
        if self._closed:
            raise CookRefusedError(f'graph context "{self.name}" is closed: make another one')

    def close(self) -> None:
        """End the cook, let every scheduler leave (``onStop``) and close the result server; again a no-op."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            cook, hosts = self.cook, list(self._hosts.values())
        here = threading.get_ident()
        if here in {cook.thread_id if cook is not None else None, *(host.thread_id for host in hosts)}:
            # What is to end is what asks for it.
            threading.Thread(target=self._end, args=(cook, hosts), name="topcook-close").start()
        else:
            self._end(cook, hosts)

    def _end(self, cook: Cook | None, hosts: list[Host]) -> None:
        if cook is not None:
            cook.cancel("the graph context was closed")
            with contextlib.suppress(Exception):  # what broke the cook is its waiter's to hear
                cook.wait()
        with ready_for_callbacks(self.network, debug=self.debug):
            for host in hosts:
                host.close()
        self._hosts.clear()
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    # ------------------------------------------------------------------ result server, data files, keeper

    def server_door(self, node: SchedulerNode) -> SchedulerDoor:
        """A scheduler's door to the one result server; it listens when the first of them starts it."""
        from topcook.runtime.resultserver import ResultServerThread, SchedulerDoor

        if self._server is None:
            self._server = ResultServerThread(
                GraphSink(self), self.secret, allow_without_secret=lambda item: takes_old_clients(self, item)
            )
        return SchedulerDoor(self._server, lambda: address_of(node, self.config.ports))

    def refuse_config(self) -> None:
        """Raise ``ConfigError`` for a configuration that has mistakes, or does not fit the network's schedulers."""
        problems = [*self.config.mistakes, *self.config_problems]
        if problems:
            raise ConfigError(list(dict.fromkeys(problems)), "the configuration has mistakes; nothing was run")

    def refusals(self) -> str:
        """What the result server has refused for want of the secret since this was last asked; empty: nothing."""
        before, self._refused = self._refused, self._server.counters.refused if self._server is not None else 0
        number = self._refused - before
        if number < 1:
            return ""
        reports = "report without the secret was" if number == 1 else "reports without the secret were"
        return (
            f"{number} {reports} refused\n"
            "    if they are by clients that cannot send it: topcook_oldclients = true of their scheduler"
        )

    def write_item_data(self, item: WorkItem, directory: str, scheduler: str, *, compress: bool) -> None:
        """Write an item's JSON data file for its job."""
        from topcook.runtime.serialize import write_item

        write_item(item, self, directory, scheduler_name=scheduler, compress=compress)

    def keeper_pid(self) -> int | None:
        """The process id of the keeper of the running cook, if there is one."""
        return self.cook.keeper_pid() if self.cook is not None else None


def _refuse_static(name: str, record: Record, asked: str) -> None:
    if record.callbacks.get("onScheduleStatic") != "implemented" and not record.static[0]:
        raise CookRefusedError(
            f'scheduler "{name}" cannot be given its static items at once: type "{record.name}" has no '
            f"onScheduleStatic of its own\n    leave {asked} away: each item is handed over when it is ready"
        )
