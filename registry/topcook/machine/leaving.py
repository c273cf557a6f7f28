"""Letting go of a cook whose jobs farms keep: whether that can be now, what keeps the cook, who has to be asked.

Nothing of this happens in a cook that is not to be let go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import instructions as ins
from topcook.machine.phases import DONE_WELL, HELD, IN_PLAY, Phase
from topcook.machine.recalling import Recalling
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.machine import events as ev
    from topcook.machine.nodes import NodeState
    from topcook.machine.schedulers import SchedulerState
    from topcook.model.workitem import WorkItem

_AUTOMATIC = int(Trait.AUTOMATIC)
#: Seconds between two looks, each of which counts all items, and between two words about what keeps the cook.
_EVERY, _TELL_EVERY = 0.5, 60.0
#: How many items are named.
_NAMED = 3

#: What schedulers hold, by name, and in words what keeps the cook besides.
_Left = tuple[dict[str, list["WorkItem"]], list[str]]


class Leaving(Recalling):
    """The wish to leave, on top of the past.

    It ends well when every item that is not settled is with a scheduler that leaves its job to its farm.
    """

    def __init__(self, nodes: Iterable[NodeState], schedulers: Iterable[SchedulerState]) -> None:
        """Nobody wants to leave."""
        super().__init__(nodes, schedulers)
        #: Whether the cook is to be let go when it can, and whether without waiting for what no farm has yet.
        self.leaving = self.leaving_now = False
        #: It has been: what schedulers hold stays theirs.
        self.let_go = False
        #: The attempts, by id, of batches that farms begin when all is done that they wait for.
        self.given_at_once: dict[int, int] = {}
        #: In words, what kept it when that was looked at last.
        self.kept_by: list[str] = []
        self._look_again = self._tell_again = 0.0
        #: The attempts of those that schedulers were asked about, by scheduler and id; the ids that each leaves.
        self._asked: dict[str, dict[int, int]] = {}
        self._leave: dict[str, frozenset[int]] = {}

    def left_answered(self, event: ev.LeaveAnswered) -> None:
        """A scheduler says which of its items go on without the cook."""
        if event.scheduler in self._asked:
            self._leave[event.scheduler] = event.items

    def look_at_leaving(self) -> bool:
        """Whether the cook is let go now; else who has to be asked is, and what keeps it is told."""
        if len(self._leave) < len(self._asked) or self.recalling or self.to_recall:
            return False
        if not self._asked and self.now < self._look_again:
            return False
        held, kept = self._what_is_left()
        if not kept and all(self._leaves(name, items) for name, items in held.items()):
            if held or self.leaving_now:
                return True
        elif self._asked:
            kept += [self._refused(name, items) for name, items in held.items() if not self._leaves(name, items)]
        elif not kept:
            self._asked = {name: {item.id: item.attempt for item in items} for name, items in held.items()}
            self._out += [ins.AskLeave(name, items) for name, items in held.items()]
            return False
        self._asked, self._leave = {}, {}
        self._look_again = self.now + _EVERY
        self._say(kept)
        return False

    def _leaves(self, name: str, items: list[WorkItem]) -> bool:
        """Whether this scheduler has said that the present attempts of these go on without the cook."""
        asked, left = self._asked.get(name, {}), self._leave.get(name, frozenset())
        return all(item.id in left and asked.get(item.id) == item.attempt for item in items)

    def _what_is_left(self) -> _Left:
        held: dict[str, list[WorkItem]] = {}
        waiting: list[WorkItem] = []
        busy: list[WorkItem] = []
        asking: list[WorkItem] = []
        for item in self.all_items():
            # A sub-item goes where its batch goes; what cooks nothing is done with what it is made of.
            if item.phase not in IN_PLAY or item.batch_parent is not None or int(item.traits) & _AUTOMATIC:
                continue
            if item.phase not in HELD:
                waiting.append(item)
            elif item.phase == Phase.HANDING_OVER or self._has_calls(item):
                busy.append(item)
            elif self._asks(item):
                asking.append(item)
            else:
                held.setdefault(item.scheduler, []).append(item)
        kept = [f"{_named(busy)} being handed over"] if busy else []
        if asking:
            kept.append(f"{_named(asking)} begun before all that the sub-items wait for was done")
        making = [
            name for name, node in self.nodes.items() if not node.complete and (node.calls or not self.leaving_now)
        ]
        if making:
            kept.append(f"{', '.join(making[:_NAMED])}: work items are still to be made")
        if waiting and not self.leaving_now:
            kept.append(f"{_named(waiting)} not with a farm yet")
        return held, kept

    def _asks(self, item: WorkItem) -> bool:
        """Whether the job of a batch asks the cook when it may go on: it began with a part of what it waits for."""
        if item.batch is None or self.given_at_once.get(item.id) == item.attempt:
            return False
        return any(
            needed.phase not in DONE_WELL and needed.batch_parent is not item
            for sub in item.batch.items
            if sub.phase in IN_PLAY
            for needed in sub.dependencies
        )

    def _has_calls(self, item: WorkItem) -> bool:
        scheduler = self.schedulers[item.scheduler]
        return scheduler.static_call or item.id in scheduler.calls

    def _refused(self, name: str, items: list[WorkItem]) -> str:
        left = self._leave.get(name, frozenset())
        return (
            f'scheduler "{name}" needs the cook for {_named([item for item in items if item.id not in left] or items)}'
        )

    def _say(self, kept: list[str]) -> None:
        """Tell what keeps the cook, once it has lasted for two looks."""
        lasts, self.kept_by = bool(self.kept_by), kept
        if lasts and kept and self.now >= self._tell_again:
            self._tell_again = self.now + _TELL_EVERY
            self._out.append(ins.SayKept(kept))


def _named(items: list[WorkItem]) -> str:
    names = ", ".join(item.name for item in items[:_NAMED])
    more = f" and {len(items) - _NAMED:,} more" if len(items) > _NAMED else ""
    return f"{len(items):,} work item{'s' if len(items) > 1 else ''} ({names}{more})"
