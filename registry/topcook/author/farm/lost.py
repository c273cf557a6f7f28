"""Jobs that an engine does not know any more, though nobody has heard their end: sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from topcook.author.farm.flight import Flight
from topcook.author.host import record_of
from topcook.author.report import report
from topcook.model.states import WorkItemState

__all__ = ["LostJobs"]


class LostJobs:
    """What a ``Reconciler`` does with them, where the engine may forget what it has taken: one that was killed, say.

    ``send(work_item)`` sends an item's job anew, under the same attempt, ``most`` times at most; what it cannot send it
    tells as failed, as it does where it raises. ``begun``: also those whose start was told; else these have failed,
    for nobody knows how far they came, and the item's retries decide.
    """

    def __init__(self, send: Callable[[Any], object], *, begun: bool = True, most: int = 3) -> None:
        """Nothing is lost."""
        self._send = send
        self._begun = begun
        self._most = most
        self._kept: list[Flight] = []
        self._sent: dict[str, int] = {}

    def take(self, flight: Flight) -> bool:
        """Whether it is sent again, with the next ``send_again``."""
        begun = record_of(flight.work_item).state is not WorkItemState.Scheduled
        if (begun and not self._begun) or self._sent.get(flight.token, 0) >= self._most:
            return False
        flight.sent_again = True
        self._kept.append(flight)
        return True

    def send_again(self, scheduler: Any, engine: str) -> None:
        """Send what was taken, and tell the cook."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        began = "" if self._begun else " before it began" if len(kept) == 1 else " before they began"
        jobs = f"1 job{began}: it is" if len(kept) == 1 else f"{len(kept):,} jobs{began}: they are"
        reasons = "; ".join(sorted({flight.state.reason for flight in kept if flight.state and flight.state.reason}))
        scheduler.cookWarning(f"{engine} has lost {jobs} sent again{reasons and f' ({reasons})'}")
        for flight in kept:
            self._sent[flight.token] = self._sent.get(flight.token, 0) + 1
            try:
                self._send(flight.work_item)
            except Exception as error:  # noqa: BLE001 - the others are sent, and nobody else has this one
                reason = f"{engine} has lost its job, which cannot be sent again: {type(error).__name__}: {error}"
                report(scheduler, flight.work_item, flight.attempt).failed(reason)

    def tries(self, flight: Flight) -> str:
        """How often it was sent again, to stand behind a reason; empty where it was not."""
        sent = self._sent.get(flight.token, 0)
        return f", and has lost it {sent + 1} times" if sent else ""
