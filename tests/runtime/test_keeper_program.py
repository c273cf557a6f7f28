"""The parts of the keeper's program, each on its own."""

from __future__ import annotations

import errno
import os
import random
import resource
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import until
from topcook.author import LocalJob
from topcook.runtime.keeper.encode import Environments, start_message
from topcook.runtime.keeper.program import cancel, loop, processes, wire
from topcook.runtime.keeper.program.jobs import PATIENCE, Job, Jobs
from topcook.runtime.keeper.program.record import Record
from topcook.runtime.keeper.program.spawn import NotStartedError, Spawner

DEADLINE = 60.0
FIELD = st.binary(max_size=12).map(lambda data: data.replace(b"\0", b""))


@given(st.lists(st.lists(FIELD, min_size=1, max_size=5), max_size=8), st.randoms(use_true_random=False))
def test_messages_survive_any_cutting_of_the_stream(messages: list[list[bytes]], chance: random.Random) -> None:
    stream = b"".join(map(wire.pack, messages))
    unpacker = wire.Unpacker()
    heard: list[list[bytes]] = []
    while stream:
        cut = chance.randint(1, len(stream))
        heard += unpacker.feed(stream[:cut])
        stream = stream[cut:]
    assert heard == messages


def test_a_message_over_the_limit_is_refused_before_it_is_gathered() -> None:
    with pytest.raises(ValueError, match="more than 100"):
        list(wire.Unpacker(100).feed(b"\x7f\xff\xff\xff"))


NAME = st.text("ABC", min_size=1, max_size=2)
VALUES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=5)


ENVIRONMENT = st.dictionaries(NAME, VALUES, max_size=30)
SHARED: list[dict[str, str]] = [{}, {"A": "1", "AB": "2"}, {f"A{number}": "x" for number in range(30)}]


@given(st.lists(st.tuples(ENVIRONMENT, st.none() | st.sampled_from(SHARED)), min_size=1, max_size=5))
def test_environments_arrive_as_they_were_whatever_base_they_are_told_by(
    given_envs: list[tuple[dict[str, str], dict[str, str] | None]],
) -> None:
    encoder, unpacker = Environments(), wire.Unpacker()
    jobs = Jobs("k", Record(os.devnull), lambda _fields: None)
    for number, (env, base) in enumerate(given_envs):
        job = LocalJob(f"t-{number}-1", ["x"], env, "/", "/dev/null", base=base)
        for fields in unpacker.feed(start_message(job, b"pool", encoder)):
            if fields[0] == wire.ENV:
                jobs.add_environment(fields[1:])
            else:
                arrived = jobs._environment_of(Job(fields[1:]))
    del arrived[processes.MARK.encode()]
    own, shared = given_envs[-1]
    whole = {**(shared or {}), **own}
    assert arrived == {os.fsencode(name): os.fsencode(value) for name, value in whole.items()}


def test_an_environment_that_jobs_share_travels_once() -> None:
    encoder, base = Environments(), {"PATH": "/bin"}
    first, second = (
        list(
            wire.Unpacker().feed(
                start_message(LocalJob(token, ["x"], {"WHO": token}, "/", "/log", base=base), b"p", encoder)
            )
        )
        for token in ("a", "b")
    )
    assert [fields[0] for fields in first] == [wire.ENV, wire.START]
    assert [fields[0] for fields in second] == [wire.START]
    assert second[0][-1] == b"WHO=b"
    with pytest.raises(ValueError, match="empty name"):
        start_message(LocalJob("c", ["x"], {"": "1"}, "/", "/log", base=base), b"p", encoder)


def queued(jobs: Jobs, token: str = "c-1-1") -> None:
    encoded = start_message(LocalJob(token, ["/bin/true"], {}, "/", "/dev/null"), b"pool", Environments())
    for fields in wire.Unpacker().feed(encoded):
        if fields[0] == wire.START:
            jobs.add(Job(fields[1:]))


def test_a_machine_short_of_processes_is_asked_again_and_the_order_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[bytes]] = []
    jobs = Jobs("k", Record(os.devnull), told.append)
    answers = iter([NotStartedError("short", passing=True), NotStartedError("short", passing=True), 11, 12])

    def spawn(*_: object) -> int:
        answer = next(answers)
        if isinstance(answer, NotStartedError):
            raise answer
        return answer

    monkeypatch.setattr(jobs._spawner, "spawn", spawn)
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    queued(jobs, "c-1-1")
    queued(jobs, "c-2-1")
    for _ in range(2):
        jobs.fill()
        assert not told
        assert jobs.retry_at > clock[0]
        jobs.fill()
        clock[0] = jobs.retry_at
    jobs.fill()
    jobs.tell()
    assert [(fields[0], fields[1]) for fields in told] == [(wire.STARTED, b"c-1-1"), (wire.STARTED, b"c-2-1")]


