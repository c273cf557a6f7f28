"""What a node's callbacks put their results into: work items, dependencies between them, partitions.

A holder collects records; nothing joins the network before the callback has ended well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.batches import close_batch, make_batch
from topcook.contract.inherit import NO_FLAGS, inherited, with_flags
from topcook.contract.workitem import WorkItem
from topcook.errors import CallbackError, CycleError
from topcook.lean import dataclass, field, names, replace
from topcook.model.attributes import Attribute
from topcook.model.enums import CloneMode, WorkItemCookType
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from topcook.contract.host import GraphServices
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem as Record

__all__ = ["DependencyHolder", "PartitionHolder", "WorkItemHolder", "WorkItemOptions", "record_of"]


@dataclass(slots=True)
class WorkItemOptions:
    """``pdg.WorkItemOptions``: how a new work item shall be.

    ``index`` -1 is the parent's (without a parent: the next number), ``priority`` None the parent's, and so is
    ``frame`` None. ``cloneTarget`` is an item whose attributes are taken instead of the parent's (``cloneMode.Never``
    takes none), with its output files when ``cloneResultData`` is on. Topcook's own: ``slots``, how many slots of
    its scheduler the item needs, and ``automatic``, which marks an item that has nothing to cook itself: it is done,
    with the output files of what it waited for, as soon as that is done.
    A ``batch`` is one job for its sub-items: ``batchSize`` of them, with the indices from ``batchOffset``, and those
    that are added with the batch as their ``parent``. Topcook's own: ``batchActivation`` says by what it is ready,
    ``batchParent`` adds a sub-item that was made from another ``parent``.
    ``preserveType`` and ``typeName`` are accepted and change nothing: there is one class of work item.
    """

    batch: bool = False
    batchActivation: int = 0
    batchOffset: int = 0
    batchParent: Any = None
    batchSize: int = 0
    cloneMode: CloneMode = CloneMode.Default
    cloneResultData: bool = False
    cloneTarget: Any = None
    cookType: WorkItemCookType | None = None
    inProcess: bool = False
    index: int | None = -1
    isNoGenerate: bool = False
    name: str = ""
    parent: Any = None
    preserveType: bool = False
    priority: int | None = None
    typeName: str = ""
    frame: float | None = None
    frameStep: float = 1.0
    label: str = ""
    slots: int = 1
    automatic: bool = False


_OPTIONS = dict.fromkeys(names(WorkItemOptions))
#: Where ``None`` may be meant.
_NOT_GIVEN: Any = object()


def _options(given: WorkItemOptions | None, kwargs: dict[str, Any]) -> WorkItemOptions:
    for name in kwargs.keys() - _OPTIONS.keys():
        import difflib

        close = difflib.get_close_matches(name, _OPTIONS, 1)
        hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(_OPTIONS)}"
        raise TypeError(f'a work item has no option "{name}"\n    {hint}')
    if given is None:
        return WorkItemOptions(**kwargs)
    return replace(given, **kwargs) if kwargs else given


@dataclass(slots=True)
class Expressions:
    """The texts of one item that still hold ``@attributes``: evaluated when the generation call has ended."""

    item: Record
    command: tuple[str, str] | None = None
    outputs: Sequence[tuple[str, str, str]] = ()


def record_of(work_item: Any) -> Record:
    """The cook's record behind a ``pdg.WorkItem``, or the record itself; raises ``TypeError`` for anything else."""
    if type(work_item) is WorkItem:
        return work_item.record
    record = getattr(work_item, "record", work_item)
    if not hasattr(record, "dependencies"):
        raise TypeError(f"found {type(work_item).__name__} where a work item is expected")
    return record  # type: ignore[no-any-return]


