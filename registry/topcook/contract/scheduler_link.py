"""What ties a scheduler instance to the cook that runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from topcook.errors import CookError

if TYPE_CHECKING:
    from topcook.contract.host import GraphServices, SchedulerHost


class _NotLinked:
    """Stands where the host will be until ``PyScheduler.__init__`` has run."""

    def __getattr__(self, name: str) -> Any:
        raise CookError(
            "this scheduler does not know its cook yet\n"
            "    call PyScheduler.__init__(self, scheduler, name) first thing in __init__"
        )


class SchedulerLink:
    """The link itself.

    Everything of ours on an instance is called ``_topcook…``, so that an author's ``self._host`` or ``self._name``
    meets nothing. Class attributes stand in for what an ``__init__`` that was never called would have set.
    """

    name = ""
    _topcook: SchedulerHost = _NotLinked()
    _topcook_handle: Any = None

    def _topcook_link(self, scheduler: Any, name: str) -> None:
        self._topcook_handle = scheduler
        self._topcook = scheduler.host
        self.name = name

    def cppObject(self) -> Any:
        """The handle that ``__init__`` was given."""
        return self._topcook_handle

    @property
    def _topcook_graph(self) -> GraphServices:
        return self._topcook.graph

    def _topcook_record(self, work_item: Any) -> Any:
        """The record behind whatever names an item: a handle, a record, an id or a name; ``None`` when unknown."""
        record = getattr(work_item, "record", None)
        if record is not None:
            return record
        return self._topcook.graph.item(work_item) if isinstance(work_item, int | str) else work_item

    def cookError(self, message: Any) -> None:
        """Keep an error on the scheduler node; the cook shows it, and goes on."""
        self._topcook.record_error(str(message))

    def cookWarning(self, message: Any) -> None:
        """Keep a warning on the scheduler node."""
        self._topcook.record_warning(str(message))

    def requestTask(self) -> None:
        """Ask for the next ``onSchedule`` now rather than at the next tick (17.5)."""
        self._topcook.request_task()

    def stopCook(self) -> None:
        """Cancel the whole cook (17.5)."""
        self._topcook.stop_cook()

    def setAcceptInProcess(self, accept: bool = True) -> None:
        """Say whether in-process items may be handed to this scheduler."""
        self._topcook.accept_in_process(accept=bool(accept))

    @staticmethod
    def maxThreads() -> int:
        """How many threads a job may use: this machine's processors."""
        return os.cpu_count() or 1
