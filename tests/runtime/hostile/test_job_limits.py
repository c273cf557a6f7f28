"""Memory and CPUs of local jobs: held by a cgroup where the machine lets us make one, else by resource limits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from topcook.author import JobLimits, memory_size
from topcook.runtime.keeper.program.cgroups import find_home

Run = Callable[..., Any]
MIB = 1 << 20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the limits of other systems differ")
#: Takes memory step by step, and touches it.
HUNGRY = "held = []\nwhile True: held.append(bytearray(4 << 20))"
BUSY = "while True: pass"


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-S", "-c", code


@LINUX
def test_a_job_that_takes_more_memory_than_it_may_fails_and_says_so(run: Run) -> None:
    end = run(*python(HUNGRY), limits=JobLimits(memory=128 * MIB)).end()
    assert end.exit_status not in {0, None}
    assert end.reason.startswith("out of memory: its limit is 128 MiB (peak ")
    assert not end.canceled


@LINUX
def test_children_are_held_to_the_limit_of_memory_too(run: Run) -> None:
    code = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-I', '-S', '-c', sys.argv[1]]) != 0)"
    end = run(*python(code), HUNGRY, limits=JobLimits(memory=128 * MIB)).end()
    assert end.exit_status not in {0, None}
    assert "its limit is 128 MiB" in end.reason


@LINUX
def test_a_job_that_fails_for_another_reason_may_have_lacked_memory(run: Run) -> None:
    end = run("/bin/sh", "-c", "exit 3", limits=JobLimits(memory=256 * MIB)).end()
    assert end.exit_status == 3
    if not find_home()[0]:
        assert end.reason.startswith("exit status 3, perhaps for want of memory: its limit is 256 MiB (peak ")


def test_a_job_that_keeps_within_its_limits_ends_well(run: Run) -> None:
    end = run("/bin/sh", "-c", "echo fine", limits=JobLimits(512 * MIB, 1.0, 30.0)).end()
    assert (end.exit_status, end.reason) == (0, "")


def test_a_job_that_computes_for_too_long_is_ended_and_says_so(run: Run) -> None:
    end = run(*python(BUSY), limits=JobLimits(cpu_time=1.0)).end()
    assert end.exit_status not in {0, None}
    assert end.reason == "used more than 1 s of CPU time, its limit"


def test_a_job_that_heeds_no_warning_of_its_cpu_time_is_killed(run: Run) -> None:
    code = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n" + BUSY
    end = run(*python(code), limits=JobLimits(cpu_time=1.0)).end()
    assert end.exit_status == -9
    assert end.reason == "used more than 1 s of CPU time, its limit"


@LINUX
def test_a_job_gets_no_more_cpus_than_it_may_use(run: Run) -> None:
    told = run(*python("import os; print(len(os.sched_getaffinity(0)))"), limits=JobLimits(cpus=1.0))
    assert told.end().exit_status == 0
    if "cpu" not in find_home()[1]:
        assert told.log.read_text() == "1\n"


@LINUX
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
def test_jobs_of_one_cpu_each_share_the_machine(run: Run, tmp_path: Path) -> None:
    if "cpu" in find_home()[1]:
        pytest.skip("here cgroups share out the CPUs")
    code = (
        "import os, time\nprint(os.sched_getaffinity(0), flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)"
    )
    both = [run(*python(code), limits=JobLimits(cpus=1.0)) for _ in range(2)]
    until(lambda: all(each.log.exists() and each.log.read_text().endswith("\n") for each in both))
    (tmp_path / "go").touch()
    assert [each.end().exit_status for each in both] == [0, 0]
    assert both[0].log.read_text() != both[1].log.read_text()


def test_a_limited_job_is_started_like_any_other(run: Run, tmp_path: Path) -> None:
    """Its session, signals, descriptors, directory, environment and log are those of a job without limits."""
    code = (
        "import os, signal, sys\n"
        "print(os.getsid(0) == os.getpid(), os.getcwd(), sorted(os.environ))\n"
        "print([int(s) for s in signal.valid_signals() if s not in (9, 19) and signal.getsignal(s) == signal.SIG_IGN])\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, ()), sorted(os.listdir('/dev/fd'))[:4])\n"
    )
    told = [run(*python(code), limits=limits) for limits in (None, JobLimits(cpu_time=100.0))]
    assert [each.end().exit_status for each in told] == [0, 0]
    assert told[0].log.read_text() == told[1].log.read_text()


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (["no-such-command"], 127, 'cannot start "no-such-command": not found on PATH'),
        (["./script"], 127, "the interpreter its first line names does not exist"),
    ],
)
def test_a_limited_command_that_cannot_start_says_why(
    run: Run, tmp_path: Path, argv: list[str], status: int, said: str
) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    end = run(*argv, limits=JobLimits(memory=512 * MIB)).end()
    assert (end.exit_status, said in end.reason) == (status, True), end.reason


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 0), ("2G", 2 << 30), ("1.5 GiB", 3 << 29), ("512M", 512 * MIB), ("512", 512 * MIB), ("100kb", 102400)],
)
def test_sizes_of_memory_are_read_as_people_write_them(text: str, size: int) -> None:
    assert memory_size(text) == size


@pytest.mark.parametrize("text", ["much", "-1", "2 G B", "1e3", "G"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='such as "2G", "512M", or a number of MiB'):
        memory_size(text)