class DependencyHolder:
    """Dependencies between the items of one node, as ``onAddInternalDependencies`` and ``onMap`` collect them."""

    def __init__(self) -> None:
        """Start without any."""
        # Two lists side by side rather than a dictionary for each child: there may be a million.
        self._children: list[Record] = []
        self._parents: list[Record] = []

    def addDependency(self, child: Any, parent: Any) -> None:
        """Let ``child`` wait for ``parent``; saying it twice is saying it once."""
        waits = child.record if type(child) is WorkItem else record_of(child)
        needed = parent.record if type(parent) is WorkItem else record_of(parent)
        self._children.append(waits)
        self._parents.append(needed)

    def _said(self) -> Iterator[tuple[Record, list[Record]]]:
        """What was said of each child in one go."""
        children, parents = self._children, self._parents
        begin, last = 0, children[0] if children else None
        for place, child in enumerate(children):
            if child is not last and last is not None:
                # A slice takes no more room than it needs.
                yield last, parents[begin:place]
                begin, last = place, child
        if last is not None:
            yield last, parents[begin:]

    @property
    def edges(self) -> dict[Record, dict[Record, None]]:
        """What each child shall wait for, in the order it was said."""
        edges: dict[Record, dict[Record, None]] = {}
        for child, parents in self._said():
            edges.setdefault(child, {}).update(dict.fromkeys(parents))
        return edges

    def apply(self) -> None:
        """Write the dependencies into the records; raises ``CycleError`` with one loop as a chain of names."""
        if any(child.id <= parent.id for child, parent in zip(self._children, self._parents, strict=True)):
            _refuse_circles(self.edges)
        for child, parents in self._said():
            _let_wait(child, parents)
        self._children, self._parents = [], []


def _let_wait(child: Record, parents: list[Record]) -> None:
    before = child.dependencies
    if before:
        if parents != before:
            child.dependencies = list(dict.fromkeys([*before, *parents]))
    elif len(parents) == 1 or len(set(parents)) == len(parents):
        child.dependencies = parents
    else:
        child.dependencies = list(dict.fromkeys(parents))


def _refuse_circles(edges: dict[Record, dict[Record, None]]) -> None:
    children = list(edges)
    place = {child: number for number, child in enumerate(children)}
    waits = [[place[parent] for parent in parents if parent in place] for parents in edges.values()]
    # Only items that wait can be part of a loop, and nothing older than this call waits for a new item.
    # Late: reading graph files is nothing that a types file needs.
    from topcook.model.graphfile.cycles import find_cycles

    for loop in find_cycles(waits, most=1):
        raise CycleError(children[number].name for number in [*loop, loop[0]])


