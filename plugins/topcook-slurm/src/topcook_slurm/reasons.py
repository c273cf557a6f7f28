"""Why jobs do not go on, and why they ended, in words for the person who cooks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from topcook.author.farm import FarmPhase, FarmState
from topcook_slurm.ids import condensed
from topcook_slurm.states import SlurmJob

__all__ = ["ACCOUNTING_AWAY", "Waiting", "explained"]

#: Of a job that the controller does not know, while slurmdbd cannot be asked either.
ACCOUNTING_AWAY = "Slurm's accounting does not answer"

#: Reasons of waiting jobs that pass as others end; any other may need somebody.
_USUAL = frozenset({"", "Priority", "Resources", "BeginTime", "Dependency", "JobArrayTaskLimit", "Cleaning", "Prolog"})
_HELD = "scontrol release JOB lets them go on"
_TOO_MUCH = "they ask for what their partition does not have or allow; sinfo -l shows it"
_DOWN = "sinfo -l shows the partition; scontrol update PartitionName=NAME State=UP, or another slurm_partition"
#: What one can do about it; in all versions' spelling, without underscores and in lower case.
_REMEDIES = {
    "jobhelduser": _HELD,
    "jobheldadmin": "an administrator's scontrol release JOB lets them go on",
    "job requeued in held state": _HELD,
    "suspended": "scontrol resume JOB lets them go on",
    "partitiondown": _DOWN,
    "partitioninactive": _DOWN,
    "partitionconfig": _TOO_MUCH,
    "partitionnodelimit": _TOO_MUCH,
    "partitiontimelimit": _TOO_MUCH,
    "badconstraints": _TOO_MUCH,
    "invalidqos": "there is no such QOS any more; scontrol update JobId=JOB QOS=NAME gives them another",
    "invalidaccount": "there is no such account any more; scontrol update JobId=JOB Account=NAME gives them another",
    ACCOUNTING_AWAY.lower(): "the controller has forgotten them: what became of them is known when slurmdbd answers",
}
#: Limits, of which there are dozens.
_LIMITS = {
    "qos": "a limit of their QOS: sacctmgr show qos; they go on when others end, or the limit is raised",
    "assoc": "a limit of their account: sacctmgr show assoc; they go on when others end, or the limit is raised",
}
_MEMORY = re.compile(r"exceeded (?:job |step )?memory limit|oom[-_ ]kill", re.IGNORECASE)
#: So long a list of jobs is still read, and pasted.
_NAMED = 60
#: As much as is read of the end of a file into which all tasks of an array write.
_TAIL = 1 << 18


class Waiting:
    """Tells once of each reason for which jobs wait, where it is not just their turn."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Nothing is told yet."""
        self._tell = tell
        self._told: set[str] = set()

    def look(self, states: Mapping[str, FarmState]) -> None:
        """Tell what is new in what Slurm says of jobs."""
        waiting: dict[str, list[str]] = {}
        for job, state in states.items():
            if state.phase in {FarmPhase.QUEUED, FarmPhase.RUNNING} and state.reason not in _USUAL:
                waiting.setdefault(state.reason, []).append(job)
        for reason in waiting.keys() - self._told:
            jobs, remedy = waiting[reason], _remedy(reason)
            which = f"{len(jobs)} jobs wait" if len(jobs) > 1 else f"job {jobs[0]} waits"
            self._tell(
                f"{which} on Slurm: {reason}" + (f"\n    {remedy.replace('JOB', _named(jobs))}" if remedy else "")
            )
        self._told |= waiting.keys()


def _named(jobs: list[str]) -> str:
    """Them all as one word for ``scontrol``; where that would be long, their arrays as wholes."""
    if len(jobs) == 1:
        return jobs[0]
    text = ",".join(condensed(sorted(jobs)))
    if len(text) > _NAMED:
        return ",".join(sorted({job.partition("_")[0] for job in jobs}, key=int))
    return f"'{text}'" if "[" in text else text


def _remedy(reason: str) -> str:
    plain = reason.replace("_", " ").lower()
    limits = (words for start, words in _LIMITS.items() if plain.startswith(start))
    return _REMEDIES.get(plain) or next(limits, "")


def explained(state: FarmState, job: SlurmJob, output: Path) -> FarmState:
    """A failure of which Slurm only says that it is one, with what it and the shell wrote into the job's output."""
    if state.phase is not FarmPhase.FAILED or "FAILED" not in job.states:
        return state
    lines = _lines_of(job.number, output)
    if any(_MEMORY.search(line) for line in lines):
        return replace(state, reason=f"out of memory ({job.nodes})" if job.nodes else "out of memory")
    return replace(state, reason=f"{state.reason}: {lines[-1]}") if lines else state


def _lines_of(number: int, output: Path) -> list[str]:
    """What names this job, or the script that is its own: tasks of an array write into one file."""
    names = re.compile(rf"StepId={number}\.|JobId={number}\b|JOB {number}\b|\bjob0*{number}/slurm_script:")
    try:
        with output.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _TAIL))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        # It has written nothing; or it lies where only the node sees it.
        return []
    return [line.strip() for line in text.splitlines() if names.search(line)]
