"""The cook's record of a work item.

``pdg.WorkItem`` is a handle on such a record; the machine and the runtime hold the record itself.
Fields under "scheduling" are written on the cook thread only. Attributes and files are written by the
callback that owns the item at that moment.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

from topcook.model.states import WorkItemState

if TYPE_CHECKING:
    from topcook.model.attributes import Attribute
    from topcook.model.files import File
    from topcook.model.node import Node

#: PDG's index of an item that is not part of a batch.
NO_BATCH = -1


class Trait(IntFlag):
    """What an item is, fixed when it is made."""

    NONE = 0
    #: Known before the cook.
    STATIC = 1
    #: Cooked by a Python function of its node, not by a command.
    IN_PROCESS = 2
    #: Nothing to cook (wedge, partition, merge, …): done as soon as its dependencies are.
    AUTOMATIC = 4
    NO_GENERATE = 8
    BATCH = 16
    PARTITION = 32
    #: The command names ``@pdg_input``, so it is put together at hand-over, when the inputs are known.
    LATE_COMMAND = 64


class WorkItemType(IntEnum):
    """``pdg.workItemType``."""

    Regular = 0
    Batch = 1
    StaticWrapper = 2
    StaticPartition = 3
    DynamicPartition = 4


class Attempt:
    """One attempt of an item that did not end well and was followed by another; fields as in ``Run``."""

    __slots__ = ("duration", "exit_status", "finished", "messages", "number", "queued", "scheduler", "started")

    def __init__(self, number: int, scheduler: str, run: Run) -> None:
        """Take over what ``run`` has of it."""
        self.number = number
        self.scheduler = scheduler
        self.queued, self.started, self.finished = run.queued, run.started, run.finished
        self.duration, self.exit_status = run.duration, run.exit_status
        self.messages = run.messages


class Run:
    """What happened to an item in a cook: attempts, times, outcome.

    Times are seconds since the epoch by the cook's own clock, ``None`` while unknown.
    ``exit_status`` is negative for a signal, ``None`` where there was no process. ``attempts`` are the earlier ones,
    ``None`` where the first was the only one; all else is about the present attempt.
    """

    __slots__ = (
        "attempts",
        "custom_state",
        "duration",
        "exit_status",
        "finished",
        "log_uri",
        "messages",
        "percent",
        "queued",
        "started",
        "status_uri",
    )

    def __init__(self) -> None:
        """Start with nothing known."""
        self.queued: float | None = None
        self.started: float | None = None
        self.finished: float | None = None
        self.duration: float | None = None
        self.exit_status: int | None = None
        self.log_uri = ""
        self.status_uri = ""
        self.messages: list[str] = []
        self.custom_state = ""
        self.percent = -1.0
        self.attempts: list[Attempt] | None = None

    def begin_again(self, number: int, scheduler: str) -> None:
        """Keep what became of attempt ``number``, and know nothing of the next one yet."""
        self.attempts = [*(self.attempts or ()), Attempt(number, scheduler, self)]
        self.messages = []
        self.queued = self.started = self.finished = self.duration = self.exit_status = None
        self.custom_state, self.percent = "", -1.0


class WorkItem:
    """One work item of one node.

    ``dependencies`` and ``dependents`` hold records. ``pending`` counts the dependencies that have not
    succeeded. ``attempt`` is 0 before the first hand-over. A batch has ``batch`` and no dependencies of its own: its
    sub-items, which have ``batch_parent``, wait for what they need one by one.
    """

    __slots__ = (
        "attempt",
        "attributes",
        "batch",
        "batch_parent",
        "command",
        "custom_name",
        "data",
        "dependencies",
        "dependents",
        "expected_outputs",
        "frame",
        "frame_step",
        "id",
        "index",
        "key",
        "label",
        "node",
        "outputs",
        "parent",
        "pending",
        "phase",
        "priority",
        "run",
        "scheduler",
        "slots",
        "state",
        "traits",
    )

    def __init__(self, item_id: int, node: Node, index: int = 0) -> None:
        """Make an uncooked item; ids count from 1 and are unique in a graph context."""
        self.id = item_id
        self.node = node
        self.index = index
        #: The same in every cook of its network; empty while nothing of the cook is kept.
        self.key = ""
        self.label = ""
        self.custom_name: str | None = None
        self.command = ""
        self.priority = 0
        self.slots = 1
        self.frame: float | None = None
        self.frame_step = 1.0
        self.traits = Trait.NONE
        self.attributes: dict[str, Attribute] | None = None
        self.outputs: list[File] | None = None
        self.expected_outputs: list[File] | None = None
        self.parent: WorkItem | None = None
        self.batch: Batch | None = None
        self.batch_parent: WorkItem | None = None
        self.data: Any = None
        # scheduling: written on the cook thread only
        self.dependencies: list[WorkItem] = []
        self.dependents: list[WorkItem] | None = None
        self.pending = 0
        self.state = WorkItemState.Uncooked
        self.phase = 0
        self.attempt = 0
        self.scheduler = ""
        self.run: Run | None = None

    @property
    def name(self) -> str:
        """The item's unique name, ``<node>_<id>`` unless it was given one."""
        return self.custom_name or f"{self.node.name}_{self.id}"

    @property
    def needs(self) -> list[WorkItem]:
        """What it waits for: its dependencies; a batch's are those of its sub-items outside of it."""
        if self.batch is None:
            return self.dependencies
        found = {id(needed): needed for sub in self.batch.items for needed in sub.dependencies}
        return [needed for needed in found.values() if needed.batch_parent is not self]

    def part(self, index: int) -> WorkItem | None:
        """What a report with this index is about: a batch's sub-item, ``None`` when there is no such, else itself."""
        if index < 0 or self.batch is None:
            return self
        return self.batch.items[index] if index < len(self.batch.items) else None

    def ran(self) -> Run:
        """The record of what happened, made when first asked for."""
        if self.run is None:
            self.run = Run()
        return self.run

    def __repr__(self) -> str:
        """Name, id and state, for logs and stories."""
        return f"<WorkItem {self.name} id={self.id} {self.state.name}>"


class Batch:
    """The sub-items of a batch item, in order; ``activation`` is 0 first, 1 any, 2 all ready.

    ``waiting``, ``checking``, ``ready`` and ``lost`` count the sub-items that wait, are looked up, are ready, or came
    to no good end; ``first`` is the place of the first one still to come. They are written on the cook thread only.

    ``apart`` says that its job runs the sub-items one by one, and leaves out those that are done. ``begun`` is there
    while a job of an earlier session may still have the batch: the sub-items that it is known to have begun with.
    """

    __slots__ = ("activation", "apart", "begun", "checking", "first", "items", "lost", "offset", "ready", "waiting")

    def __init__(self, items: list[WorkItem], activation: int = 0, offset: int = 0) -> None:
        """Keep the sub-items; ``offset`` is the batch's first index among its node's items."""
        self.items = items
        self.activation = activation
        self.offset = offset
        self.apart = False
        self.begun: list[WorkItem] | None = None
        self.first = self.waiting = self.checking = self.ready = self.lost = 0

    def place(self, sub: WorkItem) -> int:
        """The place of a sub-item in its batch: the index by which jobs report on it."""
        # Sub-items are made one after the other, so their place is nearly always told by their ids.
        guess = sub.id - self.items[0].id
        return guess if 0 <= guess < len(self.items) and self.items[guess] is sub else self.items.index(sub)