class WorkItemHolder(DependencyHolder):
    """``pdg.WorkItemHolder``: collects the items that one generation call makes."""

    def __init__(self, node: Node, graph: GraphServices, *, static: bool, first_index: int = 0) -> None:
        """Collect for ``node``; items without a parent count their index from ``first_index``."""
        super().__init__()
        self.node = node
        self.graph = graph
        self.records: list[Record] = []
        self.expressions: list[Expressions] = []
        self.closed = False
        self._first_index = first_index
        self._names: set[str] = set()
        self._batches: dict[Record, None] = {}
        self.base_traits = Trait.STATIC if static else Trait.NONE
        # Combining flags is slow enough to matter for a hundred thousand items.
        self._traits: dict[tuple[bool, bool, bool], Trait] = {}
        self._in_process = self._traits_for(True, False, False)

    @property
    def isEmpty(self) -> bool:
        """Whether nothing was added yet."""
        return not self.records

    @property
    def workItems(self) -> list[WorkItem]:
        """The items added so far."""
        return [WorkItem(record, self.graph) for record in self.records]

    def addWorkItem(
        self,
        options: WorkItemOptions | None = None,
        *,
        parent: Any = _NOT_GIVEN,
        index: Any = _NOT_GIVEN,
        inProcess: Any = _NOT_GIVEN,
        **kwargs: Any,
    ) -> WorkItem:
        """A new item by ``options``, by the same names as keywords, or both (a keyword wins).

        It waits for its parent, and has the parent's attributes, but for those flagged ``NoCopy``.
        Raises ``TypeError`` for an unknown option, ``ValueError`` for a name that is taken or no file name.
        """
        if options is None and not kwargs and not self._batches:
            return WorkItem(self._add_plain(parent, index, inProcess), self.graph)
        named = (("parent", parent), ("index", index), ("inProcess", inProcess))
        kwargs |= {name: value for name, value in named if value is not _NOT_GIVEN}
        return WorkItem(self._add(_options(options, kwargs)), self.graph)

    def addDependency(self, child: Any, parent: Any) -> None:
        """Let ``child``, an item of this node, wait for ``parent``."""
        if self.closed:
            self._check_open("addDependency")
        waits = child.record if type(child) is WorkItem else record_of(child)
        needed = parent.record if type(parent) is WorkItem else record_of(parent)
        self._children.append(waits)
        self._parents.append(needed)

    def setExpressions(self, work_item: Any, *, command: Any = None, outputs: Iterable[tuple[Any, str]] = ()) -> None:
        """Give an item texts with ``@attributes``, to be evaluated when the call has ended (Topcook's own).

        ``command`` is a parm (``self["command"]``), ``outputs`` are pairs of a parm and a tag: the item's expected
        output files. Waiting until the end lets the texts use attributes that are set after the item was added,
        and lets all mistakes of all items be told at once.
        """
        self._check_open("setExpressions")
        files = [(port.name, str(port.value), tag) for port, tag in outputs]
        text = None if command is None else (command.name, str(command.value))
        self.expressions.append(Expressions(record_of(work_item), text, files))

    def _add_plain(self, parent: Any, index: Any, in_process: Any) -> Record:
        """As ``_add``, with the only options that most items are made with: there may be a million."""
        if self.closed:
            self._check_open("addWorkItem")
        source = None if parent is _NOT_GIVEN or parent is None else record_of(parent)
        place = self._index(-1 if index is _NOT_GIVEN else index, source)
        record = self.graph.new_item(self.node, place)
        if source is not None:
            record.parent = source
            record.dependencies = [source]
            record.priority, record.frame, record.frame_step = source.priority, source.frame, source.frame_step
            if source.attributes:
                record.attributes = inherited(source)
        record.traits = self._in_process if in_process is not _NOT_GIVEN and in_process else self.base_traits
        self.records.append(record)
        return record

    def _add(self, options: WorkItemOptions) -> Record:
        if self.closed:
            self._check_open("addWorkItem")
        parent = None if options.parent is None else record_of(options.parent)
        whole = self._batch_of(options, parent)
        index, clone_from = self._index(options.index, parent), parent
        if whole is not None and whole is parent:
            index = index if (options.index or -1) >= 0 else _next_index(whole)
            clone_from, parent = parent, whole.parent
        record = self.graph.new_item(self.node, index)
        if options.name:
            record.custom_name = self._checked_name(str(options.name))
        if parent is not None:
            record.parent = parent
            record.dependencies = [parent]
            record.priority, record.frame, record.frame_step = parent.priority, parent.frame, parent.frame_step
        if clone_from is not None or options.cloneTarget is not None:
            _copy_attributes(record, options, clone_from)
        if options.priority is not None:
            record.priority = int(options.priority)
        if options.frame is not None:
            record.frame, record.frame_step = float(options.frame), float(options.frameStep)
        if options.label:
            record.label = str(options.label)
        if options.slots != 1:
            record.slots = max(1, int(options.slots))
        in_process = bool(options.inProcess) or options.cookType is WorkItemCookType.InProcess
        record.traits = self._traits_for(in_process, bool(options.automatic), bool(options.isNoGenerate))
        self.records.append(record)
        if whole is not None and whole.batch is not None:
            record.batch_parent = whole
            whole.batch.items.append(record)
        if options.batch:
            self._make_batch(record, options)
        return record

    def _batch_of(self, options: WorkItemOptions, parent: Record | None) -> Record | None:
        """The batch that a new item is to be a sub-item of."""
        asked = options.batchParent
        if asked is None:
            return parent if parent is not None and parent in self._batches else None
        whole = record_of(asked)
        if whole not in self._batches or options.batch or options.inProcess:
            raise ValueError(
                f'"{whole.name}" takes no such sub-item: a batch is added in the same call, its sub-items are neither '
                "batches themselves nor cooked in process"
            )
        return whole

    def _make_batch(self, record: Record, options: WorkItemOptions) -> None:
        if Trait.IN_PROCESS in record.traits or options.automatic or record.batch_parent is not None:
            raise ValueError(
                f'"{record.name}" cannot be a batch: a batch is a job, with a command, and has no batches in it'
            )
        make_batch(record, options.batchActivation, options.batchOffset)
        self._batches[record] = None
        more: dict[str, Any] = {"batch": False, "batchSize": 0, "parent": record, "index": -1, "name": "", "label": ""}
        for _ in range(int(options.batchSize)):
            self._add(replace(options, **more))

    def apply(self) -> None:
        """Write the dependencies into the records, those of batches into their sub-items."""
        super().apply()
        for record in self._batches:
            close_batch(record)

    def _index(self, asked: int | None, parent: Record | None) -> int:
        if asked is not None and asked >= 0:
            return int(asked)
        return parent.index if parent is not None else self._first_index + len(self.records)

    def _checked_name(self, name: str) -> str:
        if not name.strip() or name.startswith(".") or any(sign in name for sign in "/\\\0\n"):
            raise ValueError(f'"{name}" cannot name a work item: its name is also the name of its files')
        if name in self._names or self.graph.item(name) is not None:
            raise ValueError(f'two work items would be called "{name}"; leave the name out, or put the index into it')
        self._names.add(name)
        return name

    def _traits_for(self, in_process: bool, automatic: bool, no_generate: bool) -> Trait:
        key = (in_process, automatic, no_generate)
        traits = self._traits.get(key)
        if traits is None:
            traits = self.base_traits
            for given, trait in zip(key, (Trait.IN_PROCESS, Trait.AUTOMATIC, Trait.NO_GENERATE), strict=True):
                traits |= trait if given else Trait.NONE
            self._traits[key] = traits
        return traits

    def _check_open(self, what: str) -> None:
        if self.closed:
            raise CallbackError(
                f'"{what}" was called after the callback of "{self.node.name}" had ended\n'
                "    a holder takes items only while its callback runs"
            )