def test_a_machine_that_stays_short_fails_the_job_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[bytes]] = []
    jobs = Jobs("k", Record(os.devnull), told.append)

    def spawn(*_: object) -> int:
        raise NotStartedError("no memory", passing=True)

    monkeypatch.setattr(jobs._spawner, "spawn", spawn)
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    queued(jobs)
    while not told:
        jobs.fill()
        clock[0] = max(clock[0], jobs.retry_at)
    assert clock[0] >= 100 + PATIENCE
    assert told[0][:3] == [wire.ENDED, b"c-1-1", b"126"]
    assert told[0][4] == b"no memory"


#: On its own: it takes any child of its process.
TOLD_LATE = """
import os, sys
from topcook.author import LocalJob
from topcook.runtime.keeper.encode import Environments, start_message
from topcook.runtime.keeper.program import wire
from topcook.runtime.keeper.program.jobs import Job, Jobs
from topcook.runtime.keeper.program.record import Record

told = []
jobs = Jobs("k", Record(sys.argv[1]), told.append)
jobs.pool(b"pool").slots = 1
encoder, unpacker = Environments(), wire.Unpacker()
for token in ("c-1-1", "c-2-1"):
    job = LocalJob(token, ["/bin/true"], {}, "/", "/dev/null")
    for fields in unpacker.feed(start_message(job, b"pool", encoder)):
        if fields[0] == wire.START:
            jobs.add(Job(fields[1:]))
while jobs.fill():
    os.waitid(os.P_PID, next(iter(jobs.running)), os.WEXITED | os.WNOWAIT)
    jobs.reap()
assert not told
jobs.tell()
jobs.record.flush()
print([(fields[0].decode(), fields[1].decode()) for fields in told])
"""


def test_jobs_that_end_while_others_are_started_are_told_of_in_the_order_of_things(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TOLD_LATE, str(tmp_path / "record")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout
    order = [("started", "c-1-1"), ("ended", "c-1-1"), ("started", "c-2-1"), ("ended", "c-2-1")]
    assert said == f"{order}\n"
    lines = [line.split()[:2] for line in (tmp_path / "record").read_text().splitlines()[1:]]
    assert lines == [["start", "c-1-1"], ["exit", "c-1-1"], ["start", "c-2-1"], ["exit", "c-2-1"]]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a device that is always full")
def test_a_full_disk_keeps_the_record_in_memory_and_the_keeper_going(tmp_path: Path) -> None:
    record = Record("/dev/full")
    assert not record.flush()
    record.started("c-1-1", 1, 2.0, 3.0)
    assert not record.flush()
    record._file = os.open(tmp_path / "record", os.O_WRONLY | os.O_CREAT)
    assert record.flush()
    assert (tmp_path / "record").read_text().splitlines()[1:] == ["start c-1-1 1 2.000000 3.000000"]


def test_the_table_that_ps_prints_names_the_same_parents() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        listed = processes._ps_table()
        child.kill()
    assert listed[child.pid].parent == os.getpid()
    assert not listed[child.pid].zombie


def test_a_process_without_a_mark_or_gone_has_none() -> None:
    assert processes.mark_of(os.getpid()) == ""
    assert processes.mark_of(2**22 + 1) == ""


def test_descendants_are_found_through_all_generations() -> None:
    table = {pid: processes.Row(parent, 0, zombie=False) for pid, parent in [(2, 1), (3, 2), (4, 3), (5, 1), (1, 0)]}
    assert processes.descendants(table, [2, 99]) == {2, 3, 4}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="subreapers are Linux's")
