"""``PyScheduler``: what Houdini's scheduler files derive from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.env import clean_environment as convertEnvMapToUTF8
from topcook.contract.scheduler_notify import SchedulerNotifications
from topcook.contract.scheduler_parms import evaluateParamOr
from topcook.contract.scheduler_services import SchedulerServices
from topcook.model.enums import AcceptResult, TickResult

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PyScheduler", "convertEnvMapToUTF8", "evaluateParamOr", "submitGraphAsJob"]


class PyScheduler(SchedulerServices, SchedulerNotifications):
    """The base class of schedulers: every callback but ``onSchedule`` has a default that works.

    ``contract.callbacks`` is the table of what Topcook calls. Mirrors ``pdg.scheduler.PyScheduler`` and, for what a
    scheduler may call on ``self``, ``pdg.Scheduler``.
    """

    def __init__(self, scheduler: Any, name: str) -> None:
        """Take the handle and the instance's name; parms are readable only afterwards, from ``onStart`` on."""
        self._topcook_link(scheduler, name)

    def __repr__(self) -> str:
        """Class and name."""
        return f"<{type(self).__name__} {self.name!r}>"

    @classmethod
    def templateName(cls) -> str:
        """The type's name in the registry: the class name in lower case."""
        return cls.__name__.lower()

    # Callbacks. Each answers what lets the cook go on.

    def onStart(self) -> bool:
        """The scheduler joins a network."""
        return True

    def onStop(self) -> bool:
        """The scheduler leaves the network."""
        return True

    def onStartCook(self, static: bool, cook_set: Sequence[Any]) -> bool:
        """A cook starts."""
        return True

    def onSetupCook(self) -> bool:
        """The cook is about to hand over its first item."""
        return True

    def onStopCook(self, cancel: bool = False) -> bool:
        """The cook has ended, or is canceled."""
        return True

    def onTick(self) -> TickResult:
        """Some time has passed."""
        return TickResult.SchedulerReady

    def onScheduleStatic(self, dependencies: Any, dependents: Any, ready_items: Any) -> None:
        """Static items are known; the cook drives them, so there is nothing to do."""

    def onAcceptWorkItem(self, work_item: Any) -> AcceptResult:
        """Take whatever the cook finds right for this scheduler."""
        return AcceptResult.Default

    def onCancelWorkItems(self, work_items: Sequence[Any], node: Any = None) -> None:
        """Nothing to end here: what the scheduler's jobs report of these items counts no more."""

    def onTransferFile(self, file_path: str) -> Any:
        """Copy it as ``transferFile`` does."""
        return self.transferFile(file_path)

    def onPreSubmitItem(self, work_item: Any, job_env: dict[str, str], item_command: str) -> str:
        """Run the command as it is."""
        return item_command

    def getLogURI(self, work_item: Any) -> str:
        """Nowhere: only the scheduler knows where its jobs write."""
        return ""

    def getStatusURI(self, work_item: Any) -> str:
        """Nowhere: only the scheduler knows its farm's pages."""
        return ""

    def submitAsJob(self, graph_file: str, node_path: str) -> Any:
        """Raises: only the scheduler knows how its farm runs a cook."""
        raise NotImplementedError(
            f'scheduler type "{type(self).__name__}" does not say how to submit a cook as one '
            "job\n    implement submitAsJob(self, graph_file, node_path)"
        )


def submitGraphAsJob(scheduler: Any, graph_file: str, node_path: str) -> Any:
    """Ask ``scheduler`` to cook a whole graph as one job; its status URI, or (status URI, job id)."""
    return scheduler.submitAsJob(graph_file, node_path)