def _next_index(whole: Record) -> int:
    return whole.batch.offset + len(whole.batch.items) if whole.batch is not None else 0


def _copy_attributes(record: Record, options: WorkItemOptions, parent: Record | None) -> None:
    if options.cloneMode is CloneMode.Never:
        return
    source = parent if options.cloneTarget is None else record_of(options.cloneTarget)
    if source is None:
        return
    record.attributes = inherited(source)
    if options.cloneResultData and source.outputs:
        record.outputs = list(source.outputs)


@dataclass(slots=True)
class Partition:
    """The members of one partition to be; ``required`` ones have to exist for it to exist."""

    members: dict[Record, None] = field(default_factory=dict)
    required: dict[Record, None] = field(default_factory=dict)
    frame: float | None = None
    attributes: dict[str, Attribute] = field(default_factory=dict)


class PartitionHolder:
    """``pdg.PartitionHolder``: collects which items belong to which partition, by the partition's index."""

    def __init__(self, graph: GraphServices) -> None:
        """Start with no partition."""
        self.graph = graph
        self.partitions: dict[int, Partition] = {}
        self._in_all: dict[Record, None] = {}

    def addItemToPartition(self, work_item: Any, index: int, required: bool = False) -> None:
        """Put an item into partition ``index``, which begins to exist by it."""
        partition = self._partition(index)
        record = record_of(work_item)
        partition.members[record] = None
        if required:
            partition.required[record] = None

    def addItemToAllPartitions(self, work_item: Any) -> None:
        """Put an item into every partition, also those that come to exist later."""
        self._in_all[record_of(work_item)] = None

    def setPartitionFrame(self, index: int, frame: float) -> None:
        """Give partition ``index`` a frame."""
        self._partition(index).frame = float(frame)

    def setPartitionAttribute(self, index: int, name: str, value: Any) -> None:
        """Give partition ``index`` an attribute of its own (Topcook's own)."""
        self._partition(index).attributes[name] = with_flags(value, NO_FLAGS)

    def finished(self) -> list[tuple[int, Partition]]:
        """The partitions that have members, by index; items of all partitions come last in each."""
        found = []
        for index in sorted(self.partitions):
            partition = self.partitions[index]
            if partition.members:
                for record in self._in_all:
                    partition.members.setdefault(record, None)
                found.append((index, partition))
        return found

    def _partition(self, index: int) -> Partition:
        number = int(index)
        if number < 0:
            raise ValueError(f"a partition cannot have the index {number}: they count from 0")
        return self.partitions.setdefault(number, Partition())
