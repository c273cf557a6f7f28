"""How items move: what waits for what, what a failure stops, and which reports count."""

from __future__ import annotations

import pytest

from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.phases import RETURNS
from topcook.model.states import WorkItemState
from topcook.model.workitem import Trait, WorkItem
from topcook.testkit.machine import MachineDriver

DONE = (Trigger.ACCEPTED, Trigger.SUCCEED)


def done(cook: MachineDriver, *items: WorkItem) -> None:
    cook.tell(*(ev.ItemEvent(item, trigger, cook.now) for item in items for trigger in DONE))


def test_an_item_waits_until_all_it_depends_on_has_succeeded(cook: MachineDriver) -> None:
    top = cook.item("a")
    left, right = cook.item("a", top), cook.item("a", top)
    bottom = cook.item("a", left, right)
    cook.begin()
    assert cook.offered() == [top]
    done(cook, top)
    assert cook.offered() == [left, right]
    done(cook, left)
    assert cook.waiting == []
    done(cook, right)
    assert cook.offered() == [bottom]
    done(cook, bottom)
    assert cook.end() == "cooked"


def test_a_dependency_that_is_named_twice_counts_once_it_has_succeeded(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first, first)
    cook.begin()
    cook.offered()
    done(cook, first)
    assert cook.offered() == [second]


def test_a_failing_item_blocks_exactly_its_dependents(cook: MachineDriver) -> None:
    bad, good = cook.item("a"), cook.item("a")
    child = cook.item("a", bad, good)
    grandchild = cook.item("a", child)
    other = cook.item("a", good)
    cook.begin()
    cook.offered()
    cook.said(bad, Trigger.ACCEPTED, Trigger.FAIL)
    assert [item.phase for item in (child, grandchild)] == [Phase.BLOCKED, Phase.BLOCKED]
    assert child.state is WorkItemState.Waiting
    done(cook, good)
    assert cook.offered() == [other]
    done(cook, other)
    assert cook.end() == "failed"
    assert [item.phase for item in (bad, good, child, grandchild, other)] == [
        Phase.FAILED,
        Phase.SUCCESS,
        Phase.BLOCKED,
        Phase.BLOCKED,
        Phase.SUCCESS,
    ]


def test_a_chain_of_items_with_nothing_to_cook_is_done_at_once_and_needs_no_scheduler(cook: MachineDriver) -> None:
    items = [cook.item("a", traits=Trait.AUTOMATIC)]
    for _ in range(3000):
        items.append(cook.item("a", items[-1], traits=Trait.AUTOMATIC))
    cook.request()
    cook.go()
    assert cook.end(()) == "cooked"
    assert {item.phase for item in items} == {Phase.SUCCESS}
    assert items[-1].run is not None
    assert items[-1].run.duration == 0.0


def test_a_cook_of_nothing_is_cooked(cook: MachineDriver) -> None:
    cook.request()
    cook.go()
    assert cook.end(()) == "cooked"


@pytest.mark.parametrize(
    "reports",
    [
        (Trigger.ACCEPTED, Trigger.START, Trigger.SUCCEED),
        (Trigger.ACCEPTED, Trigger.SUCCEED),
        (Trigger.START, Trigger.SUCCEED, Trigger.ACCEPTED),
        (Trigger.SUCCEED, Trigger.ACCEPTED),
        (Trigger.COOK_SUCCEEDED,),
        (Trigger.START, Trigger.COOK_SUCCEEDED),
        (Trigger.SUCCEED, Trigger.COOK_SUCCEEDED),
        (Trigger.ACCEPTED, Trigger.START, Trigger.START, Trigger.SUCCEED, Trigger.SUCCEED, Trigger.START),
        (Trigger.ACCEPTED, Trigger.SUCCEED, Trigger.START, Trigger.FAIL, Trigger.CANCEL),
    ],
    ids=lambda each: "-".join(trigger.name.lower() for trigger in each),
)
def test_reports_in_any_order_end_an_item_once(cook: MachineDriver, reports: tuple[Trigger, ...]) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, *reports)
    assert item.phase == Phase.SUCCESS
    assert item.attempt == 1
    assert cook.state.drain_problems() == []
    assert cook.end() == "cooked"