def test_the_keeper_becomes_a_subreaper() -> None:
    code = (
        "import sys, os, time; sys.path.insert(0, sys.argv[1]); from program.processes import become_subreaper\n"
        "assert become_subreaper()\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(0.05); os._exit(5)\n"
        "    os._exit(4)\n"
        "print(sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(2)))\n"
    )
    directory = str(Path(processes.__file__).parents[1])
    shown = subprocess.run([sys.executable, "-c", code, directory], capture_output=True, text=True, check=True)
    assert shown.stdout == "[4, 5]\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to be in: what starts commands changes it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_script_without_an_interpreter_line_that_the_shell_cannot_be_given_either_fails_alone(here: Path) -> None:
    script = here / "s"
    script.write_text("exit 0\n")
    script.chmod(0o755)
    name = b"./s"

    def words(size: int) -> list[bytes]:
        return [name, *[b"x" * 1000] * (size // 1000), b"y" * (size % 1000)]

    def is_short_enough(size: int) -> bool:
        try:
            os.posix_spawn(name, words(size), {})
        except OSError as error:
            return error.errno == errno.ENOEXEC
        return False

    # The longest command that could begin: the shell's own name is too much for it.
    short, long = 0, 1 << 26
    while long - short > 1:
        middle = (short + long) // 2
        short, long = (middle, long) if is_short_enough(middle) else (short, middle)
    with pytest.raises(NotStartedError, match="Argument list too long"):
        Spawner().spawn(words(short), {}, os.fsencode(here), os.fsencode(here / "log"))


def test_a_command_is_looked_for_again_where_another_jobs_one_is_not(here: Path) -> None:
    spawner = Spawner()
    first, second, other = (here / name for name in ("first", "second", "other"))

    def put(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        tool = folder / "tool"
        tool.write_text(f"#!/bin/sh\necho {folder.name} >> {here}/ran\n")
        tool.chmod(0o755)

    def ran(search: str, cwd: Path) -> str:
        log = os.fsencode(here / "log")
        pid = spawner.spawn([b"tool"], {b"PATH": os.fsencode(search)}, os.fsencode(cwd), log)
        os.waitpid(pid, 0)
        return (here / "ran").read_text().split()[-1]

    put(first)
    put(other)
    second.mkdir()
    assert ran(f".:{other}", first) == "first"
    # "." is another directory for each job.
    assert ran(f".:{other}", second) == "other"
    assert ran(f".:{other}", first) == "first"
    assert ran(f"{first}:{other}", second) == "first"
    (first / "tool").unlink()
    assert ran(f"{first}:{other}", second) == "other"


def test_a_job_is_asked_to_end_once_and_so_is_what_left_its_group(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[bytes]] = []
    jobs = Jobs(secrets.token_hex(6), Record(os.devnull), told.append)
    script = "setsid sleep 60 & echo $! > apart; sleep 60 & wait"
    job = LocalJob("c-1-1", ["/bin/sh", "-c", script], dict(os.environ), str(here), str(here / "log"))
    for fields in wire.Unpacker().feed(start_message(job, b"pool", Environments())):
        if fields[0] == wire.ENV:
            jobs.add_environment(fields[1:])
        else:
            jobs.add(Job(fields[1:]))
    jobs.fill()
    (leader,) = jobs.running
    apart = here / "apart"
    until(lambda: apart.exists() and os.getsid(int(apart.read_text() or leader)) != leader)
    one_by_one: set[int] = set()

    def send(pids: set[int], number: signal.Signals) -> None:
        one_by_one.update(pids if number == signal.SIGTERM else ())
        processes.send(pids, number)

    monkeypatch.setattr(cancel, "send", send)
    request = cancel.Cancel(b"1", 30.0, b"", frozenset())
    request.begin(jobs)
    assert one_by_one == {int(apart.read_text())}

    def gone() -> bool:
        if jobs.running and os.waitpid(leader, os.WNOHANG)[0]:
            jobs.running.clear()
        return request.step(jobs)

    until(gone)
    assert request.survivors == []


def test_a_keeper_without_a_descriptor_for_a_stranger_goes_on_and_lets_him_in_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The signals are the tests' own.
    monkeypatch.setattr(loop, "_wake_on_signals", lambda _keeper: -1)
    ours, theirs = socket.socketpair()
    path = str(tmp_path / "door")
    with ours, socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as stranger:
        listener.bind(path)
        listener.listen(4)
        keeper = loop.Keeper(theirs.detach(), listener.fileno())
        stranger.connect(path)
        lowest = os.dup(0)
        os.close(lowest)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, most[1]))
        try:
            keeper._open_door()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, most)
        assert not keeper.strangers
        # Not at once again: it would do nothing else.
        assert keeper._rests_until
        until(keeper._lets_in)
        keeper._open_door()
        assert len(keeper.strangers) == 1
        os.close(keeper.strangers[0].fd)
        keeper._engine_left()
