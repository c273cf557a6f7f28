"""``pdg.WorkItem``: a handle on the cook's record of one work item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.workitem_data import WorkItemData
from topcook.contract.workitem_log import ItemLog
from topcook.model.attributes import AttribFlag
from topcook.model.enums import BatchActivation, WorkItemCookType, WorkItemExecutionType, WorkItemType
from topcook.model.states import FINAL, SUCCESSFUL, UNSUCCESSFUL, WorkItemState
from topcook.model.workitem import NO_BATCH, Trait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.contract.host import GraphServices
    from topcook.contract.node import Node
    from topcook.model.workitem import WorkItem as Record


class WorkItem(ItemLog):
    """One work item as author code sees it.

    Two handles are equal when they mean the same item of the same graph context. ``record`` and ``services`` are for
    Topcook's own use. The states are written by the cook alone.
    """

    __slots__ = ()

    def __init__(self, record: Record, services: GraphServices) -> None:
        """Stand for ``record`` of the graph behind ``services``."""
        self.record = record
        self.services = services

    def __eq__(self, other: object) -> bool:
        """Same graph context, same id."""
        if not isinstance(other, WorkItem):
            return NotImplemented
        return self.record.id == other.record.id and self.services.name == other.services.name

    def __hash__(self) -> int:
        """By context and id."""
        return hash((self.services.name, self.record.id))

    def __lt__(self, other: WorkItem) -> bool:
        """By id, so that lists of items can be sorted."""
        return self.record.id < other.record.id

    def __repr__(self) -> str:
        """Name and id, as PDG prints it."""
        return f"<pdg.WorkItem at {self.record.name} id={self.record.id}>"

    # what it is

    @property
    def id(self) -> int:
        """Unique in the graph context, from 1."""
        return self.record.id

    @property
    def name(self) -> str:
        """``<node>_<id>`` unless the item was given a name."""
        return self.record.name

    @property
    def index(self) -> int:
        """The index among its node's items, as its generator gave it."""
        return self.record.index

    @property
    def label(self) -> str:
        """What people read; the name when there is no label."""
        return self.record.label or self.record.name

    def setLabel(self, label: str) -> None:
        """Give it a label."""
        self.record.label = str(label)

    @property
    def frame(self) -> float:
        """The frame, 0 when it has none (``hasFrame``)."""
        return self.record.frame if self.record.frame is not None else 0.0

    @property
    def frameStep(self) -> float:
        """The step between frames."""
        return self.record.frame_step

    @property
    def hasFrame(self) -> bool:
        """Whether it has a frame."""
        return self.record.frame is not None

    def setFrame(self, frame: float, step: float = 1.0) -> None:
        """Give it a frame."""
        self.record.frame, self.record.frame_step = float(frame), float(step)

    @property
    def priority(self) -> int:
        """Its priority among the items that are ready."""
        return self.record.priority

    @property
    def type(self) -> WorkItemType:
        """``pdg.workItemType``."""
        if self.isBatch:
            return WorkItemType.Batch
        if self.isPartition:
            return WorkItemType.StaticPartition if self.isStatic else WorkItemType.DynamicPartition
        return WorkItemType.Regular

    @property
    def isBatch(self) -> bool:
        """Whether it stands for several sub-items cooked by one job."""
        return bool(self.record.traits & Trait.BATCH) or self.record.batch is not None

    @property
    def isPartition(self) -> bool:
        """Whether it gathers other items."""
        return bool(self.record.traits & Trait.PARTITION)

    @property
    def isStatic(self) -> bool:
        """Whether it was known before the cook."""
        return bool(self.record.traits & Trait.STATIC)

    @property
    def isInProcess(self) -> bool:
        """Whether a Python function cooks it, here."""
        return bool(self.record.traits & Trait.IN_PROCESS)

    @property
    def isOutOfProcess(self) -> bool:
        """Whether a job cooks it."""
        return not self.record.traits & (Trait.IN_PROCESS | Trait.AUTOMATIC)

    @property
    def isNoGenerate(self) -> bool:
        """Whether no items are made from it downstream."""
        return bool(self.record.traits & Trait.NO_GENERATE)

    @property
    def isPostCook(self) -> bool:
        """Always false: Topcook has no post-cook items."""
        return False

    @property
    def isFrozen(self) -> bool:
        """Always false: freezing nodes is Houdini's."""
        return False

    @property
    def cookType(self) -> WorkItemCookType:
        """``pdg.workItemCookType``."""
        if self.isInProcess:
            return WorkItemCookType.InProcess
        automatic = self.record.traits & Trait.AUTOMATIC
        return WorkItemCookType.Automatic if automatic else WorkItemCookType.OutOfProcess

    @property
    def executionType(self) -> WorkItemExecutionType:
        """Always ``Regular``."""
        return WorkItemExecutionType.Regular

    # its command

    @property
    def command(self) -> str:
        """What its job runs, with ``__PDG_X__`` tokens in it; empty when there is nothing to run."""
        return self.record.command

    @command.setter
    def command(self, value: str) -> None:
        self.setCommand(value)

    def setCommand(self, command: str) -> None:
        """Set what its job runs."""
        self.record.command = str(command)

    @property
    def hasCommand(self) -> bool:
        """Whether there is something to run."""
        return bool(self.record.command)

    def platformCommand(self, platform: Any = None) -> str:
        """The command: Topcook keeps one for every operating system."""
        return self.record.command

    @property
    def hasPlatformCommand(self) -> bool:
        """Always false: see ``platformCommand``."""
        return False

    @property
    def shouldRunInShell(self) -> bool:
        """True: a command may hold anything the shell reads."""
        return True

    # where it is in the cook

    @property
    def state(self) -> WorkItemState:
        """``pdg.workItemState``."""
        return self.record.state

    @property
    def isCooked(self) -> bool:
        """Whether its cook has ended, well or not."""
        return self.record.state in FINAL

    @property
    def isSuccessful(self) -> bool:
        """Whether it ended well."""
        return self.record.state in SUCCESSFUL

    @property
    def isUnsuccessful(self) -> bool:
        """Whether it failed or was canceled."""
        return self.record.state in UNSUCCESSFUL

    @property
    def cookDuration(self) -> float:
        """How long it cooked, in seconds; 0 while unknown."""
        return (self.record.run.duration if self.record.run else None) or 0.0

    # whom it knows

    @property
    def node(self) -> Node:
        """The node that made it."""
        from topcook.contract.node import Node

        return Node(self.record.node, self.services)

    @property
    def context(self) -> Any:
        """The ``pdg.GraphContext``."""
        return self.services.context_object()

    @property
    def graph(self) -> Any:
        """The ``pdg.Graph``."""
        return self.services.context_object().graph

    @property
    def parent(self) -> WorkItem | None:
        """The upstream item it was made from."""
        return None if self.record.parent is None else WorkItem(self.record.parent, self.services)

    @property
    def dependencies(self) -> list[WorkItem]:
        """The items that must cook before it; of a batch, before one or the other of its sub-items."""
        return self._handles(self.record.needs)

    @property
    def dependents(self) -> list[WorkItem]:
        """The items that wait for it."""
        return self._handles(self.record.dependents or ())

    @property
    def partitionItems(self) -> list[WorkItem]:
        """The items a partition gathers."""
        return self.dependencies if self.isPartition else []

    @property
    def failedDependencies(self) -> list[WorkItem]:
        """The dependencies that failed or were canceled."""
        return self._handles(item for item in self.record.needs if item.state in UNSUCCESSFUL)

    def _handles(self, records: Iterable[Record]) -> list[WorkItem]:
        return [WorkItem(record, self.services) for record in records]

    # batches

    @property
    def batchParent(self) -> WorkItem | None:
        """The batch this is a sub-item of."""
        parent = self.record.batch_parent
        return None if parent is None else WorkItem(parent, self.services)

    @property
    def batchIndex(self) -> int:
        """The place in its batch, -1 outside of one."""
        parent = self.record.batch_parent
        return NO_BATCH if parent is None or parent.batch is None else parent.batch.place(self.record)

    @property
    def batchItems(self) -> list[WorkItem]:
        """A batch's sub-items."""
        return self._handles(self.record.batch.items if self.record.batch else ())

    @property
    def batchSize(self) -> int:
        """How many sub-items a batch has."""
        return len(self.record.batch.items) if self.record.batch else 0

    @property
    def batchOffset(self) -> int:
        """A batch's first index among its node's items."""
        return self.record.batch.offset if self.record.batch else 0

    @property
    def batchActivation(self) -> BatchActivation:
        """How many sub-items must be ready before the batch starts."""
        return BatchActivation(self.record.batch.activation if self.record.batch else 0)

    def checkSubItem(self, index: int) -> int:
        """Whether sub-item ``index`` may start: 1 ready, 2 a dependency failed, 0 wait."""
        return int(self._scheduler().isWorkItemReady(self.record.id, index))

    def startSubItem(self, index: int, wait: bool = False) -> None:
        """Report that sub-item ``index`` cooks."""
        self._scheduler().onWorkItemStartCook(self.record.id, index)

    def cookSubItem(
        self, index: int, state: WorkItemState = WorkItemState.CookedSuccess, duration: float = 0.0
    ) -> None:
        """Report how sub-item ``index`` ended."""
        if state in SUCCESSFUL:
            self._scheduler().onWorkItemSucceeded(self.record.id, index, duration)
        elif state is WorkItemState.CookedCancel:
            self._scheduler().onWorkItemCanceled(self.record.id, index)
        else:
            self._scheduler().onWorkItemFailed(self.record.id, index)

    # data

    @property
    def data(self) -> WorkItemData:
        """17.5's view of its attributes."""
        return WorkItemData(self)

    @property
    def environment(self) -> dict[str, str]:
        """The variables its attributes export to a job (flag ``EnvExport``), by its name."""
        attributes = self.record.attributes
        if not attributes:
            return {}
        return {
            name: self.stringAttribValue(name) or ""
            for name, found in attributes.items()
            if found.flags & AttribFlag.EnvExport
        }

    def envLookup(self, key: str) -> str:
        """A variable as its job would see it: exported, else of the network's environment, else empty."""
        return self.environment.get(key) or self.services.environment().get(key, "")
