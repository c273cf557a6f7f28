"""A machine that is short of something, and clocks that jump."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import topcook
from tests.waiting import until
from topcook.runtime.keeper.client import KeeperProcess
from topcook.testkit.cookbench import CookBench

Run = Callable[..., Any]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can be set on Linux only")


def wakeups(pid: int) -> int:
    """How often a process has gone to sleep by itself."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt_switches")))


@LINUX
def test_a_keeper_without_descriptors_tries_again_until_there_are_some(run: Run, keeper: KeeperProcess) -> None:
    assert run("/bin/true").end().exit_status == 0
    pid = keeper.pid
    assert pid is not None
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    opened = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    unused = next(number for number in range(256) if number not in opened)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (unused, before[1]))
    jobs = [run("/bin/sh", "-c", f"echo {number}") for number in range(3)]
    asked = wakeups(pid)
    # It looks again and again, less and less often, and nothing else wakes it.
    until(lambda: wakeups(pid) >= asked + 4)
    assert not any(job.started.is_set() for job in jobs)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert [job.end().exit_status for job in jobs] == [0, 0, 0]
    assert [job.log.read_text() for job in jobs] == ["0\n", "1\n", "2\n"]


NO_PROCESSES = """
import os, resource, sys, threading, time
sys.path[:0] = sys.argv[2].split(os.pathsep)
from topcook.author import LocalJob
from topcook.runtime.keeper.client import KeeperProcess
keeper = KeeperProcess(os.path.join(sys.argv[1], "keeper"))
ends = []
said = threading.Condition()
def ended(end):
    with said:
        ends.append(end.exit_status)
        said.notify_all()
def start(token):
    keeper.pool("local").start(LocalJob(token, ["/bin/true"], {}, sys.argv[1], os.path.join(sys.argv[1], token), on_end=ended))
def wait(count):
    with said:
        assert said.wait_for(lambda: len(ends) >= count, 60)
start("first")
wait(1)
before = resource.prlimit(keeper.pid, resource.RLIMIT_NPROC)
resource.prlimit(keeper.pid, resource.RLIMIT_NPROC, (1, before[1]))
def asleep():
    lines = open(f"/proc/{keeper.pid}/status").read().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt_switches")))
asked = asleep()
start("second")
deadline = time.monotonic() + 60
while asleep() < asked + 4 and time.monotonic() < deadline:
    time.sleep(0.01)
print("short:", ends)
resource.prlimit(keeper.pid, resource.RLIMIT_NPROC, before)
wait(2)
print("then:", ends)
keeper.close()
"""


def python_of(user: dict[str, Any]) -> str:
    """A Python that this user can run, and that can read this checkout; skips the test without one."""
    code = f"import sys; sys.path.insert(0, {str(Path(topcook.__file__).parents[1])!r}); import topcook.author"
    for path in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            if not subprocess.run([path, "-c", code], check=False, capture_output=True, cwd="/", **user).returncode:
                return path
    pytest.skip("another user cannot run Python here, or cannot read this checkout")


@LINUX
def test_a_user_without_processes_left_gets_the_job_started_when_there_are_some(tmp_path: Path) -> None:
    """As another user where this is root, whom no such limit holds."""
    nobody: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        tmp_path = Path(shutil.copytree(tmp_path, f"/tmp/topcook-nobody-{os.getpid()}"))
        os.chmod(tmp_path, 0o777)
    try:
        ended = subprocess.run(
            [python_of(nobody), "-c", NO_PROCESSES, str(tmp_path), str(Path(topcook.__file__).parents[1])],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            cwd="/",
            env={"PATH": os.environ["PATH"], "TMPDIR": "/tmp"},
            **nobody,
        )
    finally:
        if nobody:
            shutil.rmtree(tmp_path, ignore_errors=True)
    assert ended.stdout.splitlines() == ["short: [0]", "then: [0, 0]"], ended.stderr