@pytest.mark.parametrize("returned", [Trigger.REJECTED, Trigger.DEFERRED, Trigger.FULL, Trigger.RAISED])
@pytest.mark.parametrize("reported", [Trigger.START, Trigger.SUCCEED, Trigger.FAIL], ids=lambda each: each.name.lower())
def test_a_return_that_contradicts_what_was_reported_is_told_and_changes_nothing(
    cook: MachineDriver, reported: Trigger, returned: Trigger
) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.said(item, reported)
    cook.waiting.clear()
    phase = item.phase
    cook.said(item, returned)
    assert item.phase == phase
    [(about, what)] = cook.state.drain_problems()
    assert about is item
    assert returned.value in what
    cook.waiting.clear()
    cook.tick()
    assert cook.offered() == [], "it is not offered again"


def test_a_report_of_another_attempt_changes_nothing_and_is_in_the_story(cook: MachineDriver) -> None:
    item = cook.item("a")
    item.attempt = 3
    cook.begin()
    cook.offered()
    assert item.attempt == 4
    cook.said(item, Trigger.FAIL, attempt=3)
    cook.said(item, Trigger.FAIL, attempt=5)
    assert item.phase == Phase.HANDING_OVER
    assert [line.partition("(")[2] for line in cook.state.story.of(item.id)[-2:]] == [
        "stale: attempt 3)",
        "stale: attempt 5)",
    ]
    cook.said(item, Trigger.SUCCEED, attempt=4)
    assert item.phase == Phase.SUCCESS


def test_a_report_before_any_hand_over_changes_nothing(cook: MachineDriver) -> None:
    first = cook.item("a")
    second = cook.item("a", first)
    cook.begin()
    cook.offered()
    cook.said(second, Trigger.START, Trigger.SUCCEED)
    assert second.phase == Phase.WAITING
    done(cook, first)
    assert cook.offered() == [second]


@pytest.mark.parametrize("trigger", sorted(RETURNS, key=str), ids=lambda each: each.name.lower())
def test_a_return_that_nobody_waits_for_changes_nothing(cook: MachineDriver, trigger: Trigger) -> None:
    """A callback may hang through the end of one cook and come back in the next."""
    first = cook.item("a")
    second = cook.item("a", first)
    cook.begin()
    cook.offered()
    cook.said(second, trigger)
    assert second.phase == Phase.WAITING
    cook.said(first, Trigger.ACCEPTED, trigger)
    assert first.phase == Phase.HANDED_OVER
    assert cook.schedulers["farm"].calls == set()


def test_an_item_of_an_unfinished_dependency_outside_the_cook_is_blocked_with_the_reason(cook: MachineDriver) -> None:
    stranger = MachineDriver().item("elsewhere")
    item = cook.item("a", stranger)
    child = cook.item("a", item)
    cook.request()
    cook.go()
    assert item.phase == child.phase == Phase.BLOCKED
    assert item.ran().messages == ['it waits for "elsewhere_1", which is not part of this cook']
    cook.start()
    assert cook.end() == "failed"


def test_items_that_wait_in_a_circle_are_blocked_with_the_circle_and_the_rest_is_cooked(cook: MachineDriver) -> None:
    after, first, second, third, free = (cook.item("a") for _ in range(5))
    for item, waits_for in ((after, third), (first, second), (second, third), (third, first)):
        item.dependencies = [waits_for]
        waits_for.dependents = [*(waits_for.dependents or ()), item]
    cook.begin()
    assert cook.offered() == [free]
    done(cook, free)
    assert cook.end() == "failed"
    assert [item.phase for item in (first, second, third, after)] == [Phase.BLOCKED] * 4
    assert first.ran().messages == ['it waits for itself: "a_4" waits for "a_2" waits for "a_3" waits for "a_4"']


