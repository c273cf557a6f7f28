"""Canceling: the cook in every stage, single items in every phase."""

from __future__ import annotations

import pytest

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.model.enums import GenerateWhen
from topcook.model.states import WorkItemState
from topcook.testkit.machine import FARM, MachineDriver


def test_a_cook_that_is_canceled_before_it_began_ends_at_once(cook: MachineDriver) -> None:
    cook.item("a")
    cook.cancel()
    assert cook.take(ins.Finish).outcome == "canceled"
    cook.request()
    assert cook.waiting == []


def test_canceling_while_nodes_make_items_waits_for_the_call_and_asks_for_no_more(cook: MachineDriver) -> None:
    cook.node("a")
    cook.node("b", "a")
    cook.request()
    order = cook.take(ins.Generate)
    cook.cancel()
    assert cook.waiting == []
    cook.generated(order, cook.new_item("a"))
    assert cook.end(()) == "canceled"
    assert cook.nodes["a"].node.items == []


def test_canceling_when_the_static_items_are_ready_leaves_them_uncooked(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.request()
    cook.take(ins.StaticReady)
    cook.cancel()
    assert cook.end(()) == "canceled"
    assert item.state is WorkItemState.Uncooked
    cook.tell(ev.Go(cook.now))
    assert cook.waiting == []


def test_canceling_while_a_scheduler_starts_stops_it(cook: MachineDriver) -> None:
    cook.item("a")
    cook.request()
    cook.go()
    cook.take(ins.StartScheduler)
    cook.cancel()
    order = cook.take(ins.StopScheduler)
    assert order.cancel
    cook.tell(ev.SchedulerStarted(FARM, ok=True, at=cook.now))
    assert cook.waiting == []
    cook.tell(ev.SchedulerStopped(FARM, cook.now))
    assert cook.end(()) == "canceled"


def test_canceling_in_the_middle_cancels_what_is_held_and_puts_the_rest_back(cook: MachineDriver) -> None:
    done, failed, cooking, given = (cook.item("a") for _ in range(4))
    below_failed = cook.item("a", failed)
    below_cooking = cook.item("a", cooking)
    cook.begin()
    cook.offered()
    cook.said(done, Trigger.ACCEPTED, Trigger.SUCCEED)
    cook.said(failed, Trigger.ACCEPTED, Trigger.FAIL)
    cook.said(cooking, Trigger.ACCEPTED, Trigger.START)
    cook.said(given, Trigger.ACCEPTED)
    cook.cancel()
    assert cook.end() == "canceled"
    states = [item.state for item in (done, failed, cooking, given, below_failed, below_cooking)]
    assert states == [
        WorkItemState.CookedSuccess,
        WorkItemState.CookedFail,
        WorkItemState.CookedCancel,
        WorkItemState.CookedCancel,
        WorkItemState.Uncooked,
        WorkItemState.Uncooked,
    ]
    assert cooking.ran().finished is not None
    last = {item.id: new for item, _, new, _ in cook.state.drain_changes()}
    assert last[below_failed.id] is WorkItemState.Uncooked


def test_what_reports_before_the_scheduler_has_stopped_still_counts(cook: MachineDriver) -> None:
    item = cook.item("a")
    below = cook.item("a", item)
    cook.node("b", "a", when=GenerateWhen.EachUpstreamCooked)
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.ACCEPTED)
    cook.cancel()
    order = cook.take(ins.StopScheduler)
    cook.said(item, Trigger.SUCCEED)
    assert cook.waiting == [], "nothing new is offered or made"
    assert below.phase == Phase.READY
    cook.tell(ev.SchedulerStopped(order.scheduler, cook.now))
    assert cook.end(()) == "canceled"
    assert item.state is WorkItemState.CookedSuccess
    assert below.state is WorkItemState.Uncooked


