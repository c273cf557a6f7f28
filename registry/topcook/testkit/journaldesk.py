"""A journal and items that are moved by hand: what is written, without a cook around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from topcook.machine.instructions import HandOver
from topcook.model.node import Node, NodeType
from topcook.model.states import WorkItemState
from topcook.model.workitem import WorkItem
from topcook.runtime.journal import Journal
from topcook.runtime.recorder import HandOverNotes

__all__ = ["JournalDesk"]


class JournalDesk:
    """A journal at ``path`` of a cook ``cook-1``, whose items are of one node and one scheduler, ``farm``."""

    def __init__(self, path: Path, **options: Any) -> None:
        """Make the journal; ``options`` are those of ``Journal``."""
        self.path = str(path)
        self.node = Node("make", "genericgenerator", NodeType.Processor)
        self.items: list[WorkItem] = []
        self.options = options
        self.journal = self.opened("cook-1")

    def opened(self, cook_id: str) -> Journal:
        """The journal, opened once more for a session of its own."""
        return Journal(self.path, cook_id, "net.toml", find=self.find, **self.options)

    def find(self, key: int | str) -> WorkItem | None:
        """The item with this id or name."""
        return next((item for item in self.items if key in {item.id, item.name}), None)

    def item(self) -> WorkItem:
        """A new item; it is in the journal with the next commit."""
        item = WorkItem(len(self.items) + 1, self.node, len(self.items))
        item.scheduler = "farm"
        self.items.append(item)
        self.journal.begin([item])
        return item

    def hand_over(self, *items: WorkItem) -> None:
        """Commit that these are handed over, queued at 10."""
        for item in items:
            item.attempt += 1
            item.ran().queued = 10.0
        notes = HandOverNotes([HandOver("farm", list(items))], lambda item: f"cook-1-{item.id}-{item.attempt}")
        self.journal.commit([], [self.move(item, WorkItemState.Scheduled) for item in items], notes)

    def end(self, *items: WorkItem, state: WorkItemState = WorkItemState.CookedSuccess) -> None:
        """Commit that these began at 11 and ended at 12."""
        for item in items:
            item.ran().started, item.ran().duration = 11.0, 1.0
        self.journal.commit([], [self.move(item, state) for item in items], [])

    @staticmethod
    def move(item: WorkItem, state: WorkItemState) -> tuple[WorkItem, WorkItemState, WorkItemState, float]:
        """The change of an item's state, at 12."""
        before, item.state = item.state, state
        return item, before, state, 12.0
