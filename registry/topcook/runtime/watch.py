"""Patience: what the cook waits for, for how long, and what it says or does when it runs out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from topcook.machine import events as ev
from topcook.runtime.link import Message
from topcook.runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from topcook.machine.events import Event
    from topcook.runtime.generation import Generator
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

#: A callback that blocks a cancel has its own child processes ended after this many seconds …
END_CHILDREN_AFTER = 1.0
#: … killed after this many …
KILL_CHILDREN_AFTER = 6.0
#: … and is given up after this many.
GIVE_UP_AFTER = 30.0
#: How often a cook that waits looks around, in seconds.
LOOK_EVERY = 0.5


class Patience:
    """Watches the ends that a cook waits for; asked by the cook loop only.

    Without a hurry everything may take the time it takes.
    """

    def __init__(self, graph: Graph, link: CookLink, generator: Generator) -> None:
        """Watch the cook of ``graph``, whose items ``generator`` makes."""
        self._watchdog = Watchdog(graph, generator)
        self._graph = graph
        self._link = link
        self._stopping: dict[str, float] = {}
        self._generating: dict[str, int] = {}
        self._hurried_at: float | None = None

    def hurry(self) -> None:
        """From now on somebody waits for the end."""
        if self._hurried_at is None:
            self._hurried_at = time.monotonic()

    def stopping(self, scheduler: str) -> None:
        """A scheduler was asked to stop."""
        self._stopping[scheduler] = time.monotonic()

    def stopped(self, scheduler: str) -> None:
        """It has."""
        self._stopping.pop(scheduler, None)

    def generating(self, node: str) -> None:
        """A generation call was ordered."""
        self._generating[node] = self._generating.get(node, 0) + 1

    def generated(self, node: str) -> None:
        """A generation call came back."""
        self._generating[node] = self._generating.get(node, 1) - 1

    def timeout(self) -> float | None:
        """How long the loop may sleep."""
        return LOOK_EVERY if self._hurried_at is not None else self._watchdog.timeout()

    def look(self) -> list[Any]:
        """What has to be said about ends that do not come."""
        events: list[Any] = list(self._watchdog.look())
        if self._hurried_at is None or self._graph.debug:
            return events
        now = time.monotonic()
        for name, asked in list(self._stopping.items()):
            events += self._urge(name, now - max(asked, self._hurried_at))
        if now - self._hurried_at > GIVE_UP_AFTER:
            events += self._give_up_generating()
        return events

    def _urge(self, name: str, waited: float) -> list[Event]:
        host = self._graph.host(name)
        busy = host.busy_with
        if waited > END_CHILDREN_AFTER and busy is not None and busy[0] != "onStopCook":
            # It blocks in a subprocess of its own, as Save To Python's onSchedule does: the cancel is for that job.
            host.end_children(kill=waited > KILL_CHILDREN_AFTER)
        if waited <= GIVE_UP_AFTER:
            return []
        self.stopped(name)
        host.given_up = True
        where = host.where_it_stands()
        return [
            Message("error", name, f"gave up waiting for it to stop; its jobs may run on\n{where}"),
            ev.SchedulerStopped(name, self._link.clock.now()),
        ]

    def _give_up_generating(self) -> list[Event]:
        stuck = [name for name, calls in self._generating.items() for _ in range(calls)]
        self._generating.clear()
        now = self._link.clock.now()
        return [
            ev.GenerationFailed(name, f'node "{name}" did not come back from making its items', now) for name in stuck
        ]
