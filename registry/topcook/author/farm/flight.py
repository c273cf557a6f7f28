"""A job in flight, and what an engine says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from topcook.author.host import record_of
from topcook.model.states import FINAL

__all__ = ["FarmPhase", "FarmState", "Flight"]


class FarmPhase(Enum):
    """Where the engine says a job is."""

    #: It waits; the reason may say what for.
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    #: Also: killed for time or memory, its node died, its dependency never satisfied. The reason says which.
    FAILED = "failed"
    #: Somebody deleted it.
    CANCELED = "canceled"
    #: The engine has never heard of it, or no longer knows; the reason says why, where that is known.
    GONE = "gone"


#: Of a job of which nobody says why it is over.
_OVER = {
    FarmPhase.SUCCEEDED: "ended",
    FarmPhase.FAILED: "failed",
    FarmPhase.CANCELED: "been canceled",
    FarmPhase.GONE: "gone",
}


@dataclass(frozen=True, slots=True)
class FarmState:
    """What the engine says of a job; ``reason`` in words for the person who looks at the summary."""

    phase: FarmPhase
    reason: str = ""
    exit_status: int | None = None

    @property
    def why_over(self) -> str:
        """Why the job will do nothing more, in words, as ``submittedJobEnd`` answers; empty while it waits or runs."""
        if self.phase in {FarmPhase.QUEUED, FarmPhase.RUNNING}:
            return ""
        return self.reason or f"it has {_OVER[self.phase]}"


@dataclass(slots=True)
class Flight:
    """A job in flight: ``engine_id`` is what the engine calls it."""

    work_item: Any
    token: str
    attempt: int
    engine_id: str
    #: When its end was first seen, where nobody has told the cook of it.
    ended_since: float | None = None
    #: What the engine said of it last.
    state: FarmState | None = None
    #: The engine has lost it; it was sent again, and is not taken yet.
    sent_again: bool = False

    @property
    def over(self) -> bool:
        """Whether its item needs it no more: it has ended, or is at another attempt."""
        record = record_of(self.work_item)
        return record.state in FINAL or record.attempt > self.attempt
