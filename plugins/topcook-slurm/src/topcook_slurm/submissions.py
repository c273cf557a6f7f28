"""Jobs on their way to Slurm: in arrays, tried again while the controller is away, and never sent twice."""

from __future__ import annotations

import os
import secrets
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from topcook.author import SubmittedCook, report
from topcook.author.farm import (
    EngineAwayError,
    EngineError,
    FarmJob,
    JobFile,
    prepare_farm,
    tick_soon,
    write_jobs,
)
from topcook_slurm.again import again_line
from topcook_slurm.commands import NoIdError, QueueFullError, Slurm
from topcook_slurm.ids import ranges
from topcook_slurm.states import SlurmJob, lives

__all__ = ["JOB_VARIABLE", "Submission", "Submissions", "cook_script", "name_of", "twins"]

#: Seconds until a submission is tried again, doubled each time.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: While there is room for few jobs only: it gets free when some of them end.
_LONGEST_WHILE_FULL = 10.0
_MARK = "topcook "
#: What the job's own id is in: ``12``, ``12_3``.
JOB_VARIABLE = "TOPCOOK_SLURM_JOB"
#: Seconds that an ``sbatch`` of a session that was killed may take to end.
_STRAY = 30.0
_LOOK = 0.05


class Submission:
    """Jobs with the same options of one node: an array, or a single job.

    ``tasks`` are the numbers of its jobs in an array that has gaps, or a single task; ``depends`` is what Slurm is told
    that it waits for.
    """

    def __init__(
        self,
        jobs: Sequence[FarmJob],
        options: Sequence[str],
        simultaneous: int = 0,
        tasks: Sequence[int] | None = None,
        depends: str = "",
    ) -> None:
        """Not sent yet."""
        self.jobs = tuple(jobs)
        self.options = tuple(options)
        self.simultaneous = simultaneous
        self.tasks = tuple(range(len(jobs))) if tasks is None and len(jobs) > 1 else tuple(tasks or ())
        self.depends = depends
        #: Slurm's id of it, once that is known.
        self.job = ""
        #: Slurm no longer knows what it would wait for.
        self.unbound = False
        self.file: JobFile | None = None
        self._mark = secrets.token_hex(2)
        #: Where an earlier try may have reached Slurm although nobody heard its answer.
        self.tried = False
        self.pause = FIRST_PAUSE
        self.next = 0.0
        #: Items that were canceled meanwhile.
        self.unwanted: set[int] = set()
        #: Slurm had no room for all of it: it goes in pieces.
        self.in_pieces = False

    @property
    def name(self) -> str:
        """What its comment and files are called; no other has it, also of the same jobs."""
        return f"{Path(self.file.path).stem}.{self._mark}" if self.file is not None else ""

    def is_like(self, other: Submission) -> bool:
        """Whether it is the same jobs, to be sent in the same way."""
        mine, its = ([job.token for job in each.jobs] for each in (self, other))
        return mine == its and not other.unwanted and self._how() == other._how()

    def _how(self) -> tuple[Any, ...]:
        return self.options, self.simultaneous, self.tasks, self.depends

    def ids(self, job: str) -> list[str]:
        """What Slurm calls each of its jobs."""
        return [f"{job}_{task}" for task in self.tasks] or [job]