def test_what_cooked_in_an_earlier_cook_is_not_cooked_again(cook: MachineDriver) -> None:
    first = cook.item("a")
    first.phase, first.state = Phase.SUCCESS, WorkItemState.CookedSuccess
    second = cook.item("a", first)
    cook.begin()
    assert cook.offered() == [second]
    done(cook, second)
    assert cook.end() == "cooked"


def test_what_failed_in_an_earlier_cook_is_cooked_anew_with_the_next_attempt(cook: MachineDriver) -> None:
    one, two = cook.item("a"), cook.item("a")
    both = cook.item("a", one, two)
    for item in (one, two):
        item.phase, item.attempt = Phase.FAILED, 1
        item.ran().messages.append("it failed before")
    both.phase, both.pending = Phase.BLOCKED, 2
    cook.begin()
    assert cook.offered() == [one, two]
    assert one.attempt == 2
    assert one.ran().messages == []
    done(cook, one)
    assert both.phase == Phase.WAITING
    done(cook, two)
    assert cook.offered() == [both]


def test_a_count_left_from_an_earlier_cook_releases_nothing_too_early(cook: MachineDriver) -> None:
    quick, slow = cook.item("a", traits=Trait.STATIC | Trait.AUTOMATIC), cook.item("a")
    both = cook.item("a", quick, slow)
    # One of the two had succeeded then, and was made dirty since.
    both.phase, both.pending = Phase.BLOCKED, 1
    cook.begin()
    assert cook.offered() == [slow]


def test_an_item_of_a_dependency_that_was_discarded_is_blocked(cook: MachineDriver) -> None:
    cook.node("a")
    cook.request()
    discarded = cook.new_item("a")
    item = cook.new_item("a", discarded)
    cook.take(ins.Generate)
    cook.tell(ev.ItemsGenerated("a", [item], cook.now, incomplete=True))
    cook.go()
    cook.start()
    assert item.phase == Phase.BLOCKED
    assert cook.end() == "failed"


def test_times_are_those_of_the_events(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(
        ev.ItemEvent(item, Trigger.ACCEPTED, 10.0),
        ev.ItemEvent(item, Trigger.START, 11.0),
        ev.ItemEvent(item, Trigger.SUCCEED, 14.5, exit_status=0),
    )
    run = item.ran()
    assert (run.started, run.finished, run.duration, run.exit_status) == (11.0, 14.5, 3.5, 0)


def test_a_reported_duration_beats_the_clock_and_an_unknown_start_stays_unknown(cook: MachineDriver) -> None:
    told, untold = cook.item("a"), cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(
        ev.ItemEvent(told, Trigger.START, 10.0),
        ev.ItemEvent(told, Trigger.SUCCEED, 20.0, duration=9.25),
        ev.ItemEvent(untold, Trigger.SUCCEED, 20.0),
    )
    assert told.ran().duration == 9.25
    assert (untold.ran().started, untold.ran().finished, untold.ran().duration) == (None, 20.0, None)


def test_changes_are_told_in_order_with_the_states_that_pdg_shows(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    done(cook, item)
    assert [(old, new) for about, old, new, _ in cook.state.drain_changes() if about is item] == [
        (WorkItemState.Waiting, WorkItemState.Scheduled),
        (WorkItemState.Scheduled, WorkItemState.CookedSuccess),
    ]
    assert cook.state.drain_changes() == []


def test_the_reason_of_a_failure_is_kept_once(cook: MachineDriver) -> None:
    item = cook.item("a")
    cook.begin()
    cook.offered()
    cook.tell(*(ev.ItemEvent(item, Trigger.FAIL, 5.0, reason="exit status 3") for _ in range(2)))
    assert item.ran().messages == ["exit status 3"]
