"""The recorder: what happened is kept before anything follows from it.

The cook thread calls ``commit`` with a batch of events and the hand-overs they cause; only after it returns are the
hand-overs carried out and the reports acknowledged. ``MemoryRecorder`` keeps what a running cook needs;
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
    """Keeps the open hand-overs by token, and counts; it lasts as long as the process."""

    def __init__(self) -> None:
        """Start empty."""
        self.events = 0
        self.hand_overs: dict[str, HandOverNote] = {}

    def commit(self, events: Sequence[Event], hand_overs: Sequence[HandOverNote]) -> None:
        """Count the events, keep the hand-overs."""
        self.events += len(events)
        for note in hand_overs:
            self.hand_overs[note.token] = note

    def close(self) -> None:
        """Forget the hand-overs."""
        self.hand_overs.clear()
