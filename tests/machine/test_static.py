"""Static hand-over: a scheduler that takes items with their dependencies gets them all at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.schedulers import SchedulerState
from topcook.model.workitem import Trait
from topcook.testkit.machine import FARM, MachineDriver


@pytest.fixture
def cook(farm: Callable[..., MachineDriver]) -> MachineDriver:
    """A cook whose scheduler takes static items."""
    return farm(takes_static=True)


def test_static_items_are_handed_over_together_before_any_is_done(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("b", first)
    third = cook.item("b", second)
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    assert order.items == [first, second, third]
    assert {item.attempt for item in order.items} == {1}
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=0.0))
    cook.said(first, Trigger.START, Trigger.SUCCEED)
    assert second.phase == Phase.HANDED_OVER
    cook.said(second, Trigger.SUCCEED)
    cook.said(third, Trigger.SUCCEED)
    assert cook.end() == "cooked"


def test_items_given_statically_may_report_downstream_before_upstream(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    cook.said(second, Trigger.START, Trigger.SUCCEED)
    cook.said(first, Trigger.START, Trigger.SUCCEED)
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=0.0))
    assert cook.end() == "cooked"


def test_only_items_whose_unfinished_ancestors_are_static_and_its_own_are_given_statically() -> None:
    cook = MachineDriver(SchedulerState(FARM, takes_static=True), SchedulerState("other", takes_static=False))
    mine = cook.item("a")
    below_mine = cook.item("a", mine)
    foreign = cook.item("a", scheduler="other")
    below_foreign = cook.item("a", mine, foreign)
    far_below_foreign = cook.item("a", below_foreign)
    dynamic = cook.item("a", traits=Trait.NONE)
    below_dynamic = cook.item("a", dynamic)
    automatic = cook.item("a", mine, traits=Trait.STATIC | Trait.AUTOMATIC)
    below_automatic = cook.item("a", automatic)
    automatic_foreign = cook.item("a", mine, foreign, traits=Trait.STATIC | Trait.AUTOMATIC)
    below_automatic_foreign = cook.item("a", automatic_foreign)
    cook.begin()
    assert cook.take(ins.HandOverStatic).items == [mine, below_mine, below_automatic], "what cooks nothing is nobody's"
    assert cook.offered("other") == [foreign]
    assert {item.phase for item in (below_foreign, far_below_foreign, below_dynamic, below_automatic_foreign)} == {
        Phase.WAITING
    }
    assert dynamic.phase == Phase.READY, "it is offered when the static call has returned"


def test_what_waits_in_a_circle_is_not_given_statically(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    first.dependencies, second.dependencies = [second], [first]
    first.dependents, second.dependents = [second], [first]
    free = cook.item("a")
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    assert order.items == [free]
    cook.said(free, Trigger.SUCCEED)
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=0.0))
    assert cook.end() == "failed"
    assert first.phase == second.phase == Phase.BLOCKED


def test_a_failing_item_blocks_dependents_that_were_given_away_with_it(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    third = cook.item("a", second)
    other = cook.item("a")
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=0.0))
    cook.said(first, Trigger.FAIL)
    assert second.phase == third.phase == Phase.BLOCKED
    assert cook.take(ins.CancelHeld).items == [second, third], "nobody needs what the farm has of them"
    cook.tell(ev.ItemsReleased([second, third], 0.0))
    cook.said(second, Trigger.START, Trigger.SUCCEED)
    assert second.phase == Phase.BLOCKED, "the farm may run it all the same; it depends on what failed"
    cook.said(other, Trigger.SUCCEED)
    assert cook.end() == "failed"


def test_a_dependent_that_already_cooks_ends_as_its_job_does(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=0.0))
    cook.said(second, Trigger.START)
    cook.said(first, Trigger.FAIL)
    assert second.phase == Phase.COOKING
    cook.said(second, Trigger.SUCCEED)
    assert second.phase == Phase.SUCCESS
    assert cook.end() == "failed"


def test_when_the_static_hand_over_raises_what_was_not_reported_on_fails(cook: MachineDriver) -> None:
    reported = cook.item("a")
    below = cook.item("a", reported)
    lost = cook.item("a")
    waits_for_lost = cook.item("a", lost)
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    cook.said(reported, Trigger.START)
    cook.tell(ev.StaticReturned(FARM, order.items, raised=True, at=7.0, message="no queue"))
    assert [item.phase for item in (reported, below, lost, waits_for_lost)] == [
        Phase.COOKING,
        Phase.FAILED,
        Phase.FAILED,
        Phase.BLOCKED,
    ]
    assert cook.take(ins.CancelHeld).items == [waits_for_lost]
    assert lost.ran().messages == ["no queue"]
    assert lost.ran().finished == 7.0
    cook.said(reported, Trigger.SUCCEED)
    assert cook.end() == "failed"


def test_the_static_hand_over_happens_once_and_other_items_follow_one_by_one(cook: MachineDriver) -> None:
    first = cook.item("a")
    below = cook.item("a", first, traits=Trait.NONE)
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    assert order.items == [first]
    cook.said(first, Trigger.SUCCEED)
    assert cook.waiting == [], "one callback at a time"
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=0.0))
    assert cook.offered() == [below]


def test_items_given_statically_count_for_max_tasks(farm: Callable[..., MachineDriver]) -> None:
    cook = farm(takes_static=True, max_tasks=2)
    statics = [cook.item("a") for _ in range(3)]
    dynamic = cook.item("a", traits=Trait.NONE)
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    assert order.items == statics
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=0.0))
    cook.said(statics[0], Trigger.SUCCEED)
    assert cook.waiting == []
    cook.said(statics[1], Trigger.SUCCEED)
    assert cook.offered() == [dynamic]


def test_what_an_earlier_session_may_have_given_away_is_not_given_away_unasked(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("b", first)
    cook.item("b", second)
    cook.state.left_behind = {second.id}
    cook.begin()
    assert cook.take(ins.HandOverStatic).items == [first]
