"""What happens in a cook, on its way from the cook thread to what shows it."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from topcook.lean import NamedTuple
from topcook.model.states import FINAL, WorkItemState
from topcook.runtime.observers import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine.items import Change
    from topcook.runtime.cook import Cook


#: How many different messages are remembered, so that a repeated one is not shown again.
_REMEMBERED = 1000


class Told(NamedTuple):
    """A message of a cook."""

    level: str
    source: str
    text: str


class Feed:
    """An observer that only queues, so that a slow terminal never holds up the cook."""

    def __init__(self) -> None:
        """Start empty."""
        self._queue: SimpleQueue[Sequence[Change] | Told] = SimpleQueue()
        self._said: set[Told] = set()

    @hookimpl
    def items_changed(self, changes: Sequence[Change]) -> None:
        """Items changed their state."""
        self._queue.put(changes)

    @hookimpl
    def cook_message(self, level: str, source: str, text: str) -> None:
        """Something was told."""
        self._queue.put(Told(level, source, text))

    def is_new(self, message: Told) -> bool:
        """Whether this was not said before; remembered from now on, up to a limit."""
        if message in self._said:
            return False
        if len(self._said) < _REMEMBERED:
            self._said.add(message)
        return True

    def drain(self) -> list[Sequence[Change] | Told]:
        """All that was queued since the last call."""
        found: list[Any] = []
        try:
            while True:
                found.append(self._queue.get_nowait())
        except Empty:
            return found


class View(Protocol):
    """Shows a cook: told of what happened, in order, then given the time to draw.

    ``repeats``: it wants to hear also what was said before in the same words.
    """

    repeats: bool

    def changed(self, changes: Sequence[Change]) -> None:
        """Items changed their state."""

    def told(self, message: Told) -> None:
        """Something was told."""

    def tick(self) -> None:
        """Draw what is due; called several times a second."""

    def close(self) -> None:
        """The cook has ended: nothing more is shown."""


def pour(feed: Feed, view: View) -> None:
    """Show what has gathered in the feed."""
    for each in feed.drain():
        if isinstance(each, Told):
            # A callback that raises for every item says the same every time.
            if feed.is_new(each) or view.repeats:
                view.told(each)
        else:
            view.changed(each)
    view.tick()


class Tally:
    """How many items of a cook are in each state; an item counts as Waiting from the moment it exists."""

    def __init__(self, cook: Cook) -> None:
        """Count the items of ``cook``."""
        self._cook = cook
        self._moved = [0] * len(WorkItemState)

    def take(self, changes: Sequence[Change]) -> None:
        """Count changes."""
        moved = self._moved
        for _, old, new, _ in changes:
            moved[old] -= 1
            moved[new] += 1

    def of(self, *states: WorkItemState) -> int:
        """How many items are in these states."""
        found = sum(self._moved[state] for state in states)
        return found + self.total if WorkItemState.Waiting in states else found

    @property
    def total(self) -> int:
        """How many items there are by now."""
        return sum(len(node.items) for node in self._cook.nodes)

    @property
    def ended(self) -> int:
        """How many items have ended, well or not."""
        return self.of(*FINAL)
