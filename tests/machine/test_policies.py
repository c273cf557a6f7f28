"""What the machine makes of failures, time and resources, step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.schedulers import SchedulerState
from topcook.model.policy import OnFailure, Policy
from topcook.model.workitem import WorkItem
from topcook.testkit.machine import FARM, MachineDriver


def begun(*, items: int = 1, **policy: object) -> tuple[MachineDriver, list[WorkItem]]:
    cook = MachineDriver()
    made = [cook.item("a") for _ in range(items)]
    cook.allow(**policy)
    cook.begin()
    assert cook.offered() == made
    return cook, made


def test_a_retry_without_delay_is_offered_in_the_same_step_with_the_next_number() -> None:
    cook, (item,) = begun(retries=1)
    cook.said(item, Trigger.ACCEPTED, Trigger.FAIL)
    assert cook.offered() == [item]
    assert item.attempt == 2
    cook.said(item, Trigger.FAIL, attempt=1)
    assert item.phase == Phase.HANDING_OVER
    cook.said(item, Trigger.FAIL, attempt=2)
    assert item.phase == Phase.FAILED
    cook.said(item, Trigger.ACCEPTED)
    assert cook.end() == "failed"


def test_a_retry_waits_for_its_delay_and_for_the_call_that_is_out() -> None:
    cook, (item,) = begun(retries=1, retry_delay=10.0)
    cook.said(item, Trigger.FAIL)
    wake = cook.take(ins.WakeAt).at
    assert wake == pytest.approx(cook.now - 1.0 + 10.0)
    cook.tell(ev.Clock(wake))
    assert not cook.offered()
    cook.said(item, Trigger.ACCEPTED)
    assert cook.offered() == [item]


def test_the_alarm_is_asked_for_again_when_it_came_too_early() -> None:
    cook, (item,) = begun(retries=1, retry_delay=10.0)
    cook.said(item, Trigger.ACCEPTED, Trigger.FAIL)
    wake = cook.take(ins.WakeAt).at
    cook.tell(ev.Clock(wake - 5.0))
    assert cook.take(ins.WakeAt).at == wake


@given(delay=st.floats(0, 1e6), backoff=st.floats(0, 1e3), longest=st.floats(0, 1e6), failures=st.integers(1, 10_000))
def test_no_delay_is_longer_than_the_longest(delay: float, backoff: float, longest: float, failures: int) -> None:
    policy = Policy(retry_delay=delay, retry_backoff=backoff, longest_delay=longest)
    assert 0 <= policy.delay_after(failures) <= longest


def test_an_item_between_two_attempts_can_be_canceled() -> None:
    cook, (item,) = begun(retries=1, retry_delay=10.0)
    cook.said(item, Trigger.ACCEPTED, Trigger.FAIL)
    cook.take(ins.WakeAt)
    cook.cancel(item)
    assert item.phase == Phase.CANCELED
    assert cook.end() == "failed"


def test_a_cook_is_not_over_while_an_item_waits_for_its_next_attempt() -> None:
    cook, (item, other) = begun(items=2, retries=1, retry_delay=10.0)
    cook.said(item, Trigger.ACCEPTED, Trigger.FAIL)
    wake = cook.take(ins.WakeAt).at
    cook.said(other, Trigger.COOK_SUCCEEDED)
    assert not cook.waiting
    cook.tell(ev.Clock(wake))
    assert cook.offered() == [item]


def test_a_user_who_cancels_what_fails_meanwhile_does_not_see_it_again() -> None:
    cook, (item,) = begun(retries=5)
    cook.said(item, Trigger.ACCEPTED, Trigger.START)
    cook.cancel(item)
    cook.take(ins.CancelHeld)
    cook.said(item, Trigger.FAIL)
    assert item.phase == Phase.FAILED


def test_what_takes_too_long_has_failed_whatever_its_scheduler_calls_it() -> None:
    cook, (item,) = begun(timeout=60.0)
    cook.said(item, Trigger.ACCEPTED, Trigger.START)
    cook.tell(ev.Clock(cook.take(ins.WakeAt).at))
    cook.take(ins.WakeAt)
    assert cook.take(ins.CancelHeld).grace == 5.0
    cook.said(item, Trigger.CANCEL)
    assert item.phase == Phase.FAILED
    assert item.ran().messages == ["timed out after 60 s"]


def test_a_scheduler_that_never_ends_a_job_does_not_keep_the_cook() -> None:
    cook, (item,) = begun(timeout=60.0)
    cook.said(item, Trigger.ACCEPTED, Trigger.START)
    cook.tell(ev.Clock(cook.take(ins.WakeAt).at))
    cook.take(ins.CancelHeld)
    cook.tell(ev.Clock(cook.take(ins.WakeAt).at))
    assert item.phase == Phase.FAILED
    assert item.ran().messages == ["its scheduler did not end its job, which may run on", "timed out after 60 s"]


def test_a_timed_out_item_is_offered_again_only_when_its_scheduler_has_ended_the_job() -> None:
    cook, (item,) = begun(timeout=60.0, retries=1)
    cook.said(item, Trigger.ACCEPTED, Trigger.START)
    cook.tell(ev.Clock(cook.take(ins.WakeAt).at))
    cook.take(ins.WakeAt)
    order = cook.take(ins.CancelHeld)
    cook.said(item, Trigger.FAIL)
    assert item.phase == Phase.DELAYED
    assert not cook.offered()
    cook.tell(ev.ItemsReleased(order.items, cook.now))
    assert cook.offered() == [item]


def test_a_job_that_shows_itself_in_time_lives_on() -> None:
    cook, (item,) = begun(heartbeat=10.0)
    cook.said(item, Trigger.ACCEPTED, Trigger.START)
    cook.tell(ev.Alive(item, cook.now))
    wake = cook.take(ins.WakeAt).at
    cook.tell(ev.Alive(item, wake - 1.0))
    cook.tell(ev.Clock(wake))
    assert cook.take(ins.WakeAt).at == wake + 9.0
    assert item.phase == Phase.COOKING


def test_a_first_sign_of_life_counts_that_comes_before_word_of_the_start() -> None:
    cook, (item,) = begun(heartbeat=10.0)
    cook.tell(ev.Alive(item, cook.now))
    wake = cook.take(ins.WakeAt).at
    cook.said(item, Trigger.ACCEPTED)
    cook.tell(ev.Clock(wake))
    later = cook.take(ins.WakeAt).at
    assert later == wake + 10.0
    cook.said(item, Trigger.START)
    cook.tell(ev.Clock(later))
    assert cook.take(ins.CancelHeld).items == [item]


def test_the_cook_stops_at_the_failure_that_is_one_too_many() -> None:
    cook = MachineDriver()
    items = [cook.item("a") for _ in range(3)]
    cook.state.max_failures = 2
    cook.begin()
    cook.offered()
    cook.said(items[0], Trigger.COOK_FAILED)
    assert not cook.waiting
    cook.said(items[1], Trigger.COOK_FAILED)
    assert cook.end() == "failed"
    assert items[2].phase == Phase.CANCELED


def limited(total: dict[str, int], *needs: dict[str, int]) -> tuple[MachineDriver, list[WorkItem]]:
    cook = MachineDriver(SchedulerState(FARM, max_items=0))
    items = [cook.item(f"n{number}") for number in range(len(needs))]
    for number, need in enumerate(needs):
        cook.allow(f"n{number}", needs=tuple(sorted(need.items())))
    cook.state.limit(total)
    cook.begin()
    return cook, items


def test_what_needs_the_same_waits_for_it_and_nobody_else_does() -> None:
    cook, (first, second, other) = limited({"nuke": 1}, {"nuke": 1}, {"nuke": 1}, {})
    assert cook.offered() == [first, other]
    cook.said(first, Trigger.ACCEPTED, Trigger.SUCCEED)
    cook.said(other, Trigger.ACCEPTED)
    assert cook.offered() == [second]


def test_who_needs_many_is_not_overtaken_by_those_that_need_few_of_the_same() -> None:
    cook, (small, big, late) = limited({"nuke": 3}, {"nuke": 1}, {"nuke": 3}, {"nuke": 1})
    assert cook.offered() == [small]
    cook.said(small, Trigger.ACCEPTED)
    assert not cook.offered()
    cook.said(small, Trigger.SUCCEED)
    assert cook.offered() == [big]
    cook.said(big, Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.offered() == [late]


def test_a_refused_item_gives_its_licence_back() -> None:
    cook, (first, second) = limited({"nuke": 1}, {"nuke": 1}, {"nuke": 1})
    assert cook.offered() == [first]
    cook.said(first, Trigger.DEFERRED)
    assert cook.offered() == [second]


def test_when_there_are_fewer_than_are_out_the_next_waits() -> None:
    cook, (first, second, third) = limited({"nuke": 2}, {"nuke": 1}, {"nuke": 1}, {"nuke": 1})
    assert cook.offered() == [first, second]
    cook.said(first, Trigger.ACCEPTED)
    cook.said(second, Trigger.ACCEPTED)
    cook.tell(ev.CapacitySet("nuke", 1, cook.now))
    cook.said(first, Trigger.SUCCEED)
    assert not cook.offered()
    cook.said(second, Trigger.SUCCEED)
    assert cook.offered() == [third]


@pytest.mark.parametrize("policy", [{"on_failure": OnFailure.CONTINUE}, {"on_failure": OnFailure.SUCCESS}])
def test_what_depends_on_a_failure_that_holds_nothing_up_is_released(policy: dict[str, OnFailure]) -> None:
    cook = MachineDriver()
    first = cook.item("a")
    second = cook.item("b", first)
    cook.allow("a", **policy)
    cook.begin()
    cook.offered()
    cook.said(first, Trigger.COOK_FAILED)
    assert cook.offered() == [second]
    cook.said(second, Trigger.COOK_SUCCEEDED)
    assert cook.end() == ("cooked" if policy["on_failure"] is OnFailure.SUCCESS else "failed")
