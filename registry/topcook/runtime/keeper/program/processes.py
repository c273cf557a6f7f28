"""Which processes belong to which job: the process table, sessions, and the mark in the environment.

A job is the leader of its session. What it starts is found by descent, by session, and, for those that left both
(a daemon forks twice and makes a session of its own), by the mark that every job carries in its environment: as a
subreaper the keeper is the parent of whatever its jobs leave behind.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: Environment variable of every job: ``<keeper id>/<pool>/<token>``.
MARK = "TOPCOOK_KEEPER_JOB"
_PR_SET_CHILD_SUBREAPER = 36


class Row(NamedTuple):
    """One process: its parent and its session (0 where the system does not tell)."""

    parent: int
    session: int
    zombie: bool


def become_subreaper() -> bool:
    """Adopt what jobs leave behind; False where the system has no such thing (macOS)."""
    if not os.path.exists("/proc/self/stat"):
        return False
    try:
        import ctypes

        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        # A Python built without ctypes still keeps jobs; only daemons that fork twice escape it.
        return False


def process_table() -> dict[int, Row]:
    """All processes of this machine by pid."""
    if os.path.exists("/proc/self/stat"):
        return {int(name): row for name in os.listdir("/proc") if name.isdigit() and (row := _row(name)) is not None}
    return _ps_table()


def _row(pid: str) -> Row | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    # After the command in brackets: state, parent, group, session.
    return Row(int(fields[1]), int(fields[3]), fields[0] in b"ZX")


def _ps_table() -> dict[int, Row]:
    import subprocess

    listed = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid=,state="], capture_output=True, check=False)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(row[0]): Row(int(row[1]), 0, row[2].startswith(b"Z")) for row in rows if len(row) > 2}  # noqa: PLR2004


def mark_of(pid: int) -> str:
    """The mark in a process's environment, empty when it has none or is gone."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            text = file.read()
    except OSError:
        return ""
    head = MARK.encode() + b"="
    return next((os.fsdecode(row[len(head) :]) for row in text.split(b"\0") if row.startswith(head)), "")


def descendants(table: Mapping[int, Row], roots: Iterable[int]) -> set[int]:
    """The roots that live, and all processes below them."""
    children: dict[int, list[int]] = {}
    for pid, row in table.items():
        children.setdefault(row.parent, []).append(pid)
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, ())
    return found & table.keys()


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal processes that may be gone already; a stopped one is woken so that it can follow."""
    for pid in pids:
        try:
            os.kill(pid, number)
            if number == signal.SIGTERM:
                os.kill(pid, signal.SIGCONT)
        except (ProcessLookupError, PermissionError):
            # Gone, or it became another user's (su, sudo): the survivors are reported.
            continue


def send_group(leader: int, number: signal.Signals) -> None:
    """Signal the whole group of a job at once, so that none of it sees another die first; wake it as ``send`` does."""
    try:
        os.killpg(leader, number)
        if number == signal.SIGTERM:
            os.killpg(leader, signal.SIGCONT)
    except (ProcessLookupError, PermissionError):
        return


def group_of(pid: int) -> int:
    """The process group that a process is in, 0 when it is gone."""
    try:
        return os.getpgid(pid)
    except OSError:
        return 0
