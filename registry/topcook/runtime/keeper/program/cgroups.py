"""Control groups (Linux, version 2) for jobs with limits: a whole tree of processes is counted, and ended, as one.

A cgroup may be made where this process may write and the controller is handed down: its own cgroup, or one above it,
as systemd delegates them to users.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

MEMORY, CPU = "memory", "cpu"
#: The cgroup of a keeper below ``home``; in it, one for each job.
PREFIX = "topcook-"
#: The period that the kernel shares CPUs out by, in microseconds.
_PERIOD = 100_000
#: What a keeper that was killed left empty is removed after so many seconds.
_STALE = 60.0


def find_home(mounts: str = "/proc/self/mountinfo", own: str = "/proc/self/cgroup") -> tuple[str, frozenset[str]]:
    """The directory where cgroups may be made, and which controllers they will have; empty when there is none.

    Nothing is changed to find out.
    """
    root, inside = _mount_of(mounts), _own_path(own)
    if not root or not inside:
        return "", frozenset()
    best = "", frozenset[str]()
    path = os.path.normpath(root + inside)
    while path.startswith(root):
        found = _handed_down(path) & {MEMORY, CPU}
        if len(found) > len(best[1]) and os.access(path, os.W_OK) and os.access(f"{path}/cgroup.procs", os.W_OK):
            best = path, found
        if path == root:
            break
        path = os.path.dirname(path)
    return best


def _mount_of(mounts: str) -> str:
    """Where the version 2 tree is mounted."""
    for line in _text(mounts).splitlines():
        head, _, tail = line.partition(" - ")
        if tail.startswith("cgroup2 "):
            return head.split(" ")[4].replace("\\040", " ")
    return ""


def _own_path(own: str) -> str:
    """This process's place in it."""
    return next((line[3:] for line in _text(own).splitlines() if line.startswith("0::/")), "")


def _handed_down(path: str) -> frozenset[str]:
    """The controllers that a new cgroup in ``path`` would have."""
    return frozenset(_text(f"{path}/cgroup.subtree_control").split())


class Cgroup:
    """One job's own."""

    def __init__(self, path: str) -> None:
        """Make it; raises OSError."""
        self.path = path
        os.mkdir(path, 0o755)

    def limit(self, memory: int, cpus: float) -> None:
        """Set what it may use: bytes, CPUs; 0 is no limit. Raises OSError."""
        if memory:
            self._write("memory.max", memory)
            if os.path.exists(f"{self.path}/memory.swap.max"):
                self._write("memory.swap.max", 0)
            if os.path.exists(f"{self.path}/memory.oom.group"):
                # Half a job is no job: what it has started goes with it.
                self._write("memory.oom.group", 1)
        if cpus:
            self._write("cpu.max", f"{max(int(cpus * _PERIOD), 1000)} {_PERIOD}")

    def join(self) -> None:
        """Put the calling process into it; raises OSError."""
        self._write("cgroup.procs", 0)

    def kill(self) -> bool:
        """Kill all that is in it; False where the kernel cannot (before 5.14)."""
        try:
            self._write("cgroup.kill", 1)
        except OSError:
            return False
        return True

    @property
    def was_out_of_memory(self) -> bool:
        """Whether the kernel killed something in it for want of memory."""
        return any(
            name in {"oom_kill", "oom_group_kill"} and count != "0"
            for name, _, count in (line.partition(" ") for line in _text(f"{self.path}/memory.events").splitlines())
        )

    @property
    def peak(self) -> int:
        """The most memory it has used, in bytes; 0 where the kernel does not tell (before 5.19)."""
        text = _text(f"{self.path}/memory.peak").strip()
        return int(text) if text.isdigit() else 0

    @property
    def cpu_time(self) -> float:
        """Seconds of CPU time that all its processes have used so far."""
        for line in _text(f"{self.path}/cpu.stat").splitlines():
            name, _, value = line.partition(" ")
            if name == "usage_usec":
                return int(value) / 1e6
        return 0.0

    def remove(self) -> bool:
        """Remove it; False while something of the job still runs in it."""
        try:
            os.rmdir(self.path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _write(self, name: str, value: object) -> None:
        with open(f"{self.path}/{name}", "w", encoding="ascii") as file:
            file.write(str(value))


class Cgroups:
    """The cgroups of one keeper's jobs, in one of its own below ``home``."""

    def __init__(self, home: str, controllers: frozenset[str], keeper_id: str) -> None:
        """Make it; raises OSError."""
        self.controllers = controllers
        self._count = 0
        self._left: list[Cgroup] = []
        for path in _stale(home):
            _remove_tree(path)
        self._path = f"{home}/{PREFIX}{keeper_id}"
        self._make_own()

    def _make_own(self) -> None:
        os.mkdir(self._path, 0o755)
        with open(f"{self._path}/cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write(" ".join(f"+{name}" for name in sorted(self.controllers)))

    def make(self) -> Cgroup:
        """One for a job; raises OSError."""
        self._count += 1
        path = f"{self._path}/{self._count}"
        try:
            return Cgroup(path)
        except FileNotFoundError:
            # Empty for a while, it looked like what a dead keeper has left, and another one removed it.
            self._make_own()
            return Cgroup(path)

    def drop(self, cgroup: Cgroup) -> None:
        """The job has ended; what it left running keeps its cgroup, and its limits, as long as it runs."""
        self._left = [each for each in (*self._left, cgroup) if not each.remove()]

    def close(self) -> None:
        """Remove what is empty."""
        self._left = [each for each in self._left if not each.remove()]
        if not self._left:
            _remove_tree(self._path)


def _stale(home: str) -> Iterator[str]:
    for name in os.listdir(home):
        path = f"{home}/{name}"
        try:
            if name.startswith(PREFIX) and os.stat(path).st_mtime < time.time() - _STALE:
                yield path
        except OSError:
            # Another keeper removed it first.
            continue


def _remove_tree(path: str) -> None:
    """Remove a keeper's cgroup with those in it; none of them goes while a process is in it."""
    try:
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                os.rmdir(entry.path)
        os.rmdir(path)
    except OSError:
        # Something runs there, or another keeper removed it first.
        return


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""
