"""What becomes of a cook when its terminal is closed, its process stopped, or nobody reads what it says."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.test_control import JOB, NODES, cooks, is_alive, keeper_of, lines, pids
from tests.waiting import until

pytest.importorskip("pty", reason="pseudo-terminals are POSIX")
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")

PATIENCE = 60.0
# As a shell has it: a session with a terminal, in which the command is the foreground job. It says who that is, tells it
# when the terminal is closed, and ends as it does.
SESSION = """
import fcntl, os, signal, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if not child:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    if sys.argv[1] == "ignores":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.execv(sys.executable, [sys.executable, "-m", "topcook", *sys.argv[2:]])
signal.signal(signal.SIGHUP, lambda *_: os.killpg(child, signal.SIGHUP))
with open("child.part", "w") as stream:
    stream.write(str(child))
os.rename("child.part", "child")
while True:
    status = os.waitpid(child, os.WUNTRACED)[1]
    if not os.WIFSTOPPED(status):
        os._exit(os.waitstatus_to_exitcode(status))
    open("stopped", "w").close()
"""
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


class Screen:
    """A cook in the foreground of a terminal."""

    def __init__(self, shell: Shell, *arguments: str, hears: bool = True) -> None:
        self.master, slave = os.openpty()
        self.shown = b""
        self.session = subprocess.Popen(
            [sys.executable, "-c", SESSION, "hears" if hears else "ignores", *arguments],
            stdin=slave, stdout=slave, stderr=slave, cwd=shell.folder,
            env=shell.environment | {"COLUMNS": "100", "TERM": "xterm-256color", "PYTHONUTF8": "1"},
        )  # fmt: skip
        shell.started.append(self.session)
        os.close(slave)
        until((shell.folder / "child").exists, "a foreground job")
        self.pid = int((shell.folder / "child").read_text())

    def until(self, text: bytes, after: int = 0) -> None:
        """Read until that has appeared, so many bytes after the beginning."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.shown[after:]:
            left = deadline - time.monotonic()
            assert left > 0, self.shown[after:]
            if select.select([self.master], [], [], left)[0]:
                self.shown += os.read(self.master, 65536)

    def read_on(self) -> int:
        """Read to the end; answers the exit status."""
        while True:
            try:
                more = os.read(self.master, 65536)
            except OSError:  # nobody holds the other side any more
                more = b""
            if not more:
                return self.session.wait(PATIENCE)
            self.shown += more

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def work(shell: Shell) -> Iterator[Path]:
    shell.write("job.sh", JOB)
    shell.network(NODES)
    (shell.folder / "work").mkdir()
    yield shell.folder / "work"
    # Whatever became of the test: its jobs must not wait for ever.
    (shell.folder / "work" / "gate").touch()


def cook(shell: Shell, work: Path, *, hears: bool = True) -> Screen:
    """A cook in the foreground with two jobs at work."""
    screen = Screen(shell, "cook", "net.toml", "--report", "report.json", hears=hears)
    screen.until(b"2 cooking")
    until(lambda: len(lines(work / "began")) == 2, "two jobs")
    return screen


def test_a_terminal_that_is_closed_ends_the_cook_in_order(shell: Shell, work: Path) -> None:
    screen = cook(shell, work)
    screen.close()
    assert screen.session.wait(PATIENCE) == 130
    assert not [pid for pid in pids(work) if is_alive(pid)]
    report = shell.report()
    assert report["state"] == "interrupted"
    assert report["counts"]["CookedCancel"] == 2
    assert "Cooking" not in report["counts"]
    assert [each["state"] for each in cooks(shell)] == ["canceled"]


def test_a_cook_that_ignores_hangups_outlives_its_terminal(shell: Shell, work: Path) -> None:
    screen = cook(shell, work, hears=False)
    screen.close()
    (work / "gate").touch()
    assert screen.session.wait(PATIENCE) == 0
    assert shell.report()["counts"] == {"CookedSuccess": 8}


