"""Patience: what the cook waits for, for how long, and what it says or does when it runs out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from topcook.machine import events as ev
from topcook.runtime.link import Message

if TYPE_CHECKING:
    from topcook.machine.events import Event
    from topcook.runtime.cook import Cook

#: A callback that blocks a cancel has its own child processes ended after this many seconds …
END_CHILDREN_AFTER = 1.0
#: … and is given up after this many.
GIVE_UP_AFTER = 30.0
#: How often a cook that waits looks around, in seconds.
LOOK_EVERY = 0.5


class Patience:
    """Watches the ends that a cook waits for; asked by the cook loop only."""

    def __init__(self, cook: Cook) -> None:
        """Watch ``cook``."""
        self._cook = cook
        self._stopping: dict[str, float] = {}
        self._generating: dict[str, int] = {}
        self._canceled_at: float | None = None

    def stopping(self, scheduler: str, *, cancel: bool) -> None:
        """A scheduler was asked to stop; only a cancel is in a hurry."""
        if cancel:
            self._stopping[scheduler] = time.monotonic()
            self._canceled_at = self._canceled_at or time.monotonic()

    def generating(self, node: str) -> None:
        """A generation call was ordered."""
        self._generating[node] = self._generating.get(node, 0) + 1

    def generated(self, node: str) -> None:
        """A generation call came back."""
        self._generating[node] = self._generating.get(node, 1) - 1

    def timeout(self) -> float | None:
        """How long the loop may sleep."""
        waits = self._canceled_at is not None or bool(self._cook.state.cancel_reason)
        return LOOK_EVERY if waits else None

    def look(self) -> list[Event]:
        """What has to be said about ends that do not come."""
        state = self._cook.state
        if not state.cancel_reason or self._cook.graph.debug:
            return []
        now = time.monotonic()
        self._canceled_at = self._canceled_at or now
        events: list[Event] = []
        for name, since in list(self._stopping.items()):
            if state.schedulers[name].stage == "stopped":
                del self._stopping[name]
            else:
                events += self._hurry(name, now - since)
        if now - self._canceled_at > GIVE_UP_AFTER:
            events += self._give_up_generating()
        return events

    def _hurry(self, name: str, waited: float) -> list[Event]:
        host = self._cook.graph.host(name)
        busy = host.busy_with
        if waited > END_CHILDREN_AFTER and busy is not None and busy[0] != "onStopCook":
            # It blocks in a subprocess of its own, as Save To Python's onSchedule does: the cancel is for that job.
            host.end_children()
        if waited <= GIVE_UP_AFTER:
            return []
        del self._stopping[name]
        where = host.where_it_stands()
        return [
            Message("error", name, f"gave up waiting for it to stop; its jobs may run on\n{where}"),
            ev.SchedulerStopped(name, self._cook.link.clock.now()),
        ]

    def _give_up_generating(self) -> list[Event]:
        stuck = [name for name, calls in self._generating.items() for _ in range(calls)]
        self._generating.clear()
        now = self._cook.link.clock.now()
        return [
            ev.GenerationFailed(name, f'node "{name}" did not come back from making its items', now) for name in stuck
        ]
