"""Reading what a keeper wrote down, when neither it nor the engine that knew is there any more."""

from __future__ import annotations

import os

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
    """

    token: str
    pid: int = 0
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
    boot = ""
    try:
        with open(os.path.join(directory, RECORD_NAME), encoding="ascii", errors="replace") as file:
            for line in file:
                words = line.split() if line.endswith("\n") else []
                try:
                    boot = _read_line(words, jobs, boot)
                except (ValueError, IndexError):
                    continue
    except FileNotFoundError:
        return {}
    return jobs


def leaders_of(tokens: set[str]) -> set[str]:
    """Those of these jobs whose own process lives, told by its mark: for jobs that no record has.

    Daemons that they left do not count. Empty where there is no ``/proc``.
    """
    if not tokens or not os.path.exists("/proc/self/environ"):
        return set()
    leaders = (pid for pid, row in process_table().items() if row.session == pid and not row.zombie)
    return tokens & {mark_of(pid).rpartition("/")[2] for pid in leaders}


def _read_line(words: list[str], jobs: dict[str, RecordedJob], boot: str) -> str:
    kind = words[0] if words else ""
    if kind == "keeper":
        return words[4]
    if kind == "start":
        _, token, pid, clock, at = words
        jobs[token] = RecordedJob(token, int(pid), boot, float(clock), float(at))
    elif kind == "exit":
        _, token, status, at, _, _ = words
        job = jobs.setdefault(token, RecordedJob(token))
        job.ended = float(at)
        job.exit_status = None if status == "-" else int(status)
    return boot
