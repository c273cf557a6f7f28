"""Progress as lines: pleasant when slow, brief when fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from topcook.cli import plain
from topcook.cli.feed import Feed, Tally, Told, pour
from topcook.cli.plain import PlainView
from topcook.model.states import WorkItemState as State


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(plain, "time", clock)
    return clock


def ended(items: list[Any], state: State = State.CookedSuccess) -> list[Any]:
    return [(item, State.Cooking, state, 0.0) for item in items]


def test_each_item_of_a_slow_cook_has_its_line(clock: Clock, cook_of: Callable[[int], Any], terminal: Any) -> None:
    cook = cook_of(3)
    view = PlainView(cook, terminal, verbose=False)
    for item in cook.node.items:
        item.ran().duration = 2.0
        view.changed([(item, State.Waiting, State.Cooking, 0.0)])
        view.changed(ended([item]))
        clock.now += 1
        view.tick()
    view.close()
    assert terminal.lines == [f"{n}/3  gen_{n} cooked in 2.00 s" for n in (1, 2, 3)]


def test_a_fast_cook_is_counted_until_it_is_quiet_again(
    clock: Clock, cook_of: Callable[[int], Any], terminal: Any
) -> None:
    cook = cook_of(1003)
    view = PlainView(cook, terminal, verbose=False)
    items = cook.node.items
    for start in range(0, 1000, 100):
        view.changed(ended(items[start : start + 100]))
        clock.now += 0.5
        view.tick()
    assert [line.partition(" ended")[0] for line in terminal.lines] == ["500/1,003", "900/1,003"]
    clock.now += 3
    view.tick()
    clock.now += 3
    view.tick()
    view.changed(ended(items[1000:1001]))
    view.tick()
    assert terminal.lines[-1] == "1001/1003  gen_1001 cooked"


def test_failures_are_told_even_when_items_are_only_counted(
    clock: Clock, cook_of: Callable[[int], Any], terminal: Any
) -> None:
    cook = cook_of(500)
    view = PlainView(cook, terminal, verbose=False)
    items = cook.node.items
    items[7].ran().messages.append("exit status 9")
    view.changed(ended(items[:7]) + ended(items[7:8], State.CookedFail) + ended(items[8:]))
    view.tick()
    assert terminal.lines == ["  8/500  gen_8 failed: exit status 9"]
    # A thousand failures are not a thousand lines.
    cook = cook_of(1000)
    view = PlainView(cook, terminal, verbose=False)
    view.changed(ended(cook.node.items, State.CookedFail))
    view.tick()
    assert len(terminal.lines) == 1 + plain.FAILURES_TOLD


def test_without_progress_only_what_is_wrong_is_told(
    clock: Clock, cook_of: Callable[[int], Any], terminal: Any
) -> None:
    cook = cook_of(1)
    view = PlainView(cook, terminal, verbose=False, items=False)
    view.changed(ended(cook.node.items))
    view.told(Told("info", "farm", "submitted"))
    view.told(Told("warning", "farm", "the queue is full\nask somebody"))
    view.tick()
    view.close()
    assert terminal.lines == ["warning: farm: the queue is full", "    ask somebody"]


def test_a_message_is_told_once_however_often_it_comes(cook_of: Callable[[int], Any], terminal: Any) -> None:
    feed = Feed()
    for _ in range(5):
        feed.cook_message("error", "farm", "no licence")
    pour(feed, PlainView(cook_of(1), terminal, verbose=False))
    assert terminal.lines == ["error: farm: no licence"]


def test_items_count_as_waiting_from_the_moment_they_exist(cook_of: Callable[[int], Any]) -> None:
    cook = cook_of(4)
    tally = Tally(cook)
    assert tally.of(State.Waiting) == tally.total == 4
    first, second, *_ = cook.node.items
    tally.take([(first, State.Waiting, State.Scheduled, 0.0), (first, State.Scheduled, State.Cooking, 0.0)])
    tally.take([(second, State.Waiting, State.CookedCancel, 0.0)])
    assert (tally.of(State.Waiting), tally.of(State.Cooking), tally.ended) == (2, 1, 1)
