"""What the keeper writes down of its jobs, torn or whole, as those read it who come afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.jobends import Ends, left_in
from tests.waiting import until
from topcook.runtime.keeper import launch
from topcook.runtime.keeper.client import KeeperProcess
from topcook.runtime.keeper.record import read_record


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """A test that fails in the middle must not leave its jobs to the next."""
    yield
    (tmp_path / "over").touch()
    for pid in left_in(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_torn_record_loses_only_its_torn_line(tmp_path: Path) -> None:
    (tmp_path / launch.RECORD_NAME).write_text(
        "keeper 1 99 1.0 boot\nstart a-1-1 12 1.5 2.5\nexit a-1-1 0 3.5 10 0.1\n\nstart a-2-1 x\nexit a-3-1 - 4.0 0 0.0\n"
        "start a-4-1 13 1.6 2.6\nexit a-4-1 0"
    )
    jobs = read_record(str(tmp_path))
    assert {token: (job.exit_status, job.ended) for token, job in jobs.items()} == {
        "a-1-1": (0, 3.5), "a-3-1": (None, 4.0), "a-4-1": (None, None)}  # fmt: skip
    assert not jobs["a-4-1"].is_running


def test_a_keeper_begins_a_line_of_its_own_where_an_earlier_one_was_killed_in_the_middle_of_one(tmp_path: Path) -> None:
    record = tmp_path / "keeper" / launch.RECORD_NAME
    record.parent.mkdir()
    record.write_text("keeper 1 99 1.0 an-earlier-boot\nstart a-1-1 12 1.5 2.")
    keeper = KeeperProcess(str(record.parent))
    ends = Ends()
    keeper.pool("local").start(ends.job(tmp_path, "c-1-1", "while [ ! -e go ]; do sleep 0.02; done"))
    # Whether a process is the one that was started can be said of this start of the machine only.
    until(lambda: "c-1-1" in read_record(str(record.parent)))
    assert read_record(str(record.parent))["c-1-1"].is_running
    (tmp_path / "go").touch()
    ends.wait_for(1)
    keeper.close()


def test_a_job_that_was_canceled_is_no_failure_to_who_reads_the_record(tmp_path: Path) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool = keeper.pool("local")
    ends = Ends()
    pool.start(ends.job(tmp_path, "c-1-1", "touch started1; sleep 60"))
    pool.start(ends.job(tmp_path, "c-2-1", "trap 'exit 0' TERM; touch started2; while :; do sleep 0.02; done"))
    pool.start(ends.job(tmp_path, "c-3-1", "exit 7"))
    until(lambda: (tmp_path / "started1").exists() and (tmp_path / "started2").exists())
    until(lambda: "c-3-1" in ends)
    pool.cancel_all()
    ends.wait_for(3)
    recorded = read_record(str(tmp_path / "keeper"))
    assert all(job.ended is not None for job in recorded.values())
    # What ended well although it was canceled has ended well.
    assert {token: job.exit_status for token, job in recorded.items()} == {"c-1-1": None, "c-2-1": 0, "c-3-1": 7}
    keeper.close()
