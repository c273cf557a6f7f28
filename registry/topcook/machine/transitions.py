"""The transition table of a work item: every pair that can occur, as data.

A row says where the item goes (``None``: it stays) and how the story marks it:

- ``""``: an ordinary step;
- ``"confirm"``: says again what is known, as it should;
- ``"duplicate"``: said before, or after the end: no change;
- ``"early"``: a report on an item that nobody handed over: no change;
- ``"late"``: a report on an item that was taken back: no change;
- ``"problem"``: a contradiction worth telling the author: no change.

``docs/work-item-states.md`` is held against this table by a test.
"""

from __future__ import annotations

from typing import NamedTuple

from topcook.machine.phases import Phase as P
from topcook.machine.phases import Trigger as T


class Row(NamedTuple):
    """Where an item goes and how the story marks the step."""

    to: P | None
    mark: str = ""


_END_BY_REPORT = {T.SUCCEED: Row(P.SUCCESS), T.FAIL: Row(P.FAILED), T.CANCEL: Row(P.CANCELED)}
_END_BY_RETURN = {T.COOK_SUCCEEDED: Row(P.SUCCESS), T.COOK_FAILED: Row(P.FAILED), T.COOK_CANCELED: Row(P.CANCELED)}
_EARLY = dict.fromkeys((T.START, T.SUCCEED, T.FAIL, T.CANCEL), Row(None, "early"))
_LATE = dict.fromkeys((T.START, T.SUCCEED, T.FAIL, T.CANCEL), Row(None, "late"))
_AFTER_END = {
    **dict.fromkeys((T.START, T.SUCCEED, T.FAIL, T.CANCEL), Row(None, "duplicate")),
    **dict.fromkeys((T.COOK_SUCCEEDED, T.COOK_FAILED, T.COOK_CANCELED), Row(None, "duplicate")),
    T.ACCEPTED: Row(None, "confirm"),
    # Invariant: what was reported stands; the return value came second and contradicts it.
    **dict.fromkeys((T.REJECTED, T.DEFERRED, T.FULL, T.RAISED, T.NOT_OFFERED), Row(None, "problem")),
    T.CANCEL_ORDER: Row(None, "duplicate"),
}

TRANSITIONS: dict[P, dict[T, Row]] = {
    P.UNCOOKED: {
        T.CANCEL_ORDER: Row(P.CANCELED),
        **_EARLY,
    },
    P.WAITING: {
        T.RELEASE: Row(P.READY),
        T.COMPLETE: Row(P.SUCCESS),
        T.OFFER_STATIC: Row(P.HANDED_OVER),
        T.BLOCK: Row(P.BLOCKED),
        T.CANCEL_ORDER: Row(P.CANCELED),
        **_EARLY,
    },
    P.READY: {
        T.OFFER: Row(P.HANDING_OVER),
        T.OFFER_STATIC: Row(P.HANDED_OVER),
        T.CANCEL_ORDER: Row(P.CANCELED),
        **_EARLY,
    },
    P.HANDING_OVER: {
        **_END_BY_REPORT,
        **_END_BY_RETURN,
        T.START: Row(P.COOKING),
        T.ACCEPTED: Row(P.HANDED_OVER),
        T.REJECTED: Row(P.FAILED),
        T.RAISED: Row(P.FAILED),
        T.DEFERRED: Row(P.READY),
        T.FULL: Row(P.READY),
        T.NOT_OFFERED: Row(P.READY),
        T.CANCEL_ORDER: Row(P.CANCELED),
    },
    P.HANDED_OVER: {
        **_END_BY_REPORT,
        T.START: Row(P.COOKING),
        # onScheduleStatic raised: the items it was given and never reported on fail with it.
        T.RAISED: Row(P.FAILED),
        T.BLOCK: Row(P.BLOCKED),
        T.CANCEL_ORDER: Row(P.CANCELED),
    },
    P.COOKING: {
        **_END_BY_REPORT,
        **_END_BY_RETURN,
        T.START: Row(None, "duplicate"),
        T.ACCEPTED: Row(None, "confirm"),
        **dict.fromkeys((T.REJECTED, T.DEFERRED, T.FULL, T.RAISED, T.NOT_OFFERED), Row(None, "problem")),
        T.CANCEL_ORDER: Row(P.CANCELED),
    },
    P.SUCCESS: _AFTER_END,
    P.CACHED: _AFTER_END,
    P.FAILED: _AFTER_END,
    P.CANCELED: _AFTER_END,
    P.BLOCKED: {
        **_LATE,
        T.BLOCK: Row(None, "duplicate"),
        T.RAISED: Row(None, "duplicate"),
        T.CANCEL_ORDER: Row(None, "duplicate"),
    },
}
