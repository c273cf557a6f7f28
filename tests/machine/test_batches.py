"""Batches: one hand-over for many sub-items, each with its own state, dependencies and dependents."""

from __future__ import annotations

import pytest

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import BatchActivation
from topcook.model.workitem import WorkItem
from topcook.testkit.machine import FARM, MachineDriver


def subs(batch: WorkItem) -> list[WorkItem]:
    assert batch.batch is not None
    return batch.batch.items


def phases(batch: WorkItem) -> list[str]:
    return [Phase(sub.phase).name for sub in subs(batch)]


def began(cook: MachineDriver, *items: WorkItem) -> None:
    """These are handed over now, and taken."""
    assert cook.offered() == list(items)
    for item in items:
        cook.said(item, Trigger.ACCEPTED)


def test_a_batch_is_handed_over_and_its_sub_items_go_along(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [])
    cook.begin()
    began(cook, batch)
    assert phases(batch) == ["HANDED_OVER", "HANDED_OVER"]
    assert [sub.attempt for sub in subs(batch)] == [1, 1]


def test_what_waits_for_one_sub_item_starts_when_that_is_done(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [], [])
    after = [cook.item("b", sub) for sub in subs(batch)]
    cook.begin()
    began(cook, batch)
    cook.said(subs(batch)[1], Trigger.START, Trigger.SUCCEED)
    began(cook, after[1])
    assert batch.phase == Phase.COOKING, "its job has begun"
    assert phases(batch) == ["HANDED_OVER", "SUCCESS", "HANDED_OVER"]


@pytest.mark.parametrize(
    ("activation", "order"),
    [(BatchActivation.First, [1, 2, 0]), (BatchActivation.Any, [2]), (BatchActivation.All, [2, 0, 1])],
)
def test_a_batch_starts_by_its_activation(cook: MachineDriver, activation: BatchActivation, order: list[int]) -> None:
    """``order`` is that in which the frames end; the batch starts with the last of them."""
    frames = [cook.item("a") for _ in range(3)]
    batch = cook.batch("b", *([frame] for frame in frames), activation=activation)
    cook.begin()
    began(cook, *frames)
    for number in order:
        assert batch.phase == Phase.WAITING
        cook.said(frames[number], Trigger.SUCCEED)
    began(cook, batch)


def test_sub_items_that_were_not_reported_end_with_their_batch(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [], [])
    cook.begin()
    began(cook, batch)
    cook.said(subs(batch)[0], Trigger.SUCCEED)
    cook.said(batch, Trigger.SUCCEED)
    assert phases(batch) == ["SUCCESS"] * 3
    assert cook.end() == "cooked"


@pytest.mark.parametrize(
    "end", [Trigger.REJECTED, Trigger.RAISED, Trigger.COOK_FAILED], ids=lambda each: each.name.lower()
)
def test_a_batch_that_fails_keeps_what_was_done(cook: MachineDriver, end: Trigger) -> None:
    batch = cook.batch("a", [], [])
    after = [cook.item("b", sub) for sub in subs(batch)]
    cook.begin()
    assert cook.offered() == [batch]
    cook.said(batch, end)
    assert phases(batch) == ["FAILED", "FAILED"]
    assert [Phase(item.phase) for item in after] == [Phase.BLOCKED] * 2
    assert "its batch" in subs(batch)[0].ran().messages[0]
    assert cook.end() == "failed"


def test_a_batch_whose_job_ends_well_fails_when_a_sub_item_did_not(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [], [])
    cook.begin()
    began(cook, batch)
    cook.said(subs(batch)[1], Trigger.FAIL)
    cook.said(batch, Trigger.SUCCEED)
    assert phases(batch) == ["SUCCESS", "FAILED", "SUCCESS"], "it would have said so of the others"
    assert batch.phase == Phase.FAILED
    assert batch.ran().messages == [f"not all of its sub-items succeeded: {subs(batch)[1].name} failed"]
    assert cook.end() == "failed"


def test_a_chain_inside_a_batch_is_blocked_behind_what_failed(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [], [])
    first, second, third = subs(batch)
    for before, after in ((first, second), (second, third)):
        after.dependencies = [before]
        before.dependents = [after]
    cook.begin()
    began(cook, batch)
    cook.said(first, Trigger.SUCCEED)
    cook.said(second, Trigger.START, Trigger.FAIL)
    assert phases(batch) == ["SUCCESS", "FAILED", "BLOCKED"]
    cook.said(batch, Trigger.FAIL)
    assert cook.end() == "failed"


def test_a_deferred_batch_comes_back_with_its_sub_items(cook: MachineDriver) -> None:
    frame = cook.item("a")
    batch = cook.batch("b", [], [frame])
    cook.begin()
    assert cook.offered() == [frame, batch]
    cook.said(batch, Trigger.DEFERRED)
    assert batch.phase == Phase.READY
    assert phases(batch) == ["READY", "WAITING"]
    assert [sub.attempt for sub in subs(batch)] == [0, 0]
    cook.said(frame, Trigger.ACCEPTED, Trigger.SUCCEED)
    began(cook, batch)


def test_a_failed_frame_costs_a_batch_only_the_sub_item_that_needs_it(cook: MachineDriver) -> None:
    frames = [cook.item("a") for _ in range(2)]
    batch = cook.batch("b", *([frame] for frame in frames))
    cook.begin()
    began(cook, *frames)
    cook.said(frames[0], Trigger.FAIL)
    assert phases(batch) == ["BLOCKED", "WAITING"]
    cook.said(frames[1], Trigger.SUCCEED)
    began(cook, batch)
    assert phases(batch) == ["BLOCKED", "HANDED_OVER"]


