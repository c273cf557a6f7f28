"""``pdg.GraphContext``: build a network and cook it, from Python. The network file reader uses this very API."""

from __future__ import annotations

import atexit
import itertools
import os
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, cast

from topcook.config import Config, load_config
from topcook.contract.eventhandlers import EventHandlers
from topcook.contract.node import Node
from topcook.contract.workitem import WorkItem
from topcook.errors import CookRefusedError, CycleError, ProblemsError, UnknownTypeError
from topcook.factory.typeregistry import TypeRegistry
from topcook.model.attributes import attribute_of
from topcook.model.enums import CookType
from topcook.model.workitem import Trait
from topcook.runtime.api.cookoptions import CookOptions
from topcook.runtime.api.graphface import Graph as GraphFace
from topcook.runtime.api.schedulernode import SchedulerNode
from topcook.runtime.cook import Cook
from topcook.runtime.cookset import path_between
from topcook.runtime.graph import Graph, let_go
from topcook.runtime.parmcheck import check_parm, job_parm_values
from topcook.runtime.surroundings import ready_for_callbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from topcook.contract.host import GraphServices
    from topcook.factory import Factory
    from topcook.model.node import Node as Record
    from topcook.model.parms import Parms
    from topcook.runtime.recorder import Recorder
    from topcook.runtime.resume import Memory


