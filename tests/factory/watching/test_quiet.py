"""When a save counts as over; the clock is a number here."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from topcook.factory.watching.quiet import Quiet


def test_nothing_is_due_before_something_happens() -> None:
    assert Quiet().due(100.0) is None


def test_what_comes_in_one_breath_is_looked_at_once_when_it_is_quiet() -> None:
    quiet = Quiet(quiet=0.04)
    quiet.touch({"a"}, 1.00)
    quiet.touch({"b"}, 1.03)
    assert quiet.due(1.05) == 1.07 - 1.05
    assert quiet.due(1.08) == 0.0
    assert quiet.take() == {"a", "b"}
    assert quiet.due(1.09) is None


def test_a_storm_is_looked_at_before_it_ends() -> None:
    quiet = Quiet(quiet=0.04, longest=0.25)
    for step in range(30):
        quiet.touch({"a"}, step * 0.01)
    assert quiet.due(0.25) == 0.0


def test_a_file_that_is_open_is_waited_for_and_looked_at_when_it_is_closed() -> None:
    quiet = Quiet(quiet=0.04, patience=0.5)
    quiet.written("f", 1.0)
    quiet.touch({"a"}, 1.0)
    assert (quiet.due(1.2) or 0) > 0.25
    quiet.closed("f")
    quiet.touch({"a"}, 1.2)
    assert (quiet.due(1.2) or 0) < 0.06


@given(st.lists(st.tuples(st.floats(0, 0.3), st.sampled_from(["write", "close", "touch"])), min_size=1, max_size=60))
def test_whatever_happens_a_look_is_never_put_off_for_good(steps: list[tuple[float, str]]) -> None:
    quiet = Quiet()
    now = first = 10.0
    for pause, what in steps:
        now += pause
        if quiet.due(now) == 0.0:
            quiet.take()
            first = now
        if quiet.due(now) is None:
            first = now
        if what == "write":
            quiet.written("f", now)
        elif what == "close":
            quiet.closed("f")
        quiet.touch({"a"}, now)
        due = quiet.due(now)
        assert due is not None
        assert now + due <= first + 5 * quiet.patience + 1e-6