def test_a_batch_that_wants_all_is_blocked_by_one(cook: MachineDriver) -> None:
    frames = [cook.item("a") for _ in range(2)]
    batch = cook.batch("b", *([frame] for frame in frames), activation=BatchActivation.All)
    after = cook.item("c", subs(batch)[0])
    cook.begin()
    began(cook, *frames)
    cook.said(frames[0], Trigger.SUCCEED)
    cook.said(frames[1], Trigger.FAIL)
    assert batch.phase == Phase.BLOCKED
    assert phases(batch) == ["BLOCKED", "BLOCKED"]
    assert after.phase == Phase.BLOCKED
    assert cook.end() == "failed"


def test_a_batch_that_wants_all_does_not_wait_for_what_is_in_it(cook: MachineDriver) -> None:
    frames = [cook.item("a") for _ in range(2)]
    batch = cook.batch("b", [frames[0]], [frames[1]], activation=BatchActivation.All)
    first, second = subs(batch)
    second.dependencies, first.dependents = [frames[1], first], [second]
    cook.begin()
    began(cook, *frames)
    cook.said(frames[0], Trigger.SUCCEED)
    assert cook.offered() == []
    cook.said(frames[1], Trigger.SUCCEED)
    began(cook, batch)
    cook.said(batch, Trigger.SUCCEED)
    assert phases(batch) == ["SUCCESS", "SUCCESS"]
    assert cook.end() == "cooked"


def test_a_batch_counts_as_one_task() -> None:
    cook = MachineDriver(SchedulerState(FARM, max_tasks=1))
    batch = cook.batch("a", [], [], [])
    other = cook.item("b")
    cook.begin()
    began(cook, batch)
    cook.said(batch, Trigger.SUCCEED)
    began(cook, other)


def test_a_canceled_cook_cancels_the_sub_items_that_were_under_way(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [])
    cook.begin()
    began(cook, batch)
    cook.said(subs(batch)[0], Trigger.SUCCEED)
    cook.cancel()
    assert cook.end() == "canceled"
    assert phases(batch) == ["SUCCESS", "CANCELED"]
    assert batch.phase == Phase.CANCELED


def test_a_sub_item_is_canceled_alone_and_the_last_one_with_its_batch(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [])
    cook.begin()
    began(cook, batch)
    cook.cancel(subs(batch)[0])
    assert phases(batch) == ["CANCELED", "HANDED_OVER"]
    cook.cancel(subs(batch)[1])
    order = cook.take(ins.CancelHeld)
    assert order.items == [batch]
    cook.tell(ev.ItemsReleased(order.items, cook.now))
    assert batch.phase == Phase.CANCELED
    assert cook.end() == "failed"


def test_a_batch_is_given_away_statically_with_what_it_waits_for() -> None:
    cook = MachineDriver(SchedulerState(FARM, takes_static=True))
    frames = [cook.item("a") for _ in range(2)]
    batch = cook.batch("b", *([frame] for frame in frames))
    after = cook.item("c", subs(batch)[1])
    cook.begin()
    assert cook.take(ins.HandOverStatic).items == [*frames, batch, after]
    cook.said(frames[0], Trigger.FAIL)
    cook.said(frames[1], Trigger.FAIL)
    assert batch.phase == Phase.BLOCKED, "nothing is left of it"
    assert after.phase == Phase.BLOCKED
    told = [item for order in cook.take_all(ins.CancelHeld) for item in order.items]
    assert sorted(item.id for item in told) == [batch.id, after.id]
    cook.tell(ev.StaticReturned(FARM, [], False, cook.now))
    assert cook.end() == "failed"


def test_items_that_wait_in_a_circle_through_a_batch_are_blocked(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [], activation=BatchActivation.All)
    first, second = subs(batch)
    other = cook.item("b", first)
    second.dependencies, other.dependents = [other], [second]
    cook.begin()
    assert cook.end(()) == "failed" if not cook.waiting else True
    assert batch.phase == Phase.BLOCKED
    assert "waits for itself" in batch.ran().messages[0]


def test_chains_of_many_batches_are_blocked_without_end_of_stack(cook: MachineDriver) -> None:
    first = cook.item("a")
    before = first
    for _ in range(3000):
        before = subs(cook.batch("b", [before], [before]))[1]
    cook.begin()
    began(cook, first)
    cook.said(first, Trigger.FAIL)
    assert before.phase == Phase.BLOCKED
    assert cook.end() == "failed"


def test_a_batch_that_loses_a_sub_item_to_a_circle_goes_on_with_the_next(cook: MachineDriver) -> None:
    batch = cook.batch("a", [], [])
    first, second = subs(batch)
    after = cook.item("a", batch)
    other = cook.item("a", first)
    first.dependencies, other.dependents = [other], [first]
    cook.begin()
    assert other.phase == first.phase == Phase.BLOCKED
    began(cook, batch)
    cook.said(batch, Trigger.START)
    cook.said(second, Trigger.SUCCEED)
    cook.said(batch, Trigger.SUCCEED)
    assert after.phase == Phase.BLOCKED
    assert cook.end() == "failed"
