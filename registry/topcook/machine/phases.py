"""The machine's phases of a work item, finer than PDG's states, and what moves an item between them."""

from __future__ import annotations

from enum import Enum, IntEnum

from topcook.model.states import WorkItemState as State


class Phase(IntEnum):
    """Where an item stands. Each phase shows as one PDG state."""

    UNCOOKED = 0
    #: Some dependency has not succeeded yet.
    WAITING = 1
    #: Nothing stands in the way; it waits for its scheduler to take it.
    READY = 2
    #: ``onSchedule`` was called and has not returned.
    HANDING_OVER = 3
    #: The scheduler has it; the result comes later.
    HANDED_OVER = 4
    COOKING = 5
    SUCCESS = 6
    CACHED = 7
    FAILED = 8
    CANCELED = 9
    #: A dependency failed or is blocked itself: a reason, shown as Waiting.
    BLOCKED = 10
    #: An attempt failed, and the next one comes later.
    DELAYED = 11
    #: It failed, and what depends on it cooks all the same.
    TOLERATED = 12
    #: All it waits for is done; what an earlier cook knows of it is being looked up.
    CHECKING = 13


STATE_OF: dict[Phase, State] = {
    Phase.UNCOOKED: State.Uncooked,
    Phase.WAITING: State.Waiting,
    Phase.READY: State.Waiting,
    Phase.HANDING_OVER: State.Scheduled,
    Phase.HANDED_OVER: State.Scheduled,
    Phase.COOKING: State.Cooking,
    Phase.SUCCESS: State.CookedSuccess,
    Phase.CACHED: State.CookedCache,
    Phase.FAILED: State.CookedFail,
    Phase.CANCELED: State.CookedCancel,
    Phase.BLOCKED: State.Waiting,
    Phase.DELAYED: State.Waiting,
    Phase.TOLERATED: State.CookedFail,
    Phase.CHECKING: State.Waiting,
}

#: What depends on an item in one of these need not wait for it any longer.
DONE_WELL = frozenset({Phase.SUCCESS, Phase.CACHED, Phase.TOLERATED})
DONE_BADLY = frozenset({Phase.FAILED, Phase.CANCELED})
#: A sub-item in one of these came to no good end in its batch.
LOST = DONE_BADLY | {Phase.BLOCKED}
#: Nothing more is expected of an item in one of these.
SETTLED = DONE_WELL | DONE_BADLY | {Phase.BLOCKED}
#: The scheduler holds the item, or is being asked to.
HELD = frozenset({Phase.HANDING_OVER, Phase.HANDED_OVER, Phase.COOKING})
#: The cook has the item before it and is not done with it.
IN_PLAY = HELD | {Phase.WAITING, Phase.READY, Phase.DELAYED, Phase.CHECKING}


class Trigger(Enum):
    """What can happen to an item; the value is how the story tells it."""

    # Enum's own hash is a Python function; by identity, as members compare, the table is read five times faster.
    __hash__ = object.__hash__

    # decided by the machine itself
    RELEASE = "released"
    OFFER = "handed over"
    OFFER_STATIC = "handed over statically"
    COMPLETE = "nothing to cook"
    BLOCK = "blocked"
    CANCEL_ORDER = "canceled by request"
    #: The cook was canceled before it came to this item.
    PUT_BACK = "put back"
    # what becomes of a failure, where its policy says something else than to let it stand
    RETRIED = "to be tried again"
    AGAIN = "tried again"
    TOLERATED = "failed, which holds nothing up"
    FORGIVEN = "failed, which counts as success"
    TIMED_OUT = "timed out"
    # what an earlier cook knows of it
    RECALL = "looked up"
    FRESH = "to be cooked"
    FOUND = "found done"
    FAILED_BEFORE = "found failed"
    #: A batch that is to be cooked starts when its sub-items say so.
    LOOKED_UP = "to be cooked in its time"
    ADOPT = "taken up again"
    # a sub-item goes where its batch goes
    BATCH_OFFERED = "handed over with its batch"
    BATCH_BACK = "given back with its batch"
    BATCH_SUCCEEDED = "succeeded with its batch"
    BATCH_FAILED = "failed with its batch"
    BATCH_CANCELED = "canceled with its batch"
    BATCH_BLOCKED = "blocked with its batch"
    # notifications
    START = "reported started"
    SUCCEED = "reported succeeded"
    FAIL = "reported failed"
    CANCEL = "reported canceled"
    # what onSchedule returned
    ACCEPTED = "onSchedule: Succeeded"
    REJECTED = "onSchedule: Failed"
    DEFERRED = "onSchedule: Deferred"
    FULL = "onSchedule: FullDeferred"
    COOK_SUCCEEDED = "onSchedule: CookSucceeded"
    COOK_FAILED = "onSchedule: CookFailed"
    COOK_CANCELED = "onSchedule: CookCanceled"
    RAISED = "onSchedule raised"
    #: The host was told to hand over but did not call: an earlier item found the scheduler full,
    #: or the cook is being canceled.
    NOT_OFFERED = "not offered"


#: The outcomes of one hand-over: each ends the host's call for the item.
RETURNS = frozenset(
    {
        Trigger.ACCEPTED,
        Trigger.REJECTED,
        Trigger.DEFERRED,
        Trigger.FULL,
        Trigger.COOK_SUCCEEDED,
        Trigger.COOK_FAILED,
        Trigger.COOK_CANCELED,
        Trigger.RAISED,
        Trigger.NOT_OFFERED,
    }
)
#: Returns after which the item is the cook's again.
GIVEN_BACK = frozenset({Trigger.DEFERRED, Trigger.FULL, Trigger.NOT_OFFERED})
#: What an item may fail by.
FAILURES = frozenset(
    {
        Trigger.FAIL,
        Trigger.COOK_FAILED,
        Trigger.REJECTED,
        Trigger.RAISED,
        Trigger.TIMED_OUT,
        Trigger.BATCH_FAILED,
    }
)
NOTIFICATIONS = frozenset({Trigger.START, Trigger.SUCCEED, Trigger.FAIL, Trigger.CANCEL})
