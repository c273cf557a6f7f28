"""The keeper when something dies: itself, the engine, or both; and who is let in afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.runtime.jobends import PATIENCE, Ends, left_in
from tests.waiting import until
from topcook.runtime.keeper import aftermath, launch, leftover
from topcook.runtime.keeper.client import KeeperProcess
from topcook.runtime.keeper.program import wire
from topcook.runtime.keeper.program.processes import MARK, Row, mark_of, process_table
from topcook.runtime.keeper.record import read_record

ENGINE = """
import os, sys, threading, time
from topcook.author import LocalJob
from topcook.runtime.keeper.client import KeeperProcess
directory, die, forks, cook, jobs = sys.argv[1], sys.argv[2] == "1", sys.argv[3] == "1", sys.argv[4], sys.argv[5:]
keeper = KeeperProcess(directory + "/keeper", die_with_parent=die)
pool = keeper.pool("local")
pool.set_slots(2)
started = threading.Semaphore(0)
for number, script in enumerate(jobs, 1):
    pool.start(LocalJob(f"{cook}-{number}-1", ["/bin/sh", "-c", script], {"PATH": "/bin:/usr/bin"}, directory,
                        f"{directory}/{number}.log", on_start=lambda pid, at: started.release()))
for _ in jobs[:2]:
    started.acquire()
if forks and not os.fork():
    # As multiprocessing does it: a copy that holds all that its parent had open, and outlives it.
    os.close(1)
    while not os.path.exists(directory + "/over"):
        time.sleep(0.02)
    os._exit(0)
print(keeper.pid, flush=True)
sys.stdin.read()
"""


def alive(pid: int) -> bool:
    row = process_table().get(pid)
    return row is not None and not row.zombie


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """A test that fails in the middle must not leave its jobs to the next."""
    yield
    (tmp_path / "over").touch()
    for pid in left_in(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def dead_engine(tmp_path: Path, *scripts: str, die: bool = False, forks: bool = False, cook: str = "c") -> int:
    """An engine started these jobs and was killed in the middle; returns its keeper's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path), "1" if die else "0", "1" if forks else "0", cook, *scripts],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as engine:
        assert engine.stdout is not None
        keeper = int(engine.stdout.readline())
        engine.kill()
    return keeper


def test_when_the_keeper_is_killed_its_jobs_are_ended_and_told(tmp_path: Path) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool = keeper.pool("local")
    pool.set_slots(1)
    ends = Ends()
    pool.start(ends.job(tmp_path, "c-1-1", "touch started; sleep 60 & sleep 60"))
    pool.start(ends.job(tmp_path, "c-2-1", "true"))
    until((tmp_path / "started").exists)
    assert keeper.pid
    first = keeper.pid
    door = Path(json.loads((tmp_path / "keeper" / launch.CARD_NAME).read_text())["socket"])
    os.kill(first, signal.SIGKILL)
    ends.wait_for(2)
    assert not door.parent.exists()
    assert {end.exit_status for end in ends.values()} == {None}
    assert f"the keeper of local jobs (process {first}) ended by signal 9" in ends["c-1-1"].reason
    # A retry beside an orphan of the last attempt would do the work twice.
    assert left_in(tmp_path) == []
    pool.start(ends.job(tmp_path, "c-1-2", "true"))
    ends.wait_for(3)
    assert ends["c-1-2"].exit_status == 0
    assert keeper.pid != first
    keeper.close()


