"""What can be told to the machine. ``at`` is in seconds since the epoch by the cook's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.lean import dataclass, field

if TYPE_CHECKING:
    from topcook.machine.phases import Trigger
    from topcook.model.workitem import WorkItem


@dataclass(slots=True)
class CookRequested:
    """Generate what is static."""

    at: float


@dataclass(slots=True)
class Go:
    """The static items are as they should be: cook them."""

    at: float


@dataclass(slots=True)
class ItemsGenerated:
    """One generation request of the node of that name ended; ``items`` know their dependencies and scheduler.

    ``incomplete``: some call of the request failed, so items are missing. ``more``: it has not ended, the next of its
    items come in a further event.
    """

    node: str
    items: list[WorkItem]
    at: float
    incomplete: bool = False
    more: bool = False


@dataclass(slots=True)
class GenerationFailed:
    """One generation call of a node failed; its items were discarded."""

    node: str
    message: str
    at: float


@dataclass(slots=True)
class SchedulerStarted:
    """``onStartCook`` (and ``onSetupCook``) returned; ``ok`` is False when the cook must not go on."""

    scheduler: str
    ok: bool
    at: float
    message: str = ""


@dataclass(slots=True)
class SchedulerStopped:
    """``onStopCook`` returned, or raised."""

    scheduler: str
    at: float


@dataclass(slots=True)
class Ticked:
    """``onTick`` returned: the scheduler takes items again, is busy, or wants the cook canceled."""

    scheduler: str
    busy: bool
    at: float
    cancel: str = ""


@dataclass(slots=True)
class TaskRequested:
    """The scheduler has room now (``requestTask``)."""

    scheduler: str
    at: float


@dataclass(slots=True)
class LimitsSet:
    """``pdg_maxitems`` between two ticks and ``pdg_maxtasks`` in flight; 0 is no limit."""

    scheduler: str
    max_items: int
    max_tasks: int


@dataclass(slots=True)
class StaticReturned:
    """``onScheduleStatic`` returned (``raised`` False) or raised; ``items`` are those it was given."""

    scheduler: str
    items: list[WorkItem]
    raised: bool
    at: float
    message: str = ""


@dataclass(slots=True)
class ItemEvent:
    """A notification, or the outcome of a hand-over, for one item.

    ``attempt`` is ``None`` where the sender does not know it; otherwise reports of older attempts change nothing.
    """

    item: WorkItem
    trigger: Trigger
    at: float
    attempt: int | None = None
    duration: float | None = None
    exit_status: int | None = None
    reason: str = ""


@dataclass(slots=True)
class ItemsAccepted:
    """``onSchedule`` answered Succeeded for each of these: many events in one. No batches among them."""

    scheduler: str
    items: list[WorkItem]
    at: float


@dataclass(slots=True)
class ItemsRan:
    """Starts and good ends in the order in which they came: many events in one. No batches, no sub-items among them.

    A row is the item, its attempt, when, and of an end how many seconds it took; of a start ``None``. ``exit_status``
    is that of all ends.
    """

    rows: list[tuple[WorkItem, int, float, float | None]]
    exit_status: int | None = None


@dataclass(slots=True)
class Recalled:
    """The answer to ``Recall``: item, what follows, and words for its messages (empty: none).

    What follows is ``FOUND``, ``FRESH``, ``FAILED_BEFORE`` or ``ADOPT``; ``FOUND`` or ``COMPLETE`` of automatic items.
    ``tried`` has items that go on where they were, with the exit statuses of the attempts that failed before.
    """

    found: list[tuple[WorkItem, Trigger, str]]
    at: float
    tried: list[tuple[WorkItem, list[int | None]]] = field(default_factory=list)


@dataclass(slots=True)
class Adopted:
    """The answer to ``Adopt``: of each item whether the scheduler has its job again."""

    scheduler: str
    items: list[tuple[WorkItem, bool]]
    at: float


@dataclass(slots=True)
class DetachRequested:
    """The cook is to end as soon as all that is left is with farms that keep it.

    ``now``: as soon as all that was begun is; nothing more is begun.
    """

    at: float
    now: bool = False


@dataclass(slots=True)
class LeaveAnswered:
    """The answer to ``AskLeave``: the ids of those that go on without the cook."""

    scheduler: str
    items: frozenset[int]
    at: float


@dataclass(slots=True)
class CancelItems:
    """The user cancels single items."""

    items: list[WorkItem]
    at: float


@dataclass(slots=True)
class ItemsReleased:
    """``onCancelWorkItems`` returned: what the scheduler held of these items is gone."""

    items: list[WorkItem]
    at: float


@dataclass(slots=True)
class CancelRequested:
    """The whole cook is to be canceled; ``reason`` is told in the summary."""

    at: float
    reason: str = ""


@dataclass(slots=True)
class Clock:
    """It is as late as ``WakeAt`` asked for, or later."""

    at: float


@dataclass(slots=True)
class Alive:
    """A job shows that it is alive (a heartbeat); ``attempt`` is ``None`` where it does not know its own."""

    item: WorkItem
    at: float
    attempt: int | None = None


@dataclass(slots=True)
class CapacitySet:
    """There are ``count`` of a named resource from now on."""

    name: str
    count: int
    at: float


@dataclass(slots=True)
class PauseSet:
    """Hand nothing over while ``paused``."""

    paused: bool


Event = Any
