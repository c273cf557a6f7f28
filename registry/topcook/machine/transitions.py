"""The transition table of a work item: every pair that can occur, as data.

A row says where the item goes (``None``: it stays) and how the story marks it:

- ``""``: an ordinary step;
- ``"confirm"``: says again what is known, as it should;
- ``"duplicate"``: said before, or after the end: no change;
- ``"early"``: a report on an item that nobody handed over: no change;
- ``"late"``: a report on an item that was taken back or canceled: no change;
- ``"problem"``: a contradiction worth telling the author: no change.

``docs/work-item-states.md`` is held against this table by a test.
"""

from __future__ import annotations

from topcook.lean import NamedTuple
from topcook.machine.phases import Phase as P
from topcook.machine.phases import Trigger as T


class Row(NamedTuple):
    """Where an item goes and how the story marks the step."""

    to: P | None
    mark: str = ""


_REPORTS = (T.START, T.SUCCEED, T.FAIL, T.CANCEL)
#: What an ``onSchedule`` may answer that says: it did not take the item.
_NOT_TAKEN = (T.REJECTED, T.DEFERRED, T.FULL, T.RAISED, T.NOT_OFFERED)
_END_BY_REPORT = {T.SUCCEED: Row(P.SUCCESS), T.FAIL: Row(P.FAILED), T.CANCEL: Row(P.CANCELED)}
_END_BY_RETURN = {T.COOK_SUCCEEDED: Row(P.SUCCESS), T.COOK_FAILED: Row(P.FAILED), T.COOK_CANCELED: Row(P.CANCELED)}
#: What a sub-item's batch may come to, once it was handed over with it.
_END_WITH_BATCH = {
    T.BATCH_SUCCEEDED: Row(P.SUCCESS),
    T.BATCH_FAILED: Row(P.FAILED),
    T.BATCH_CANCELED: Row(P.CANCELED),
}
#: What a policy makes of a failure.
_END_BY_POLICY = {
    T.RETRIED: Row(P.DELAYED),
    T.TOLERATED: Row(P.TOLERATED),
    T.FORGIVEN: Row(P.SUCCESS),
}
_FOUND_WITH_BATCH = {T.FOUND: Row(P.CACHED), T.FAILED_BEFORE: Row(P.FAILED)}
_NOT_WITH_BATCH = {T.BATCH_CANCELED: Row(P.CANCELED), T.BATCH_BLOCKED: Row(P.BLOCKED)}
_EARLY = dict.fromkeys(_REPORTS, Row(None, "early"))
_LATE = dict.fromkeys(_REPORTS, Row(None, "late"))
_AFTER_END = {
    **dict.fromkeys(_REPORTS, Row(None, "duplicate")),
    **dict.fromkeys(_END_BY_RETURN, Row(None, "duplicate")),
    T.ACCEPTED: Row(None, "confirm"),
    # Invariant: what was reported stands; the return value came second and contradicts it.
    **dict.fromkeys(_NOT_TAKEN, Row(None, "problem")),
}

TRANSITIONS: dict[P, dict[T, Row]] = {
    P.UNCOOKED: _EARLY,
    P.WAITING: {
        T.RELEASE: Row(P.READY),
        T.COMPLETE: Row(P.SUCCESS),
        T.RECALL: Row(P.CHECKING),
        T.OFFER_STATIC: Row(P.HANDED_OVER),
        T.BLOCK: Row(P.BLOCKED),
        T.CANCEL_ORDER: Row(P.CANCELED),
        T.PUT_BACK: Row(P.UNCOOKED),
        T.BATCH_OFFERED: Row(P.HANDED_OVER),
        **_FOUND_WITH_BATCH,
        **_NOT_WITH_BATCH,
        **_EARLY,
    },
    P.READY: {
        T.OFFER: Row(P.HANDING_OVER),
        T.OFFER_STATIC: Row(P.HANDED_OVER),
        T.CANCEL_ORDER: Row(P.CANCELED),
        T.PUT_BACK: Row(P.UNCOOKED),
        T.BATCH_OFFERED: Row(P.HANDED_OVER),
        **_FOUND_WITH_BATCH,
        **_NOT_WITH_BATCH,
        **_EARLY,
    },
    P.HANDING_OVER: {
        **_END_BY_REPORT,
        **_END_BY_POLICY,
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
        **_END_BY_POLICY,
        T.START: Row(P.COOKING),
        # onScheduleStatic raised: the items it was given and never reported on fail with it.
        T.RAISED: Row(P.FAILED),
        T.BLOCK: Row(P.BLOCKED),
        T.CANCEL_ORDER: Row(P.CANCELED),
        **_END_WITH_BATCH,
        T.BATCH_BACK: Row(P.WAITING),
        T.BATCH_BLOCKED: Row(P.BLOCKED),
    },
    P.COOKING: {
        **_END_BY_REPORT,
        **_END_BY_POLICY,
        T.TIMED_OUT: Row(P.FAILED),
        **_END_BY_RETURN,
        **_END_WITH_BATCH,
        T.START: Row(None, "duplicate"),
        T.ACCEPTED: Row(None, "confirm"),
        **dict.fromkeys(_NOT_TAKEN, Row(None, "problem")),
        T.CANCEL_ORDER: Row(P.CANCELED),
    },
    P.SUCCESS: _AFTER_END,
    # Nobody was given it, so nothing can be returned.
    P.CACHED: dict.fromkeys(_REPORTS, Row(None, "duplicate")),
    P.FAILED: _AFTER_END,
    P.CANCELED: {
        **_AFTER_END,
        **_LATE,
        T.CANCEL: Row(None, "duplicate"),
        # What it still says of an item that was taken from it contradicts nothing.
        **dict.fromkeys((T.COOK_SUCCEEDED, T.COOK_FAILED, *_NOT_TAKEN), Row(None, "late")),
    },
    P.BLOCKED: {
        T.PUT_BACK: Row(P.UNCOOKED),
        **_LATE,
    },
    P.DELAYED: {
        # The attempt has ended, whatever is still said of it.
        **_AFTER_END,
        T.AGAIN: Row(P.WAITING),
        T.BLOCK: Row(P.BLOCKED),
        T.CANCEL_ORDER: Row(P.CANCELED),
        # Its batch came to an end that nothing follows: the cook is being canceled.
        T.BATCH_FAILED: Row(P.FAILED),
        T.BATCH_CANCELED: Row(P.CANCELED),
    },
    P.TOLERATED: _AFTER_END,
    P.CHECKING: {
        T.FRESH: Row(P.READY),
        T.FOUND: Row(P.CACHED),
        T.FAILED_BEFORE: Row(P.FAILED),
        # It had failed before, and its policy says what that is.
        T.TOLERATED: Row(P.TOLERATED),
        T.FORGIVEN: Row(P.SUCCESS),
        T.ADOPT: Row(P.HANDED_OVER),
        T.LOOKED_UP: Row(P.WAITING),
        **_NOT_WITH_BATCH,
        T.COMPLETE: Row(P.SUCCESS),
        T.CANCEL_ORDER: Row(P.CANCELED),
        T.PUT_BACK: Row(P.UNCOOKED),
        # What a job tells that is being taken up is kept until it is.
        **_EARLY,
    },
}
