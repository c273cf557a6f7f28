"""A cook that has a past: items are looked up when they could begin, and go where what was found sends them."""

from __future__ import annotations

import pytest

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import BatchActivation
from topcook.model.workitem import Batch, Trait, WorkItem
from topcook.testkit.machine import FARM, MachineDriver


def answer(cook: MachineDriver, *found: tuple[WorkItem, Trigger]) -> None:
    cook.tell(ev.Recalled([(item, trigger, "") for item, trigger in found], cook.now))


def begin(cook: MachineDriver) -> list[WorkItem]:
    """Begin the cook; answers with what is looked up first."""
    cook.state.remembers = True
    cook.request()
    cook.go()
    return cook.take(ins.Recall).items


def test_a_chain_that_is_done_is_done_without_its_scheduler(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    gathered = cook.item("b", second, traits=Trait.STATIC | Trait.AUTOMATIC)
    assert begin(cook) == [first]
    answer(cook, (first, Trigger.FOUND))
    assert cook.take(ins.Recall).items == [second]
    answer(cook, (second, Trigger.FOUND))
    assert cook.take(ins.Recall).items == [gathered]
    answer(cook, (gathered, Trigger.FOUND))
    assert cook.take(ins.Finish).outcome == "cooked"
    assert [item.phase for item in (first, second, gathered)] == [Phase.CACHED] * 3
    assert cook.state.drain_completed() == [gathered]


def test_what_is_not_done_starts_its_scheduler_and_is_offered(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    assert begin(cook) == [first, second]
    answer(cook, (first, Trigger.FOUND), (second, Trigger.FRESH))
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))
    assert cook.offered() == [second]


def test_a_static_hand_over_waits_until_it_is_known_what_is_done() -> None:
    cook = MachineDriver(SchedulerState(FARM, takes_static=True))
    done, first = cook.item("a"), cook.item("a")
    last = cook.item("a", first)
    assert begin(cook) == [done, first]
    answer(cook, (first, Trigger.FRESH))
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))
    assert cook.waiting == []
    answer(cook, (done, Trigger.FOUND))
    assert cook.take(ins.HandOverStatic).items == [first, last]


def test_what_a_job_tells_while_it_is_taken_up_counts_afterwards(cook: MachineDriver) -> None:
    item = cook.item("a")
    item.attempt = 3
    begin(cook)
    answer(cook, (item, Trigger.ADOPT))
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))
    assert cook.take(ins.Adopt).items == [item]
    cook.said(item, Trigger.START, Trigger.SUCCEED, attempt=3)
    assert item.phase == Phase.CHECKING
    cook.tell(ev.Adopted(FARM, [(item, True)], cook.now))
    assert item.phase == Phase.SUCCESS
    assert item.attempt == 3


def test_what_is_not_taken_up_is_offered_as_the_next_attempt(cook: MachineDriver) -> None:
    item = cook.item("a")
    item.attempt = 3
    begin(cook)
    answer(cook, (item, Trigger.ADOPT))
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))
    cook.tell(ev.Adopted(FARM, [(each, False) for each in cook.take(ins.Adopt).items], cook.now))
    assert cook.offered() == [item]
    assert item.attempt == 4


def test_a_job_that_is_taken_up_after_its_item_was_canceled_is_ended(cook: MachineDriver) -> None:
    item = cook.item("a")
    item.attempt = 1
    begin(cook)
    answer(cook, (item, Trigger.ADOPT))
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))
    cook.take(ins.Adopt)
    cook.cancel(item)
    assert item.phase == Phase.CANCELED
    cook.tell(ev.Adopted(FARM, [(item, True)], cook.now))
    assert cook.take(ins.CancelHeld).items == [item]


def test_what_failed_before_blocks_what_waits_for_it(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    begin(cook)
    answer(cook, (first, Trigger.FAILED_BEFORE))
    assert cook.take(ins.Finish).outcome == "failed"
    assert second.phase == Phase.BLOCKED


def test_a_cook_that_is_canceled_while_items_are_looked_up_puts_them_back(cook: MachineDriver) -> None:
    item = cook.item("a")
    begin(cook)
    cook.cancel()
    assert cook.take(ins.Finish).outcome == "canceled"
    assert item.phase == Phase.UNCOOKED
    answer(cook, (item, Trigger.FOUND))
    assert item.phase == Phase.UNCOOKED


@pytest.mark.parametrize(
    ("statuses", "ends"), [([1], Phase.FAILED), ([7], Phase.HANDING_OVER), ([], Phase.HANDING_OVER)]
)
def test_attempts_that_failed_in_an_earlier_session_have_used_up_retries(
    statuses: list[int | None], ends: Phase
) -> None:
    cook = MachineDriver()
    item = cook.item("a")
    item.attempt = len(statuses)
    cook.allow(retries=1, denied=frozenset({7}))
    begin(cook)
    cook.tell(ev.Recalled([(item, Trigger.FRESH, "")], cook.now, [(item, statuses)]))
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))
    assert cook.offered() == [item]
    cook.said(item, Trigger.ACCEPTED, Trigger.FAIL)
    assert item.phase == ends


def parts(batch: WorkItem) -> Batch:
    assert batch.batch is not None
    return batch.batch


def apart(cook: MachineDriver, *needs: list[WorkItem], activation: BatchActivation = BatchActivation.First) -> WorkItem:
    """A batch whose job leaves out what is done, with a sub-item for each list of what that one waits for."""
    batch = cook.batch("b", *needs, activation=activation)
    parts(batch).apart = True
    return batch


def phases(batch: WorkItem) -> list[str]:
    return [Phase(sub.phase).name for sub in parts(batch).items]


