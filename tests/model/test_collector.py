"""The collector looks less often while somebody asks for it, and is as it was afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from topcook.model.collector import SELDOM, seldom_collected


@pytest.fixture(autouse=True)
def threshold() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_it_looks_less_often_until_the_last_of_those_who_asked_is_done() -> None:
    gc.set_threshold(700, 11, 12)
    first, second = seldom_collected(), seldom_collected()
    with first:
        second.__enter__()
        assert gc.get_threshold() == (SELDOM, 11, 12)
    assert gc.get_threshold() == (SELDOM, 11, 12), "the second one is still at it"
    second.__exit__(None, None, None)
    assert gc.get_threshold() == (700, 11, 12)


@pytest.mark.parametrize("own", [0, 2 * SELDOM])
def test_who_has_turned_it_off_or_has_it_look_still_less_often_knows_why(own: int) -> None:
    gc.set_threshold(own, 10, 10)
    with seldom_collected():
        assert gc.get_threshold() == (own, 10, 10)
    assert gc.get_threshold() == (own, 10, 10)


@pytest.mark.parametrize("ours", [True, False])
def test_the_program_is_walked_no_more_in_a_process_that_is_one_command(ours: bool) -> None:
    code = f"""
import gc
before = gc.get_threshold()[0]
from topcook.model.collector import one_command, program_is_loaded, set_aside, take_in_again
if {ours}:
    one_command()
program_is_loaded()
program = gc.get_freeze_count()
take_in_again()
assert gc.get_freeze_count() == program, "nothing was set aside but the program"
made = [[] for _ in range(1000)]
set_aside()
assert gc.get_freeze_count() > program
take_in_again()
print(bool(program), gc.get_freeze_count(), gc.get_threshold()[0] > before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(ours), "0", str(ours)]