def test_items_of_a_batch_that_the_cancel_overtakes_are_put_back(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.cancel()
    order = cook.take(ins.StopScheduler)
    cook.tell(ev.ItemEvent(first, Trigger.NOT_OFFERED, 0.0), ev.ItemEvent(second, Trigger.NOT_OFFERED, 0.0))
    cook.tell(ev.SchedulerStopped(order.scheduler, cook.now))
    assert cook.end(()) == "canceled"
    assert first.state is second.state is WorkItemState.Uncooked
    assert first.attempt == 0


def test_a_scheduler_that_never_answered_may_still_do_so_after_it_was_given_up(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.cancel()
    cook.stop()
    assert cook.end(()) == "canceled"
    assert item.phase == Phase.CANCELED
    cook.said(item, Trigger.RAISED)
    cook.tell(ev.SchedulerStopped(FARM, cook.now))
    assert item.phase == Phase.CANCELED
    assert cook.state.drain_problems() == []


def test_a_second_cancel_changes_nothing(cook: MachineDriver) -> None:
    cook.item("a")
    cook.begin()
    cook.offered()
    cook.cancel()
    order = cook.take(ins.StopScheduler)
    cook.cancel()
    assert cook.waiting == []
    cook.tell(ev.SchedulerStopped(order.scheduler, cook.now))
    assert cook.end(()) == "canceled"


def test_a_scheduler_may_cancel_the_cook_in_a_tick(cook: MachineDriver) -> None:
    cook.item("a")
    cook.begin()
    cook.offered()
    cook.tick(cancel="the farm is closed")
    assert cook.state.cancel_reason == "the farm is closed"
    assert cook.end() == "canceled"


@pytest.mark.parametrize("late", [Trigger.SUCCEED, Trigger.FAIL, Trigger.START])
def test_a_canceled_item_stays_canceled_whatever_is_reported(cook: MachineDriver, late: Trigger) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.ACCEPTED)
    cook.cancel(item)
    order = cook.take(ins.CancelHeld)
    assert (order.scheduler, order.items) == (FARM, [item])
    cook.tell(ev.ItemsReleased([item], cook.now))
    stopping = cook.take(ins.StopScheduler)
    cook.said(item, late)
    assert item.phase == Phase.CANCELED
    cook.tell(ev.SchedulerStopped(stopping.scheduler, cook.now))
    assert cook.end(()) == "failed"


def test_canceling_an_item_that_nobody_holds_blocks_what_waits_for_it(cook: MachineDriver) -> None:
    first = cook.item("a")
    waiting = cook.item("a", first)
    below = cook.item("a", waiting)
    cook.begin()
    cook.offered()
    cook.cancel(waiting)
    assert (waiting.phase, below.phase) == (Phase.CANCELED, Phase.BLOCKED)
    cook.said(first, Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.end() == "failed"


def test_an_item_canceled_in_the_queue_is_not_offered(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    cook.request()
    cook.go()
    order = cook.take(ins.StartScheduler)
    cook.cancel(first)
    cook.tell(ev.SchedulerStarted(order.scheduler, ok=True, at=cook.now))
    assert cook.offered() == [second]


def test_an_item_that_ends_while_it_is_being_canceled_ends_as_it_said(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.ACCEPTED)
    cook.cancel(item)
    cook.take(ins.CancelHeld)
    cook.said(item, Trigger.SUCCEED)
    stopping = cook.take(ins.StopScheduler)
    cook.tell(ev.ItemsReleased([item], cook.now))
    cook.tell(ev.SchedulerStopped(stopping.scheduler, cook.now))
    assert cook.end(()) == "cooked"


@pytest.mark.parametrize("returned", [Trigger.DEFERRED, Trigger.FULL, Trigger.NOT_OFFERED])
def test_an_item_that_is_given_back_while_it_is_being_canceled_is_canceled(
    cook: MachineDriver, returned: Trigger
) -> None:
    item, other = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.cancel(item)
    cook.take(ins.CancelHeld)
    cook.said(item, returned)
    assert item.phase == Phase.CANCELED
    cook.said(other, Trigger.ACCEPTED, Trigger.SUCCEED)
    stopping = cook.take(ins.StopScheduler)
    cook.tell(ev.ItemsReleased([item], cook.now))
    cook.tell(ev.SchedulerStopped(stopping.scheduler, cook.now))
    assert cook.end(()) == "failed"


def test_canceling_what_has_ended_or_is_not_of_this_cook_changes_nothing(cook: MachineDriver) -> None:
    stranger = MachineDriver().item("elsewhere")
    item, other = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.ACCEPTED, Trigger.SUCCEED)
    cook.cancel(item, stranger)
    assert cook.waiting == []
    assert (item.phase, stranger.phase) == (Phase.SUCCESS, Phase.UNCOOKED)
    cook.said(other, Trigger.COOK_SUCCEEDED)
    assert cook.end() == "cooked"


def test_items_are_canceled_with_the_scheduler_that_holds_them_in_one_call() -> None:
    from topcook.machine.schedulers import SchedulerState

    cook = MachineDriver(SchedulerState("one"), SchedulerState("two"))
    items = [cook.item("a", scheduler=name) for name in ("one", "two", "one")]
    cook.begin()
    cook.offered("one")
    cook.offered("two")
    cook.cancel(*items)
    assert [(order.scheduler, order.items) for order in cook.take_all(ins.CancelHeld)] == [
        ("one", [items[0], items[2]]),
        ("two", [items[1]]),
    ]


def test_a_scheduler_that_starts_after_it_was_given_up_does_not_hold_the_end_up() -> None:
    from topcook.machine.schedulers import SchedulerState

    cook = MachineDriver(SchedulerState("slow"), SchedulerState("other"))
    cook.item("a", scheduler="slow")
    cook.item("a", scheduler="other")
    cook.request()
    cook.go()
    cook.take_all(ins.StartScheduler)
    cook.cancel()
    cook.take_all(ins.StopScheduler)
    cook.tell(ev.SchedulerStopped("slow", cook.now))
    cook.tell(ev.SchedulerStarted("slow", ok=True, at=cook.now))
    cook.tell(ev.SchedulerStopped("other", cook.now))
    assert cook.end(()) == "canceled"


def test_a_scheduler_that_is_being_stopped_is_not_asked_to_cancel_items_too(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.cancel()
    order = cook.take(ins.StopScheduler)
    cook.cancel(item)
    assert cook.waiting == []
    cook.tell(ev.SchedulerStopped(order.scheduler, cook.now))
    assert cook.end(()) == "canceled"
    assert item.phase == Phase.CANCELED