@LINUX
def test_a_keeper_short_of_memory_starts_its_jobs_when_there_is_some_or_says_that_it_died(
    run: Run, keeper: KeeperProcess
) -> None:
    assert run("/bin/true").end().exit_status == 0
    pid = keeper.pid
    assert pid is not None
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    resource.prlimit(pid, resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE"), before[1]))
    job = run("/bin/true")
    asked = wakeups(pid)
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, StopIteration):
        until(lambda: job._ended.is_set() or wakeups(pid) >= asked + 3)
        resource.prlimit(pid, resource.RLIMIT_AS, before)
    end = job.end()
    assert end.exit_status == 0 or "the keeper of local jobs" in end.reason, end
    # Whatever became of it, the next job runs.
    until(lambda: run("/bin/true").end().exit_status == 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB: what all jobs need takes a quarter."""
    path = tmp_path / "disk"
    path.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(path)], check=False)
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_on_a_full_disk_of_logs_those_who_print_hear_of_it_and_all_others_cook(
    bench: CookBench, small_disk: Path
) -> None:
    context = bench.load(
        f"""
        [network]
        name = "net"
        scheduler = "local"
        [schedulers.local]
        type = "localscheduler"
        parms.tempdirmenu = 2
        parms.tempdircustom = "{small_disk}"
        [nodes.first]
        type = "genericgenerator"
        parms.command = "sh -c 'dd if=/dev/zero of={small_disk}/ballast bs=4096 2>/dev/null; true'"
        [nodes.prints]
        type = "genericgenerator"
        inputs = ["first"]
        parms.command = "sh -c 'echo hello || exit 7'"
        parms.pdg_onfailure = "continue"
        [nodes.quiet]
        type = "genericgenerator"
        inputs = ["prints"]
        parms.command = "true"
        """
    )
    done = bench.cook(context)
    assert set(done.states("quiet").values()) == {"CookedSuccess"}, done.messages
    (printing,) = done.items("prints")
    assert printing.state.name == "CookedFail"
    assert printing.ran().exit_status in {7, 126}


@LINUX
def test_a_log_that_may_grow_no_more_ends_the_job_that_prints_and_no_other(run: Run, keeper: KeeperProcess) -> None:
    """What an ordinary user's limit on file sizes does; the keeper's own record is held to it as well."""
    assert run("/bin/true").end().exit_status == 0
    assert keeper.pid is not None
    resource.prlimit(keeper.pid, resource.RLIMIT_FSIZE, (65536, 65536))
    printing = run("/bin/sh", "-c", "head -c 1000000 /dev/zero")
    assert printing.end().exit_status not in {0, None}
    assert printing.log.stat().st_size == 65536
    assert run("/bin/sh", "-c", "echo fine").end().exit_status == 0


NETWORK = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
parms = { maxprocsmenu = 1, maxprocs = 2 }
[nodes.work]
type = "genericgenerator"
parms.itemcount = 8
parms.command = "sh -c 'test -e done-@pdg_index || { touch done-@pdg_index; exit 1; }'"
parms.pdg_retries = 2
parms.pdg_retrydelay = 0.1
parms.pdg_timeout = 600
"""


def test_a_wall_clock_that_jumps_back_and_forth_neither_times_out_nor_waits(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, chance = time.time, random.Random(5)
    monkeypatch.setattr(time, "time", lambda: real() + chance.choice([-1, 1]) * chance.choice([0, 3600, 86400 * 400]))
    began = time.monotonic()
    done = bench.cook(NETWORK)
    assert done.outcome == "cooked", done.account
    for item in done.items("work"):
        ran = item.ran()
        assert item.attempt == 2
        assert ran.started is not None
        assert ran.finished is not None
        assert 0 <= ran.finished - ran.started <= time.monotonic() - began


def test_passing_errors_of_the_system_are_those_that_trying_again_helps() -> None:
    from topcook.runtime.keeper.program.spawn import PASSING

    assert {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE} == PASSING
