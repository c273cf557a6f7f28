"""After a keeper died: nothing of what it ran may go on unseen, or a retry would run beside it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable

from topcook.runtime.keeper import launch
from topcook.runtime.keeper.program.processes import descendants, mark_of, process_table, send

_ROUNDS = 50
_TAIL = 2000


def now() -> float:
    """The clock of all job reports."""
    return time.monotonic()


def end_orphans(keeper_id: str, leaders: Iterable[int]) -> None:
    """Kill what a dead keeper left running: its jobs' sessions, and whatever carries its mark."""
    leaders, seen_empty = set(leaders), False
    for _ in range(_ROUNDS):
        table = process_table()
        marked = {pid for pid, row in table.items() if mark_of(pid).startswith(keeper_id + "/") and not row.zombie}
        # A leader's number may be a stranger's by now: only the mark or the session proves descent (where there is
        # neither, on macOS, the number has to do).
        sessions = {pid for pid, row in table.items() if (row.session or pid) in leaders and not row.zombie}
        found = descendants(table, marked | sessions) - {os.getpid()}
        if any(not table[pid].zombie for pid in found):
            seen_empty = False
            send(found, signal.SIGKILL)
        elif seen_empty:
            return
        else:
            # A process that forked and died during the look hid its child from it; one that is in the middle of an
            # exec has no mark.
            seen_empty = True
        time.sleep(0.02)


def obituary(connection: launch.Connection, directory: str) -> str:
    """One sentence on the keeper's end, with the last lines it wrote."""
    how = ""
    if connection.process is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = connection.process.wait(5)
            how = f" by signal {-status}" if status < 0 else f" with status {status}"
    return f"the keeper of local jobs (process {connection.pid}) ended{how} while the job ran{_last_words(directory)}"


def _last_words(directory: str) -> str:
    try:
        with open(os.path.join(directory, launch.ERRORS_NAME), "rb") as file:
            file.seek(max(0, os.path.getsize(file.name) - _TAIL))
            words = file.read().decode(errors="replace").strip()
    except OSError:
        return ""
    return f": {words.splitlines()[-1]}" if words else ""


def kill(pid: int) -> None:
    """End a keeper that does not answer."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
