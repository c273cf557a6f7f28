"""What a scheduler is offered, how much at once, and what becomes of what it gives back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.schedulers import FIRST_WINDOW, LARGEST_WINDOW, SchedulerState
from topcook.model.workitem import WorkItem
from topcook.testkit.machine import FARM, MachineDriver

Farm = Callable[..., MachineDriver]


def answered(cook: MachineDriver, items: list[WorkItem], *triggers: Trigger) -> None:
    """Every item of a batch gets the same answers."""
    cook.tell(*(ev.ItemEvent(item, trigger, cook.now) for item in items for trigger in triggers))


def test_items_are_offered_by_priority_and_then_by_id(cook: MachineDriver) -> None:
    late, early = cook.item("a", priority=5), cook.item("a", priority=-1)
    middle, same = cook.item("a"), cook.item("a")
    cook.begin()
    assert cook.offered() == [early, middle, same, late]


def test_a_deferred_item_is_offered_again_after_the_next_tick(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.DEFERRED)
    assert cook.waiting == []
    assert item.phase == Phase.READY
    cook.tick()
    assert cook.offered() == [item]
    assert item.attempt == 1, "nobody took it, so the number was not used up"


def test_a_deferred_item_is_offered_again_when_another_ends(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(ev.ItemEvent(first, Trigger.ACCEPTED, 0.0), ev.ItemEvent(second, Trigger.DEFERRED, 0.0))
    assert cook.waiting == []
    cook.said(first, Trigger.SUCCEED)
    assert cook.offered() == [second]


def test_a_deferred_item_is_offered_again_when_the_scheduler_asks_for_work(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.DEFERRED)
    cook.room()
    assert cook.offered() == [item]


def test_deferring_one_item_does_not_stop_the_others(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(ev.ItemEvent(first, Trigger.DEFERRED, 0.0), ev.ItemEvent(second, Trigger.COOK_SUCCEEDED, 0.0))
    assert cook.offered() == [first]


def test_a_full_scheduler_is_offered_nothing_until_there_may_be_room(cook: MachineDriver) -> None:
    items = [cook.item("a") for _ in range(FIRST_WINDOW + 4)]
    cook.begin()
    assert cook.offered() == items[:FIRST_WINDOW]
    batch = [Trigger.ACCEPTED, Trigger.FULL, *[Trigger.NOT_OFFERED] * (FIRST_WINDOW - 2)]
    cook.tell(*(ev.ItemEvent(item, answer, 0.0) for item, answer in zip(items, batch, strict=False)))
    assert cook.waiting == []
    cook.tick(busy=True)
    assert cook.waiting == []
    cook.tick()
    assert cook.offered() == [items[1]], "it took one of the last batch, so it is asked about one"


def test_room_that_appears_while_a_batch_is_out_is_not_forgotten(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.room()
    cook.tell(ev.ItemEvent(first, Trigger.FULL, 0.0), ev.ItemEvent(second, Trigger.NOT_OFFERED, 0.0))
    assert cook.offered() == [first]


def test_a_busy_scheduler_is_offered_nothing(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    cook.begin()
    cook.offered()
    cook.tick(busy=True)
    answered(cook, [first], Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.waiting == []
    cook.room()
    assert cook.waiting == []
    cook.tick()
    assert cook.offered() == [second]


def test_no_more_than_max_items_are_offered_between_two_ticks(farm: Farm) -> None:
    cook = farm(max_items=3)
    items = [cook.item("a") for _ in range(7)]
    cook.begin()
    assert cook.offered() == items[:3]
    answered(cook, items[:3], Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.waiting == []
    cook.tick()
    assert cook.offered() == items[3:6]


def test_calls_that_were_queued_behind_a_tick_count_for_the_time_after_it(farm: Farm) -> None:
    cook = farm(max_items=3)
    items = [cook.item("a") for _ in range(5)]
    cook.begin()
    assert cook.offered() == items[:3]
    cook.tick()
    answered(cook, items[:3], Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.waiting == [], "three were called since that tick"
    cook.tick()
    assert cook.offered() == items[3:]


def test_an_item_that_was_not_offered_after_all_does_not_count(farm: Farm) -> None:
    cook = farm(max_items=2)
    first, second = cook.item("a"), cook.item("a")
    cook.begin()
    assert cook.offered() == [first, second]
    cook.tell(ev.ItemEvent(first, Trigger.FULL, 0.0), ev.ItemEvent(second, Trigger.NOT_OFFERED, 0.0))
    cook.room()
    assert cook.offered() == [first]


def test_no_more_than_max_tasks_are_held_at_once(farm: Farm) -> None:
    cook = farm(max_tasks=2)
    items = [cook.item("a") for _ in range(4)]
    cook.begin()
    assert cook.offered() == items[:2]
    answered(cook, items[:2], Trigger.ACCEPTED)
    cook.tick()
    assert cook.waiting == []
    cook.said(items[0], Trigger.SUCCEED)
    assert cook.offered() == [items[2]]


def test_limits_that_change_hold_from_then_on(farm: Farm) -> None:
    cook = farm(max_tasks=1)
    items = [cook.item("a") for _ in range(4)]
    cook.begin()
    assert cook.offered() == items[:1]
    answered(cook, items[:1], Trigger.ACCEPTED)
    cook.tell(ev.LimitsSet(FARM, 0, 3))
    assert cook.offered() == items[1:3]


def test_batches_grow_while_everything_is_taken_and_shrink_to_what_was(cook: MachineDriver) -> None:
    for _ in range(4 * LARGEST_WINDOW):
        cook.item("a")
    cook.begin()
    sizes = []
    while len(sizes) < 8:
        batch = cook.offered()
        sizes.append(len(batch))
        answered(cook, batch, Trigger.COOK_SUCCEEDED)
    assert sizes == [16, 32, 64, 128, 256, 512, 1024, 1024]
    batch = cook.offered()
    cook.tell(
        *(ev.ItemEvent(item, Trigger.ACCEPTED, 0.0) for item in batch[:5]),
        ev.ItemEvent(batch[5], Trigger.FULL, 0.0),
        *(ev.ItemEvent(item, Trigger.NOT_OFFERED, 0.0) for item in batch[6:]),
    )
    cook.tick()
    assert cook.offered() == batch[5:10]


def test_each_scheduler_is_started_when_it_is_first_needed_and_stopped_at_the_end() -> None:
    cook = MachineDriver(SchedulerState("one"), SchedulerState("two"), SchedulerState("never"))
    first = cook.item("a", scheduler="one")
    second = cook.item("b", first, scheduler="two")
    cook.request()
    cook.go()
    starting = cook.take_all(ins.StartScheduler)
    assert [(order.scheduler, order.nodes) for order in starting] == [("one", ["a"]), ("two", ["b"])]
    cook.tell(ev.SchedulerStarted("two", ok=True, at=0.0))
    cook.tell(ev.SchedulerStarted("one", ok=True, at=0.0))
    assert cook.offered("one") == [first]
    answered(cook, [first], Trigger.COOK_SUCCEEDED)
    assert cook.offered("two") == [second]
    answered(cook, [second], Trigger.COOK_SUCCEEDED)
    assert cook.end(["one", "two"]) == "cooked"


def test_a_scheduler_that_does_not_start_ends_the_cook_as_failed() -> None:
    cook = MachineDriver(SchedulerState("one"), SchedulerState("two"))
    first = cook.item("a", scheduler="one")
    second = cook.item("b", scheduler="two")
    cook.request()
    cook.go()
    cook.take_all(ins.StartScheduler)
    cook.tell(ev.SchedulerStarted("one", ok=True, at=0.0))
    assert cook.offered("one") == [first]
    cook.tell(ev.SchedulerStarted("two", ok=False, at=0.0, message="no licence"))
    assert cook.state.cancel_reason == "no licence"
    assert cook.end(["one", "two"]) == "failed"
    assert first.phase == Phase.CANCELED
    assert second.phase == Phase.UNCOOKED


def test_a_scheduler_that_does_not_start_because_the_user_canceled_does_not_make_it_a_failure(
    cook: MachineDriver,
) -> None:
    cook.item("a")
    cook.request()
    cook.go()
    cook.take(ins.StartScheduler)
    cook.cancel()
    order = cook.take(ins.StopScheduler)
    cook.tell(ev.SchedulerStarted(FARM, ok=False, at=0.0, message="interrupted"))
    cook.tell(ev.SchedulerStopped(order.scheduler, 0.0))
    assert cook.take(ins.Finish).outcome == "canceled"


def test_the_cook_waits_for_a_call_that_is_out_although_its_item_has_ended(cook: MachineDriver) -> None:
    """``onSchedule`` may block on a job that reports for itself."""
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.START, Trigger.SUCCEED)
    assert cook.waiting == []
    cook.said(item, Trigger.COOK_SUCCEEDED)
    assert cook.end() == "cooked"


@pytest.mark.parametrize("returned", [Trigger.REJECTED, Trigger.RAISED, Trigger.COOK_FAILED])
def test_an_item_that_could_not_be_scheduled_has_failed(cook: MachineDriver, returned: Trigger) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, returned)
    assert item.phase == Phase.FAILED
    assert cook.end() == "failed"


def test_nothing_is_handed_over_while_the_cook_is_paused(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    cook.begin()
    cook.offered()
    cook.tell(ev.PauseSet(paused=True))
    answered(cook, [first], Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.waiting == []
    cook.tell(ev.PauseSet(paused=False))
    assert cook.offered() == [second]
