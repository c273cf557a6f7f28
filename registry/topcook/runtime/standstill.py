"""A cook in which nothing moves says what it waits for: the words of its schedulers, else what they hold.

A scheduler gives its words by ``topcook.author.farm.waits_for``; the cook only reads them, so that none that hangs
holds up the telling.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from topcook.machine.phases import Phase
from topcook.model.states import FINAL, WorkItemState
from topcook.runtime.link import Message
from topcook.runtime.staticwatch import StaticWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine import CookState
    from topcook.machine.items import Change
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

__all__ = ["Standstill", "words_of"]

#: It looks so many times within the time after which it speaks.
_LOOKS = 4
_GOES_ON = FINAL | {WorkItemState.Cooking}
#: How many items are named.
NAMED = 3


def words_of(link: CookLink, state: CookState) -> dict[str, str]:
    """What each scheduler that holds items says they wait for; those that say nothing are left out."""
    said = dict(link.waiting)
    return {name: said[name] for name, scheduler in state.schedulers.items() if scheduler.in_flight and said.get(name)}


class Standstill:
    """Asked by the cook loop only. What lasts is told again after twice the time."""

    def __init__(self, graph: Graph, link: CookLink, state: CookState) -> None:
        """Watch a cook of ``graph``."""
        self._graph = graph
        self._link = link
        self._state = state
        self._statics = StaticWatch(graph, link)
        # Who debugs stands still on purpose.
        self._patience = 0.0 if graph.debug else float(graph.config.watchdog)
        self._moved = time.monotonic()
        self._next = self._moved + self._patience / _LOOKS
        self._due = self._patience
        #: The most items that schedulers held since one went on.
        self._most_held = 0

    @property
    def statics(self) -> bool:
        """Whether any scheduler was given items all at once."""
        return self._statics.any_given

    def given(self, scheduler: str, items: Sequence[WorkItem]) -> None:
        """These are handed over to a scheduler all at once."""
        self._statics.given(scheduler, items)

    def changed(self, changes: Sequence[Change]) -> None:
        """Items changed their state; to be offered and given back again and again is no move."""
        held = sum(scheduler.in_flight for scheduler in self._state.schedulers.values())
        went_on = any(change[2] in _GOES_ON for change in changes)
        if went_on or held > self._most_held:
            self._moved, self._due = time.monotonic(), self._patience
            self._most_held = held
        self._statics.changed(changes)

    def timeout(self, other: float | None) -> float | None:
        """How long the loop may sleep: ``other``, or less."""
        least = self._statics.timeout(other)
        if not self._patience:
            return least
        mine = max(0.0, self._next - time.monotonic())
        return mine if least is None else min(least, mine)

    def look(self) -> list[Message]:
        """What has to be said."""
        return [*self._statics.look(), *self._look()]

    def _look(self) -> list[Message]:
        now = time.monotonic()
        if not self._patience or now < self._next:
            return []
        self._next = now + self._patience / _LOOKS
        still = now - self._moved
        if still < self._due or self._state.paused or self._state.cancel_reason:
            return []
        self._due = 2 * still
        return [
            Message("warning", name, f'nothing has moved for {still:.0f} s: scheduler "{name}" {what}')
            for name, what in self._reasons(now).items()
        ]

    def _reasons(self, now: float) -> dict[str, str]:
        """By scheduler, why its items do not begin; of those whose items cook there is nothing to say."""
        held, ready, cooking = self._by_scheduler()
        words, found = words_of(self._link, self._state), {}
        for name in self._state.schedulers:
            busy = self._graph.host(name).busy_with
            if busy is not None and now - busy[2] >= self._patience:
                # It is in a callback that does not come back, and that is told with its place.
                continue
            if name in held and name in words:
                found[name] = f"waits for {words[name]}"
            elif name in held and name not in cooking and not self._statics.watches(name):
                found[name] = f"has taken {_named(held[name])}, and none of them has begun"
            elif name in ready and name not in held and name not in cooking:
                found[name] = f"does not take {_named(ready[name])}, though nothing else stands in the way"
        return found

    def _by_scheduler(self) -> tuple[dict[str, list[WorkItem]], dict[str, list[WorkItem]], set[str]]:
        held: dict[str, list[WorkItem]] = {}
        ready: dict[str, list[WorkItem]] = {}
        cooking: set[str] = set()
        for item in self._state.all_items():
            if item.phase == Phase.HANDED_OVER:
                held.setdefault(item.scheduler, []).append(item)
            elif item.phase == Phase.READY:
                ready.setdefault(item.scheduler, []).append(item)
            elif item.phase == Phase.COOKING:
                cooking.add(item.scheduler)
        return held, ready, cooking


def _named(items: Sequence[WorkItem]) -> str:
    names = ", ".join(map(_with_state, items[:NAMED]))
    more = f" and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
    return f"{len(items):,} work item{'s' if len(items) > 1 else ''} ({names}{more})"


def _with_state(item: WorkItem) -> str:
    custom = item.run.custom_state if item.run is not None else ""
    return f"{item.name}: {custom}" if custom else item.name
