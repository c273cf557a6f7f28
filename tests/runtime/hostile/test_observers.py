"""An observer that hangs is named, and the cook goes on when it comes back; one that raises is dropped."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from topcook.runtime.observers import Observers, hookimpl
from topcook.testkit.cookbench import CookBench

PATIENCE = 60.0
NETWORK = """
[network]
name = "net"
scheduler = "here"
[schedulers.here]
type = "inprocessscheduler"
[nodes.work]
type = "pythonscript"
parms.script = "pass"
"""


class Hanging:
    """Keeps whoever tells it."""

    def __init__(self) -> None:
        self.free = threading.Event()

    @hookimpl
    def items_changed(self, changes: Any) -> None:
        self.free.wait(PATIENCE)  # it hangs here


def test_an_observer_that_hangs_is_named_with_its_stack_and_the_cook_goes_on_after_it(
    bench: CookBench, caplog: pytest.LogCaptureFixture
) -> None:
    context = bench.load(NETWORK)
    context.core.config = context.core.config._replace(watchdog=1)
    hanging = Hanging()
    context.observe(hanging)
    cook = bench.start(context)
    deadline = time.monotonic() + PATIENCE
    while "has been in items_changed for" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "and the cook waits for it" in caplog.text
    assert "self.free.wait(PATIENCE)  # it hangs here" in caplog.text
    hanging.free.set()
    assert bench.finish(context, cook).outcome == "cooked"


def test_nobody_watches_where_only_our_own_are_told() -> None:
    before = threading.active_count()
    over = threading.Event()
    Observers().watch(1.0, over)
    assert threading.active_count() == before


def test_who_is_told_is_known_while_it_is_told() -> None:
    observers, seen = Observers(), []

    class Curious:
        @hookimpl
        def cook_finished(self, outcome: str) -> None:
            seen.append(observers.busy_with)

    observers.add(Curious())
    observers.tell("cook_finished", outcome="cooked")
    (busy,) = seen
    assert busy is not None
    assert busy[1] == "cook_finished"
    assert observers.busy_with is None