def test_ctrl_z_leaves_a_tidy_terminal_and_jobs_that_go_on(shell: Shell, work: Path) -> None:
    screen = cook(shell, work)
    os.write(screen.master, b"\x1a")
    until((shell.folder / "stopped").exists, "a stop")
    screen.until(SHOW)
    (work / "gate").touch()
    until(lambda: len(lines(work / "done")) == 2, "the ends of the jobs")
    (stopped,) = cooks(shell)
    assert (stopped["state"], stopped["pid"]) == ("stopped", screen.pid)
    assert f"kill -CONT {screen.pid}" in shell.run("cooks").stdout
    # It holds its lock, and begins nothing.
    assert "is being cooked already" in shell.run("cook", "net.toml", status=2).stderr
    assert "stopped" in shell.run("pause", "net.toml", status=2).stderr
    assert len(lines(work / "began")) == 2
    before = len(screen.shown)
    os.killpg(screen.pid, signal.SIGCONT)
    assert screen.read_on() == 0
    assert HIDE in screen.shown[before:]
    assert screen.shown.count(HIDE) == screen.shown.count(SHOW)
    assert shell.report()["counts"] == {"CookedSuccess": 8}


def test_a_stopped_cook_is_woken_to_be_canceled(shell: Shell, work: Path) -> None:
    screen = cook(shell, work)
    os.write(screen.master, b"\x1a")
    until((shell.folder / "stopped").exists, "a stop")
    assert "it was stopped" in shell.run("cancel", "net.toml").stderr
    assert screen.read_on() == 1
    assert not [pid for pid in pids(work) if is_alive(pid)]


def waits_to_be_heard(pid: int, number: signal.Signals) -> bool:
    """Whether a signal that was sent to a process has not reached it."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    return bool((int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)) & 1 << number - 1)


def test_a_second_hangup_does_not_kill(shell: Shell, work: Path) -> None:
    shell.write("job.sh", f"trap 'echo $1 >> tidied; exit' TERM\n{JOB}")
    engine = shell.start("cook", "net.toml", "--report", "report.json")
    until(lambda: len(lines(work / "began")) == 2, "two jobs")
    # Whoever ends the jobs comes to it when both signals were heard: they have only seconds to tidy up.
    keeper = keeper_of(pids(work)[0])
    os.kill(keeper, signal.SIGSTOP)
    try:
        engine.send_signal(signal.SIGHUP)
        assert engine.stderr is not None
        assert any("SIGHUP: ending the jobs; Ctrl-C kills" in line for line in engine.stderr)
        engine.send_signal(signal.SIGHUP)
        until(lambda: not waits_to_be_heard(engine.pid, signal.SIGHUP), "a second hangup that was heard")
    finally:
        os.kill(keeper, signal.SIGCONT)
    engine.communicate()
    assert engine.returncode == 130
    assert shell.report()["state"] == "interrupted"
    assert len(lines(work / "tidied")) == 2


@pytest.mark.parametrize("progress", ["plain", "json", "off"])
def test_a_cook_that_nobody_listens_to_goes_on_to_its_end(shell: Shell, work: Path, progress: str) -> None:
    engine = shell.start("cook", "net.toml", "--report", "report.json", "--progress", progress)
    until(lambda: len(lines(work / "began")) == 2, "two jobs")
    for name in ("stdout", "stderr"):
        getattr(engine, name).close()
        setattr(engine, name, None)
    (work / "gate").touch()
    assert engine.wait(PATIENCE) == 0
    assert shell.report()["counts"] == {"CookedSuccess": 8}


def test_a_cook_that_fails_says_so_by_its_status_though_nobody_listens(shell: Shell, work: Path) -> None:
    shell.write("job.sh", f"{JOB}exit 3\n")
    engine = shell.start("cook", "net.toml", "--report", "report.json")
    until(lambda: len(lines(work / "began")) == 2, "two jobs")
    for name in ("stdout", "stderr"):
        getattr(engine, name).close()
        setattr(engine, name, None)
    (work / "gate").touch()
    assert engine.wait(PATIENCE) == 1
    assert shell.report()["state"] == "failed"
