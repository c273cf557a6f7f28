"""What a scheduler or a job tells us about a work item."""

from __future__ import annotations

from enum import Enum
from typing import Any


class Kind(Enum):
    """The kinds of notification; the last part of each ``onWorkItem…`` name."""

    # Enum's own hash is a Python function; members are compared by identity anyway.
    __hash__ = object.__hash__

    STARTED = "start"
    SUCCEEDED = "success"
    FAILED = "fail"
    CANCELED = "cancel"
    OUTPUTS = "outputs"
    ATTRIBUTE = "attribute"
    LOG = "log"
    CUSTOM_STATE = "custom state"
    PERCENT = "percent"
    INVALIDATE_CACHE = "invalidate cache"
    GIVEN = "given"
    PASSED = "passed on"
    TAKEN_UP = "taken up"


class Notification:
    """One notification.

    ``item`` is an id or a name; ``index`` is the sub-item of a batch, -1 for none. ``payload`` depends on
    the kind: SUCCEEDED (duration,) · OUTPUTS (list of File) · ATTRIBUTE (name, AttribType, value, index or
    None for the whole array) · LOG (text, log type) · CUSTOM_STATE (text,) · PERCENT (0..1,).
    GIVEN says that ``onSchedule`` wrote attributes, which are in the item's store already, PASSED that a job's
    report has been through the event methods of its scheduler's author, TAKEN_UP that its
    job of an earlier session was found.
    ``at`` is a reading of ``time.monotonic()`` when the sender knows better than the moment of arrival.
    ``attempt`` tells apart the reports of older attempts; None when the sender does not know it (most schedulers).
    """

    __slots__ = ("at", "attempt", "exit_status", "index", "item", "job_id", "kind", "payload", "reason")

    def __init__(
        self,
        kind: Kind,
        item: int | str,
        index: int = -1,
        payload: tuple[Any, ...] = (),
        *,
        job_id: str = "",
        at: float | None = None,
        attempt: int | None = None,
        exit_status: int | None = None,
        reason: str = "",
    ) -> None:
        """Keep what was said, as it was said."""
        self.kind = kind
        self.item = item
        self.index = index
        self.payload = payload
        self.job_id = job_id
        self.at = at
        self.attempt = attempt
        self.exit_status = exit_status
        self.reason = reason

    def __repr__(self) -> str:
        """Kind, item and payload, as far as that can be shown."""
        try:
            payload = repr(self.payload)
        except Exception:  # noqa: BLE001 - an author's __repr__ may raise anything, and this is for messages
            payload = "(its values cannot be shown)"
        return f"<{self.kind.name} item={self.item!r} index={self.index} {payload}>"
