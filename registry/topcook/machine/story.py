"""The story of a cook: what happened to each item, in order, kept in a bounded log."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topcook.machine.phases import Phase, Trigger

#: Enough for the last steps of any item that is still moving; older lines make room.
CAPACITY = 20_000

Line = tuple[float, int, "Phase", "Trigger", "Phase", str]


class Story:
    """A ring of transitions; ``of(item_id)`` tells one item's."""

    __slots__ = ("_lines",)

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Keep at most ``capacity`` lines."""
        self._lines: deque[Line] = deque(maxlen=capacity)

    def add(self, at: float, item: int, before: Phase, trigger: Trigger, after: Phase, mark: str) -> None:
        """Note one step; ``mark`` is the row's mark, or why nothing changed."""
        self._lines.append((at, item, before, trigger, after, mark))

    def of(self, item: int) -> list[str]:
        """The lines that concern one item, oldest first."""
        return [tell(line) for line in self._lines if line[1] == item]


def tell(line: Line) -> str:
    """One line of the story as a person reads it."""
    at, _, before, trigger, after, mark = line
    change = f"{before.name} -> {after.name}" if before is not after else f"stays {before.name}"
    return f"{at:.3f} {trigger.value}: {change}" + (f" ({mark})" if mark else "")
