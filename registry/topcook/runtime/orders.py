"""What a cook may be told while it runs, from any thread."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from topcook.machine import events as ev

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.keeper.ofcook import CookKeeper
    from topcook.runtime.link import CookLink

__all__ = ["Orders"]


class Orders:
    """Each is an event for the cook thread, which gets to it in its own time; but ``kill``, which waits for nobody."""

    graph: Graph
    link: CookLink
    _keeper: CookKeeper
    _thread: threading.Thread | None = None

    def cancel(self, reason: str = "canceled") -> None:
        """Ask the cook to end: jobs are ended, ``onStopCook(True)`` runs. Safe in a signal handler."""
        self.link.cancel(reason)

    def cancel_items(self, items: list[WorkItem]) -> None:
        """Ask for single items to be canceled."""
        self.link.inbox.post(ev.CancelItems(items, self.link.clock.now()))

    def pause(self, *, paused: bool) -> None:
        """Hand over nothing new while paused."""
        self.link.inbox.post(ev.PauseSet(paused))

    def detach(self, *, now: bool = False) -> None:
        """End without ending what farms keep: once all that is left is with such, ``now``: once nothing else runs.

        Where that never comes, the cook ends as ever.
        """
        self.link.inbox.post(ev.DetachRequested(self.link.clock.now(), now))

    def kill(self) -> None:
        """End all local jobs at once, and what schedulers started themselves, without asking anybody: second Ctrl-C."""
        with contextlib.suppress(Exception):  # the program is about to end; whatever this raises must not stop it
            for host in self.graph.hosts():
                host.end_children(kill=True)
        self._keeper.kill()

    @property
    def thread_id(self) -> int | None:
        """The cook thread's, ``None`` before ``start``."""
        return self._thread.ident if self._thread is not None else None

    def keeper_pid(self) -> int | None:
        """The keeper's process id, ``None`` before the first local job."""
        return self._keeper.pid
