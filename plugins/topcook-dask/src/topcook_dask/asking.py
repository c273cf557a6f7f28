"""How batch systems are asked for jobs whose workers do not come, and what they answer, each in its own words.

That a job has ended is concluded from what says so, never from an answer that cannot be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

__all__ = ["ENGINES", "Answer", "Output", "ask", "call"]

#: Seconds for an answer: whoever waits for one ends no cluster meanwhile.
_ANSWER = 10.0
#: The states of HTCondor's jobs, by their numbers.
_CONDOR = {"1": "idle", "2": "running", "5": "held", "6": "transferring output", "7": "suspended"}


@dataclass(frozen=True, slots=True)
class Output:
    """What a command has written, and its exit status."""

    out: str
    err: str = ""
    status: int = 0


@dataclass(slots=True)
class Answer:
    """What is said of jobs that wait or run, by their ids, and those that have ended."""

    said: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)


async def call(argv: list[str]) -> str:
    """The output of an engine's command; raises RuntimeError with its words."""
    done = await _run(argv)
    if done.status:
        raise RuntimeError(done.err.strip() or f"{argv[0]}: exit status {done.status}")
    return done.out


async def ask(kind: str, ids: Iterable[str]) -> Answer:
    """What the engine says of these jobs; nothing where it does not answer. ``kind`` is one of ``ENGINES``."""
    wanted = list(ids)
    words, read = ENGINES[kind]
    try:
        return read(await _run(words(wanted)), wanted)
    except RuntimeError:
        return Answer()


async def _run(argv: list[str]) -> Output:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
    except OSError as error:
        raise RuntimeError(f"{argv[0]}: {error.strerror or error}") from error
    try:
        out, err = await asyncio.wait_for(process.communicate(), _ANSWER)
    except TimeoutError:
        raise RuntimeError(f"{argv[0]}: timed out after {_ANSWER:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                process.kill()
                await asyncio.wait_for(process.wait(), _ANSWER)
    return Output(out.decode(errors="replace"), err.decode(errors="replace"), process.returncode or 0)


def _slurm(output: Output, ids: list[str]) -> Answer:
    # Of a single job that it does not know it says so, of one among others nothing.
    if output.status and "invalid job id" not in output.err.lower():
        return Answer()
    said = {words[0]: " ".join(words[1:]).lower() for line in output.out.splitlines() if (words := line.split())}
    return Answer(said, set(ids) - said.keys())


def _sge(output: Output, ids: list[str]) -> Answer:
    answer = Answer()
    for text in re.split(r"(?m)^={10,}$", output.out):
        if found := re.search(r"(?m)^job_number:\s*(\d+)", text):
            why = re.search(r"(?m)^error reason\s+\d+:\s*(?:\S+ \S+ \[[\d:]+\]: )?(.*)", text)
            # In parentheses it only says that this is turned off, as it is in many places.
            waits = re.search(r"(?m)^scheduling info:\s*([^\s(].*)", text)
            if why:
                answer.said[found[1]] = why[1].strip()
            elif re.search(r"(?m)^usage\s+\d+:", text):
                answer.said[found[1]] = "running"
            else:
                answer.said[found[1]] = f"waiting: {waits[1].strip()}" if waits else "waiting"
    _, unknown, gone = (output.out + output.err).partition("jobs do not exist")
    answer.ended = set(re.findall(r"\d+", gone)) & set(ids) if unknown else set()
    return answer


def _pbs(output: Output, ids: list[str]) -> Answer:
    # Long values go on in lines that begin with a tab.
    answer, text = Answer(), output.out.replace("\n\t", "")
    for section in re.split(r"(?m)^Job Id:\s*", text)[1:]:
        job = section.partition(".")[0].strip()
        state = re.search(r"(?m)^\s*job_state = (\w)", section)
        comment = re.search(r"(?m)^\s*comment = (.*)", section)
        if state and state[1] in "CFX":
            answer.ended.add(job)
        elif state:
            word = {"Q": "queued", "R": "running", "H": "held", "W": "waiting"}.get(state[1], state[1])
            answer.said[job] = f"{word}: {comment[1].strip()}" if comment else word
    gone = re.findall(r"Unknown Job Id\D*(\d+)|(\d+)\S* Job has finished", output.out + output.err)
    answer.ended |= {first or second for first, second in gone} & set(ids)
    return answer


def _lsf(output: Output, ids: list[str]) -> Answer:
    answer = Answer()
    for line in output.out.splitlines():
        words = line.split()
        if len(words) > 2 and words[0] in ids:  # noqa: PLR2004 - id, user, state, queue, …
            if words[2] in {"DONE", "EXIT"}:
                answer.ended.add(words[0])
            else:
                answer.said[words[0]] = words[2].lower()
    answer.ended |= set(re.findall(r"Job <(\d+)> is not found", output.out + output.err)) & set(ids)
    return answer


def _htcondor(output: Output, ids: list[str]) -> Answer:
    if output.status:
        return Answer()
    answer = Answer(ended=set(ids))
    for line in output.out.splitlines():
        words = line.split(maxsplit=3)
        if len(words) > 2 and words[2] in _CONDOR:  # noqa: PLR2004 - cluster, process, state, why it is held
            job = f"{words[0]}.{words[1]}"
            answer.ended.discard(job)
            why = words[3] if words[3:] not in ([], ["undefined"]) else ""
            answer.said[job] = f"{_CONDOR[words[2]]}: {why}" if why else _CONDOR[words[2]]
    return answer


#: By kind: the command that asks for jobs with these ids, and what reads its answer.
ENGINES: dict[str, tuple[Callable[[list[str]], list[str]], Callable[[Output, list[str]], Answer]]] = {
    "slurm": (lambda ids: ["squeue", "--noheader", "--format=%i %T %r", f"--jobs={','.join(ids)}"], _slurm),
    "sge": (lambda ids: ["qstat", "-j", ",".join(ids)], _sge),
    "pbs": (lambda ids: ["qstat", "-f", *ids], _pbs),
    "lsf": (lambda ids: ["bjobs", "-w", *ids], _lsf),
    "htcondor": (lambda ids: ["condor_q", *ids, "-af", "ClusterId", "ProcId", "JobStatus", "HoldReason"], _htcondor),
}
