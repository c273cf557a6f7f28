"""The transition table: every row can be made to happen through the door, and every missing pair has its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.errors import InvalidTransition
from topcook.machine import TRANSITIONS, Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.phases import DONE_BADLY, DONE_WELL, HELD, NOTIFICATIONS, RETURNS, SETTLED, STATE_OF
from topcook.machine.policies import Policies
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import BatchActivation
from topcook.model.policy import OnFailure, Policy
from topcook.model.workitem import Trait, WorkItem
from topcook.testkit.machine import FARM, MachineDriver

ALL = frozenset(Phase)
CALL_OUT = frozenset(
    {
        Phase.HANDING_OVER,
        Phase.COOKING,
        Phase.SUCCESS,
        Phase.FAILED,
        Phase.CANCELED,
        Phase.DELAYED,
        Phase.TOLERATED,
    }
)

#: Where a trigger has rows, and why it has none elsewhere.
CAN_OCCUR: dict[Trigger, tuple[frozenset[Phase], str]] = {
    Trigger.RELEASE: (frozenset({Phase.WAITING}), "the last dependency is counted for waiting items only"),
    Trigger.COMPLETE: (frozenset({Phase.WAITING, Phase.CHECKING}), "the same, for items with nothing to cook"),
    Trigger.RECALL: (frozenset({Phase.WAITING}), "an item is looked up once, when nothing it waits for is left"),
    **dict.fromkeys(
        (Trigger.FRESH, Trigger.ADOPT, Trigger.LOOKED_UP),
        (frozenset({Phase.CHECKING}), "an answer about what was put back or canceled meanwhile is passed over"),
    ),
    **dict.fromkeys(
        (Trigger.FOUND, Trigger.FAILED_BEFORE),
        (frozenset({Phase.CHECKING, Phase.WAITING, Phase.READY}), "likewise; a sub-item goes with its batch"),
    ),
    Trigger.OFFER: (frozenset({Phase.READY}), "what is not ready any more is dropped from the queue"),
    Trigger.OFFER_STATIC: (frozenset({Phase.WAITING, Phase.READY}), "only these are looked through"),
    Trigger.BLOCK: (
        frozenset({Phase.WAITING, Phase.HANDED_OVER, Phase.DELAYED}),
        (
            "a ready item's dependencies have succeeded for good, and what cooks or has ended is beyond their reach; "
            "only a static hand-over gives an item away before"
        ),
    ),
    Trigger.CANCEL_ORDER: (
        frozenset({Phase.WAITING, Phase.READY, Phase.DELAYED, Phase.CHECKING}) | HELD,
        "what is settled or unknown is passed over",
    ),
    Trigger.RETRIED: (HELD, "only what is held can fail"),
    Trigger.AGAIN: (frozenset({Phase.DELAYED}), "only what failed comes again"),
    **dict.fromkeys(
        (Trigger.TOLERATED, Trigger.FORGIVEN),
        (HELD | {Phase.CHECKING}, "what is held can fail, and what is looked up may have failed before"),
    ),
    Trigger.TIMED_OUT: (frozenset({Phase.COOKING}), "time counts from the start, and the phase stays until the end"),
    Trigger.PUT_BACK: (
        frozenset({Phase.WAITING, Phase.READY, Phase.BLOCKED, Phase.CHECKING}),
        "at the end of a canceled cook no scheduler holds anything, and what has ended stays",
    ),
    Trigger.BATCH_OFFERED: (frozenset({Phase.WAITING, Phase.READY}), "the others are lost, or done in an earlier cook"),
    Trigger.BATCH_BACK: (frozenset({Phase.HANDED_OVER}), "one that was reported on has started its batch"),
    Trigger.BATCH_SUCCEEDED: (
        frozenset({Phase.HANDED_OVER, Phase.COOKING}),
        "it went along, and its own end is not known",
    ),
    Trigger.BATCH_FAILED: (
        frozenset({Phase.HANDED_OVER, Phase.COOKING, Phase.DELAYED}),
        "the same; or it was to come again, and the cook was canceled",
    ),
    Trigger.BATCH_CANCELED: (
        frozenset({Phase.WAITING, Phase.CHECKING, Phase.READY, Phase.HANDED_OVER, Phase.COOKING, Phase.DELAYED}),
        "a batch is canceled with all that is not done",
    ),
    Trigger.BATCH_BLOCKED: (
        frozenset({Phase.WAITING, Phase.CHECKING, Phase.READY, Phase.HANDED_OVER}),
        "a batch that has begun cannot be blocked any more",
    ),
    **dict.fromkeys(NOTIFICATIONS, (ALL, "anybody may report anything at any time")),
    **dict.fromkeys(RETURNS, (CALL_OUT, "a return counts only while its call is out, and that is not given away")),
    Trigger.RAISED: (CALL_OUT | {Phase.HANDED_OVER}, "as other returns; and onScheduleStatic fails what it was given"),
}

ROWS = [(phase, trigger) for phase, row in TRANSITIONS.items() for trigger in row]
ENDINGS = {
    Phase.SUCCESS: Trigger.SUCCEED,
    Phase.FAILED: Trigger.FAIL,
    Phase.CANCELED: Trigger.CANCEL,
    Phase.TOLERATED: Trigger.FAIL,
    Phase.DELAYED: Trigger.FAIL,
}


def one_item(phase: Phase) -> tuple[MachineDriver, WorkItem]:
    """A cook with an item in this phase; where a call can be out, it is."""
    cook = MachineDriver(SchedulerState(FARM, max_items=0, takes_static=phase is Phase.HANDED_OVER))
    if phase is Phase.HANDED_OVER:
        first = cook.item("a")
        item = cook.item("a", first)
        cook.begin()
        cook.take(ins.HandOverStatic)
    elif phase in {Phase.WAITING, Phase.BLOCKED}:
        first = cook.item("a")
        item = cook.item("a", first)
        cook.begin()
        cook.offered()
        if phase is Phase.BLOCKED:
            cook.said(first, Trigger.FAIL)
    elif phase is Phase.CACHED:
        item = cook.item("a")
        item.phase, item.state = Phase.CACHED, STATE_OF[Phase.CACHED]
        cook.item("a")
        cook.begin()
        cook.offered()
    else:
        item = cook.item("a")
        if phase is Phase.DELAYED:
            cook.allow(retries=1, retry_delay=5.0)
        elif phase is Phase.TOLERATED:
            cook.allow(on_failure=OnFailure.CONTINUE)
        if phase is Phase.CHECKING:
            cook.state.remembers = True
            cook.request()
            cook.waiting.clear()
        elif phase is Phase.UNCOOKED:
            cook.request()
            cook.take(ins.StaticReady)
            cook.cancel()
            cook.take(ins.Finish)
        elif phase is Phase.READY:
            cook.request()
            cook.go()
            cook.take(ins.StartScheduler)
        else:
            cook.begin()
            cook.offered()
            if phase in ENDINGS:
                cook.said(item, ENDINGS[phase])
                cook.waiting.clear()
            elif phase is Phase.COOKING:
                cook.said(item, Trigger.START)
    assert item.phase == phase
    return cook, item


def delayed_static_item() -> tuple[MachineDriver, WorkItem]:
    """Given away before what it waits for is done, it failed and is to come again."""
    cook = MachineDriver(SchedulerState(FARM, takes_static=True))
    first = cook.item("a")
    item = cook.item("a", first)
    cook.allow(retries=1, retry_delay=5.0)
    cook.begin()
    cook.take(ins.HandOverStatic)
    cook.said(item, Trigger.FAIL)
    cook.waiting.clear()
    cook.allow(retries=0)
    return cook, item


def automatic_item(phase: Phase) -> tuple[MachineDriver, WorkItem]:
    cook = MachineDriver()
    if phase is Phase.CHECKING:
        item = cook.item("a", traits=Trait.STATIC | Trait.AUTOMATIC)
        cook.state.remembers = True
        cook.request()
        cook.waiting.clear()
        return cook, item
    first = cook.item("a")
    item = cook.item("a", first, traits=Trait.STATIC | Trait.AUTOMATIC)
    cook.begin()
    cook.offered()
    return cook, item


def static_item(phase: Phase) -> tuple[MachineDriver, WorkItem]:
    cook = MachineDriver(SchedulerState(FARM, takes_static=True))
    first = cook.item("a")
    item = cook.item("a", first)
    cook.request()
    cook.go()
    cook.take(ins.StartScheduler)
    return cook, item if phase is Phase.WAITING else first


def remembered_item() -> tuple[MachineDriver, WorkItem]:
    cook = MachineDriver()
    first = cook.item("a")
    item = cook.item("a", first)
    cook.state.remembers = True
    cook.request()
    cook.go()
    cook.tell(ev.Recalled([(each, Trigger.FRESH, "") for each in cook.take(ins.Recall).items], cook.now))
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))
    cook.offered()
    return cook, item


def remembered_sub_item(phase: Phase) -> tuple[MachineDriver, WorkItem]:
    """Its batch is being looked up; what waits, waits for another one of that."""
    cook = MachineDriver()
    batch = cook.batch("b", [], [], activation=BatchActivation.Any)
    assert batch.batch is not None
    waiting, ready = batch.batch.items
    waiting.dependencies.append(ready)
    ready.dependents = [waiting]
    batch.batch.items.sort(key=lambda each: each is not (waiting if phase is Phase.WAITING else ready))
    cook.state.remembers = True
    cook.request()
    cook.waiting.clear()
    item = batch.batch.items[0]
    assert (batch.phase, item.phase) == (Phase.CHECKING, phase)
    return cook, item


def sub_item_that_is_looked_up() -> tuple[MachineDriver, WorkItem]:
    """Its batch waits for it, and for another one."""
    cook = MachineDriver()
    batch = cook.batch("b", [], [cook.item("a")], activation=BatchActivation.All)
    assert batch.batch is not None
    batch.batch.apart = True
    cook.state.remembers = True
    cook.request()
    cook.waiting.clear()
    item = batch.batch.items[0]
    assert (batch.phase, item.phase) == (Phase.WAITING, Phase.CHECKING)
    return cook, item


def remembered_batch() -> tuple[MachineDriver, WorkItem]:
    cook = MachineDriver()
    batch = cook.batch("b", [])
    cook.state.remembers = True
    cook.request()
    cook.waiting.clear()
    return cook, batch


def unbegun_item() -> tuple[MachineDriver, WorkItem]:
    cook = MachineDriver()
    first = cook.item("a")
    item = cook.item("a", first)
    cook.request()
    cook.take(ins.StaticReady)
    return cook, item


def sub_item(phase: Phase, trigger: Trigger) -> tuple[MachineDriver, WorkItem]:
    """A sub-item in this phase, whose batch can still come to ``trigger``."""
    statically = phase is Phase.HANDED_OVER and trigger is Trigger.BATCH_BLOCKED
    cook = MachineDriver(SchedulerState(FARM, max_items=0, takes_static=statically))
    before = cook.item("a")
    offered_later = trigger is Trigger.BATCH_OFFERED or phase in HELD | {Phase.DELAYED}
    activation = BatchActivation.First if offered_later else BatchActivation.All
    batch = cook.batch("b", [], [before], activation=activation)
    assert batch.batch is not None
    subs = batch.batch.items
    if phase in {Phase.WAITING, Phase.READY} and offered_later:
        cook.request()
        cook.go()
        cook.take(ins.StartScheduler)
    else:
        cook.begin()
        cook.waiting.clear()
    item = subs[1] if phase is Phase.WAITING or statically else subs[0]
    if phase is Phase.DELAYED:
        cook.allow(retries=1, retry_delay=5.0)
        cook.said(item, Trigger.FAIL)
        if trigger is Trigger.BATCH_FAILED:
            cook.cancel()
            cook.waiting.clear()
    if phase is Phase.COOKING:
        cook.said(item, Trigger.START)
    assert item.phase == phase
    return cook, item


def batch_blocked(cook: MachineDriver, item: WorkItem) -> None:
    batch = item.batch_parent
    assert batch is not None
    assert batch.batch is not None
    if item.phase == Phase.HANDED_OVER:
        cook.state.block(batch)
        cook.state.look_at_batches()
    else:
        # What blocks its batch is another one, so that it does not block it itself.
        other = next(each for each in batch.batch.items if each is not item)
        cook.cancel(other)


def canceled(cook: MachineDriver, item: WorkItem) -> None:
    cook.cancel(item)
    if cook.waiting:
        cook.tell(ev.ItemsReleased(cook.take(ins.CancelHeld).items, cook.now))


def failed(cook: MachineDriver, item: WorkItem, policy: Policy) -> None:
    cook.state.be_patient(Policies())
    assert cook.state.policies is not None
    cook.state.policies.by_node["a"] = policy
    if item.phase == Phase.CHECKING:
        found(cook, item, Trigger.FAILED_BEFORE)
    else:
        cook.said(item, Trigger.FAIL)


def comes_again(cook: MachineDriver, item: WorkItem) -> None:
    cook.said(item, Trigger.ACCEPTED)
    cook.tell(ev.Clock(cook.now + 100.0))


def took_too_long(cook: MachineDriver, item: WorkItem) -> None:
    cook.allow(heartbeat=10.0)
    cook.tell(ev.Alive(item, cook.now))
    cook.take(ins.WakeAt)
    cook.tell(ev.Clock(cook.now + 100.0))
    cook.take(ins.WakeAt)
    cook.tell(ev.ItemsReleased(cook.take(ins.CancelHeld).items, cook.now))


def completed(cook: MachineDriver, item: WorkItem) -> None:
    if item.phase == Phase.CHECKING:
        cook.tell(ev.Recalled([(item, Trigger.COMPLETE, "")], cook.now))
    else:
        cook.said(item.dependencies[0], Trigger.SUCCEED)


def found(cook: MachineDriver, item: WorkItem, trigger: Trigger) -> None:
    cook.tell(ev.Go(cook.now))
    # A sub-item is done with its batch.
    asked = item.batch_parent or item
    assert cook.take(ins.Recall).items == [asked]
    cook.tell(ev.Recalled([(asked, trigger, "")], cook.now))
    if trigger is Trigger.ADOPT:
        item.attempt = 1
        cook.take(ins.StartScheduler)
        cook.tell(ev.SchedulerStarted(FARM, ok=True, at=cook.now))
        cook.tell(ev.Adopted(FARM, [(each, True) for each in cook.take(ins.Adopt).items], cook.now))


def put_back(cook: MachineDriver, _item: WorkItem) -> None:
    cook.cancel()
    cook.stop()


HAPPENINGS: dict[Trigger, Callable[[MachineDriver, WorkItem], None]] = {
    **{
        trigger: (lambda cook, item, trigger=trigger: cook.said(item, trigger))  # type: ignore[misc]
        for trigger in NOTIFICATIONS | RETURNS
    },
    Trigger.RELEASE: lambda cook, item: cook.said(item.dependencies[0], Trigger.SUCCEED),
    Trigger.COMPLETE: completed,
    Trigger.RECALL: lambda cook, item: cook.said(item.dependencies[0], Trigger.SUCCEED),
    **{
        trigger: (lambda cook, item, trigger=trigger: found(cook, item, trigger))  # type: ignore[misc]
        for trigger in (Trigger.FRESH, Trigger.FOUND, Trigger.FAILED_BEFORE, Trigger.ADOPT)
    },
    Trigger.LOOKED_UP: lambda cook, item: found(cook, item, Trigger.FRESH),
    Trigger.OFFER: lambda cook, _item: cook.tell(ev.SchedulerStarted(FARM, ok=True, at=cook.now)),
    Trigger.OFFER_STATIC: lambda cook, _item: cook.tell(ev.SchedulerStarted(FARM, ok=True, at=cook.now)),
    Trigger.BLOCK: lambda cook, item: cook.said(item.dependencies[0], Trigger.FAIL),
    Trigger.CANCEL_ORDER: canceled,
    Trigger.PUT_BACK: put_back,
    **{
        trigger: (lambda cook, item, policy=policy: failed(cook, item, policy))  # type: ignore[misc]
        for trigger, policy in {
            Trigger.RETRIED: Policy(retries=1, retry_delay=5.0),
            Trigger.TOLERATED: Policy(on_failure=OnFailure.CONTINUE),
            Trigger.FORGIVEN: Policy(on_failure=OnFailure.SUCCESS),
        }.items()
    },
    Trigger.AGAIN: comes_again,
    Trigger.TIMED_OUT: took_too_long,
    Trigger.BATCH_OFFERED: lambda cook, _item: cook.tell(ev.SchedulerStarted(FARM, ok=True, at=cook.now)),
    Trigger.BATCH_BACK: lambda cook, item: cook.said(item.batch_parent, Trigger.DEFERRED),
    Trigger.BATCH_SUCCEEDED: lambda cook, item: cook.said(item.batch_parent, Trigger.SUCCEED),
    Trigger.BATCH_FAILED: lambda cook, item: cook.said(item.batch_parent, Trigger.FAIL),
    Trigger.BATCH_CANCELED: lambda cook, item: canceled(cook, item.batch_parent),
    Trigger.BATCH_BLOCKED: batch_blocked,
}


@pytest.mark.parametrize(("phase", "trigger"), ROWS, ids=lambda each: each.name.lower())
def test_every_row_can_happen_and_does_what_it_says(phase: Phase, trigger: Trigger) -> None:
    if trigger is Trigger.COMPLETE:
        cook, item = automatic_item(phase)
    elif trigger is Trigger.OFFER_STATIC:
        cook, item = static_item(phase)
    elif trigger.name.startswith("BATCH_") and phase is Phase.CHECKING:
        cook, item = sub_item_that_is_looked_up()
    elif trigger is Trigger.LOOKED_UP:
        cook, item = remembered_batch()
    elif trigger.name.startswith("BATCH_"):
        cook, item = sub_item(phase, trigger)
    elif (phase, trigger) == (Phase.DELAYED, Trigger.BLOCK):
        cook, item = delayed_static_item()
    elif trigger is Trigger.RECALL:
        cook, item = remembered_item()
    elif trigger in {Trigger.FOUND, Trigger.FAILED_BEFORE} and phase is not Phase.CHECKING:
        cook, item = remembered_sub_item(phase)
    elif (phase, trigger) == (Phase.WAITING, Trigger.PUT_BACK):
        cook, item = unbegun_item()
    else:
        cook, item = one_item(phase)
    happen = HAPPENINGS[trigger]
    if (phase, trigger) == (Phase.HANDED_OVER, Trigger.RAISED):
        happen = lambda cook, item: cook.tell(ev.StaticReturned(FARM, [item], True, cook.now, "boom"))  # noqa: E731
    happen(cook, item)
    to, mark = TRANSITIONS[phase][trigger]
    steps = [line[2:] for line in cook.state.story._lines if line[1] == item.id]
    assert (phase, trigger, phase if to is None else to, mark) in steps
    if to is None:
        assert item.phase == phase


@pytest.mark.parametrize("trigger", Trigger, ids=lambda trigger: trigger.name.lower())
def test_every_missing_pair_has_its_reason(trigger: Trigger) -> None:
    declared = {phase for phase, row in TRANSITIONS.items() if trigger in row}
    where, reason = CAN_OCCUR[trigger]
    assert declared == where, f"{trigger.name} occurs in {sorted(where)}: {reason}"


def test_every_phase_has_rows_and_shows_a_state() -> None:
    assert TRANSITIONS.keys() == ALL == STATE_OF.keys()


def test_what_is_done_is_never_left() -> None:
    leaving = {phase for phase, row in TRANSITIONS.items() if any(to is not None for to, _ in row.values())}
    assert not leaving & (DONE_WELL | DONE_BADLY)
    assert SETTLED - DONE_WELL - DONE_BADLY == {Phase.BLOCKED}


def test_a_step_that_changes_nothing_has_a_mark_and_no_other_has() -> None:
    assert all((to is None) == bool(mark) for row in TRANSITIONS.values() for to, mark in row.values())


def test_an_undeclared_pair_is_refused_with_the_story(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    with pytest.raises(InvalidTransition) as caught:
        cook.state.move(item, Trigger.RELEASE, 9.0)
    assert caught.value.event == "released"
    assert "WAITING -> READY" in str(caught.value)
    assert "READY -> HANDING_OVER" in str(caught.value)


@given(st.sampled_from(sorted(Phase)), st.lists(st.sampled_from(sorted(RETURNS | NOTIFICATIONS, key=str)), max_size=6))
def test_nothing_that_is_sent_reaches_an_undeclared_pair(phase: Phase, triggers: list[Trigger]) -> None:
    cook, item = one_item(phase)
    for trigger in triggers:
        cook.waiting.clear()
        cook.said(item, trigger)
