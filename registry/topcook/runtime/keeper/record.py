"""Reading what a keeper wrote down, when neither it nor the engine that knew is there any more."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from topcook.lean import dataclass
from topcook.runtime.alive import process_start
from topcook.runtime.keeper.program.processes import mark_of, process_table
from topcook.runtime.keeper.program.record import boot_id

#: Processes are dated in hundredths of a second, and the keeper notes the moment just before.
_TOLERANCE = 1.0


@dataclass(slots=True)
class RecordedJob:
    """A job as recorded: ``ended`` None while it ran; ``exit_status`` None when it never did, was canceled, or unseen.

    ``boot`` and ``boot_clock`` date the process: which start of the machine, and how many seconds after it.
    ``keeper`` is the process that started it.
    """

    token: str
    pid: int = 0
    keeper: int = 0
    boot: str = ""
    boot_clock: float = 0.0
    started: float | None = None
    ended: float | None = None
    exit_status: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether the recorded process lives: same number, same start time, same start of the machine."""
        if self.started is None or self.ended is not None or self.boot != boot_id():
            return False
        began = process_start(self.pid)
        return began is not None and abs(began - self.boot_clock) <= _TOLERANCE


def read_record(directory: str) -> dict[str, RecordedJob]:
    """The jobs of all keepers that wrote in ``directory``, by token; empty without a record.

    A line cut short by a crash or a full disk is passed over.
    """
    from topcook.runtime.keeper.launch import RECORD_NAME

    jobs: dict[str, RecordedJob] = {}
    keeper: tuple[int, str] = (0, "")
    try:
        with open(os.path.join(directory, RECORD_NAME), encoding="ascii", errors="replace") as file:
            for line in file:
                words = line.split() if line.endswith("\n") else []
                try:
                    keeper = _read_line(words, jobs, keeper)
                except (ValueError, IndexError):
                    continue
    except FileNotFoundError:
        return {}
    return jobs


def running_of(tokens: Collection[str], directory: str) -> dict[str, int]:
    """Those of these jobs whose own process lives, with its number; ``directory`` has the record.

    Those that no record has are told by their mark, where there is a ``/proc``: a keeper may have been killed between
    the start of a job and the line that tells of it. Daemons that jobs left do not count.
    """
    recorded = read_record(directory)
    found = {token: recorded[token].pid for token in tokens if token in recorded and recorded[token].is_running}
    rest = {token for token in tokens if token not in recorded}
    if not rest or not os.path.exists("/proc/self/environ"):
        return found
    leaders = (pid for pid, row in process_table().items() if row.session == pid and not row.zombie)
    marked = ((mark_of(pid).rpartition("/")[2], pid) for pid in leaders)
    return found | {token: pid for token, pid in marked if token in rest}


def orphans_of(running: Mapping[str, int], directory: str) -> dict[str, int]:
    """Those of these running jobs whose keeper is dead: a keeper is the parent of its jobs as long as it lives."""
    keepers = {job.keeper for job in read_record(directory).values()}
    table = process_table()
    return {token: pid for token, pid in running.items() if pid in table and table[pid].parent not in keepers}


def _read_line(words: list[str], jobs: dict[str, RecordedJob], keeper: tuple[int, str]) -> tuple[int, str]:
    """Take a line in; the keeper that wrote it, by its number and its start of the machine."""
    kind = words[0] if words else ""
    if kind == "keeper":
        return int(words[2]), words[4]
    if kind == "start":
        _, token, pid, clock, at = words
        number, boot = keeper
        jobs[token] = RecordedJob(token, int(pid), number, boot, float(clock), float(at))
    elif kind == "exit":
        _, token, status, at, _, _ = words
        job = jobs.setdefault(token, RecordedJob(token))
        job.ended = float(at)
        job.exit_status = None if status == "-" else int(status)
    return keeper
