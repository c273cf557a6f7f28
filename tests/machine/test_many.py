"""Events of many items at once do what as many single ones do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.phases import STATE_OF
from topcook.machine.policies import Policies
from topcook.model.workitem import WorkItem
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


def test_the_exit_status_of_many_ends_is_noted_for_each(cook: MachineDriver) -> None:
    first, second = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(ev.ItemsRan([(first, 1, 2.0, None), (first, 1, 3.0, 1.0), (second, 1, 3.0, 1.0)], exit_status=0))
    assert [item.run.exit_status for item in (first, second) if item.run is not None] == [0, 0]
    assert {item.phase for item in (first, second)} == {Phase.SUCCESS}


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


def test_an_end_whose_start_nobody_told_tells_of_it(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.state.drain_changes()
    cook.tell(ev.ItemsAccepted(FARM, [item], 1.0), ev.ItemsRan([(item, 1, 5.0, 2.0)]))
    assert [(new.name, at) for _, _, new, at in cook.state.drain_changes()] == [
        ("Cooking", 3.0),
        ("CookedSuccess", 5.0),
    ]
    assert item.run is not None
    assert (item.run.started, item.run.finished, item.run.duration) == (3.0, 5.0, 2.0)


#: What is told of the items of a batch: taken before or after; then for each how far it got, by what rows.
ROWS = {
    "nothing": (),
    "started": ((0, None),),
    "ended": ((0, None), (1, 0.5)),
    "ended at once": ((1, 0.5),),
    "twice": ((0, None), (0, None), (1, 0.5), (1, 0.5)),
    "of another attempt": ((7, 0.5),),
}
WORDS = st.lists(st.tuples(st.sampled_from(sorted(ROWS)), st.booleans()), min_size=1, max_size=12)


def told_of(words: list[tuple[str, bool]], *, by_the_table: bool) -> list[object]:
    """All that can be seen of a cook of a few items in which that is told."""
    driver = MachineDriver()
    items: list[WorkItem] = []
    for number in range(5):
        items.append(driver.item("ab"[number % 2], *items[max(0, number - 2) : number]))
    if by_the_table:
        # A cook with policies goes step by step, although this one changes nothing.
        driver.state.be_patient(Policies())
    driver.begin()
    seen: list[object] = []
    for number, (word, first) in enumerate(words):
        batch = driver.offered()
        accepted = ev.ItemsAccepted(FARM, batch, float(number))
        rows = [
            (item, item.attempt if at < 7 else 9, number + at, duration)
            for item in items
            for at, duration in ROWS[word]
        ]
        happened: list[ev.Event] = [ev.ItemsRan(rows)] if rows else []
        driver.tell(*([accepted, *happened] if first else [*happened, accepted]))
        driver.take_all(ins.StopScheduler)
        seen += [[each.id for each in batch], [(item.phase, item.pending, item.attempt) for item in items]]
        seen.append([(item.id, old.name, new.name, at) for item, old, new, at in driver.state.drain_changes()])
        seen.append([(item.id, why) for item, why in driver.state.drain_problems()])
    seen += [driver.state.story.of(item.id) for item in items]
    seen += [(run.queued, run.started, run.finished, run.duration) for item in items if (run := item.run) is not None]
    return seen


@given(WORDS)
def test_many_steps_at_once_are_those_of_the_table(words: list[tuple[str, bool]]) -> None:
    assert told_of(words, by_the_table=False) == told_of(words, by_the_table=True)
