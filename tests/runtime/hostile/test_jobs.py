"""Jobs that behave badly: what the keeper makes of them, and that nothing of them stays."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.waiting import until
from topcook.runtime.keeper.client import KeeperProcess
from topcook.runtime.keeper.program.processes import mark_of, process_table
from topcook.testkit.cookbench import CookBench

Run = Callable[..., Any]
PROC = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="processes are looked at in /proc")


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-S", "-c", code


def living(token: str) -> list[int]:
    return [pid for pid, row in process_table().items() if not row.zombie and mark_of(pid).endswith(token)]


@pytest.mark.parametrize("status", [0, 3])
def test_a_job_that_closes_all_its_descriptors_ends_as_it_says(run: Run, status: int) -> None:
    end = run(*python(f"import os; os.closerange(0, 256); os._exit({status})")).end()
    assert end.exit_status == status


@PROC
def test_a_job_that_leaves_its_session_is_ended_with_all_it_started(run: Run, keeper: KeeperProcess) -> None:
    code = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    os.closerange(0, 256)\n    time.sleep(600)\n"
        "print('ready', flush=True)\ntime.sleep(600)"
    )
    told = run(*python(code))
    until(lambda: told.log.exists() and told.log.read_text() == "ready\n")
    assert len(living(told.job.token)) == 2
    assert keeper.pool("local").cancel([told.job.token], grace=0.2) == []
    assert told.end().canceled
    assert not living(told.job.token)


def test_a_job_that_stops_itself_runs_into_its_time_and_is_ended(bench: CookBench) -> None:
    done = bench.cook(
        """
        [network]
        name = "net"
        scheduler = "local"
        [schedulers.local]
        type = "localscheduler"
        [nodes.stops]
        type = "genericgenerator"
        parms.command = "sh -c 'kill -STOP $$; true'"
        parms.pdg_timeout = 0.5
        parms.pdg_timeoutgrace = 0.5
        [nodes.works]
        type = "genericgenerator"
        parms.command = "true"
        """
    )
    assert done.outcome == "failed"
    assert set(done.states("works").values()) == {"CookedSuccess"}
    assert "timed out after 0.5 s" in done.why(next(iter(done.states("stops"))))


@PROC
def test_the_parent_of_zombies_ends_like_any_other_and_leaves_none(run: Run, keeper: KeeperProcess) -> None:
    code = "import os, time\nfor _ in range(20):\n    if os.fork() == 0: os._exit(0)\nprint('ready', flush=True)"
    told = run(*python(code))
    assert told.end().exit_status == 0
    until(lambda: not [pid for pid, row in process_table().items() if row.parent == keeper.pid])


@PROC
def test_a_zombie_with_living_children_is_no_job_that_runs(run: Run) -> None:
    """The leader has ended although what it started goes on: the job is over, and its end is told."""
    told = run("/bin/sh", "-c", "sleep 600 >/dev/null 2>&1 & exit 4")
    assert told.end().exit_status == 4
    left = living(told.job.token)
    assert len(left) == 1
    os.kill(left[0], signal.SIGKILL)


def test_what_a_job_prints_goes_by_nobody_elses_memory(run: Run, keeper: KeeperProcess) -> None:
    before = resident(keeper.pid) if run("/bin/true").end().exit_status == 0 else 0
    told = run("/bin/sh", "-c", "head -c 200000000 /dev/zero")
    assert told.end().exit_status == 0
    assert told.log.stat().st_size == 200_000_000
    assert resident(keeper.pid) - before < 50_000_000
    told.log.unlink()


def resident(pid: int | None) -> int:
    """Bytes; 0 where nobody tells."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