class GraphContext(EventHandlers):
    """A TOP network that can be cooked.

    ``hip`` is what ``$HIP`` stands for, the current directory by default. Schedulers are made, and their ``onStart``
    called, by the first cook that needs them; ``onStop`` is called by ``close``, or at the program's end.
    """

    _known: ClassVar[weakref.WeakValueDictionary[str, GraphContext]] = weakref.WeakValueDictionary()

    def __init__(
        self,
        name: str = "context",
        *,
        hip: str | None = None,
        factory: Factory | None = None,
        config: Config | None = None,
        die_with_parent: bool | None = None,
    ) -> None:
        """Make an empty network; a name that is taken gets a number behind it.

        ``config`` is read anew without one, the project's file from ``hip`` upwards. ``die_with_parent`` ends the local
        jobs of a cook with this program, however that ends; ``None``: as ``config`` says.
        """
        unique = name
        for number in itertools.count(1):
            if unique not in self._known:
                break
            unique = f"{name}{number}"
        self._known[unique] = self
        hip = os.path.abspath(hip or os.getcwd())
        factory = factory or cast("Factory", TypeRegistry.types().catalogue)
        config = load_config(directory=hip) if config is None else config
        if die_with_parent is not None:
            config = config._replace(die_with_parent=die_with_parent)
        self.core = Graph(unique, hip, factory, config)
        self.core.context = weakref.ref(self)
        self._cook: Cook | None = None
        self._options = CookOptions()
        self._observers: list[object] = []
        # onStop may delete the farm's job: it has to run when nobody has the context any more, too.
        weakref.finalize(self, let_go, self.core).atexit = False

    # ------------------------------------------------------------------ names

    @classmethod
    def byName(cls, name: str) -> GraphContext | None:
        """The living context of that name."""
        return cls._known.get(name)

    @classmethod
    def names(cls) -> list[str]:
        """The names of all living contexts."""
        return sorted(cls._known)

    @property
    def name(self) -> str:
        """The context's unique name."""
        return self.core.name

    @property
    def graph(self) -> GraphFace:
        """Look-ups of nodes and work items."""
        return GraphFace(self.core)

    # ------------------------------------------------------------------ building

    def addNode(self, type_name: str, name: str = "", *_args: Any, **parms: Any) -> Node:
        """Add a node; keyword arguments set parms. Raises ``UnknownTypeError`` or ``ProblemsError``."""
        self.core.refuse_while_cooking()
        record = self.core.add_node(type_name, name or self._free_name(type_name, self.core.network.nodes))
        node = Node(record, self.core)
        if parms:
            self.setParameters(record.name, parms)
        return node

    def addScheduler(self, type_name: str, name: str = "", *_args: Any, **parms: Any) -> SchedulerNode:
        """Add a scheduler; keyword arguments set parms. Raises ``UnknownSchedulerError`` or ``ProblemsError``."""
        record = self.core.add_scheduler(type_name, name or self._free_name(type_name, self.core.network.schedulers))
        if parms:
            self.setParameters(record.name, parms)
        return SchedulerNode(record, self.core)

    @staticmethod
    def _free_name(base: str, taken: Mapping[str, object]) -> str:
        return next(name for name in (f"{base}{number}" for number in itertools.count(1)) if name not in taken)

    def connect(self, source: str, target: str, *ports: str) -> None:
        """Let ``target`` take the items of ``source``; raises ``CycleError``.

        Written ``connect("a", "b")``, ``connect("a.out", "b.in")`` or ``connect("a", "out", "b", "in")``.
        """
        self.core.refuse_while_cooking()
        if ports:
            target = ports[0]
        upstream, downstream = self._node(source.partition(".")[0]), self._node(target.partition(".")[0])
        chain = path_between(downstream, upstream)
        if chain is not None:
            raise CycleError([upstream.name, *chain])
        if upstream not in downstream.inputs:
            downstream.inputs.append(upstream)
            upstream.outputs.append(downstream)

    def disconnect(self, source: str, target: str, *ports: str) -> None:
        """Undo ``connect``."""
        self.core.refuse_while_cooking()
        upstream = self._node(source.partition(".")[0])
        downstream = self._node((ports[0] if ports else target).partition(".")[0])
        if upstream in downstream.inputs:
            downstream.inputs.remove(upstream)
            upstream.outputs.remove(downstream)

    def delete(self, name: str) -> None:
        """Remove a node, or a scheduler (``onStop`` is called)."""
        self.core.refuse_while_cooking()
        if name in self.core.network.schedulers:
            self.core.remove_scheduler(name)
            return
        self.core.remove_node(self._node(name))

    def renameNode(self, name: str, new_name: str) -> None:
        """Give a node another name."""
        self.core.refuse_while_cooking()
        node = self._node(name)
        if new_name in self.core.network.nodes:
            raise CookRefusedError(f'there is a node "{new_name}" already')
        self.core.rename_node(node, new_name)

    def _node(self, name: str) -> Record:
        node = self.core.network.nodes.get(name)
        if node is None:
            raise UnknownTypeError(name, f'there is no node "{name}"; there are: {", ".join(self.core.network.nodes)}')
        return node

    # ------------------------------------------------------------------ parms

    def setParameter(
        self, name: str, param_name: str, value: Any, index: int | None = None, param_type: Any = None
    ) -> None:
        """Set a parm of a node or scheduler, or a component; raises ``ProblemsError`` for what cannot stand there."""
        del param_type  # the value's own type says it
        parms, undeclared = self._parms(name)
        problems = list(check_parm(parms, param_name, value, undeclared=undeclared))
        if problems:
            raise ProblemsError(problems)
        parm = parms.get(param_name)
        if index is not None and parm is not None:
            size = max(index + 1, parm.spec.size, len(parm.values or ()))
            value = [value if place == index else parm.at(place) for place in range(size)]
        parms.set(param_name, value)
        self.core.parms_changed(name, param_name)

    def setParameters(self, name: str, values: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Set several parms; the problems of all of them are raised together as ``ProblemsError``."""
        problems = []
        for param_name, value in {**(values or {}), **more}.items():
            try:
                self.setParameter(name, param_name, value)
            except ProblemsError as error:
                problems += error.problems
        if problems:
            raise ProblemsError(problems)

    def setValue(self, node: str, port: str, value: Any, index: int | None = None) -> None:
        """``setParameter`` by its other name."""
        self.setParameter(node, port, value, index)

    def setValues(self, node: str, values: Mapping[str, Any]) -> None:
        """``setParameters`` by its other name."""
        self.setParameters(node, values)

    def setExpression(self, node: str, port: str, expression: str, index: int | None = None) -> None:
        """Set a parm to an expression (``@attribute``, ``$F``, …)."""
        self.setParameter(node, port, expression, index)

    def addParameter(self, name: str, spec: Any) -> None:
        """Add a spare parm (a ``topcook.model.parms.ParmSpec``) to a node or scheduler."""
        self._parms(name)[0].declare([spec])

    def setJobParameter(self, node: str, param_name: str, value: Any) -> None:
        """Override a parm of the node's scheduler for this node. Topcook's own: in Houdini it is a folder of the node.

        Raises ``ProblemsError`` when the parm is not overridable, ``UnknownSchedulerError`` when there is no scheduler.
        """
        record = self._node(node)
        scheduler = self.core.network.schedulers[self.core.scheduler_name_for(record)]
        record.job_parms.update(job_parm_values(scheduler.parms, scheduler.name, param_name, value))

    def _parms(self, name: str) -> tuple[Parms, bool]:
        network = self.core.network
        if name in network.nodes:
            return network.nodes[name].parms, False
        if name in network.schedulers:
            return network.schedulers[name].parms, True
        there = ", ".join([*network.nodes, *network.schedulers])
        raise UnknownTypeError(name, f'there is no node or scheduler "{name}"; there are: {there}')

    # ------------------------------------------------------------------ schedulers

    def setScheduler(self, node: str, scheduler: str | SchedulerNode | None) -> None:
        """Override the scheduler of one node, by instance or type name; ``None`` or ``""`` takes the override away."""
        self._node(node).scheduler = _name_of(scheduler)
        self.core.choice.forget()

    def setDefaultScheduler(self, scheduler: str | SchedulerNode | None) -> None:
        """Set the network's default scheduler, by instance or type name."""
        self.core.network.default_scheduler = _name_of(scheduler)
        self.core.choice.forget()

    def schedulerForName(self, name: str) -> SchedulerNode | None:
        """The scheduler of that name, ``None`` when there is none."""
        record = self.core.network.schedulers.get(name)
        return SchedulerNode(record, self.core) if record is not None else None

    @property
    def schedulers(self) -> list[SchedulerNode]:
        """All schedulers, in the order they were added."""
        return [SchedulerNode(record, self.core) for record in self.core.network.schedulers.values()]

    @property
    def defaultScheduler(self) -> SchedulerNode:
        """The scheduler of nodes that name none; raises ``UnknownSchedulerError``."""
        name = self.core.instance_name(self.core.choice.default_name())
        return SchedulerNode(self.core.network.schedulers[name], self.core)

    # ------------------------------------------------------------------ items by hand

    def addWorkItem(
        self,
        node: str,
        *,
        name: str = "",
        index: int = -1,
        command: str = "",
        label: str = "",
        priority: int = 0,
        attributes: Mapping[str, Any] | None = None,
        inProcess: bool = False,
    ) -> WorkItem:
        """Add a static item to a node by hand; such a node generates nothing itself in a cook."""
        self.core.refuse_while_cooking()
        record = self._node(node)
        if name and self.core.item(name) is not None:
            raise CookRefusedError(f'there is a work item "{name}" already; an item\'s files and logs have its name')
        item = self.core.new_item(record, index if index >= 0 else len(record.items))
        item.custom_name = name or None
        item.label, item.command, item.priority = label, command, priority
        item.traits = Trait.STATIC | (Trait.IN_PROCESS if inProcess else Trait.NONE)
        item.attributes = {key: attribute_of(value) for key, value in (attributes or {}).items()} or None
        item.data = "by hand"
        record.items.append(item)
        self.core.keep_items([item])
        return WorkItem(item, self.core)

    def addWorkItemDependency(self, item: WorkItem, depends_on: WorkItem) -> None:
        """Let one item wait for another; raises ``CycleError`` at the cook when they form a loop."""
        child, parent = self._item(item), self._item(depends_on)
        if parent not in child.dependencies:
            child.dependencies.append(parent)
            parent.dependents = [*(parent.dependents or ()), child]

    def commitWorkItem(self, item: WorkItem) -> None:
        """Accept an item added by hand; nothing is left to do."""
        self._item(item)

    def _item(self, item: WorkItem) -> Any:
        record = self.core.item(item.id)
        if record is None:
            raise CookRefusedError(f"work item {item.id} is not of this graph context")
        return record

    def serializeWorkItemJSON(self, item: int | str | WorkItem) -> str:
        """The data of an item (a handle, an id or a name) as the JSON text that its job reads."""
        from topcook.runtime.serialize import item_text

        record = self.core.item(item.id if isinstance(item, WorkItem) else item)
        if record is None:
            raise CookRefusedError(f"there is no work item {item!r} in this graph context")
        return item_text(record, self.core, scheduler_name=record.scheduler)

    def serializeWorkItemsJSON(self, items: Iterable[int | str | WorkItem]) -> str:
        """The data of several items as one JSON list."""
        return f"[{', '.join(self.serializeWorkItemJSON(item) for item in items)}]"

    # ------------------------------------------------------------------ cooking

    def observe(self, observer: object) -> None:
        """Have an object with ``hookimpl`` methods hear of every cook from now on. Topcook's own."""
        if observer not in self._observers:
            self._observers.append(observer)

    def cook(
        self, block: bool | CookOptions = True, mode: CookType = CookType.Full, name: str = "", ids: Any = None
    ) -> bool:
        """Cook the network, or one node with all it depends on; answers whether it ended with every item cooked.

        With ``block`` False (or ``CookOptions.blocking``) it answers True at once; ``waitAllEvents`` waits for the end.
        Raises ``ProblemsError`` when static generation fails, ``CookRefusedError`` when a scheduler cannot be made.
        """
        del ids  # a filter of items, which has no public description
        options = block if isinstance(block, CookOptions) else CookOptions(bool(block), mode, [name] if name else [])
        if options.autoRecook or options.staticFilter is not None:
            raise NotImplementedError(
                "CookOptions.autoRecook watches the nodes of a Houdini session and staticFilter is nowhere described: "
                "cook again when the network has changed"
            )
        self._options = options
        cook = self.prepare(options.nodeNames, static_only=options.cookType in _GENERATE_ONLY)
        self._cook = cook
        self.open_schedulers(cook)
        cook.start()
        if not options.blocking:
            return True
        return self.finish(cook)

    def prepare(
        self,
        nodes: Sequence[str] = (),
        *,
        static_only: bool = False,
        recorder: Recorder | None = None,
        cook_id: str = "",
        memory: Memory | None = None,
    ) -> Cook:
        """A cook of these nodes that has not begun. Topcook's own, for programs that watch or cancel it.

        Without a ``recorder`` nothing is kept; who gives one gives its ``cook_id``, and the ``memory`` of the past.
        Raises ``ConfigError`` when something is to be run, and the configuration has mistakes.
        """
        self.core.refuse_while_cooking()
        if not static_only:
            self.core.refuse_config()
        self.core.forget_items()
        self._cook = Cook(
            self.core,
            self.wanted(nodes),
            recorder=recorder,
            cook_id=cook_id,
            observers=self._observers,
            static_only=static_only,
            memory=memory,
        )
        return self._cook

    def open_schedulers(self, cook: Cook, waiting: Callable[[], None] | None = None) -> None:
        """Make the schedulers it names (``onStart``), ``waiting`` called meanwhile; raises ``CookRefusedError``."""
        refusals = []
        with ready_for_callbacks(self.core.network, debug=self.core.debug):
            for name in self._named_schedulers(cook):
                try:
                    self.core.host(name).open(waiting)
                except CookRefusedError as error:
                    refusals.append(str(error))
        if refusals:
            raise CookRefusedError("\n".join(refusals))

    def finish(self, cook: Cook) -> bool:
        """Wait for a cook; raises ``ProblemsError`` when it was refused, answers whether every item cooked."""
        try:
            cook.wait()
        except KeyboardInterrupt:
            # Ctrl-C in a program of somebody's own: jobs end, onStopCook(True) runs; close waits for that.
            cook.cancel("interrupted")
            raise
        if cook.outcome == "refused":
            raise ProblemsError(cook.generation_problems, "the work items cannot be made; nothing was run")
        return cook.outcome in {"cooked", "static"}

    def wanted(self, names: Iterable[str] = ()) -> list[Record]:
        """The nodes to cook: those named, else the display node, else every end node."""
        names = list(names)
        if names:
            return [self._node(name) for name in names]
        display = self.core.network.display
        if display:
            return [self._node(display)]
        return [node for node in self.core.network.nodes.values() if not node.outputs]

    def _named_schedulers(self, cook: Cook) -> list[str]:
        names = [self.core.scheduler_name_for(node) for node in cook.nodes]
        if self.core.network.in_process_scheduler:
            names.append(self.core.choice.in_process())
        return list(dict.fromkeys(names))

    def cancelCook(self) -> None:
        """Ask the running cook to end; ``onStopCook(True)`` is called."""
        if self._cook is not None:
            self._cook.cancel()

    def pauseCook(self, pause: bool = True) -> None:
        """Hand nothing new over (``pause`` False: go on)."""
        if self._cook is not None:
            self._cook.pause(paused=pause)

    def waitAllEvents(self) -> None:
        """Wait until the cook has ended and everything it told was heard."""
        if self._cook is not None:
            self._cook.wait()

    @property
    def cooking(self) -> bool:
        """Whether a cook is under way."""
        return self.core.cook is not None

    @property
    def canceling(self) -> bool:
        """Whether the cook under way is being canceled."""
        cook = self.core.cook
        return cook is not None and bool(cook.state.cancel_reason)

    @property
    def cookOptions(self) -> CookOptions:
        """The options of the last cook."""
        return self._options

    @property
    def cookSet(self) -> list[Node]:
        """The nodes of the last cook."""
        return [Node(record, self.core) for record in (self._cook.nodes if self._cook is not None else ())]

    # ------------------------------------------------------------------ files, end

    def _topcook_events(self) -> tuple[GraphServices, object]:
        return self.core, self.core.name

    def addFileDependency(self, node_name: str, file_name: str) -> None:
        """A file that the node's jobs need: each scheduler brings it over by ``transferFile``."""
        target = self._node(node_name).files if node_name else self.core.network.files
        if file_name not in target:
            target.append(file_name)

    def close(self) -> None:
        """Every scheduler leaves the network (``onStop``); again a no-op."""
        self.core.close()

    def __repr__(self) -> str:
        """Name and size."""
        return f"<GraphContext {self.name}: {len(self.core.network.nodes)} nodes>"


_GENERATE_ONLY = frozenset(
    {CookType.GenerateFull, CookType.GenerateNode, CookType.GenerateStatic, CookType.StaticDepsGen}
)


@atexit.register
def _close_all() -> None:
    for name in GraphContext.names():
        context = GraphContext.byName(name)
        if context is not None:
            context.close()


def _name_of(scheduler: str | SchedulerNode | None) -> str | None:
    return scheduler.name if isinstance(scheduler, SchedulerNode) else scheduler or None
