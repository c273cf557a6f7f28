"""What the machine asks the shell to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.lean import dataclass

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem


@dataclass(slots=True)
class Instruction:
    """Base of all instructions."""


@dataclass(slots=True)
class Generate(Instruction):
    """Let ``node`` make items: one call with all of ``upstream``, or one call per item of it (``each``)."""

    node: str
    upstream: list[WorkItem]
    static: bool
    each: bool = False


@dataclass(slots=True)
class StaticReady(Instruction):
    """Every static item exists; answer with ``Go`` to cook."""


@dataclass(slots=True)
class StartScheduler(Instruction):
    """Call ``onStartCook(static, cook_set)``; ``nodes`` are names."""

    scheduler: str
    nodes: list[str]


@dataclass(slots=True)
class HandOver(Instruction):
    """Call ``onSchedule`` for each item in order, until the scheduler is full."""

    scheduler: str
    items: list[WorkItem]


@dataclass(slots=True)
class HandOverStatic(Instruction):
    """Call ``onScheduleStatic`` once with these items."""

    scheduler: str
    items: list[WorkItem]


@dataclass(slots=True)
class Recall(Instruction):
    """Look these items up in the past; answer with ``Recalled``."""

    items: list[WorkItem]


@dataclass(slots=True)
class Adopt(Instruction):
    """Ask the scheduler for the jobs that these items have had since before; answer with ``Adopted``."""

    scheduler: str
    items: list[WorkItem]


@dataclass(slots=True)
class AskLeave(Instruction):
    """Ask the scheduler which of these go on without the cook; answer with ``LeaveAnswered``."""

    scheduler: str
    items: list[WorkItem]


@dataclass(slots=True)
class SayKept(Instruction):
    """Tell people what keeps a cook that is to be let go."""

    words: list[str]


@dataclass(slots=True)
class CancelHeld(Instruction):
    """Call ``onCancelWorkItems`` with items the scheduler holds.

    ``grace`` is set when they took too long: seconds between asking a job to end and killing it.
    """

    scheduler: str
    items: list[WorkItem]
    grace: float | None = None


@dataclass(slots=True)
class WakeAt(Instruction):
    """Tell ``Clock`` at this time, in seconds by the cook's clock; a later order takes the place of an earlier one."""

    at: float


@dataclass(slots=True)
class StopScheduler(Instruction):
    """Call ``onStopCook(cancel)`` once."""

    scheduler: str
    cancel: bool


@dataclass(slots=True)
class Finish(Instruction):
    """Nothing is left to do; ``outcome`` is cooked, failed, canceled or detached."""

    outcome: str
