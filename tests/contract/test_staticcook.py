"""The mixin that takes all static items at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from topcook.contract.scheduler import PyScheduler
from topcook.contract.staticcook import StaticCookMixin
from topcook.model.enums import ScheduleResult, WorkItemState
from topcook.testkit import FakeHost


class Farm(StaticCookMixin, PyScheduler):
    answer = ScheduleResult.Succeeded

    def onSchedule(self, work_item: Any) -> Any:
        self.__dict__.setdefault("taken", []).append(work_item.id)
        return self.answer


@pytest.fixture
def host() -> FakeHost:
    host = FakeHost()
    first = host.graph.add_item()
    middle = [host.graph.add_item(dependencies=[first]) for _ in range(2)]
    host.graph.add_item(dependencies=middle)
    return host


def handed(host: FakeHost, answer: Any = ScheduleResult.Succeeded) -> Any:
    made: Any = host.make(Farm)
    made.answer = answer
    made.onScheduleStatic(*made.dependencyGraph(False))
    return made


def test_items_go_when_what_they_wait_for_has_cooked(host: FakeHost) -> None:
    made = handed(host)
    assert made.taken == [1]
    made.onWorkItemSucceeded(1, -1, 1.0)
    assert made.taken == [1, 2, 3]
    made.onWorkItemSucceeded("node_2", -1, 1.0)
    assert (made.taken, made.static_isWorkItemReady(4)) == ([1, 2, 3], 0)
    made.onWorkItemSucceeded(name="node_3", index=-1, cook_duration=1.0)
    assert (made.taken, made.static_isWorkItemReady(4)) == ([1, 2, 3, 4], 1)


def test_reports_twice_unknown_or_of_sub_items_change_nothing(host: FakeHost) -> None:
    made = handed(host)
    made.onWorkItemSucceeded(1, 0, 1.0)
    made.onWorkItemSucceeded(99, -1, 1.0)
    assert made.taken == [1]
    for _ in range(3):
        made.onWorkItemSucceeded(1, -1, 1.0)
    assert made.taken == [1, 2, 3]


def test_deferred_items_are_offered_again_on_the_tick(host: FakeHost) -> None:
    made = handed(host, ScheduleResult.Deferred)
    made.onTick()
    made.answer = ScheduleResult.Succeeded
    made.onTick()
    made.onTick()
    assert made.taken == [1, 1, 1]


def test_an_immediate_end_is_told_to_the_cook(host: FakeHost) -> None:
    made = handed(host, ScheduleResult.CookSucceeded)
    assert made.taken == [1, 2, 3, 4]
    assert host.told() == [("success", 1), ("success", 2), ("success", 3), ("success", 4)]


@pytest.mark.parametrize("answer", [ScheduleResult.Failed, ScheduleResult.CookFailed, False])
def test_a_refused_item_fails(host: FakeHost, answer: Any) -> None:
    handed(host, answer)
    assert host.told() == [("fail", 1)]


def test_a_long_chain_of_immediate_ends_does_not_recurse() -> None:
    host = FakeHost()
    last = None
    for _ in range(3000):
        last = host.graph.add_item(dependencies=[last] if last else [])
    assert len(handed(host, ScheduleResult.CookSucceeded).taken) == 3000


def test_a_report_from_another_thread_asks_for_a_task_and_calls_nothing(host: FakeHost) -> None:
    made = handed(host)
    thread = threading.Thread(target=made.onWorkItemSucceeded, args=(1, -1, 1.0))
    thread.start()
    thread.join()
    assert (made.taken, host.tasks) == ([1], 1)
    made.static_tick()
    assert made.taken == [1, 2, 3]


def test_it_works_without_init_and_with_nothing_handed_over() -> None:
    made: Any = FakeHost().make(Farm)
    made.onWorkItemSucceeded(1, -1, 1.0)
    assert made.static_tick() == 0


def test_what_jobs_reported_to_the_cook_is_seen_on_the_tick(host: FakeHost) -> None:
    made = handed(host)
    record = host.graph.item(1)
    assert record is not None
    record.state = WorkItemState.CookedSuccess
    made.onTick()
    assert made.taken == [1, 2, 3]
