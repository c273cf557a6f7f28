"""The story of a cook: what happened to each item, in order, kept in a bounded log."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.machine.phases import Phase, Trigger

#: Enough for the last steps of any item that is still moving; older lines make room.
CAPACITY = 20_000

#: When, the item's id, before, what happened, after, and the row's mark or why nothing changed.
Line = tuple[float, int, "Phase", "Trigger", "Phase", str]


class Story:
    """A ring of transitions; ``of(item_id)`` tells one item's."""

    __slots__ = ("_lines", "tell")

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Keep at most ``capacity`` lines."""
        self._lines: deque[Line] = deque(maxlen=capacity)
        #: Note one step.
        self.tell: Callable[[Line], None] = self._lines.append

    def of(self, item: int) -> list[str]:
        """The lines that concern one item, oldest first."""
        return [tell(line) for line in self._lines if line[1] == item]


def tell(line: Line) -> str:
    """One line of the story as a person reads it."""
    at, _, before, trigger, after, mark = line
    change = f"{before.name} -> {after.name}" if before is not after else f"stays {before.name}"
    return f"{at:.3f} {trigger.value}: {change}" + (f" ({mark})" if mark else "")
