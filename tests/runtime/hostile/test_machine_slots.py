"""One pool of slots for all cooks of a user on a machine: never more at once, nobody starves, the dead hold nothing."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.waiting import until
from topcook.author import LocalJob
from topcook.contract.host import JobEnd
from topcook.runtime.keeper.client import KeeperPool, KeeperProcess
from topcook.runtime.keeper.program.slots import MachineSlots

PATIENCE = 60.0
BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
#: Counts who is at work while it is, itself included.
COUNT = ': > "in/$$" && ls in | wc -l >> counts && echo {who} >> order && sleep 0.005 && rm "in/$$"'


class Cook:
    """A keeper that shares slots, and the ends of its jobs."""

    def __init__(self, directory: Path, slots: int, name: str) -> None:
        self.directory, self.name = directory, name
        self.keeper = KeeperProcess(str(directory / name), machine=(str(directory / "slots"), slots))
        self.pool: KeeperPool = self.keeper.pool("local")
        self.pool.set_slots(8)
        self.started: list[int] = []
        self.ends: list[JobEnd] = []
        self._said = threading.Condition()

    def start(self, command: str, count: int = 1, slots: int = 1) -> None:
        for _ in range(count):
            token = secrets.token_hex(6)
            log = str(self.directory / f"{self.name}.log")
            argv = ["/bin/sh", "-c", command]
            self.pool.start(
                LocalJob(
                    token, argv, BASE, str(self.directory), log, slots, on_start=self._on_start, on_end=self._on_end
                )
            )

    def _on_start(self, pid: int, _at: float) -> None:
        with self._said:
            self.started.append(pid)
            self._said.notify_all()

    def _on_end(self, end: JobEnd) -> None:
        with self._said:
            self.ends.append(end)
            self._said.notify_all()

    def wait(self, *, started: int = 0, ended: int = 0) -> None:
        with self._said:
            assert self._said.wait_for(lambda: len(self.started) >= started and len(self.ends) >= ended, PATIENCE)

    def close(self) -> None:
        self.pool.cancel_all(grace=0)
        self.keeper.close()


@pytest.fixture
def cooks(tmp_path: Path) -> Iterator[Callable[..., Cook]]:
    (tmp_path / "in").mkdir()
    with ExitStack() as ends:

        def make(slots: int) -> Cook:
            cook = Cook(tmp_path, slots, f"cook{secrets.token_hex(3)}")
            ends.callback(cook.close)
            return cook

        yield make


def test_two_cooks_never_have_more_jobs_at_once_than_the_machine_has_slots_and_neither_starves(
    cooks: Callable[..., Cook], tmp_path: Path
) -> None:
    one, other = cooks(2), cooks(2)
    # Nothing begins before both have all their jobs.
    gate = MachineSlots(str(tmp_path / "slots"), 2, "gate")
    assert gate.take(2)
    for cook in (one, other):
        cook.start(COUNT.format(who=cook.name), 200)
    until(lambda: len(list((tmp_path / "slots").glob("wait.*"))) == 2)
    gate.give(2)
    gate.settle(waiting=False)
    for cook in (one, other):
        cook.wait(ended=200)
        assert [end.exit_status for end in cook.ends] == [0] * 200
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert len(counts) == 400
    assert max(counts) <= 2
    early = (tmp_path / "order").read_text().split()[:200]
    assert min(early.count(one.name), early.count(other.name)) >= 25


def test_a_cook_that_is_alone_has_all_the_slots(cooks: Callable[..., Cook], tmp_path: Path) -> None:
    cook = cooks(3)
    cook.start("while [ ! -e go ]; do sleep 0.01; done", 3)
    cook.wait(started=3)
    (tmp_path / "go").touch()
    cook.wait(ended=3)


def test_a_wide_job_gets_its_slots_although_narrow_ones_keep_coming(cooks: Callable[..., Cook], tmp_path: Path) -> None:
    narrow, wide = cooks(3), cooks(3)
    narrow.start(COUNT.format(who="narrow"), 60)
    wide.start("ls in | wc -l > seen", slots=3)
    wide.wait(ended=1)
    assert (tmp_path / "seen").read_text().strip() == "0"
    narrow.wait(ended=60)


def test_the_slots_of_a_keeper_that_was_killed_come_back(cooks: Callable[..., Cook]) -> None:
    doomed, heir = cooks(1), cooks(1)
    doomed.start("sleep 600")
    doomed.wait(started=1)
    heir.start("true")
    heir_waits = heir.directory / "slots"
    until(lambda: bool(list(heir_waits.glob("wait.*"))))
    assert not heir.started
    assert doomed.keeper.pid is not None
    os.kill(doomed.keeper.pid, signal.SIGKILL)
    heir.wait(ended=1)
    assert heir.ends[0].exit_status == 0


ENGINE = """
import os, sys, threading
from topcook.author import LocalJob
from topcook.runtime.keeper.client import KeeperProcess
directory = sys.argv[1]
keeper = KeeperProcess(os.path.join(directory, "dead"), machine=(os.path.join(directory, "slots"), 1))
begun = threading.Event()
keeper.pool("local").start(LocalJob(
    "left-over", ["/bin/sh", "-c", ": > in/dead; while [ ! -e go ]; do sleep 0.01; done; rm in/dead"],
    {"PATH": "/usr/bin:/bin"}, directory, os.path.join(directory, "dead.log"),
    on_start=lambda pid, at: begun.set()))
