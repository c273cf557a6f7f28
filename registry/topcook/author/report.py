"""Reports that say which attempt they are about, when it happened, and how a process ended."""

from __future__ import annotations

import signal
import time
from typing import Any

from topcook.author.host import host_of, record_of
from topcook.contract.host import FunctionReports, JobEnd, SchedulerHost
from topcook.model.notification import Kind, Notification

_SHELL_SIGNAL = 128


class JobReport:
    """The job of one attempt of one item, as the cook hears of it; from any thread.

    Made at hand-over, it keeps the attempt: a report that comes late, after the item was handed over again, is
    recognised as the old attempt's. ``at`` is a reading of ``time.monotonic()``, by default now.
    """

    __slots__ = ("_attempt", "_host", "_item", "_started")

    def __init__(
        self, scheduler: Any, work_item: Any, attempt: int | None = None, *, together: Reports | None = None
    ) -> None:
        """Note the item and its attempt, by default the present one; reports go out at once, or ``together``."""
        record = record_of(work_item)
        self._host: SchedulerHost | Reports = together or host_of(scheduler)
        self._item = record.id
        self._attempt = record.attempt if attempt is None else attempt
        self._started: float | None = None

    def started(self, at: float | None = None) -> None:
        """The job runs."""
        self._started = at
        self._host.notify(Notification(Kind.STARTED, self._item, at=at, attempt=self._attempt))

    def succeeded(self, at: float | None = None, *, exit_status: int | None = 0, seconds: float | None = None) -> None:
        """The job has ended well; it took so many ``seconds``, where the job knows better than when it was heard of."""
        duration = seconds if seconds is not None else self.duration(at) if at is not None else 0.0
        self._host.notify(
            Notification(
                Kind.SUCCEEDED, self._item, payload=(duration,), at=at, attempt=self._attempt, exit_status=exit_status
            )
        )

    def duration(self, at: float) -> float:
        """Seconds from the start to ``at``, 0 when the start is not known."""
        return at - self._started if self._started is not None else 0.0

    def failed(self, reason: str, at: float | None = None, *, exit_status: int | None = None) -> None:
        """The job has failed; ``reason`` is one sentence for the person who looks at the summary."""
        self._host.notify(
            Notification(Kind.FAILED, self._item, at=at, attempt=self._attempt, exit_status=exit_status, reason=reason)
        )

    def canceled(self, reason: str = "", at: float | None = None, *, exit_status: int | None = None) -> None:
        """The job was ended on request, or never started because of one."""
        self._host.notify(
            Notification(
                Kind.CANCELED, self._item, at=at, attempt=self._attempt, exit_status=exit_status, reason=reason
            )
        )

    def ended(self, end: JobEnd) -> None:
        """The local job ended like this: one of the three above, with the reason in words."""
        if end.canceled:
            self.canceled(end.reason, end.at, exit_status=end.exit_status)
        elif end.exit_status == 0:
            self.succeeded(end.at)
        else:
            self.failed(end.reason or _told(end.exit_status), end.at, exit_status=end.exit_status)


class Reports:
    """Reports on many jobs that become known at once: kept until ``send``, which wakes the cook once for them all.

    For one thread at a time.
    """

    __slots__ = ("_kept", "_scheduler")

    def __init__(self, scheduler: Any) -> None:
        """Nothing is kept."""
        self._scheduler = scheduler
        self._kept: list[Notification] = []

    def of(self, work_item: Any, attempt: int | None = None) -> JobReport:
        """How to report on the job of this attempt of the item, by default the present one."""
        return JobReport(self._scheduler, work_item, attempt, together=self)

    def notify(self, notification: Notification) -> None:
        """Keep it."""
        self._kept.append(notification)

    def send(self) -> None:
        """Tell the cook of all that is kept."""
        kept, self._kept = self._kept, []
        if kept:
            host_of(self._scheduler).notify_all(kept)


def _told(status: int | None) -> str:
    if status is None:
        return "nobody saw how its process ended"
    # A shell passes on the signal that ended its command as 128 + number.
    number = -status if status < 0 else status - _SHELL_SIGNAL
    name = next((known.name for known in signal.Signals if known == number), "") if number > 0 else ""
    if status < 0:
        return f"ended by signal {number}" + (f" ({name})" if name else "")
    return f"exit status {status}" + (f" (a shell's word for {name})" if name else "")


def report(scheduler: Any, work_item: Any, attempt: int | None = None) -> JobReport:
    """How to report on the job of this attempt of the item, by default the present one."""
    return JobReport(scheduler, work_item, attempt)


def attempt_of(work_item: Any) -> int:
    """The number of the item's present attempt."""
    return record_of(work_item).attempt


def function_reports(scheduler: Any) -> FunctionReports:
    """How the calling thread reports on functions that it runs: cheaper than ``report`` where there are thousands."""
    return host_of(scheduler).function_reports() or _OneByOne(scheduler)


class _OneByOne:
    """Reports each by itself, to be seen by whoever wants to see each."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._told: JobReport | None = None

    def started(self, work_item: Any, attempt: int) -> None:
        self._told = report(self._scheduler, work_item, attempt)
        self._told.started(time.monotonic())

    def succeeded(self, work_item: Any, attempt: int) -> None:
        told = self._told or report(self._scheduler, work_item, attempt)
        told.succeeded(time.monotonic(), exit_status=None)
