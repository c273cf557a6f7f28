"""The recorder: what happened is kept before anything follows from it.

The cook thread calls ``commit`` with a batch of events and the hand-overs they cause; only after it returns are the
hand-overs carried out and the reports acknowledged. ``MemoryRecorder`` only counts;
a journal on disk fits behind the same protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine.events import Event
    from topcook.model.workitem import WorkItem


class HandOverNote:
    """One hand-over that is about to happen: the item, its attempt, the token that goes with it."""

    __slots__ = ("attempt", "item", "scheduler", "token")

    def __init__(self, item: WorkItem, attempt: int, scheduler: str, token: str) -> None:
        """Keep the four."""
        self.item = item
        self.attempt = attempt
        self.scheduler = scheduler
        self.token = token


class Recorder(Protocol):
    """Where a cook's events go."""

    def commit(self, events: Sequence[Event], hand_overs: Sequence[HandOverNote]) -> None:
        """Keep them all or raise ``RecorderError``; returns once they are kept."""

    def close(self) -> None:
        """The cook is over."""


class MemoryRecorder:
    """Counts what goes by and keeps none of it: a cook that lasts as long as its process looks nothing up."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.events = 0
        self.hand_overs = 0

    def commit(self, events: Sequence[Event], hand_overs: Sequence[HandOverNote]) -> None:
        """Count them."""
        self.events += len(events)
        self.hand_overs += len(hand_overs)

    def close(self) -> None:
        """Nothing is left to do."""