assert begun.wait(60)
os._exit(9)
"""


def test_a_keeper_that_outlives_its_engine_keeps_its_slots_while_its_jobs_run(
    cooks: Callable[..., Cook], tmp_path: Path
) -> None:
    engine = subprocess.run([sys.executable, "-c", ENGINE, str(tmp_path)], check=False, timeout=PATIENCE)
    assert engine.returncode == 9
    cook = cooks(1)
    cook.start("ls in > seen")
    until(lambda: bool(list((tmp_path / "slots").glob("wait.*"))))
    assert not cook.started
    (tmp_path / "go").touch()
    cook.wait(ended=1)
    assert (tmp_path / "seen").read_text() == ""


def test_canceled_jobs_leave_the_line(cooks: Callable[..., Cook], tmp_path: Path) -> None:
    holder, waiting = cooks(1), cooks(1)
    holder.start("while [ ! -e go ]; do sleep 0.01; done")
    holder.wait(started=1)
    waiting.start("true", 3)
    until(lambda: bool(list((tmp_path / "slots").glob("wait.*"))))
    waiting.pool.cancel_all()
    waiting.wait(ended=3)
    until(lambda: not list((tmp_path / "slots").glob("wait.*")))
    (tmp_path / "go").touch()
    holder.wait(ended=1)


def test_the_ticket_of_a_keeper_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / f"wait.{1:020}.dead").touch()
    slots = MachineSlots(str(tmp_path), 1, "alive")
    assert slots.take(1)
    assert not list(tmp_path.glob("wait.*"))


def test_who_waits_longest_goes_first(tmp_path: Path) -> None:
    holder, first, second = (MachineSlots(str(tmp_path), 1, name) for name in ("holder", "first", "second"))
    assert holder.take(1)
    assert not first.take(1)
    assert not second.take(1)
    holder.give(1)
    assert not holder.take(1)
    assert not second.take(1)
    assert first.take(1)
    first.give(1)
    assert second.take(1)


def test_a_slot_is_kept_for_the_next_job_while_nobody_waits_and_given_back_when_there_is_none(tmp_path: Path) -> None:
    slots = MachineSlots(str(tmp_path), 1, "mine")
    assert slots.take(1)
    slots.give(1)
    with (tmp_path / "slot.0").open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        slots.settle(waiting=False)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere those who wait look now and again")
def test_who_waits_is_woken_when_a_slot_comes_free(tmp_path: Path) -> None:
    holder, waiting = (MachineSlots(str(tmp_path), 1, name) for name in ("holder", "waiting"))
    assert holder.take(1)
    assert not waiting.take(1)
    with pytest.raises(BlockingIOError):
        os.read(waiting.fd, 4096)
    holder.give(1)
    assert os.read(waiting.fd, 4096)
    assert waiting.take(1)


def test_where_slots_cannot_be_shared_jobs_run_all_the_same_and_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "slots").touch()
    said: list[str] = []
    ended = threading.Event()
    keeper = KeeperProcess(str(tmp_path / "keeper"), on_error=said.append, machine=(str(tmp_path / "slots"), 1))
    argv = ["/bin/true"]
    keeper.pool("local").start(
        LocalJob("job", argv, BASE, str(tmp_path), str(tmp_path / "log"), on_end=lambda _: ended.set())
    )
    assert ended.wait(PATIENCE)
    keeper.close()
    (told,) = said
    assert told.startswith("the slots of this machine are not shared with other cooks: ")
    assert "slots" in told.partition(": ")[2]


def test_two_who_each_have_a_part_of_what_they_need_do_not_wait_for_each_other_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (MachineSlots(str(tmp_path), 2, name) for name in ("first", "second", "third"))
    assert third.take(1)
    lock_one = second._lock_one

    def another_comes_between() -> bool:
        monkeypatch.undo()
        got = lock_one()
        assert not first.take(2)  # stands in line before the second one does
        return got

    monkeypatch.setattr(second, "_lock_one", another_comes_between)
    assert not second.take(2)
    third.give(1)
    third.settle(waiting=False)
    assert not second.take(2)
    second.settle(waiting=True)
    assert first.take(2)


@pytest.mark.parametrize("fails", [errno.ENOLCK, errno.EBADF, errno.ENOSYS])
def test_on_a_disk_without_locks_slots_are_not_shared_and_no_descriptor_is_left(
    fails: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: int, _how: int) -> None:
        raise OSError(fails, os.strerror(fails))

    opened = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match=re.escape(os.strerror(fails))):
        MachineSlots(str(tmp_path), 3, "alone")
    assert len(os.listdir("/proc/self/fd")) == opened


def test_while_a_disk_gives_no_locks_jobs_wait_and_then_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = MachineSlots(str(tmp_path), 1, "alone")

    def away(_file: int, _how: int) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", away)
        assert not slots.take(1)
    assert slots.retry_at
    assert slots.take(1)
