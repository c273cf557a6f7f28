"""The commands of PBS, LSF and HTCondor as far as workers as jobs need them: stand-ins, which follow their documentation.

A job that they take really runs, as a process in a session of its own; they are no batch system. Run as
``standin_engine.py FOLDER COMMAND ARGUMENT…``; what is submitted lies in ``FOLDER``, a directory for each job.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

#: Seconds from SIGTERM to SIGKILL.
GRACE = 10.0


class RefusedError(Exception):
    """What an engine says that takes no job; it exits with this status."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


class Job:
    """One that was submitted: it waits, runs, or has ended."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is its own."""
        self.folder = folder

    @property
    def state(self) -> str:
        """One of "waits", "runs", "ended"."""
        with contextlib.suppress(OSError):
            return "runs" if group_lives(int((self.folder / "pid").read_text())) else "ended"
        return "waits" if (self.folder / "waits").exists() else "ended"

    def start(self, argv: Sequence[str], environment: dict[str, str], cwd: str, out: str, err: str) -> None:
        """Run it."""
        with open(out, "ab") as written, open(err, "ab") as complained:
            process = subprocess.Popen(
                argv,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=complained,
                start_new_session=True,
            )
        # Who looks finds the number, or none.
        (self.folder / "pid.new").write_text(str(process.pid))
        (self.folder / "pid.new").rename(self.folder / "pid")

    def end(self) -> None:
        """As engines do it: SIGTERM, grace, SIGKILL."""
        (self.folder / "waits").unlink(missing_ok=True)
        with contextlib.suppress(OSError, ProcessLookupError):
            group = int((self.folder / "pid").read_text())
            os.killpg(group, signal.SIGTERM)
            give_up = time.monotonic() + GRACE
            while time.monotonic() < give_up and group_lives(group):
                time.sleep(0.05)
            os.killpg(group, signal.SIGKILL)


