"""A cook that is to be let go: whether it can be, what keeps it, and what becomes of its items."""

from __future__ import annotations

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import GenerateWhen
from topcook.model.workitem import Trait, WorkItem
from topcook.testkit.machine import FARM, MachineDriver


def given(cook: MachineDriver, *items: WorkItem) -> None:
    """They are with their schedulers."""
    for item in items:
        cook.said(item, Trigger.ACCEPTED)


def detach(cook: MachineDriver, *, now: bool = False) -> None:
    cook.tell(ev.DetachRequested(cook.now, now))


def answer(cook: MachineDriver, *items: WorkItem, scheduler: str = FARM) -> None:
    cook.tell(ev.LeaveAnswered(scheduler, frozenset(item.id for item in items), cook.now))


def two_schedulers() -> MachineDriver:
    return MachineDriver(SchedulerState(FARM, max_items=0), SchedulerState("here", max_items=0))


def test_a_cook_whose_items_are_all_with_a_farm_that_keeps_them_is_let_go(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(ev.ItemsAccepted(FARM, [first, second], cook.now))
    cook.said(second, Trigger.START)
    detach(cook)
    assert cook.take(ins.AskLeave).items == [first, second]
    answer(cook, first, second)
    stop = cook.take(ins.StopScheduler)
    assert not stop.cancel
    cook.tell(ev.SchedulerStopped(FARM, cook.now))
    assert cook.take(ins.Finish).outcome == "detached"
    assert [first.phase, second.phase] == [Phase.HANDED_OVER, Phase.COOKING]


def test_a_cook_nobody_lets_go_asks_nothing(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    given(cook, item)
    cook.tick()
    assert cook.waiting == []


def test_what_no_farm_has_yet_is_waited_for_and_told(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("b", first)
    cook.begin()
    cook.offered()
    given(cook, first)
    detach(cook)
    assert cook.waiting == []
    cook.tick()
    assert cook.take(ins.SayKept).words == ["1 work item (b_2) not with a farm yet"]
    cook.said(first, Trigger.SUCCEED)
    assert cook.offered() == [second]
    given(cook, second)
    assert cook.take(ins.AskLeave).items == [second]
    answer(cook, second)
    assert cook.end() == "detached"


def test_now_leaves_what_no_farm_has_to_a_later_session(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("b", first)
    cook.node("c", "b", when=GenerateWhen.EachUpstreamCooked)
    cook.begin()
    cook.offered()
    given(cook, first)
    detach(cook, now=True)
    assert cook.take(ins.AskLeave).items == [first]
    # It ends while that is asked: nothing more begins.
    cook.said(first, Trigger.SUCCEED)
    assert cook.waiting == []
    answer(cook, first)
    assert cook.end() == "detached"
    assert second.phase == Phase.READY


def test_a_node_that_makes_items_in_the_cook_keeps_it(cook: MachineDriver) -> None:
    first = cook.item("a")
    cook.node("b", "a", when=GenerateWhen.EachUpstreamCooked)
    cook.begin()
    cook.offered()
    given(cook, first)
    detach(cook)
    cook.tick()
    assert cook.take(ins.SayKept).words == ["b: work items are still to be made"]


def test_items_of_a_scheduler_that_keeps_nothing_are_waited_for_to_the_end() -> None:
    cook = two_schedulers()
    away, near = cook.item("a"), cook.item("a", scheduler="here")
    cook.begin()
    cook.take_all(ins.HandOver)
    given(cook, away, near)
    detach(cook)
    assert len(cook.take_all(ins.AskLeave)) == 2
    answer(cook, away)
    answer(cook, scheduler="here")
    cook.tick()
    assert len(cook.take_all(ins.AskLeave)) == 2
    answer(cook, away)
    answer(cook, scheduler="here")
    assert cook.take(ins.SayKept).words == ['scheduler "here" needs the cook for 1 work item (a_2)']
    assert cook.state.kept_by
    cook.tick()
    cook.take_all(ins.AskLeave)
    answer(cook, away)
    # What it is asked about ends before it has answered: the farm has all there is.
    cook.said(near, Trigger.SUCCEED)
    answer(cook, scheduler="here")
    assert cook.end((FARM, "here")) == "detached"


def test_an_item_that_came_again_since_its_scheduler_was_asked_is_asked_about_again(cook: MachineDriver) -> None:
    cook.node("a")
    cook.allow(retries=1)
    item = cook.item("a")
    cook.begin()
    cook.offered()
    given(cook, item)
    detach(cook)
    cook.take(ins.AskLeave)
    cook.said(item, Trigger.FAIL)
    assert cook.offered() == [item]
    given(cook, item)
    answer(cook, item)
    assert cook.take_all(ins.StopScheduler) == []
    cook.tick()
    assert cook.take(ins.AskLeave).items == [item]
    answer(cook, item)
    assert cook.end() == "detached"


def test_a_batch_that_began_before_all_was_there_keeps_the_cook_which_its_job_asks(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a", scheduler=FARM)
    batch = cook.batch("b", [first], [second])
    cook.begin()
    cook.offered()
    given(cook, first, second)
    cook.said(first, Trigger.SUCCEED)
    assert cook.offered() == [batch]
    given(cook, batch)
    detach(cook, now=True)
    cook.tick()
    assert cook.take(ins.SayKept).words == ["1 work item (b_3) begun before all that the sub-items wait for was done"]
    cook.said(second, Trigger.SUCCEED)
    assert cook.take(ins.AskLeave).items == [batch]
    answer(cook, batch)
    assert cook.end() == "detached"


def test_a_batch_that_a_farm_begins_in_its_time_keeps_no_cook() -> None:
    cook = MachineDriver(SchedulerState(FARM, takes_static=True))
    first = cook.item("a")
    batch = cook.batch("b", [first], [first])
    cook.begin()
    order = cook.take(ins.HandOverStatic)
    assert order.items == [first, batch]
    cook.tell(ev.StaticReturned(FARM, order.items, raised=False, at=cook.now))
    detach(cook)
    assert cook.take(ins.AskLeave).items == [first, batch]
    answer(cook, first, batch)
    assert cook.end() == "detached"


def test_what_cooks_nothing_keeps_no_cook(cook: MachineDriver) -> None:
    first = cook.item("a")
    cook.item("b", first, traits=Trait.STATIC | Trait.AUTOMATIC)
    cook.begin()
    cook.offered()
    given(cook, first)
    detach(cook)
    answer(cook, *cook.take(ins.AskLeave).items)
    assert cook.end() == "detached"


def test_a_cook_that_ends_before_it_can_be_let_go_has_ended_as_ever(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    given(cook, item)
    detach(cook)
    cook.take(ins.AskLeave)
    cook.said(item, Trigger.SUCCEED)
    assert cook.end() == "cooked"


def test_what_ends_while_the_cook_leaves_counts(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    given(cook, first, second)
    detach(cook)
    answer(cook, *cook.take(ins.AskLeave).items)
    stop = cook.take(ins.StopScheduler)
    cook.said(first, Trigger.SUCCEED)
    cook.said(second, Trigger.FAIL)
    cook.tell(ev.SchedulerStopped(stop.scheduler, cook.now))
    assert cook.take(ins.Finish).outcome == "failed"
    assert first.phase == Phase.SUCCESS
