"""Nodes make their work items here, on a thread of their own: author code never runs on the cook thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from topcook.contract.holders import DependencyHolder, Partition, PartitionHolder, WorkItemHolder
from topcook.contract.inherit import common_attributes, inherited, pass_expected_outputs, pass_outputs
from topcook.contract.node_callbacks import rows_for
from topcook.contract.processor import PyProcessor
from topcook.contract.returns import read_return
from topcook.contract.workitem import WorkItem
from topcook.errors import CallbackError, CookError, Problem
from topcook.lean import dataclass, field
from topcook.model.collector import collector_at_rest, set_aside
from topcook.model.enums import GenerationType, Result
from topcook.model.node import NodeType
from topcook.model.workitem import Trait
from topcook.runtime.generation_problems import RefusedError, as_problems, capped, defined_at
from topcook.runtime.generation_texts import evaluate_labels, evaluate_texts, finish_late_command
from topcook.runtime.generation_when import Plan, generate_when, plan_generation

if TYPE_CHECKING:
    from topcook.contract.callbacks import Callback
    from topcook.contract.host import GraphServices
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem as Record

__all__ = [
    "GenerationRequest",
    "GenerationResult",
    "Generator",
    "Plan",
    "cook_in_process",
    "finish_late_command",
    "generate_when",
    "pass_outputs",
    "plan_generation",
]

#: From so many items on it shows that the collector walks them.
MANY = 10_000
_ROWS: dict[str, Callback] = {row.name: row for kind in NodeType for row in rows_for(kind)}


@dataclass(slots=True)
class GenerationRequest:
    """Let ``instance``, the node's object, make items of ``node`` from ``upstream``.

    Without an instance the generator has one made first: ``__init__`` is author code as well.
    One call with all of ``upstream``, or one call per item of it (``each``); ``static`` before the cook.
    """

    node: Node
    instance: Any
    upstream: Sequence[Record]
    static: bool
    each: bool = False


@dataclass(slots=True)
class GenerationResult:
    """What came of a request: the new items in order, and every problem.

    The items of a call that failed are discarded; those of other calls of the same request stand.
    """

    request: GenerationRequest
    items: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: Items that join the cook behind these, one portion after the other.
    later: deque[list[Record]] = field(default_factory=deque)
    #: Whether others of the same request came before.
    goes_on: bool = False

    @property
    def node(self) -> Node:
        """The node."""
        return self.request.node

    def portion(self, most: int) -> None:
        """Keep so many items; the others come ``later``, unless something is wrong with them, or some are batches."""
        items = self.items
        if len(items) > most and not self.problems and not any(item.batch is not None for item in items):
            self.later.extend(items[place : place + most] for place in range(most, len(items), most))
            self.items = items[:most]

    def rest(self) -> GenerationResult:
        """What comes ``later``, its first portion to be taken in now."""
        return GenerationResult(self.request, self.later.popleft(), later=self.later, goes_on=True)


class Generator:
    """Runs the generation callbacks of all nodes of a graph, one at a time.

    ``run`` does it on the calling thread; ``submit`` on the generator's own, which then calls ``done(result)``.
    """

    def __init__(
        self,
        graph: GraphServices,
        done: Callable[[GenerationResult], None] | None = None,
        *,
        make: Callable[[Node], Any] | None = None,
        adopt_thread: Callable[[], None] = lambda: None,
        identify: Callable[[list[Record]], None] | None = None,
    ) -> None:
        """Generate for ``graph``; the thread starts with the first ``submit``, and ``adopt_thread`` is its first call.

        ``make`` makes the object of a node that has none yet. ``identify`` is told of new items before their texts are
        put together, in which their names and ids may stand.
        """
        self._graph = graph
        self._done = done or (lambda _result: None)
        self._make = make
        self._adopt_thread = adopt_thread
        self._identify = identify or (lambda _items: None)
        self._made: dict[Node, int] = {}
        self._requests: SimpleQueue[GenerationRequest | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        #: (node, since when by ``time.monotonic()``) while one makes its items.
        self.busy_with: tuple[str, float] | None = None

    @property
    def thread_id(self) -> int | None:
        """Its thread, ``None`` before the first ``submit``."""
        return self._thread.ident if self._thread is not None else None

    def submit(self, request: GenerationRequest) -> None:
        """Take a request; returns at once."""
        if self._thread is None:
            # A daemon: a callback that never returns must not keep the program alive after the cook was given up.
            self._thread = threading.Thread(target=self._work, name="topcook-generation", daemon=True)
            self._thread.start()
        self._requests.put(request)

    def close(self, timeout: float | None = 5.0) -> bool:
        """Drop what is waiting and end the thread; False when author code still runs after ``timeout`` seconds."""
        self._closed.set()
        self._requests.put(None)
        if self._thread is None or self._thread is threading.current_thread():
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def run(self, request: GenerationRequest) -> GenerationResult:
        """Carry out a request on the calling thread; never raises for what author code does."""
        result = GenerationResult(request)
        make = {NodeType.Processor: self._process, NodeType.Partitioner: self._partition, NodeType.Mapper: self._map}
        upstream = [record for record in request.upstream if Trait.NO_GENERATE not in record.traits]
        if not upstream and request.node.inputs:
            return result
        if request.instance is None and self._make is not None:
            try:
                request.instance = self._make(request.node)
            except BaseException as error:  # noqa: BLE001 - author code may raise anything, SystemExit included
                result.problems = as_problems(request.node, "__init__", error)
                return result
        with collector_at_rest() if request.static else nullcontext():
            for batch in [[record] for record in upstream] if request.each else [upstream]:
                try:
                    items = make[request.node.kind](request, batch)
                except RefusedError as refused:
                    result.problems += refused.problems
                else:
                    result.items += items
                    self._made[request.node] = self._made.get(request.node, 0) + len(items)
            if request.static and len(result.items) > MANY:
                set_aside()
        result.problems = capped(result.problems)
        return result

    def _work(self) -> None:
        self._adopt_thread()
        while (request := self._requests.get()) is not None:
            if self._closed.is_set():
                return
            self.busy_with = request.node.name, time.monotonic()
            try:
                result = self.run(request)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the cook waits for an answer
                result = GenerationResult(request, problems=as_problems(request.node, "generation", error))
            finally:
                self.busy_with = None
            self._done(result)

    def _process(self, request: GenerationRequest, upstream: list[Record]) -> list[Record]:
        node, instance = request.node, request.instance
        holder = WorkItemHolder(node, self._graph, static=request.static, first_index=self._made.get(node, 0))
        kind = GenerationType.Static if request.static else GenerationType.Dynamic
        try:
            _call(node, instance, "onGenerate", holder, self._handles(upstream), kind)
            if _overrides(instance, "onAddInternalDependencies"):
                _call(node, instance, "onAddInternalDependencies", holder, holder.workItems, request.static)
        finally:
            holder.closed = True
        _apply(node, holder)
        self._identify(holder.records)
        evaluate_texts(holder)
        return holder.records

    def _partition(self, request: GenerationRequest, upstream: list[Record]) -> list[Record]:
        holder = PartitionHolder(self._graph)
        _call(request.node, request.instance, "onPartition", holder, self._handles(upstream))
        traits = Trait.PARTITION | Trait.AUTOMATIC | (Trait.STATIC if request.static else Trait.NONE)
        made = []
        for index, partition in holder.finished():
            record = self._graph.new_item(request.node, index)
            record.traits = traits
            _fill_partition(record, partition)
            made.append(record)
        self._identify(made)
        evaluate_labels(request.node, made, self._graph)
        return made

    def _map(self, request: GenerationRequest, upstream: list[Record]) -> list[Record]:
        node = request.node
        first, second = _two_sides(node, upstream)
        holder = DependencyHolder()
        _call(node, request.instance, "onMap", holder, self._handles(first), self._handles(second))
        traits = Trait.AUTOMATIC | (Trait.STATIC if request.static else Trait.NONE)
        made, edges = [], holder.edges
        for target in second:
            record = self._graph.new_item(node, target.index)
            record.traits, record.parent = traits, target
            record.dependencies = list(dict.fromkeys([target, *edges.get(target, ())]))
            record.attributes = inherited(target)
            record.priority, record.frame, record.frame_step = target.priority, target.frame, target.frame_step
            pass_expected_outputs(record)
            made.append(record)
        self._identify(made)
        evaluate_labels(node, made, self._graph)
        return made

    def _handles(self, records: Sequence[Record]) -> list[WorkItem]:
        return [WorkItem(record, self._graph) for record in records]


def _call(node: Node, instance: Any, name: str, *args: Any) -> None:
    """Call a callback; raises ``RefusedError`` when it raises, or answers failure or nonsense."""
    callback = getattr(instance, name)
    try:
        answer = callback(*args)
    except BaseException as error:  # author code may raise anything, SystemExit included
        raise RefusedError(as_problems(node, name, error)) from error
    path, _, line = defined_at(callback).rpartition(":")
    try:
        result = read_return(_ROWS[name], answer)
    except CallbackError as error:
        said = str(error)
    else:
        if result is not Result.Failure:
            return
        said = ": ".join([f'"{name}" answered pdg.result.Failure', *node.errors[-1:]])
    hint = "the items of this call were discarded"
    place = int(line) if line else None
    raise RefusedError([Problem("generation", f'node "{node.name}": {said}', path or None, place, None, hint)])


def _overrides(instance: Any, name: str) -> bool:
    own = getattr(type(instance), name, None)
    return own is not None and own is not getattr(PyProcessor, name)


def _apply(node: Node, holder: WorkItemHolder) -> None:
    try:
        holder.apply()
    except Exception as error:
        raise RefusedError(as_problems(node, "onAddInternalDependencies", error)) from error


def _fill_partition(record: Record, partition: Partition) -> None:
    members = list(partition.members)
    record.dependencies = members
    record.attributes = common_attributes(members)
    if partition.attributes:
        record.attributes = {**(record.attributes or {}), **partition.attributes}
    record.priority = min(member.priority for member in members)
    frames = {member.frame for member in members}
    record.frame = partition.frame if partition.frame is not None else frames.pop() if len(frames) == 1 else None
    pass_expected_outputs(record)


def _two_sides(node: Node, upstream: list[Record]) -> tuple[list[Record], list[Record]]:
    """The items of a mapper's first input and those of its second."""
    if len(node.inputs) != 2:  # noqa: PLR2004 - what a mapper maps from and to
        raise RefusedError(
            [
                Problem(
                    "mapper-inputs",
                    f'node "{node.name}" maps between two inputs, and has {len(node.inputs)}',
                    hint='write: inputs = ["waited_for", "waiting"]',
                )
            ]
        )
    first, second = node.inputs
    if first is second:
        return upstream, upstream
    # What is of neither input stands for items that were never made (their ancestor failed): it blocks as they would.
    return (
        [record for record in upstream if record.node is not second],
        [record for record in upstream if record.node is second or record.node is not first],
    )


def cook_in_process(instance: Any, item: Record, graph: GraphServices) -> None:
    """Let the node's object cook an in-process item, on the calling thread.

    Raises what the author's ``onCookTask`` raises, ``CookError`` when it answers failure.
    """
    callback = instance.onCookTask
    said = callback(WorkItem(item, graph))
    if said is Result.Success:
        return
    if read_return(_ROWS["onCookTask"], said, place=defined_at(callback)) is Result.Failure:
        raise CookError(f'"onCookTask" of node "{item.node.name}" answered pdg.result.Failure')
