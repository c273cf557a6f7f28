"""Slurm by its own commands: submit, ask, cancel. ``docs/decisions/0023-no-slurm-library.md`` says why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from topcook.author.farm import EngineAwayError, EngineCommand, EngineError
from topcook_slurm.ids import condensed
from topcook_slurm.states import NoAnswerError, SlurmJob, from_accounting, from_queue, lives, why_again

__all__ = ["NoIdError", "QueueFullError", "Slurm"]

#: Words of Slurm for what passes by itself.
TRANSIENT = (
    r"unable to contact slurm",
    r"socket timed out",
    r"connection (refused|reset|timed out|failure)",
    r"communication connection failure",
    r"zero bytes were transmitted",
    r"transport endpoint is not connected",
    r"temporarily un",
    r"backup controller in standby",
    r"controller not in control",
    r"slurmdbd.*(connect|contact)",
    r"problem talking to the database",
    r"munge.*(socket|connect|access)|authentication plugin",
    r"too many .*requests|rate limit",
    # Too many jobs for now: some will have ended. AssocMaxSubmitJobLimit, QOSGrpSubmitJobsLimit, …
    r"(Max|Grp)SubmitJob",
)
_FULL = re.compile(TRANSIENT[-1])
#: "12", with several clusters "12;name".
_JOB_ID = re.compile(r"^(\d+)(?:;\S*)?$", re.MULTILINE)
_MAX_ARRAY = re.compile(r"^MaxArraySize\s*=\s*(\d+)", re.MULTILINE)
#: Slurm's words where munge is at fault name it seldom, and a client that waits for it says nothing.
_CREDENTIALS = re.compile(r"zero bytes were|authenticat|munge|did not answer within", re.IGNORECASE)
_HINT = "if that goes on: scontrol ping; does munged run here, and has it the cluster's munge key?"
_NO_HISTORY = re.compile(r"accounting storage is disabled|there is no sacct", re.IGNORECASE)
_LOST = re.compile(r"invalid job id|already (completing|completed)|job/step already", re.IGNORECASE)
#: What of our own environment would change what the commands do (ask before they cancel, tell of some jobs only), or
#: mislead the job: an outer job's words.
_NOT_PASSED_ON = re.compile(
    r"(SLURM_(?!CONF$)|SBATCH_(ARRAY|WAIT|TEST)|SQUEUE_|SCANCEL_|SACCT_|PDG_ITEM|PDG_RESULT|PDG_JOBID)"
)
_ACCOUNT = ("--format=JobID,State,ExitCode,NodeList", "--parsable2", "--noheader", "--allocations")
#: Cancel so many words at a time, and ask for so many jobs: a command line is no book.
_AT_ONCE, _ASKED_AT_ONCE = 100, 5000


class NoIdError(EngineError):
    """A job was submitted, it seems, and nobody said which."""


class QueueFullError(EngineAwayError):
    """An account or QOS lets no so many jobs wait and run at a time: fewer, or later."""


class Slurm:
    """The commands of one cluster; with ``conf`` the one that this configuration file names.

    All raise ``EngineAwayError`` where asking later helps, else ``EngineError``.
    """

    def __init__(self, conf: str = "", timeout: float = 30.0) -> None:
        """Ask nothing yet."""
        environment = {name: value for name, value in os.environ.items() if not _NOT_PASSED_ON.match(name)}
        if conf:
            environment["SLURM_CONF"] = conf
        # Else long lists of tasks end in dots.
        environment["SLURM_BITSTR_LEN"] = "0"
        self._command = EngineCommand("Slurm", TRANSIENT, timeout=timeout, tries=1, environment=environment)
        self._most = 0
        self._has_history = True
        #: What accounting says while it is away; empty where it can be asked, or where there is none.
        self.no_history = ""
        #: Why it is asked no more, where there is one.
        self.history_refused = ""
        #: Whether it has not answered some time.
        self.was_away = False
        #: All jobs of this user that the controller knew when it was asked last.
        self.known: Mapping[str, SlurmJob] = {}
        #: The arrays of which it knew some task then.
        self.arrays: frozenset[str] = frozenset()

    def submit(self, script: str, options: Sequence[str]) -> str:
        """Submit a script; the job's id. Raises ``NoIdError`` where ``sbatch`` ends well and does not say it."""
        try:
            said = self._run("sbatch", "--parsable", *options, stdin=script)
        except EngineAwayError as error:
            if _FULL.search(str(error)):
                raise QueueFullError(str(error)) from None
            raise EngineAwayError(f"{error}\n    {_HINT}" if _CREDENTIALS.search(str(error)) else str(error)) from None
        # A site may have put something before sbatch that has more to say.
        found = _JOB_ID.findall(said)
        if not found:
            raise NoIdError(f"Slurm: sbatch answered no job id: {said.strip()!r}")
        return str(found[-1])

    def jobs(self) -> dict[str, SlurmJob]:
        """All jobs of this user that the controller knows, by id: a task of an array is ``12_3``."""
        said = self._run("squeue", "--json", "--states=all", "--me")
        try:
            jobs = {job.id: job for job in from_queue(said)}
        except NoAnswerError as error:
            raise EngineAwayError(f"Slurm: squeue: {error}") from None
        except (ValueError, RecursionError) as error:
            raise EngineError(
                f"Slurm: the JSON of squeue cannot be read: {error}\n"
                f"    Slurm 22.05 is the oldest version that is known to work"
            ) from None
        self.known = jobs
        self.arrays = frozenset(job.partition("_")[0] for job in jobs if "_" in job)
        return jobs

    def history(self, ids: Iterable[str]) -> dict[str, SlurmJob]:
        """How jobs ended that the controller has forgotten, as accounting knows it; nothing where there is none.

        Of those that the controller has lost while they waited or ran, it may believe for ever that they do.
        ``no_history`` and ``history_refused`` say why it could not be asked.
        """
        words = sorted({each.partition("_")[0] for each in ids}) if self._has_history else []
        found: dict[str, SlurmJob] = {}
        self.no_history = ""
        try:
            for start in range(0, len(words), _ASKED_AT_ONCE):
                said = self._run("sacct", *_ACCOUNT, f"--jobs={','.join(words[start : start + _ASKED_AT_ONCE])}")
                found.update({job.id: job for job in from_accounting(said) if not lives(job)})
        except EngineAwayError as error:
            self.no_history = str(error)
        except EngineError as error:
            self._has_history = False
            self.history_refused = "" if _NO_HISTORY.search(str(error)) else str(error)
        return found

    def why_again(self, ids: Iterable[str]) -> dict[str, str]:
        """Why Slurm runs these jobs again, in words, as far as accounting tells."""
        words = ",".join(sorted({each.partition("_")[0] for each in ids}))
        if not self._has_history or self.no_history or not words:
            return {}
        try:
            return why_again(self._run("sacct", *_ACCOUNT, "--duplicates", f"--jobs={words}"))
        except EngineError:
            # To be told without it.
            return {}

    def present(self, ids: Iterable[str]) -> set[str]:
        """Those of these jobs of which something may run or begin."""
        jobs = self.jobs()
        return {each for each in ids if each in jobs and (lives(jobs[each]) or "COMPLETING" in jobs[each].states)}

    def hurry(self, seconds: float) -> None:
        """From now on a command may take so long at most."""
        self._command.timeout = min(self._command.timeout, seconds)

    def cancel(self, ids: Iterable[str]) -> None:
        """End jobs; those that have ended already are no error."""
        words = condensed(ids)
        for start in range(0, len(words), _AT_ONCE):
            try:
                self._run("scancel", *words[start : start + _AT_ONCE])
            except EngineAwayError:
                raise
            except EngineError as error:
                if not _LOST.search(str(error)):
                    raise

    def max_array_size(self) -> int:
        """One more than the largest index of an array."""
        if not self._most:
            found = _MAX_ARRAY.search(self._run("scontrol", "show", "config"))
            self._most = int(found[1]) if found else 1001
        return self._most

    def states(self, ids: Sequence[str]) -> Mapping[str, SlurmJob]:
        """What is known of these jobs, by the controller or else by accounting."""
        jobs = self.jobs()
        found = {each: jobs[each] for each in ids if each in jobs}
        missing = [each for each in ids if each not in found]
        return {**self.history(missing), **found} if missing else found

    def _run(self, *argv: str, stdin: str = "") -> str:
        try:
            return self._command.run(*argv, stdin=stdin)
        except EngineAwayError:
            self.was_away = True
            raise
