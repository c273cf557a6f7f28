"""Events of many items at once do what as many single ones do."""

from __future__ import annotations

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine.phases import STATE_OF
from topcook.testkit.machine import FARM, MachineDriver


def test_many_ends_in_one_event_release_what_waits_and_note_the_times(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    last = cook.item("a", first, second)
    cook.begin()
    assert cook.offered() == [first, second]
    cook.tell(ev.ItemsAccepted(FARM, [first, second], 1.0))
    cook.state.drain_changes()
    cook.tell(ev.ItemsRan([(first, 1, 2.0, None), (first, 1, 3.0, 1.0), (second, 1, 3.0, None), (second, 1, 5.0, 2.0)]))
    assert cook.offered() == [last]
    assert first.run is not None
    assert (first.run.started, first.run.finished, first.run.duration) == (2.0, 3.0, 1.0)
    told = [(item.id, new.name, at) for item, _, new, at in cook.state.drain_changes() if item is not last]
    cooking, done = STATE_OF[Phase.COOKING].name, STATE_OF[Phase.SUCCESS].name
    assert told == [(1, cooking, 2.0), (1, done, 3.0), (2, cooking, 3.0), (2, done, 5.0)]


def test_an_end_that_comes_before_the_hand_over_returned_counts(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(ev.ItemsRan([(item, 1, 2.0, None), (item, 1, 3.0, 1.0)]))
    assert item.phase == Phase.SUCCESS
    cook.tell(ev.ItemsAccepted(FARM, [item], 4.0))
    assert item.phase == Phase.SUCCESS
    assert not cook.state.schedulers[FARM].calls


def test_rows_of_an_older_attempt_change_nothing(cook: MachineDriver) -> None:
    item = cook.item("a")
    item.attempt = 3
    cook.begin()
    cook.offered()
    cook.tell(ev.ItemsRan([(item, 3, 2.0, None), (item, 3, 3.0, 1.0)]))
    assert item.phase == Phase.HANDING_OVER
    assert "stale: attempt 3" in cook.state.story.of(item.id)[-1]


def test_an_acceptance_that_nobody_asked_for_changes_nothing(cook: MachineDriver) -> None:
    item, _ = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, Trigger.SUCCEED)
    cook.tell(ev.ItemsAccepted(FARM, [item], 1.0))
    cook.tell(ev.ItemsAccepted(FARM, [item], 2.0))
    assert "late: nobody asked" in cook.state.story.of(item.id)[-1]


def test_items_that_are_queued_out_of_order_are_offered_in_order(cook: MachineDriver) -> None:
    blocker = cook.item("a", priority=-9)
    cook.schedulers[FARM].max_tasks = 1
    low, high, middle = cook.item("a", priority=7), cook.item("a", priority=1), cook.item("a", priority=3)
    again = cook.item("a", priority=7)
    cook.begin()
    seen = []
    expected = [blocker, high, middle, low, again]
    for _ in expected:
        (item,) = cook.offered()
        seen.append(item)
        cook.said(item, Trigger.ACCEPTED, Trigger.SUCCEED)
    assert seen == expected