def group_lives(group: int) -> bool:
    """Whether a process of this group is there that is no zombie."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, found = path.read_text().rpartition(")")[2].split()[:3]
            if int(found) == group and state not in {"Z", "X"}:
                return True
    return False


class Engine:
    """What all of them do; each says how it is asked and what it answers."""

    #: The commands that submit, end and ask.
    commands = ("", "", "")
    #: How a job is said not to be there, and the exit status.
    unknown = ("", 1)

    def __init__(self, folder: Path) -> None:
        """The jobs are in ``folder``."""
        self.folder = folder

    def run(self, command: str, arguments: list[str]) -> int:
        """Do what a command says; its exit status."""
        submits, ends, _ = self.commands
        if command == submits:
            sys.stdout.write(self.submit(arguments))
            return 0
        status = 0
        for name in self.ids(arguments):
            job = Job(self.folder / "jobs" / name)
            if not job.folder.exists() or job.state == "ended":
                status = max(status, self.not_there(name, job.folder.exists(), asked=command != ends))
            elif command == ends:
                job.end()
            else:
                sys.stdout.write(self.line(name, job.state))
        return status

    def not_there(self, name: str, known: bool, *, asked: bool) -> int:
        """Say that a job has ended, or never was."""
        sys.stderr.write(self.unknown[0].format(name) + "\n")
        return self.unknown[1]

    def ids(self, arguments: list[str]) -> list[str]:
        """The jobs that arguments name."""
        return [found[0] for each in arguments if (found := re.match(r"\d+", each))]

    def submit(self, arguments: list[str]) -> str:
        """Take a job, or raise ``RefusedError``; what is answered."""
        raise NotImplementedError

    def line(self, name: str, state: str) -> str:
        """What is said of a job."""
        raise NotImplementedError

    def new_job(self) -> Job:
        """A job with the next number."""
        number = 1
        while True:
            with contextlib.suppress(FileExistsError):
                folder = self.folder / "jobs" / str(number)
                folder.mkdir(parents=True)
                return Job(folder)
            number += 1


class ByDirectives(Engine):
    """Those that read directives in a script and run the script."""

    mark = ""
    #: What a directive's value looks like, and what is said when it does not.
    formats: ClassVar[dict[str, tuple[str, str]]] = {}

    def submit(self, arguments: list[str]) -> str:
        """The script is the last argument, or the standard input."""
        text = Path(arguments[-1]).read_text() if arguments else sys.stdin.read()
        given: dict[str, list[str]] = {}
        for line in text.splitlines():
            if line.startswith(self.mark + " "):
                # One word and its value, as dask-jobqueue writes them.
                words = shlex.split(line.removeprefix(self.mark))
                if len(words) > 2:
                    raise RefusedError(f"usage: {shlex.join(words)}", 2)
                given.setdefault(words[0], []).append(words[-1])
        for option, (pattern, words) in self.formats.items():
            for value in given.get(option, []):
                if not re.fullmatch(pattern, value):
                    raise RefusedError(words.format(value), 255)
        queue = given.get("-q", ["normal"])[-1]
        if queue == "nosuch":
            raise RefusedError(self.formats["-q"][1].format(queue), 255)
        job = self.new_job()
        script = job.folder / "script"
        script.write_text(text)
        script.chmod(0o755)
        if queue == "down":
            (job.folder / "waits").touch()
        else:
            number = job.folder.name
            out, err = (given.get(option, [os.devnull])[-1].replace("%J", number) for option in ("-o", "-e"))
            out, err = (self.printed(path, number, letter) for path, letter in ((out, "o"), (err, "e")))
            job.start([str(script)], self.environment(number), self.cwd(), out, err)
        return self.taken(job.folder.name, queue)

    def printed(self, path: str, number: str, letter: str) -> str:
        """The file into which a job prints, where a directory is named."""
        return f"{path}job.{letter}{number}" if path.endswith("/") else path

    def environment(self, number: str) -> dict[str, str]:
        """That of a job."""
        raise NotImplementedError

    def cwd(self) -> str:
        """Where a job begins."""
        return os.getcwd()

    def taken(self, number: str, queue: str) -> str:
        """What is said of a job that was submitted."""
        raise NotImplementedError


class Pbs(ByDirectives):
    """OpenPBS: scripts begin at home, with little of the environment of who has submitted them."""

    commands = ("qsub", "qdel", "qstat")
    unknown = ("qstat: Unknown Job Id {}.standin", 153)
    mark = "#PBS"
    formats: ClassVar[dict[str, tuple[str, str]]] = {
        "-q": (r"\w+", "qsub: Unknown queue"),
        "-N": (r"[A-Za-z][\w.+-]{0,14}", "qsub: illegal -N value"),
        "-l": (
            r"select=\d+(:\w+=\w+)*|walltime=(\d+:)?\d+:\d\d(:\d\d)?|walltime=\d+",
            "qsub: Illegal attribute or resource value",
        ),
    }

    def environment(self, number: str) -> dict[str, str]:
        return {**_little(), "PBS_JOBID": f"{number}.standin"}

    def cwd(self) -> str:
        return os.path.expanduser("~")

    def taken(self, number: str, queue: str) -> str:
        return f"{number}.standin\n"

    def line(self, name: str, state: str) -> str:
        if state == "runs":
            return f"Job Id: {name}.standin\n    job_state = R\n"
        return f"Job Id: {name}.standin\n    job_state = Q\n    comment = Not Running: Queue not\n\t started.\n"


class Lsf(ByDirectives):
    """LSF: scripts begin where they were submitted, with all of the environment."""

    commands = ("bsub", "bkill", "bjobs")
    unknown = ("Job <{}> is not found", 255)
    mark = "#BSUB"
    formats: ClassVar[dict[str, tuple[str, str]]] = {
        "-q": (r"\w+", "{}: No such queue. Job not submitted."),
        "-W": (r"(\d+:)?\d+", "{}: Bad RUNLIMIT specification. Job not submitted."),
        "-M": (r"\d+", "{}: Bad MEMLIMIT specification. Job not submitted."),
        "-n": (r"\d+", "{}: Bad processor specification. Job not submitted."),
    }

    def environment(self, number: str) -> dict[str, str]:
        return {**os.environ, "LSB_JOBID": number}

    def taken(self, number: str, queue: str) -> str:
        return f"Job <{number}> is submitted to queue <{queue}>.\n"

    def line(self, name: str, state: str) -> str:
        return f"{name}  user  {'RUN' if state == 'runs' else 'PEND'}  normal  head  -  topcook  Nov 22 10:00\n"


class Condor(Engine):
    """HTCondor: a submit file instead of a script, and little of the environment."""

    commands = ("condor_submit", "condor_rm", "condor_q")

    def submit(self, arguments: list[str]) -> str:
        lines = [line.strip() for line in Path(arguments[-1]).read_text().splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if lines[-1].lower() != "queue" or not all("=" in line for line in lines[:-1]):
            raise RefusedError("ERROR: on Line 3 of submit file: illegal line", 1)
        given = {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in lines[:-1])}
        requirements = given.get("requirements", "True")
        if requirements.count("(") != requirements.count(")"):
            raise RefusedError(f"ERROR: Parse error in expression: Requirements = {requirements}", 1)
        job = self.new_job()
        number = job.folder.name
        if requirements.lower() == "false":
            (job.folder / "waits").touch()
        else:
            log = given.get("logdirectory", "")
            printed = [
                given.get(name, os.devnull).replace("$(LogDirectory)", log).replace("$F(MY.JobId)", f"{number}.0")
                for name in ("output", "error")
            ]
            words = _new_arguments(given["arguments"])
            job.start([given["executable"], *words], {**_little(), "_CONDOR_JOB": number}, os.getcwd(), *printed)
        return f"Submitting job(s).\n1 job(s) submitted to cluster {number}.\n"

    def line(self, name: str, state: str) -> str:
        return f"{name} 0 {2 if state == 'runs' else 1} undefined\n"

    def not_there(self, name: str, known: bool, *, asked: bool) -> int:
        if asked:
            return 0
        sys.stderr.write(f"Couldn't find/remove all jobs matching constraint (ClusterId == {name})\n")
        return 1


def _new_arguments(text: str) -> list[str]:
    """The words in the "new" syntax of arguments: in double quotes, of which single ones keep a word together."""
    inner = text[1:-1].replace('""', '"')
    words = re.findall(r"(?:'(?:[^']|'')*'|[^\s'])+", inner)
    return [re.sub(r"'((?:[^']|'')*)'", lambda found: found[1].replace("''", "'"), word) for word in words]


def _little() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.path.expanduser("~"), "LANG": "C.UTF-8"}


ENGINES: dict[str, type[Engine]] = {"pbs": Pbs, "lsf": Lsf, "htcondor": Condor}


def main() -> int:
    """Be one command of one engine."""
    folder, command, *arguments = sys.argv[1:]
    engine = next(each for each in ENGINES.values() if command in each.commands)
    try:
        return engine(Path(folder)).run(command, arguments)
    except RefusedError as refused:
        sys.stderr.write(f"{refused}\n")
        return refused.status


if __name__ == "__main__":
    sys.exit(main())
