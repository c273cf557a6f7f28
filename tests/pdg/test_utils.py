"""``pdg.utils``: the tick timer and variables."""

from __future__ import annotations

import threading

import pytest

from pdg.scheduler import convertEnvMapToUTF8
from pdg.utils import TickTimer, expand_vars, print_headless


def test_the_timer_ticks_until_it_is_canceled() -> None:
    ticked = threading.Semaphore(0)
    timer = TickTimer(0.001, ticked.release)
    timer.start()
    assert ticked.acquire(timeout=60)
    assert ticked.acquire(timeout=60)
    timer.cancel()
    timer.join(60)
    assert not timer.is_alive()
    assert timer.daemon


def test_a_tick_that_raises_is_printed_and_the_next_one_comes(capsys: pytest.CaptureFixture[str]) -> None:
    ticked = threading.Semaphore(0)

    def tick() -> None:
        ticked.release()
        raise ValueError("a bad tick")

    timer = TickTimer(0.001, tick)
    timer.start()
    assert ticked.acquire(timeout=60)
    assert ticked.acquire(timeout=60)
    timer.cancel()
    timer.join(60)
    assert "a bad tick" in capsys.readouterr().err


def test_variables_and_environments_are_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    assert expand_vars("$A ${B} $C", {"A": "1", "B": "$A"}) == "1 $A $C"
    assert convertEnvMapToUTF8({b"A": b"\xc3\xa9", "N": 1, "gone": None}) == {"A": "é", "N": "1"}
    print_headless("said")
    assert capsys.readouterr().out == "said\n"