@pytest.fixture
def slow_burial(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """The jobs of a keeper that died are ended once the second event is set; the first tells that they would be."""
    begun, may_go_on = threading.Event(), threading.Event()
    end_orphans = aftermath.end_orphans

    def end_later(keeper_id: str, leaders: Iterable[int]) -> None:
        begun.set()
        assert may_go_on.wait(PATIENCE)
        end_orphans(keeper_id, leaders)

    monkeypatch.setattr(aftermath, "end_orphans", end_later)
    return begun, may_go_on


def test_a_keeper_that_is_started_while_another_is_buried_keeps_its_door_and_its_jobs(
    tmp_path: Path, slow_burial: tuple[threading.Event, threading.Event]
) -> None:
    begun, may_go_on = slow_burial
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool, ends = keeper.pool("local"), Ends()
    pool.start(ends.job(tmp_path, "c-1-1", "touch started; sleep 60"))
    until((tmp_path / "started").exists)
    assert keeper.pid
    os.kill(keeper.pid, signal.SIGKILL)
    assert begun.wait(PATIENCE)
    pool.start(ends.job(tmp_path, "c-2-1", "touch second; sleep 60"))
    until((tmp_path / "second").exists)
    until(lambda: keeper.runs("c-2-1"))
    may_go_on.set()
    ends.wait_for(1)
    assert list(ends) == ["c-1-1"]
    card = json.loads((tmp_path / "keeper" / launch.CARD_NAME).read_text())
    assert card["pid"] == keeper.pid
    assert Path(card["socket"]).exists()
    assert keeper.runs("c-2-1")
    assert pool.cancel_all(grace=0) == []
    keeper.close()


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="marks are read in /proc")
def test_what_hid_from_one_look_at_the_processes_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper_id = os.urandom(6).hex()
    looks: list[object] = []

    def table() -> dict[int, Row]:
        looks.append(None)
        # Its parent forked it and died while the first look was taken.
        return {} if len(looks) == 1 else process_table()

    monkeypatch.setattr(aftermath, "process_table", table)
    with subprocess.Popen(["/bin/sleep", "600"], env={MARK: f"{keeper_id}/local/c-1-1"}) as orphan:
        try:
            until(lambda: mark_of(orphan.pid).startswith(keeper_id))
            aftermath.end_orphans(keeper_id, [])
            assert orphan.poll() == -signal.SIGKILL
        finally:
            orphan.kill()


def test_who_cancels_or_closes_waits_until_the_jobs_of_a_keeper_that_died_are_gone(
    tmp_path: Path, slow_burial: tuple[threading.Event, threading.Event]
) -> None:
    begun, may_go_on = slow_burial
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool, ends = keeper.pool("local"), Ends()
    pool.start(ends.job(tmp_path, "c-1-1", "touch started; sleep 60"))
    until((tmp_path / "started").exists)
    assert keeper.pid
    os.kill(keeper.pid, signal.SIGKILL)
    assert begun.wait(PATIENCE)
    left: list[list[int]] = []

    def cancel() -> None:
        pool.cancel_all(grace=0)
        left.append(left_in(tmp_path))

    waits = threading.Thread(target=cancel)
    waits.start()
    may_go_on.set()
    waits.join(PATIENCE)
    assert left == [[]]
    keeper.close()


def test_a_cancel_comes_back_when_the_keeper_dies_under_it(tmp_path: Path) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool = keeper.pool("local")
    ends = Ends()
    pool.start(ends.job(tmp_path, "c-1-1", "trap '' TERM; touch started; while :; do sleep 1; done"))
    until((tmp_path / "started").exists)
    canceling = threading.Thread(target=pool.cancel_all, args=(60.0,))
    canceling.start()
    assert keeper.pid
    os.kill(keeper.pid, signal.SIGKILL)
    canceling.join(PATIENCE)
    assert not canceling.is_alive()
    ends.wait_for(1)
    assert left_in(tmp_path) == []
    keeper.close()


def test_a_keeper_that_is_asked_to_stop_takes_its_jobs_along(tmp_path: Path) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    ends = Ends()
    keeper.pool("local").start(ends.job(tmp_path, "c-1-1", "touch started; sleep 60"))
    until((tmp_path / "started").exists)
    assert keeper.pid
    os.kill(keeper.pid, signal.SIGTERM)
    ends.wait_for(1)
    assert left_in(tmp_path) == []
    keeper.close()


def test_when_the_engine_dies_running_jobs_end_by_themselves_and_queued_ones_never_start(tmp_path: Path) -> None:
    pid = dead_engine(tmp_path, *["while [ ! -e go ]; do sleep 0.02; done; echo done"] * 2, "touch never")
    until(lambda: read_record(str(tmp_path / "keeper")).get("c-3-1") is not None)
    jobs = read_record(str(tmp_path / "keeper"))
    assert [jobs[f"c-{number}-1"].is_running for number in (1, 2, 3)] == [True, True, False]
    (tmp_path / "go").touch()
    until(lambda: not alive(pid))
    jobs = read_record(str(tmp_path / "keeper"))
    assert [jobs[f"c-{number}-1"].exit_status for number in (1, 2, 3)] == [0, 0, None]
    assert not jobs["c-1-1"].is_running
    assert (tmp_path / "1.log").read_text() == "done\n"
    assert not (tmp_path / "never").exists()


needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of any process")


