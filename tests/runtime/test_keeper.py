"""The keeper with real processes: what starts, how its end is told, and that nothing survives a cancel."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import until
from topcook.author import LocalJob
from topcook.contract.host import JobEnd
from topcook.errors import CookRefusedError
from topcook.runtime.keeper.client import KeeperPool, KeeperProcess
from topcook.runtime.keeper.program.processes import mark_of, process_table

PATIENCE = 60.0
BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class Told:
    """A job and what the keeper said of it."""

    def __init__(self, directory: Path, token: str, argv: list[str], /, **fields: object) -> None:
        self.started = threading.Event()
        self.ended = threading.Event()
        self.pid = 0
        self.started_at = 0.0
        self.end = JobEnd(None, 0.0)
        self.ends = 0
        self.log = directory / "logs" / f"{token}.log"
        self.job = LocalJob(
            token, argv, BASE, str(directory), str(self.log), on_start=self.on_start, on_end=self.on_end
        )
        for name, value in fields.items():
            setattr(self.job, name, value)

    def on_start(self, pid: int, at: float) -> None:
        self.pid, self.started_at = pid, at
        self.started.set()

    def on_end(self, end: JobEnd) -> None:
        self.end = end
        self.ends += 1
        self.ended.set()

    def result(self) -> JobEnd:
        assert self.ended.wait(PATIENCE), "the job did not end"
        return self.end


def alive(pid: int) -> bool:
    row = process_table().get(pid)
    return row is not None and not row.zombie


def running_with_mark(word: str) -> list[int]:
    return [pid for pid, row in process_table().items() if not row.zombie and word in mark_of(pid)]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[KeeperProcess]:
    problems: list[str] = []
    made = KeeperProcess(str(tmp_path / "keeper"), on_error=problems.append)
    yield made
    made.pool("local").cancel_all(grace=0)
    made.close()
    assert not problems


@pytest.fixture
def pool(keeper: KeeperProcess) -> KeeperPool:
    return keeper.pool("local")


@pytest.fixture
def run(pool: KeeperPool, tmp_path: Path) -> Callable[..., Told]:
    count = 0
    # Tests look for processes by token, on a machine where other tests may be running beside them.
    cook = secrets.token_hex(4)

    def start(*argv: str, **fields: object) -> Told:
        nonlocal count
        count += 1
        told = Told(tmp_path, f"{cook}-{count}-1", list(argv), **fields)
        pool.start(told.job)
        return told

    return start


Run = Callable[..., Told]


def test_jobs_that_may_go_out_later_do_so_with_the_next_that_may_not_or_when_asked(
    pool: KeeperPool, tmp_path: Path
) -> None:
    cook = secrets.token_hex(4)
    jobs = [Told(tmp_path, f"{cook}-{number}-1", ["/bin/true"]) for number in range(4)]
    pool.start(jobs[0].job, later=True)
    pool.start(jobs[1].job)
    assert [told.result().exit_status for told in jobs[:2]] == [0, 0]
    pool.start(jobs[2].job, later=True)
    pool.send()
    assert jobs[2].result().exit_status == 0
    pool.start(jobs[3].job, later=True)
    assert pool.cancel([jobs[3].job.token], grace=0) == []
    assert jobs[3].result().canceled, "it went out before the cancel, in order"


def test_what_happens_while_jobs_wait_for_each_slot_is_told_together_and_soon(pool: KeeperPool, tmp_path: Path) -> None:
    cook = secrets.token_hex(4)
    pool.set_slots(1)
    jobs = [Told(tmp_path, f"{cook}-{number}-1", ["/bin/true"]) for number in range(30)]
    blocker = Told(tmp_path, f"{cook}-last-1", ["/bin/sleep", "60"])
    after = Told(tmp_path, f"{cook}-never-1", ["/bin/true"])
    for told in [*jobs, blocker, after]:
        pool.start(told.job, later=True)
    pool.send()
    assert [told.result().exit_status for told in jobs] == [0] * 30
    assert blocker.started.wait(PATIENCE), "told although a job still waits for the slot"
    assert pool.cancel_all(grace=0) == []
    assert after.result().canceled


def test_a_command_runs_in_its_directory_with_its_environment_and_log(run: Run, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['WHO'], os.environ.get('HOME'), sys.stdin.read() == '')"
    told = run(sys.executable, "-c", code, env=BASE | {"WHO": "né mo"})
    end = told.result()
    assert end.exit_status == 0
    assert told.log.read_text() == f"{tmp_path} né mo None True\n"
    assert told.log.stat().st_mode & 0o777 == 0o644 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_standard_output_and_error_share_the_log_and_a_second_attempt_appends(run: Run, tmp_path: Path) -> None:
    log = str(tmp_path / "one.log")
    run("/bin/sh", "-c", "echo out; echo err >&2", log_path=log).result()
    run("/bin/sh", "-c", "echo again", log_path=log).result()
    assert Path(log).read_text() == "out\nerr\nagain\n"


def test_times_are_taken_before_the_start_and_after_the_end(run: Run) -> None:
    before = time.monotonic()
    told = run("/bin/sleep", "0.2")
    end = told.result()
    assert before <= told.started_at
    assert end.at - told.started_at >= 0.2
    assert end.at <= time.monotonic()


def test_exit_status_signal_memory_and_cpu_time_are_told(run: Run) -> None:
    assert run("/bin/sh", "-c", "exit 7").result().exit_status == 7
    killed = run("/bin/sh", "-c", "kill -KILL $$").result()
    assert killed.exit_status == -9
    assert not killed.canceled
    busy = run(sys.executable, "-c", "b = bytearray(40 << 20); sum(range(2_000_000))").result()
    assert busy.max_rss > 40 << 20
    assert busy.cpu > 0


def test_each_job_leads_a_session_with_default_signals_and_no_stray_descriptors(run: Run) -> None:
    told = run("/bin/sh", "-c", "grep -E 'SigIgn|SigBlk' /proc/self/status; ls /proc/self/fd; ps -o pid=,sid= $$")
    told.result()
    words = told.log.read_text().split()
    # 32 and 33 are the C library's own.
    assert not (int(words[1], 16) | int(words[3], 16)) & 0x7FFFFFFF
    assert words[4:-2] == ["0", "1", "2", "3"]  # ls has the directory open
    assert words[-1] == words[-2] == str(told.pid)


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (["no-such-command-anywhere"], 127, "not found on PATH (/usr/local/bin:/usr/bin:/bin)"),
        (["/no/such/file"], 127, "no such file"),
        (["./plain.txt"], 126, "Permission denied"),
        (["./folder"], 126, "it is a directory"),
        (["./orphan.sh"], 127, "the interpreter its first line names does not exist"),
        (["/bin/true", "x" * (3 << 20)], 126, "Argument list too long"),
    ],
)
def test_a_command_that_cannot_start_ends_with_the_shells_status_and_a_reason(
    argv: list[str], status: int, said: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "plain.txt").write_text("text")
    (tmp_path / "folder").mkdir()
    (tmp_path / "orphan.sh").write_text("#!/no/such/shell\n")
    (tmp_path / "orphan.sh").chmod(0o755)
    told = run(*argv)
    end = told.result()
    assert end.exit_status == status
    assert said in end.reason
    assert said in told.log.read_text()
    assert not told.started.is_set()


def test_a_script_without_an_interpreter_line_runs_as_in_a_shell(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "plain"
    script.write_text("echo $1\n")
    script.chmod(0o755)
    told = run("./plain", "a b")
    assert told.result().exit_status == 0
    assert told.log.read_text() == "a b\n"


def test_commands_are_looked_up_on_the_jobs_own_path(run: Run, tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho mine\n")
    tool.chmod(0o755)
    assert run("tool").result().exit_status == 127
    told = run("tool", env={"PATH": f"{tool.parent}:/bin"})
    told.result()
    assert told.log.read_text() == "mine\n"
    tool.unlink()
    assert run("tool", env={"PATH": f"{tool.parent}:/bin"}).result().exit_status == 127


def test_a_missing_working_directory_fails_with_its_name(run: Run, tmp_path: Path) -> None:
    told = run("/bin/true", cwd=str(tmp_path / "gone"))
    assert told.result().exit_status == 126
    assert f'working directory "{tmp_path}/gone": No such file or directory' in told.end.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_log_that_cannot_be_written_fails_the_job_with_its_name(run: Run, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(0o500)
    assert 'the log file "' in run("/bin/true", log_path=str(locked / "x.log")).result().reason


def test_a_log_path_below_a_file_fails_the_job_with_its_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    end = run("/bin/true", log_path=str(tmp_path / "file" / "x.log")).result()
    assert end.exit_status == 126
    assert "x.log" in end.reason


@pytest.mark.parametrize(
    "fields",
    [{"argv": []}, {"argv": ["a\0b"]}, {"env": {"A=B": "c"}}, {"env": {"": "c"}}, {"env": {"A": "\0"}},
     {"token": "with blank"}, {"token": "with/slash"}, {"token": ""}],
    ids=str,
)  # fmt: skip
def test_what_no_process_can_be_given_is_refused_at_once(fields: dict[str, object], run: Run) -> None:
    with pytest.raises(ValueError, match=r"."):
        run("/bin/true", **fields)
    assert run("/bin/true").result().exit_status == 0


def test_file_names_with_blanks_quotes_newlines_and_bytes_that_are_no_text_work(run: Run, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"a b'\"\n\xff\xc3\xa9")
    odd.mkdir()
    told = run("/bin/pwd", cwd=str(odd), log_path=str(odd / "log ö"))
    assert told.result().exit_status == 0
    assert (odd / "log ö").read_bytes() == os.fsencode(odd) + b"\n"


def test_no_more_jobs_run_at_once_than_there_are_slots(run: Run, pool: KeeperPool, tmp_path: Path) -> None:
    pool.set_slots(2)
    script = "mkdir $0.d; ls -d *.d 2>/dev/null | wc -l; sleep 0.05; rmdir $0.d"
    jobs = [run("/bin/sh", "-c", script, str(number)) for number in range(12)]
    assert all(job.result().exit_status == 0 for job in jobs)
    assert max(int(job.log.read_text()) for job in jobs) == 2


def test_a_wide_job_waits_for_its_slots_and_one_wider_than_the_pool_runs_alone(run: Run, pool: KeeperPool) -> None:
    pool.set_slots(3)
    first = run("/bin/sleep", "0.2", slots=2)
    wide = run("/bin/sleep", "0.1", slots=2)
    widest = run("/bin/true", slots=64)
    last = run("/bin/true")
    for job in (first, wide, widest, last):
        assert job.result().exit_status == 0
    assert first.end.at <= wide.started_at
    assert wide.end.at <= widest.started_at
    assert widest.end.at <= last.started_at


def test_two_schedulers_have_slots_of_their_own_and_end_only_their_own_jobs(
    keeper: KeeperProcess, tmp_path: Path
) -> None:
    one, other = keeper.pool("one"), keeper.pool("other")
    one.set_slots(1)
    other.set_slots(1)
    jobs = [Told(tmp_path, f"c-{n}-1", ["/bin/sleep", "60"]) for n in range(2)]
    one.start(jobs[0].job)
    other.start(jobs[1].job)
    assert jobs[0].started.wait(PATIENCE)
    assert jobs[1].started.wait(PATIENCE)
    assert one.cancel_all() == []
    assert jobs[0].result().canceled
    assert alive(jobs[1].pid)
    assert other.cancel_all() == []
    assert jobs[1].result().canceled


def test_cancel_ends_the_named_jobs_running_or_queued_and_no_other(run: Run, pool: KeeperPool) -> None:
    pool.set_slots(2)
    running, other, queued, later = (run("/bin/sleep", seconds) for seconds in ("60", "60", "60", "0"))
    assert running.started.wait(PATIENCE)
    assert other.started.wait(PATIENCE)
    assert pool.cancel([running.job.token, queued.job.token, "unknown-1-1"]) == []
    assert running.result().exit_status == -signal.SIGTERM
    assert running.end.canceled
    assert queued.result().exit_status is None
    assert queued.end.canceled
    assert not queued.started.is_set()
    assert later.result().exit_status == 0
    assert alive(other.pid)


def test_a_job_that_ignores_term_is_killed_after_the_grace(run: Run, pool: KeeperPool, tmp_path: Path) -> None:
    told = run("/bin/sh", "-c", "trap '' TERM; touch ready; while :; do sleep 60; done")
    until((tmp_path / "ready").exists)
    assert pool.cancel([told.job.token], grace=0.2) == []
    assert told.result().exit_status == -signal.SIGKILL
    assert told.end.canceled


def test_a_job_may_use_the_grace_to_tidy_up(run: Run, pool: KeeperPool, tmp_path: Path) -> None:
    told = run("/bin/sh", "-c", "trap 'rm lock; exit 3' TERM; touch lock; while :; do sleep 0.01; done")
    until((tmp_path / "lock").exists)
    assert pool.cancel_all() == []
    assert told.result().exit_status == 3
    assert told.end.canceled
    assert not (tmp_path / "lock").exists()


DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        for fd in range(256):
            try: os.close(fd)
            except OSError: pass
        open("daemon.pid", "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep({wait})
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="subreapers are Linux's")
@pytest.mark.parametrize("wait", [60, 0], ids=["while its job runs", "after its job has ended"])
def test_a_daemon_that_forked_twice_does_not_escape_a_cancel(
    wait: int, run: Run, pool: KeeperPool, tmp_path: Path
) -> None:
    told = run(sys.executable, "-c", DAEMON.format(wait=wait))
    pid_file = tmp_path / "daemon.pid"
    until(lambda: pid_file.exists() and pid_file.read_text() != "")
    daemon = int(pid_file.read_text())
    if not wait:
        assert told.result().exit_status == 0
    assert alive(daemon)
    assert pool.cancel_all(grace=0.1) == []
    assert not alive(daemon)


def test_a_fork_bomb_of_grandchildren_is_gone_when_cancel_returns(run: Run, pool: KeeperPool) -> None:
    script = "for i in 1 2 3 4 5 6; do (while :; do sleep 60 & wait; done) & done; wait"
    told = run("/bin/sh", "-c", script)
    until(lambda: len(running_with_mark(told.job.token)) >= 12)
    assert pool.cancel_all(grace=0.5) == []
    assert running_with_mark(told.job.token) == []


def test_a_stopped_job_is_woken_to_be_ended(run: Run, pool: KeeperPool) -> None:
    told = run("/bin/sleep", "60")
    assert told.started.wait(PATIENCE)
    os.kill(told.pid, signal.SIGSTOP)
    assert pool.cancel_all() == []
    assert told.result().exit_status == -signal.SIGTERM


def test_a_job_that_prints_much_fills_its_log_and_nothing_else(run: Run) -> None:
    told = run("/bin/sh", "-c", "head -c 100000000 /dev/zero")
    assert told.result().exit_status == 0
    assert told.log.stat().st_size == 100_000_000


@pytest.mark.parametrize("raised", [RuntimeError, SystemExit])
def test_a_callback_that_raises_costs_no_other_job_its_report(tmp_path: Path, raised: type[BaseException]) -> None:
    said: list[str] = []
    keeper = KeeperProcess(str(tmp_path / "keeper"), on_error=said.append)
    bad, good = Told(tmp_path, "c-1-1", ["/bin/true"]), Told(tmp_path, "c-2-1", ["/bin/true"])

    def boom(_end: JobEnd) -> None:
        raise raised("mine")

    bad.job.on_end = boom
    for told in (bad, good):
        keeper.pool("local").start(told.job)
    assert good.result().exit_status == 0
    keeper.close()
    assert said == [f'the report of job "c-1-1" raised {raised.__name__}: mine']


def test_jobs_handed_over_from_many_threads_all_run_once(keeper: KeeperProcess, tmp_path: Path) -> None:
    pool = keeper.pool("local")
    pool.set_slots(4)
    jobs = [Told(tmp_path, f"c-{n}-1", ["/bin/true"]) for n in range(200)]
    threads = [
        threading.Thread(target=lambda part=part: [pool.start(t.job) for t in jobs[part::8]]) for part in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(told.result().exit_status == 0 for told in jobs)
    assert {told.ends for told in jobs} == {1}


def test_close_leaves_no_process_no_socket_and_no_child_to_reap(tmp_path: Path) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    told = Told(tmp_path, "c-1-1", ["/bin/true"])
    keeper.pool("local").start(told.job)
    pid = keeper.pid
    assert pid
    told.result()
    keeper.close()
    assert not alive(pid)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("used", [True, False])
def test_nothing_is_started_after_the_close_by_a_callback_that_comes_back_late(tmp_path: Path, used: bool) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool = keeper.pool("local")
    if used:
        told = Told(tmp_path, "c-1-1", ["/bin/true"])
        pool.start(told.job)
        told.result()
    keeper.close()
    late = Told(tmp_path, "c-2-1", ["/bin/touch", str(tmp_path / "late")])
    with pytest.raises(CookRefusedError, match="its cook is over"):
        pool.start(late.job)
    assert keeper.pid is None
    assert not (tmp_path / "late").exists()


def test_nothing_is_started_before_the_first_job(tmp_path: Path) -> None:
    keeper = KeeperProcess(str(tmp_path / "keeper"))
    pool = keeper.pool("local")
    pool.set_slots(2)
    assert pool.cancel_all() == []
    assert pool.cancel(["c-1-1"]) == []
    keeper.close()
    assert keeper.pid is None
    assert not (tmp_path / "keeper").exists()


def test_the_keeper_needs_neither_site_packages_nor_the_environment(tmp_path: Path) -> None:
    program = Path(sys.modules[KeeperProcess.__module__].__file__ or "").parent / "program"
    code = f"import sys; sys.path.insert(0, {str(program.parent)!r}); import program.loop, program.cancel; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"topcook", "asyncio", "subprocess", "socket", "json", "threading", "logging"} & set(listed.split())