class Submissions:
    """Sends jobs, keeps those that could not be sent, and remembers which jobs it sent under which name.

    ``watch(job, id)`` is told what has been sent; what Slurm refuses has failed, with Slurm's words.
    """

    def __init__(
        self,
        scheduler: Any,
        slurm: Slurm,
        watch: Callable[[FarmJob, str], None],
        cancel: Callable[[list[str]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing waits."""
        self._scheduler = scheduler
        self._slurm = slurm
        self._watch = watch
        self._cancel = cancel
        self._clock = clock
        self._waiting: list[Submission] = []
        self._told = False
        #: What Slurm said when it was full: told once, for it is so again with each job that ends.
        self._full: set[str] = set()
        self._error = ""

    def again_folder(self, *, local: bool) -> Path:
        """Where jobs say that Slurm runs them again."""
        return Path(str(self._scheduler.tempDir(local))) / "slurm.again"

    def waits_for(self) -> str:
        """What waits here, in words; empty where nothing does."""
        count = sum(len(self._wanted(each)) for each in self._waiting)
        return f"Slurm to take {count:,} job{'s' if count > 1 else ''} ({self._error})" if count else ""

    def send(self, submission: Submission) -> None:
        """Send it now, or keep it where Slurm is away; in pieces where it takes some of its jobs only."""
        if submission.in_pieces:
            self._send_pieces(submission, 1)
            return
        try:
            self.now(submission)
        except QueueFullError as error:
            if str(error) not in self._full:
                self._full.add(str(error))
                self._tell(error, len(submission.jobs))
            self._forget(submission)
            self._error = _first_line(error)
            self._send_pieces(submission, max(1, len(submission.jobs) // 2))
        except EngineAwayError as error:
            self._keep(submission, LONGEST_PAUSE)
            self._error = _first_line(error)
            if not self._told:
                self._told = True
                self._tell(error, sum(len(each.jobs) for each in self._waiting))
        else:
            self._told = False

    def now(self, submission: Submission) -> None:
        """Send it now; raises ``EngineAwayError``. What Slurm refuses has failed, unless that is its dependency."""
        try:
            job = self._try(submission)
        except EngineAwayError:
            raise
        except Exception as error:  # noqa: BLE001 - nobody else has them: their items would wait for ever
            submission.unbound = bool(submission.depends) and "dependency" in str(error).lower()
            for each in () if submission.unbound else self._wanted(submission):
                report(self._scheduler, each.work_item, each.attempt).failed(f"it could not be submitted: {error}")
        else:
            self._sent(submission, job)

    def arrived(self, submission: Submission) -> bool:
        """Whether Slurm has one whose answer nobody heard; if so, it is sent. Raises ``EngineError``."""
        job = self._known().get(submission.name, "") if submission.tried else ""
        self._sent(submission, job)
        return bool(job)

    def retry(self) -> None:
        """Send what is due; to be called in ``onTick``."""
        now = self._clock()
        due = [each for each in self._waiting if each.next <= now]
        self._waiting = [each for each in self._waiting if each.next > now]
        for submission in due:
            self.send(submission)

    def drop(self, items: set[int]) -> None:
        """Nobody wants these items' jobs any more."""
        for submission in self._waiting:
            submission.unwanted |= items
            if not submission.tried and not self._wanted(submission):
                self._waiting = [each for each in self._waiting if each is not submission]

    def drop_all(self) -> list[Submission]:
        """Send nothing more; answers with what may have reached Slurm unheard."""
        left, self._waiting = self._waiting, []
        return [each for each in left if each.tried]

    def find(self, tokens: Iterable[str]) -> dict[str, str]:
        """Slurm's ids of jobs that were sent, by token, also by an earlier session that was killed just then."""
        wanted, found = set(tokens), {}
        self._wait_for_strays()
        for name, job in self._known().items():
            with suppress(OSError):
                for line in (self._folder() / name).read_text(encoding="utf-8").splitlines():
                    token, _, task = line.partition(" ")
                    if token in wanted:
                        found[token] = f"{job}_{task}" if task else job
        return found

    def alive(self) -> list[str]:
        """Slurm's ids of all that it has of this cook, and that has not ended, as far as it answers.

        An earlier session may have sent what nobody has asked for yet.
        """
        names = self._names()
        with suppress(EngineError):
            return [job.id for job in self._slurm.jobs().values() if name_of(job) in names and lives(job)]
        return []

    # -- inside ---------------------------------------------------------------------------------------------------

    def _tell(self, error: EngineAwayError, count: int) -> None:
        jobs = f"{count} jobs wait" if count > 1 else "1 job waits"
        self._scheduler.cookWarning(f"{error}\n    {jobs} to be submitted; it is tried again")

    def _keep(self, submission: Submission, longest: float) -> None:
        submission.next = self._clock() + submission.pause
        tick_soon(self._scheduler, submission.pause)
        submission.pause = min(submission.pause * 2, longest)
        self._waiting.append(submission)

    def _send_pieces(self, whole: Submission, size: int) -> None:
        """Send what there is room for, so many jobs first; the others wait, and are one submission then."""
        left, pause, was_full = self._wanted(whole), whole.pause, False
        while left:
            piece = Submission(left[:size], whole.options, whole.simultaneous)
            try:
                self.now(piece)
            except QueueFullError as error:
                self._forget(piece)
                self._error, was_full = _first_line(error), True
                if len(piece.jobs) == 1:
                    break
                size = len(piece.jobs) // 2
                continue
            except EngineAwayError as error:
                # It may have got through all the same.
                self._error = _first_line(error)
                self._keep(piece, LONGEST_PAUSE)
                left = left[size:]
                break
            left, pause = left[size:], FIRST_PAUSE
            size = size if was_full else size * 2
        if left:
            rest = Submission(left, whole.options, whole.simultaneous)
            rest.in_pieces, rest.pause = True, pause
            self._keep(rest, _LONGEST_WHILE_FULL)

    def _forget(self, submission: Submission) -> None:
        """Slurm has not got it, and nobody will ask for it."""
        if submission.file is not None:
            (self._folder() / submission.name).unlink(missing_ok=True)
            if len(submission.jobs) > 1:
                # That of a single job has the job's name, whoever sends it.
                Path(submission.file.path).unlink(missing_ok=True)

    def _wanted(self, submission: Submission) -> list[FarmJob]:
        return [job for job in submission.jobs if job.item not in submission.unwanted]

    def _try(self, submission: Submission) -> str:
        """Slurm's id of it; empty when nobody wants it any more and it is not there."""
        if submission.file is None:
            prepare_farm(self._scheduler)
            submission.file = write_jobs(self._scheduler, submission.jobs)
            folder = self._folder()
            folder.mkdir(parents=True, exist_ok=True)
            self.again_folder(local=True).mkdir(exist_ok=True)
            lines = "".join(
                f"{job.token}{task}\n"
                for job, task in zip(submission.jobs, [f" {task}" for task in submission.tasks] or [""], strict=True)
            )
            (folder / submission.name).write_text(lines, encoding="utf-8")
        if submission.tried:
            there = self._known().get(submission.name, "")
            if there:
                return there
        if not self._wanted(submission):
            return ""
        again, submission.tried = submission.tried, True
        try:
            job = self._slurm.submit(self._script(submission.file, submission.tasks), self._words(submission))
        except (NoIdError, QueueFullError):
            # What there is no room for may be there already, and take it.
            job = self._known().get(submission.name, "")
            if not job:
                raise
            return job
        return self._first_of(submission, job) if again else job

    def _first_of(self, submission: Submission, job: str) -> str:
        """Of one that got through twice after all the one that came first: it may have begun; the other is ended."""
        with suppress(EngineError):
            jobs = self._slurm.jobs().values()
            found = {each.id.partition("_")[0] for each in jobs if name_of(each) == submission.name} - {job}
            if found:
                self._cancel([job])
                return min(found, key=int)
        return job

    def _sent(self, submission: Submission, job: str) -> None:
        if not job:
            return
        submission.job = job
        unwanted = []
        for each, engine_id in zip(submission.jobs, submission.ids(job), strict=True):
            self._watch(each, engine_id)
            if each.item in submission.unwanted:
                unwanted.append(engine_id)
        if unwanted:
            self._cancel(unwanted)

    def _known(self) -> dict[str, str]:
        """The jobs that Slurm has of ours, by the name in their comment."""
        found = {}
        for job in self._slurm.jobs().values():
            name = name_of(job)
            if name:
                found[name] = job.id.partition("_")[0]
        return found

    def _wait_for_strays(self) -> None:
        """An ``sbatch`` outlives the cook that was killed while it ran: what it sends is known when it has ended."""
        names = {each.encode() for each in self._names()}
        until = self._clock() + _STRAY
        while names and self._clock() < until and any(words & names for words in _submitting()):
            time.sleep(_LOOK)

    def _names(self) -> set[str]:
        """What was submitted in this cook, by any session of it."""
        with suppress(OSError):
            return {each.name for each in self._folder().iterdir()}
        return set()

    def _folder(self) -> Path:
        return Path(str(self._scheduler.tempDir(True))) / "slurm"

    def _script(self, file: JobFile, tasks: Sequence[int]) -> str:
        # The wrapper takes the shell's place: it ends with what Slurm started. SLURM_JOB_ID is another number for each
        # task of an array, by which nobody asks.
        own = "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" if tasks else "$SLURM_JOB_ID"
        again = again_line(str(self.again_folder(local=False)), JOB_VARIABLE)
        head = f"#!/bin/sh\nexport {JOB_VARIABLE}={own}\n{again}"
        if not tasks:
            return f"{head}exec {shlex.join(file.argv(0))}\n"
        if tasks == tuple(range(len(tasks))):
            return f'{head}exec {shlex.join(file.argv())} "$SLURM_ARRAY_TASK_ID"\n'
        find = '[ "$task" = "$SLURM_ARRAY_TASK_ID" ] && break; place=$((place+1))'
        return (
            f"{head}place=0\nfor task in {' '.join(map(str, tasks))}; do {find}; done\n"
            f'exec {shlex.join(file.argv())} "$place"\n'
        )

    def _words(self, submission: Submission) -> list[str]:
        jobs = submission.jobs
        node = str(jobs[0].work_item.node.name)
        items = jobs[0].name if len(jobs) == 1 else f"{jobs[0].name}..{jobs[-1].name}"
        log = f"{self._scheduler.logDir(False)}/{submission.name}.slurm"
        limit = f"%{submission.simultaneous}" if submission.simultaneous > 0 else ""
        return [
            f"--job-name={node if submission.tasks else jobs[0].name}",
            f"--comment={_MARK}cook={jobs[0].cook} node={node} items={items} jobs={submission.name}",
            # What the job itself says is in its own log: here is what was said of one that could not begin.
            f"--output={output_path(log)}",
            "--open-mode=append",
            f"--chdir={self._scheduler.workingDir(False)}",
            *([f"--array={ranges(submission.tasks)}{limit}"] if submission.tasks else []),
            *([f"--dependency={submission.depends}", "--kill-on-invalid-dep=yes"] if submission.depends else []),
            *submission.options,
        ]


def _first_line(error: EngineError) -> str:
    return str(error).partition("\n")[0].removeprefix("Slurm: ")


def output_path(path: str) -> str:
    """A path as ``--output`` takes it; nowhere, where it cannot be said."""
    # Slurm takes backslashes out of it, and has then no file to write to: the job would not begin.
    return os.devnull if "\\" in path else path.replace("%", "%%")


def name_of(job: SlurmJob) -> str:
    """The name of the submission that this job came with; empty for jobs that are none of ours."""
    return job.comment.rpartition(" jobs=")[2] if job.comment.startswith(_MARK) else ""


def twins(jobs: Iterable[SlurmJob], ours: Iterable[str]) -> list[str]:
    """The living jobs of submissions that Slurm has taken twice; of each, the one that is not among ``ours`` (ids).

    One that was given up, and then sent again, may have come through after all.
    """
    known = {each.partition("_")[0] for each in ours}
    of_name: dict[str, list[SlurmJob]] = {}
    for job in jobs:
        if name := name_of(job):
            of_name.setdefault(name, []).append(job)
    found = []
    for group in of_name.values():
        if any(job.id.partition("_")[0] in known for job in group):
            found += [job.id for job in group if job.id.partition("_")[0] not in known and lives(job)]
    return found


def cook_script(cook: SubmittedCook) -> str:
    """The script that cooks a whole network; one that Slurm runs again, because its node died, goes on where it was."""
    words = shlex.join(cook.command)
    status = shlex.quote(str(Path(cook.log).with_name("status.json")))
    begun = f'! grep -qE \'"state": "(submitted|starting)"\' {status}'
    return (
        f'#!/bin/sh\nif [ "${{SLURM_RESTART_COUNT:-0}}" -gt 0 ] && {begun}; then\n  exec {words} --resume\nfi\n'
        f"exec {words}\n"
    )


def _submitting() -> Iterator[set[bytes]]:
    """The names that each ``sbatch`` on this machine submits; nothing where there is no ``/proc``."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if words[0].endswith(b"sbatch"):
                yield {
                    word.rpartition(b" jobs=")[2] for word in words if word.startswith(b"--comment=" + _MARK.encode())
                }
