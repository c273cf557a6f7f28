"""Cgroups: where one may be made is found without changing anything, and a job in one is counted and ended whole.

Where the kernel hands no controller down to us, the finding is held against a tree of directories laid out like the
kernel's, and joining, counting and killing against a real tree without controllers (root, or a delegated one).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from topcook.runtime.keeper.program.cgroups import Cgroups, find_home
from topcook.runtime.keeper.program.limits import Limited, Limits, _told, fork_exec

PATIENCE = 60.0


def tree(tmp_path: Path, handed_down: dict[str, str], own: str) -> tuple[str, str]:
    """A version 2 tree with what each cgroup hands down; answers mountinfo and this process's place in it."""
    root = tmp_path / "cg roup"
    for path, controllers in handed_down.items():
        folder = root / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.subtree_control").write_text(controllers + "\n")
        (folder / "cgroup.procs").write_text("")
    mounts, place = tmp_path / "mountinfo", tmp_path / "cgroup"
    mounts.write_text(
        "24 1 0:21 / /proc rw - proc proc rw\n"
        f"30 1 0:27 / {escaped(root)} rw,nosuid"
        " shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    place.write_text(f"4:memory:/elsewhere\n0::{own}\n")
    return str(mounts), str(place)


def escaped(path: Path) -> str:
    return str(path).replace(" ", "\\040")


def test_cgroups_are_made_in_ones_own_where_it_hands_controllers_down(tmp_path: Path) -> None:
    found = find_home(
        *tree(tmp_path, {"": "cpu memory", "user": "memory cpu io", "user/mine": "memory cpu"}, "/user/mine")
    )
    assert found == (str(tmp_path / "cg roup/user/mine"), {"memory", "cpu"})


def test_else_in_the_nearest_above_that_does(tmp_path: Path) -> None:
    found = find_home(*tree(tmp_path, {"": "cpu memory", "user": "memory cpu", "user/mine": ""}, "/user/mine"))
    assert found == (str(tmp_path / "cg roup/user"), {"memory", "cpu"})


def test_what_counts_more_goes_before_what_is_nearer(tmp_path: Path) -> None:
    found = find_home(*tree(tmp_path, {"": "", "user": "memory cpu", "user/mine": "memory pids"}, "/user/mine"))
    assert found == (str(tmp_path / "cg roup/user"), {"memory", "cpu"})


def test_there_is_none_where_nothing_is_handed_down_or_nothing_mounted(tmp_path: Path) -> None:
    mounts, own = tree(tmp_path, {"": "hugetlb", "user": "pids"}, "/user")
    assert find_home(mounts, own) == ("", frozenset())
    assert find_home(str(tmp_path / "no-such-file"), own) == ("", frozenset())
    assert find_home(mounts, str(tmp_path / "no-such-file")) == ("", frozenset())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_there_is_none_where_we_may_not_write(tmp_path: Path) -> None:
    found = tree(tmp_path, {"": "cpu memory"}, "/")
    (tmp_path / "cg roup").chmod(0o555)
    assert find_home(*found) == ("", frozenset())


@pytest.fixture
def cgroups() -> Iterator[Cgroups]:
    """Real ones, with no controllers where none are handed down."""
    home, controllers = find_home()
    if not home:
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if " cgroup2 " in line]
        home = mounted[0] if mounted else ""
    try:
        made = Cgroups(home, controllers, secrets.token_hex(6))
    except OSError as error:
        pytest.skip(f"no cgroup can be made on this machine: {error}")
    yield made
    made.close()


DAEMONS = """
import os, time
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print(number, os.getpid(), flush=True)
            while True: pass
        os._exit(0)
time.sleep(600)
"""


def test_what_a_job_has_started_is_counted_and_killed_with_it(cgroups: Cgroups, tmp_path: Path) -> None:
    cgroup = cgroups.make()
    log = tmp_path / "log"
    argv = [os.fsencode(sys.executable), b"-I", b"-S", b"-c", DAEMONS.encode()]
    with log.open("wb") as stream:
        pid = fork_exec(argv[0], argv, {}, stream.fileno(), cgroup.join)
    until = time.monotonic() + PATIENCE
    while (log.read_bytes().count(b"\n") < 3 or cgroup.cpu_time <= 0) and time.monotonic() < until:
        time.sleep(0.01)
    daemons = [int(line.split()[1]) for line in log.read_text().splitlines()]
    assert len(daemons) == 3
    assert not cgroup.remove(), "it is removed only when nothing runs in it"
    if not cgroup.kill():
        os.kill(pid, signal.SIGKILL)
        for each in daemons:
            os.kill(each, signal.SIGKILL)
        os.waitpid(pid, 0)
        pytest.skip("this kernel cannot kill a cgroup")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    while not cgroup.remove() and time.monotonic() < until:
        time.sleep(0.01)
    assert not os.path.exists(cgroup.path)


def test_a_cgroup_with_something_in_it_stays_until_that_has_ended(cgroups: Cgroups, tmp_path: Path) -> None:
    cgroup = cgroups.make()
    argv = [b"/bin/sleep", b"600"]
    with (tmp_path / "log").open("wb") as stream:
        pid = fork_exec(argv[0], argv, {}, stream.fileno(), cgroup.join)
    cgroups.drop(cgroup)
    assert os.path.isdir(cgroup.path)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    cgroups.close()
    assert not os.path.exists(cgroup.path)
    assert not os.path.exists(os.path.dirname(cgroup.path))


def test_what_the_kernel_tells_of_a_cgroup_becomes_words(tmp_path: Path) -> None:
    """Its files as the kernel lays them out: killed for want of memory, with a peak."""
    (tmp_path / "cgroup.subtree_control").touch()
    cgroups = Cgroups(str(tmp_path), frozenset({"memory", "cpu"}), "keeper")
    assert (tmp_path / "topcook-keeper/cgroup.subtree_control").read_text() == "+cpu +memory"
    job = Limited(Limits(2 << 30, 1.5, 0.0))
    job.cgroup = cgroup = cgroups.make()
    for name in ("memory.swap.max", "memory.oom.group"):
        Path(cgroup.path, name).touch()
    cgroup.limit(2 << 30, 1.5)
    said = {name: Path(cgroup.path, name).read_text() for name in sorted(os.listdir(cgroup.path))}
    assert said == {
        "cpu.max": "150000 100000",
        "memory.max": str(2 << 30),
        "memory.oom.group": "1",
        "memory.swap.max": "0",
    }
    Path(cgroup.path, "memory.peak").write_text(f"{(2 << 30) - 4096}\n")
    Path(cgroup.path, "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 1\noom_kill 0\noom_group_kill 0\n")
    assert _told(job, 1, 0, 0.0) == ""
    Path(cgroup.path, "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n")
    assert _told(job, -9, 0, 0.0) == "out of memory: its limit is 2 GiB (peak 2 GiB)"
    Path(cgroup.path, "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\n")
    assert cgroup.cpu_time == 2.5


def test_a_keeper_whose_cgroup_another_one_took_for_a_dead_ones_makes_it_again(tmp_path: Path) -> None:
    cgroups = Cgroups(str(tmp_path), frozenset({"memory"}), "idle")
    (own,) = tmp_path.iterdir()
    first = cgroups.make()
    cgroups.drop(first)
    shutil.rmtree(own)
    second = cgroups.make()
    assert Path(second.path).parent == own
    assert second.path != first.path
    assert (own / "cgroup.subtree_control").read_text() == "+memory"