def started(cook: MachineDriver) -> None:
    cook.tell(ev.SchedulerStarted(cook.take(ins.StartScheduler).scheduler, ok=True, at=cook.now))


def test_sub_items_that_are_done_are_left_out_and_what_waits_for_them_goes_on(cook: MachineDriver) -> None:
    batch = apart(cook, [], [], [])
    subs = parts(batch).items
    after = cook.item("c", subs[0])
    assert begin(cook) == subs
    answer(cook, (subs[0], Trigger.FOUND), (subs[1], Trigger.FRESH), (subs[2], Trigger.FOUND))
    assert cook.take(ins.Recall).items == [after, batch]
    started(cook)
    answer(cook, (after, Trigger.FOUND), (batch, Trigger.FRESH))
    assert cook.offered() == [batch]
    assert phases(batch) == ["CACHED", "HANDED_OVER", "CACHED"]
    cook.said(batch, Trigger.ACCEPTED, Trigger.SUCCEED)
    cook.stop()
    assert cook.take(ins.Finish).outcome == "cooked"


@pytest.mark.parametrize("activation", BatchActivation)
def test_a_batch_that_is_done_part_by_part_is_done(cook: MachineDriver, activation: BatchActivation) -> None:
    first, second = cook.item("a"), cook.item("a")
    batch = apart(cook, [first], [second], activation=activation)
    subs = parts(batch).items
    assert begin(cook) == [first, second]
    answer(cook, (first, Trigger.FOUND))
    assert cook.take(ins.Recall).items == [subs[0]]
    answer(cook, (subs[0], Trigger.FOUND))
    answer(cook, (second, Trigger.FOUND))
    assert cook.take(ins.Recall).items == [subs[1]]
    answer(cook, (subs[1], Trigger.FOUND))
    assert cook.take(ins.Recall).items == [batch]
    answer(cook, (batch, Trigger.FOUND))
    assert cook.take(ins.Finish).outcome == "cooked"
    assert batch.phase == Phase.CACHED


def test_a_batch_does_not_start_while_it_is_not_known_which_of_its_sub_items_are_done(cook: MachineDriver) -> None:
    batch = apart(cook, [], [])
    subs = parts(batch).items
    begin(cook)
    answer(cook, (subs[0], Trigger.FRESH))
    started(cook)
    answer(cook, (subs[1], Trigger.FRESH))
    assert cook.take(ins.Recall).items == [batch]


def test_what_its_job_has_of_a_batch_is_taken_up_with_it(cook: MachineDriver) -> None:
    first = cook.item("a")
    batch = apart(cook, [], [], [first])
    done, cooking, waiting = parts(batch).items
    batch.attempt = done.attempt = cooking.attempt = waiting.attempt = 2
    parts(batch).begun = [done, cooking]
    assert begin(cook) == [first, done, cooking]
    answer(cook, (first, Trigger.FRESH), (done, Trigger.FOUND), (cooking, Trigger.FRESH))
    assert cook.take(ins.Recall).items == [batch]
    started(cook)
    assert cook.offered() == [first]
    answer(cook, (batch, Trigger.ADOPT))
    assert cook.take(ins.Adopt).items == [batch]
    # Its job is ahead of the answer.
    cook.said(cooking, Trigger.SUCCEED, attempt=2)
    assert cooking.phase == Phase.READY
    cook.tell(ev.Adopted(FARM, [(batch, True)], cook.now))
    assert phases(batch) == ["CACHED", "SUCCESS", "HANDED_OVER"]
    assert (batch.attempt, waiting.attempt) == (2, 2)
    cook.said(batch, Trigger.SUCCEED, attempt=2)
    assert batch.phase == Phase.SUCCESS


def test_a_batch_whose_job_is_gone_starts_when_it_would_have_started_anyway(cook: MachineDriver) -> None:
    first = cook.item("a")
    batch = apart(cook, [first], [])
    parts(batch).begun = []
    batch.attempt = 1
    second = parts(batch).items[1]
    assert begin(cook) == [first, second]
    answer(cook, (first, Trigger.FRESH), (second, Trigger.FRESH))
    assert cook.take(ins.Recall).items == [batch]
    started(cook)
    assert cook.offered() == [first]
    answer(cook, (batch, Trigger.ADOPT))
    cook.take(ins.Adopt)
    cook.tell(ev.Adopted(FARM, [(batch, False)], cook.now))
    assert cook.waiting == []
    cook.said(first, Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.take(ins.Recall).items == [parts(batch).items[0]]
    answer(cook, (parts(batch).items[0], Trigger.FRESH))
    assert cook.offered() == [batch]
    assert batch.attempt == 2


def test_a_batch_that_failed_before_fails_with_what_of_it_did(cook: MachineDriver) -> None:
    batch = apart(cook, [], [])
    subs = parts(batch).items
    begin(cook)
    answer(cook, *((sub, Trigger.FAILED_BEFORE) for sub in subs))
    assert cook.take(ins.Recall).items == [batch]
    answer(cook, (batch, Trigger.FAILED_BEFORE))
    assert cook.take(ins.Finish).outcome == "failed"
    assert batch.phase == Phase.FAILED


def test_of_a_batch_that_is_looked_up_as_a_whole_what_was_done_stays_done_when_it_failed(cook: MachineDriver) -> None:
    batch = cook.batch("b", [], [])
    good, bad = parts(batch).items
    assert begin(cook) == [batch]
    answer(cook, (good, Trigger.FOUND), (batch, Trigger.FAILED_BEFORE))
    assert (good.phase, bad.phase) == (Phase.CACHED, Phase.FAILED)
