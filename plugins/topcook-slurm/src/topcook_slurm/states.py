"""What Slurm says of jobs, in the words of any of its versions, as states that a cook knows.

JSON of 22.05 has a state as text, numbers bare and the exit code as ``wait`` tells it; since 23.02 a state is a list,
a number ``{"set", "infinite", "number"}``, and the exit code says status, return code and signal.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from topcook.author.farm import FarmPhase, FarmState
from topcook_slurm.ids import expanded

__all__ = [
    "NoAnswerError",
    "SlurmJob",
    "from_accounting",
    "from_queue",
    "lives",
    "never_began",
    "never_begins",
    "state_of",
    "why_again",
]

#: What each state means; those that stand nowhere here are jobs that wait.
_RUNNING = frozenset({"RUNNING", "COMPLETING", "SIGNALING", "STAGE_OUT", "RESIZING", "SUSPENDED", "STOPPED"})
_WORDS = {
    "TIMEOUT": "time limit",
    "OUT_OF_MEMORY": "out of memory",
    "NODE_FAIL": "node failure",
    "PREEMPTED": "preempted",
    "DEADLINE": "its deadline passed",
    "BOOT_FAIL": "its node did not boot",
    "LAUNCH_FAILED": "it could not be launched on its node",
    "RECONFIG_FAIL": "its node could not be configured",
    "REVOKED": "revoked by the federation",
    "FAILED": "",
}
#: How a run ends in accounting that is not the job's last.
_AGAIN = {"NODE_FAIL": "node failure", "PREEMPTED": "preempted", "REQUEUED": "requeued"}
_NEVER = "DependencyNeverSatisfied"
#: Reasons that say nothing about why a job ended as it did.
_SILENT = frozenset({"", "None", "NonZeroExitCode", "Resources", "Priority"})
#: What accounting says of a job that has seen no node.
_NO_NODES = "None assigned"
_BYTE, _SIGNAL_BITS, _SHELL_SIGNAL = 8, 0x7F, 128


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """A job, or a task of an array, as Slurm tells of it; ``exit_status`` is negative for a signal."""

    id: str
    states: frozenset[str]
    reason: str = ""
    exit_status: int | None = None
    nodes: str = ""
    comment: str = ""
    #: What nodes call it: each task of an array has a number of its own.
    number: int = 0
    #: How often Slurm has queued it again, after it had begun.
    restarts: int = 0


class NoAnswerError(Exception):
    """``squeue`` has heard nothing from the controller, which it says by a list of no jobs beside one of errors."""


def from_queue(text: str) -> list[SlurmJob]:
    """The jobs of ``squeue --json``, a task of an array each.

    Raises ``NoAnswerError``, with its words, where it could not ask, and ``ValueError`` for what is no such answer.
    """
    match json.loads(text):
        # Its exit status is 0 then, at least in 22.05.
        case {"jobs": [], "errors": [error, *_]}:
            raise NoAnswerError(_words_of(error))
        case {"jobs": list(jobs)}:
            pass
        case _:
            raise ValueError("it has no list of jobs")
    return [job for each in jobs if isinstance(each, dict) for job in _jobs(each)]


def from_accounting(text: str) -> list[SlurmJob]:
    """The jobs of ``sacct --parsable2 --noheader --format=JobID,State,ExitCode,NodeList``, a task of an array each.

    Those that nobody has canceled are left out: a controller that has lost its jobs has accounting call them so.
    """
    found = []
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) >= 4 and fields[1].strip() not in {"", "CANCELLED"}:  # noqa: PLR2004 - the four of the format
            status, _, number = fields[2].partition(":")
            code = -int(number) if number.isdigit() and int(number) else int(status) if status.isdigit() else None
            nodes = "" if fields[3] == _NO_NODES else fields[3]
            # "CANCELLED by 1000"
            states = frozenset({fields[1].split()[0]})
            # "12_[3-9%2]" are the tasks that wait.
            array, bracket, tasks = fields[0].partition("_[")
            ids = expanded(array, tasks) if bracket else [fields[0]]
            found += [SlurmJob(each, states, "", code, nodes) for each in ids]
    return found


def why_again(text: str) -> dict[str, str]:
    """Why each job of ``sacct --duplicates``, in the same format, runs again, with the node that it ran on."""
    found = {}
    for job in from_accounting(text):
        for state in job.states & _AGAIN.keys():
            found[job.id] = f"{_AGAIN[state]} on {job.nodes}" if job.nodes else _AGAIN[state]
    return found


def state_of(job: SlurmJob) -> FarmState:
    """What this means for a cook."""
    states = job.states
    if states & _RUNNING:
        return FarmState(FarmPhase.RUNNING, "suspended" if states & {"SUSPENDED", "STOPPED"} else "")
    if never_begins(job):
        return FarmState(FarmPhase.FAILED, f"what its job {job.id} waits for on Slurm never succeeds")
    if "REQUEUED" in states or "PENDING" in states:
        return FarmState(FarmPhase.QUEUED, "" if job.reason in _SILENT else job.reason)
    if "COMPLETED" in states:
        return FarmState(FarmPhase.SUCCEEDED, "", 0)
    if "CANCELLED" in states:
        return FarmState(FarmPhase.CANCELED, f"somebody canceled its job {job.id} on Slurm", job.exit_status)
    for name, words in _WORDS.items():
        if name in states:
            # Of a job that has ended badly a 0 says nothing: its node died, or its time was over.
            return FarmState(FarmPhase.FAILED, _reason(job, words), job.exit_status or None)
    return FarmState(FarmPhase.QUEUED, job.reason)


def lives(job: SlurmJob) -> bool:
    """Whether it waits or runs."""
    return state_of(job).phase in {FarmPhase.QUEUED, FarmPhase.RUNNING}


def never_began(job: SlurmJob) -> bool:
    """Whether it was canceled while it waited: it has seen no node."""
    return "CANCELLED" in job.states and not job.nodes


def never_begins(job: SlurmJob) -> bool:
    """Whether Slurm does not begin it because of what it waits for; with ``--kill-on-invalid-dep`` it has ended it."""
    return job.reason == _NEVER and bool(job.states & {"PENDING", "REQUEUED", "CANCELLED"})


def _reason(job: SlurmJob, words: str) -> str:
    if words:
        return f"{words} ({job.nodes})" if job.nodes else words
    if job.reason not in _SILENT and not job.reason.startswith("RaisedSignal"):
        return f"its job {job.id} failed on Slurm: {job.reason}"
    status = job.exit_status or 0
    number = -status if status < 0 else status - _SHELL_SIGNAL
    if number > 0:
        name = next((each.name for each in signal.Signals if each == number), "")
        return f"ended by signal {number}" + (f" ({name})" if name else "")
    return f"exit status {job.exit_status}" if job.exit_status else f"its job {job.id} failed on Slurm"


def _jobs(said: Mapping[str, Any]) -> Iterator[SlurmJob]:
    states, number = _states(said.get("job_state")), _number(said.get("job_id"))
    if number is None or not states:
        return
    array, task = _number(said.get("array_job_id")), _number(said.get("array_task_id"))
    waiting = str(said.get("array_task_string") or "")
    reason, nodes, comment = (_text(said.get(name)) for name in ("state_reason", "nodes", "comment"))
    status, restarts = _exit_status(said.get("exit_code")), _number(said.get("restart_cnt")) or 0
    if array and task is not None:
        ids = [f"{array}_{task}"]
    elif array and waiting:
        ids = list(expanded(str(array), waiting))
    else:
        ids = [str(number)]
    for each in ids:
        yield SlurmJob(each, states, reason, status, nodes, comment, number, restarts)


def _words_of(error: Any) -> str:
    said = [error.get(key) for key in ("description", "error")] if isinstance(error, dict) else [error]
    return ": ".join(str(each) for each in said if each) or "it does not say why"


def _states(value: Any) -> frozenset[str]:
    return frozenset(str(each) for each in (value if isinstance(value, list) else [value]) if each)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    if isinstance(value, dict):
        return _number(value.get("number")) if value.get("set", True) and not value.get("infinite") else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _exit_status(value: Any) -> int | None:
    if isinstance(value, dict) and "number" not in value:
        ended = value.get("signal")
        ended = ended if isinstance(ended, dict) else {}
        number = _number(ended.get("id", ended.get("signal_id")))
        return -number if number else _number(value.get("return_code"))
    raw = _number(value)
    if raw is None:
        return None
    return -(raw & _SIGNAL_BITS) if raw & _SIGNAL_BITS else raw >> _BYTE
