"""The in-process scheduler: functions of nodes on threads, in a cook that a test plays."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from topcook.factory.scan import Factory
from topcook.model.enums import ScheduleResult
from topcook.model.notification import Kind, Notification
from topcook.model.workitem import Trait, WorkItem
from topcook.testkit.fakehost import FakeHost

PATIENCE = 60.0


class Bench(FakeHost):
    """A cook whose reports can be waited for."""

    def __init__(self, factory: Factory) -> None:
        super().__init__(None, "inprocess", "inprocessscheduler")
        self.said = threading.Condition()
        self.adopted: set[str] = set()
        record = factory.scheduler("inprocessscheduler")
        self.parms.declare(record.parms)
        self.scheduler: Any = self.make(factory.load(record))
        assert self.scheduler.onStart()

    def adopt_thread(self) -> None:
        self.adopted.add(threading.current_thread().name)

    def notify(self, notification: Notification) -> None:
        with self.said:
            super().notify(notification)
            self.said.notify_all()

    def offer(self, function: Callable[[Any], object]) -> WorkItem:
        item = self.graph.add_item(function=function)
        item.attempt = 1
        assert self.scheduler.onSchedule(self.graph.handle(item)) is ScheduleResult.Succeeded
        return item

    def end_of(self, item: WorkItem) -> Notification:
        finals = {Kind.SUCCEEDED, Kind.FAILED, Kind.CANCELED}

        def ends() -> list[Notification]:
            return [said for said in self.notifications if said.kind in finals and said.item == item.id]

        with self.said:
            assert self.said.wait_for(lambda: len(ends()) == 1, PATIENCE)
            return ends()[0]


@pytest.fixture
def bench(builtins: Factory) -> Iterator[Bench]:
    made = Bench(builtins)
    yield made
    made.scheduler.onStopCook(True)


def test_it_takes_in_process_items_and_cooks_them_on_threads_of_its_own(bench: Bench) -> None:
    assert bench.takes_in_process
    bench.scheduler.onStartCook(False, [])
    seen: list[Any] = []
    item = bench.offer(lambda work_item: seen.append((work_item.name, threading.current_thread().name)))
    end = bench.end_of(item)
    assert (end.kind, end.attempt, end.exit_status) == (Kind.SUCCEEDED, 1, None)
    assert bench.told(Kind.STARTED) == [("start", item.id)]
    assert end.payload[0] >= 0
    assert seen[0][0] == "node_1"
    assert seen[0][1] in bench.adopted, "what the function prints belongs to the scheduler's log"
    assert seen[0][1] != threading.current_thread().name


def test_an_exception_fails_the_item_with_its_traceback_in_the_items_log(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.scheduler.onStartCook(False, [])

    def boom(_item: Any) -> None:
        raise KeyError("lost")

    item = bench.offer(boom)
    end = bench.end_of(item)
    assert (end.kind, end.reason) == (Kind.FAILED, "KeyError: 'lost'")
    log = next(said for said in bench.notifications if said.kind is Kind.LOG)
    assert 'raise KeyError("lost")' in log.payload[0]
    assert "KeyError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "kind"), [(None, Kind.SUCCEEDED), (0, Kind.SUCCEEDED), (3, Kind.FAILED), ("no", Kind.FAILED)]
)
def test_sys_exit_ends_the_item_and_not_the_thread(bench: Bench, code: Any, kind: Kind) -> None:
    bench.scheduler.onStartCook(False, [])
    bench.parms.set("maxthreads", 1)
    assert bench.end_of(bench.offer(lambda _item: sys.exit(code))).kind is kind
    assert bench.end_of(bench.offer(lambda _item: None)).kind is Kind.SUCCEEDED


def test_as_many_run_at_a_time_as_there_are_threads(bench: Bench) -> None:
    bench.parms.set("maxthreads", 3)
    bench.scheduler.onStartCook(False, [])
    together = threading.Barrier(3, timeout=PATIENCE)
    items = [bench.offer(lambda _item: together.wait()) for _ in range(6)]
    assert {bench.end_of(item).kind for item in items} == {Kind.SUCCEEDED}


def test_a_canceled_cook_finishes_what_it_is_in_and_cancels_the_rest(bench: Bench) -> None:
    bench.parms.set("maxthreads", 1)
    bench.scheduler.onStartCook(False, [])
    inside, go = threading.Event(), threading.Event()

    def work(_item: Any) -> None:
        inside.set()
        go.wait(PATIENCE)

    first, second = bench.offer(work), bench.offer(work)
    assert inside.wait(PATIENCE)
    stopping = threading.Thread(target=bench.scheduler.onStopCook, args=(True,))
    stopping.start()
    bench.scheduler._canceled.wait(PATIENCE)
    go.set()
    stopping.join(PATIENCE)
    assert bench.end_of(first).kind is Kind.SUCCEEDED
    assert bench.end_of(second).kind is Kind.CANCELED
    assert not bench.warnings


def test_a_function_that_does_not_come_back_is_named_and_nothing_hangs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(type(bench.scheduler).onStopCook.__globals__, "PATIENCE", 0.1)
    bench.parms.set("maxthreads", 1)
    bench.scheduler.onStartCook(False, [])
    inside, go = threading.Event(), threading.Event()
    stuck = bench.offer(lambda _item: (inside.set(), go.wait(PATIENCE)))
    assert inside.wait(PATIENCE)
    assert bench.scheduler.onStopCook(True)
    assert bench.warnings == ["still in the middle of an item, which cannot be interrupted: inprocess-1"]
    # The next cook has threads of its own.
    bench.scheduler.onStartCook(False, [])
    assert bench.end_of(bench.offer(lambda _item: None)).kind is Kind.SUCCEEDED
    go.set()
    assert bench.end_of(stuck).kind is Kind.SUCCEEDED


def test_a_command_is_refused_since_passing_it_over_would_look_like_success(bench: Bench) -> None:
    bench.scheduler.onStartCook(False, [])
    item = bench.graph.add_item("false")
    item.traits &= ~Trait.IN_PROCESS
    item.attempt = 1
    bench.scheduler.onSchedule(bench.graph.handle(item))
    end = bench.end_of(item)
    assert end.kind is Kind.FAILED
    assert "give node" in end.reason
    assert "localscheduler" in end.reason