@needs_pidfd
def test_what_an_engine_has_forked_does_not_stand_for_it_when_it_is_dead(tmp_path: Path) -> None:
    """Its copy holds the connection open: nothing that was queued may begin beside the cook that goes on."""
    pid = dead_engine(tmp_path, *["while [ ! -e go ]; do sleep 0.02; done"] * 2, "touch never", forks=True)
    until(lambda: read_record(str(tmp_path / "keeper")).get("c-3-1") is not None)
    assert read_record(str(tmp_path / "keeper"))["c-3-1"].started is None
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    assert set(keeper.attach() or ()) == {"c-1-1", "c-2-1"}
    keeper.close()
    (tmp_path / "go").touch()
    until(lambda: not alive(pid))
    assert not (tmp_path / "never").exists()


@needs_pidfd
def test_with_die_with_parent_the_jobs_die_with_an_engine_that_has_forked(tmp_path: Path) -> None:
    pid = dead_engine(tmp_path, "sleep 60", "sleep 60", "touch never", die=True, forks=True)
    until(lambda: not alive(pid))
    assert left_in(tmp_path) == []
    assert not (tmp_path / "never").exists()


@needs_pidfd
def test_a_second_engine_that_has_forked_is_missed_as_well(tmp_path: Path) -> None:
    pid = dead_engine(tmp_path, "while [ ! -e go ]; do sleep 0.02; done", "sleep 60")
    script = (
        "import os, sys, time\n"
        "from topcook.runtime.keeper.client import KeeperProcess\n"
        "assert KeeperProcess(sys.argv[1] + '/keeper').attach()\n"
        "if os.fork(): os._exit(0)\n"
        "while not os.path.exists(sys.argv[1] + '/over'): time.sleep(0.02)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=60)
    third = KeeperProcess(str(tmp_path / "keeper"))
    until(lambda: third.attach() is not None)
    assert third.pool("local").cancel_all(grace=0) == []
    third.close()
    until(lambda: not alive(pid))


def test_a_keeper_that_is_told_to_end_while_the_engine_talks_to_it_takes_its_jobs_along(tmp_path: Path) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool = keeper.pool("local")
    ends = Ends()
    pool.start(ends.job(tmp_path, "c-1-1", "touch started; sleep 60"))
    until((tmp_path / "started").exists)
    assert keeper.pid
    # While it is stopped, both gather.
    os.kill(keeper.pid, signal.SIGSTOP)
    pool.set_slots(3)
    os.kill(keeper.pid, signal.SIGTERM)
    os.kill(keeper.pid, signal.SIGCONT)
    ends.wait_for(1)
    until(lambda: not left_in(tmp_path))
    assert (tmp_path / "keeper" / launch.ERRORS_NAME).read_text() == ""


def test_a_new_engine_adopts_what_the_dead_one_left_running(tmp_path: Path) -> None:
    pid = dead_engine(tmp_path, "while [ ! -e go ]; do sleep 0.02; done; exit 5", "sleep 60")
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    running = keeper.attach()
    assert running is not None
    assert set(running) == {"c-1-1", "c-2-1"}
    assert running["c-1-1"][0] == read_record(str(tmp_path / "keeper"))["c-1-1"].pid
    ends = Ends()
    for token in running:
        assert keeper.adopt(ends.job(tmp_path, token, "adopted"))
    assert not keeper.adopt(ends.job(tmp_path, "c-9-1", "unknown"))
    keeper.pool("local").start(ends.job(tmp_path, "c-3-1", "exit 6"))
    (tmp_path / "go").touch()
    ends.wait_for(2)
    assert keeper.pool("local").cancel_all() == []
    ends.wait_for(3)
    assert (ends["c-1-1"].exit_status, ends["c-3-1"].exit_status, ends["c-2-1"].canceled) == (5, 6, True)
    keeper.close()
    until(lambda: not alive(pid))


def test_there_is_nothing_to_attach_to_once_the_keeper_has_ended(tmp_path: Path) -> None:
    pid = dead_engine(tmp_path, "true", "true")
    until(lambda: not alive(pid))
    assert KeeperProcess(str(tmp_path / "keeper")).attach() is None
    assert KeeperProcess(str(tmp_path / "nowhere")).attach() is None


def test_a_job_that_ends_by_itself_before_what_is_left_is_ended_does_not_count_as_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is left of a cook is looked for on the whole machine, where other tests run beside this one.
    cook = f"c{uuid.uuid4().hex}"
    dead_engine(tmp_path, "until test -e gate; do sleep 0.02; done", "sleep 60", cook=cook)
    attach = leftover.attach_left

    def late(keeper: KeeperProcess) -> bool:
        (tmp_path / "gate").touch()
        until(lambda: read_record(str(tmp_path / "keeper"))[f"{cook}-1-1"].exit_status == 0)
        return attach(keeper)

    monkeypatch.setattr(leftover, "attach_left", late)
    assert leftover.end_left(str(tmp_path / "keeper"), cook) == leftover.Leftover([f"{cook}-2-1"], [])


def test_with_die_with_parent_the_jobs_die_with_the_engine(tmp_path: Path) -> None:
    pid = dead_engine(tmp_path, "sleep 60 & sleep 60", "sleep 60", "touch never", die=True)
    until(lambda: not alive(pid))
    assert left_in(tmp_path) == []
    assert not (tmp_path / "never").exists()


def test_when_engine_and_keeper_die_together_the_record_tells_who_lives(tmp_path: Path) -> None:
    pid = dead_engine(tmp_path, "while [ ! -e go ]; do sleep 0.02; done", "true")
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    assert KeeperProcess(str(tmp_path / "keeper")).attach() is None
    job = read_record(str(tmp_path / "keeper"))["c-1-1"]
    assert job.is_running
    (tmp_path / "go").touch()
    until(lambda: not job.is_running)


@pytest.fixture
def card(tmp_path: Path) -> dict[str, str]:
    dead_engine(tmp_path, "while [ ! -e go ]; do sleep 0.02; done", "true")
    loaded = json.loads((tmp_path / "keeper" / launch.CARD_NAME).read_text())
    assert isinstance(loaded, dict)
    return loaded


def ask(card: dict[str, str], data: bytes) -> list[bytes]:
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(PATIENCE)
        door.connect(card["socket"])
        door.sendall(data)
        answer = b"".join(iter(lambda: door.recv(4096), b""))
    return next(wire.Unpacker().feed(answer), [])


def test_nobody_gets_in_without_the_secret(card: dict[str, str], tmp_path: Path) -> None:
    directory = Path(card["socket"]).parent
    assert directory.stat().st_mode & 0o777 == 0o700
    for name in (launch.CARD_NAME, launch.RECORD_NAME):
        assert (tmp_path / "keeper" / name).stat().st_mode & 0o777 == 0o600
    refused = [wire.REFUSED, b"the secret is wrong"]
    assert ask(card, wire.pack([wire.HELLO, b"wrong", b"0"])) == refused
    assert ask(card, wire.pack([wire.HELLO, b"", b"0"])) == refused
    assert ask(card, wire.pack([wire.CANCEL, b"1", b"0", b""])) == refused
    # What is no message at all, or too long for a greeting, is not answered.
    assert ask(card, b"\xff\xff\xff\xff garbage") == []
    assert ask(card, wire.pack([wire.HELLO, card["secret"].encode(), b"x" * 9000])) == []
    assert read_record(str(tmp_path / "keeper"))["c-1-1"].is_running
    (tmp_path / "go").touch()
    until(lambda: not alive(int(card["pid"])))
    assert not directory.exists()


def test_a_stranger_that_says_nothing_keeps_nobody_waiting(card: dict[str, str], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(card["socket"])
        keeper = KeeperProcess(str(tmp_path / "keeper"))
        running = keeper.attach()
        assert running is not None
        assert "c-1-1" in running
        second = KeeperProcess(str(tmp_path / "keeper"))
        assert second.attach() is None, "one engine at a time"
        (tmp_path / "go").touch()
        keeper.close()
    until(lambda: not alive(int(card["pid"])))


def test_an_engine_may_be_quiet_for_longer_than_a_stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main = tmp_path / "main.py"
    main.write_text(
        f"import sys; sys.path.insert(0, {str(Path(launch.__file__).parent)!r})\n"
        "from program import loop\n"
        "loop._HELLO_TIME = 1.0\n"
        "loop.main(int(sys.argv[1]), int(sys.argv[2]))\n"
    )
    monkeypatch.setattr(launch, "_MAIN", str(main))
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    ends = Ends()
    # Its end wakes the keeper long after a stranger would have been sent away.
    keeper.pool("local").start(ends.job(tmp_path, "c-1-1", "sleep 2"))
    ends.wait_for(1)
    keeper.pool("local").start(ends.job(tmp_path, "c-2-1", "true"))
    ends.wait_for(2)
    assert {end.exit_status for end in ends.values()} == {0}
    silent = socket.socket(socket.AF_UNIX)
    silent.settimeout(PATIENCE)
    silent.connect(json.loads((tmp_path / "keeper" / launch.CARD_NAME).read_text())["socket"])
    with silent:
        assert silent.recv(4096) != b"", "who says nothing is sent away"
    keeper.close()
