"""Watches what schedulers hold of the static items they were given all at once.

Such items are the scheduler's to drive: the cook offers them to nobody. When none of them moves for long, it says who
holds which.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from topcook.machine.phases import Phase
from topcook.model.states import FINAL, SUCCESSFUL
from topcook.runtime.link import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from topcook.machine.items import Change
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

#: After so many seconds in which nothing that was handed over statically moved, the cook says so.
STALLED_AFTER = 60.0
#: How many items are named.
NAMED = 5


class _Given:
    """The static items of one scheduler, and when one of them last moved."""

    __slots__ = ("at", "items", "told")

    def __init__(self, items: Sequence[WorkItem]) -> None:
        self.items = list(items)
        self.at = time.monotonic()
        self.told = False


class StaticWatch:
    """Asked by the cook loop only."""

    def __init__(self, graph: Graph, link: CookLink) -> None:
        """Watch a cook of ``graph``."""
        self._graph = graph
        self._link = link
        self._given: dict[str, _Given] = {}
        self._next = 0.0

    def given(self, scheduler: str, items: Sequence[WorkItem]) -> None:
        """These are handed over to a scheduler all at once."""
        self._given[scheduler] = _Given(items)

    @property
    def any_given(self) -> bool:
        """Whether any scheduler was, and they are not all done."""
        return bool(self._given)

    def watches(self, scheduler: str) -> bool:
        """Whether it holds static items that are not done."""
        return scheduler in self._given

    def changed(self, changes: Iterable[Change]) -> None:
        """Note what moved, and let schedulers that keep books of their static items know what has ended well."""
        if not self._given:
            return
        now = time.monotonic()
        for item, _, new, _ in changes:
            given = self._given.get(item.scheduler)
            if given is None:
                continue
            given.at, given.told = now, False
            if new in SUCCESSFUL:
                self._graph.host(item.scheduler).static_succeeded(item)

    def timeout(self, other: float | None) -> float | None:
        """How long the loop may sleep: ``other``, or less."""
        if not any(not given.told for given in self._given.values()):
            return other
        return STALLED_AFTER if other is None else min(other, STALLED_AFTER)

    def look(self) -> list[Message]:
        """What has to be said of items that nobody moves; each standstill once."""
        now = time.monotonic()
        if not self._given or now < self._next:
            return []
        self._next = now + STALLED_AFTER / 10
        told = []
        for name, given in list(self._given.items()):
            given.items = [item for item in given.items if item.state not in FINAL]
            if not given.items:
                del self._given[name]
            elif not given.told and now - given.at >= STALLED_AFTER and not self._link.waiting.get(name):
                held = [item for item in given.items if item.phase == Phase.HANDED_OVER]
                if held and not any(item.phase == Phase.COOKING for item in given.items):
                    given.told = True
                    told.append(Message("warning", name, _standstill(name, held, now - given.at)))
        return told


def _standstill(scheduler: str, held: Sequence[WorkItem], seconds: float) -> str:
    ids = {item.id for item in held}
    first = [item for item in held if not any(needed.id in ids for needed in item.dependencies)]
    names = ", ".join(item.name for item in first[:NAMED])
    more = f" and {len(first) - NAMED} more" if len(first) > NAMED else ""
    behind = f"; {len(held) - len(first)} wait behind them" if len(held) > len(first) else ""
    return (
        f'scheduler "{scheduler}" holds {len(held)} static work item{"s" if len(held) > 1 else ""} and has reported '
        f"nothing of them for {seconds:.0f} s: {names}{more}{behind}\n"
        f"    they were handed over all at once, by onScheduleStatic; the cook goes on waiting\n"
        f"    to have them handed over one by one, when each is ready: --no-static {scheduler}"
    )
