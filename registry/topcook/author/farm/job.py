"""What a farm runs for a work item: its command in the job wrapper, which keeps its log, its end and its processes.

The wrapper is ``jobwrapper.py`` in the script directory (``docs/farm-plugins.md``). It reads what is to be run from
a job file, so that neither a secret nor a long command is on a command line that others see.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from topcook.author.command import command_argv
from topcook.author.farm.variables import JobVariables, variables_of
from topcook.author.grace import grace_of
from topcook.author.host import host_of, record_of
from topcook.lean import dataclass, field
from topcook.model.filestem import file_stem

__all__ = [
    "FarmJob",
    "JobFile",
    "announce_server",
    "ends_dir",
    "farm_job",
    "log_uri",
    "prepare_farm",
    "warn_of_local_disk",
    "wrap_command",
    "write_jobs",
]

#: The format of job files, as ``jobwrapper.py`` reads it: a first line, a place of 13 bytes each, then JSON lines.
FORMAT, HEAD, PLACE = 1, 32, 13
SECRET_FILE, SERVER_FILE = ".pdg_result_secret", ".pdg_result_server"
#: Seconds that the wrapper tries to report while the cook is away.
PATIENCE = 120.0


@dataclass(slots=True)
class FarmJob:
    """One attempt of one item as a job; ``spec`` is what its wrapper reads (see ``jobwrapper.Job``)."""

    work_item: Any
    token: str
    attempt: int
    name: str
    spec: dict[str, Any] = field(repr=False)
    #: Whether a ``Reconciler`` has it: the engine took it.
    watched: bool = False

    @classmethod
    def left(cls, work_item: Any, token: str) -> FarmJob:
        """The job that an earlier session has left, as ``onAdoptWorkItems`` is told of it; its ``spec`` is empty."""
        number = token.rpartition("-")[2]
        attempt = int(number) if number.isdigit() else record_of(work_item).attempt
        return cls(work_item, token, attempt, str(work_item.name), {})

    @property
    def item(self) -> int:
        """The item's id."""
        return record_of(self.work_item).id

    @property
    def cook(self) -> str:
        """The cook's id, with which all its tokens begin."""
        return self.token.rsplit("-", 2)[0]


@dataclass(frozen=True, slots=True)
class JobFile:
    """Jobs in a file: where it lies in this machine's view, and what the farm runs for each of them."""

    path: str
    jobs: tuple[FarmJob, ...]
    words: tuple[str, ...]

    def argv(self, index: int | str | None = None) -> list[str]:
        """The words to run; without an index the wrapper goes by ``SLURM_ARRAY_TASK_ID``, else takes the first job.

        A text is passed on as it is: the name of an engine's variable, in a script that a shell reads.
        """
        return [*self.words, *([] if index is None else [str(index)])]


def farm_job(
    scheduler: Any,
    work_item: Any,
    *,
    prefix: str = "",
    environment: Mapping[str, str] | None = None,
    command: str | None = None,
    signaled: str = "report",
    leash: bool = False,
    again: bool = False,
    patience: float = PATIENCE,
    inside: bool = False,
    variables: JobVariables | None = None,
) -> FarmJob:
    """Make a job of the item's present attempt; its data file and directories are on disk then, its job file is not.

    The environment is the node's, with the item's ``PDG_…`` variables, those of the parms ``<prefix>_env…`` and
    ``environment`` on top. ``signaled`` says what it means when the engine signals the job: ``"report"``, somebody has
    canceled it; ``"leave"``, it ends without a report, and reconciliation asks the engine why (a time limit,
    preemption). With ``leash`` it ends with the process that started it, for engines that run a job again when the
    daemon of its node dies.

    With ``again`` the engine may run the job anew under this attempt (a requeue): outputs that its first run told are
    withdrawn then. ``patience``: seconds to go on reporting while the cook is away. ``inside``: this machine's view of
    all paths, for workers that run here. ``variables``: the node's and those of parms, once for all its items.
    """
    scheduler.createJobDirsAndSerializeWorkItems(work_item)
    prepare_farm(scheduler)
    env, unset = variables.of(work_item) if variables else variables_of(scheduler, work_item, prefix)
    env.update(environment or {})
    text = scheduler.expandCommandTokens(work_item.command if command is None else command, work_item)
    text = scheduler.onPreSubmitItem(work_item, env, text) or text
    token = env["PDG_ITEM_TOKEN"]
    attempt = env.get("PDG_ITEM_ATTEMPT", "")
    name = str(work_item.name)
    spec: dict[str, Any] = {
        "token": token,
        "item": work_item.id,
        "attempt": int(attempt) if attempt.isdigit() else record_of(work_item).attempt,
        "argv": command_argv(text),
        "env": env,
        "cwd": scheduler.workingDir(inside),
        "log": _log(scheduler, name, local=inside),
        "ends": ends_dir(scheduler, local=inside),
        "scripts": scheduler.scriptDir(inside),
        "grace": grace_of(work_item),
        "patience": patience,
        "signaled": signaled,
        "leash": leash,
        "again": again,
    }
    if unset:
        spec["unset"] = unset
    return FarmJob(work_item, token, spec["attempt"], name, spec)


def write_jobs(scheduler: Any, jobs: Sequence[FarmJob]) -> JobFile:
    """Write jobs into one file for the farm, where each is found by its place; what they share is written once.

    Its mode and group are those of the secret's file in the script directory (``topcook_secretmode``).
    """
    folder = Path(_temp(scheduler, local=True)) / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    name = (
        f"{jobs[0].token.replace('/', '_')}-{secrets.token_hex(3)}.jobs" if len(jobs) > 1 else f"{jobs[0].token}.jobs"
    )
    path = folder / name
    draft = folder / f".{name}.{secrets.token_hex(3)}.part"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        _like_the_secret(scheduler, stream.fileno())
        stream.write(_text_of([job.spec for job in jobs]))
    draft.replace(path)
    python = shlex.split(str(scheduler.applicationBin("python", jobs[0].work_item)))
    wrapper = _scripts(scheduler, local=False) + "/jobwrapper.py"
    return JobFile(str(path), tuple(jobs), (*python, wrapper, f"{_temp(scheduler, local=False)}/jobs/{name}"))


def wrap_command(scheduler: Any, work_item: Any, **how: Any) -> tuple[FarmJob, list[str]]:
    """``farm_job`` and ``write_jobs`` for a single item: its job, and the words that the farm is to run."""
    job = farm_job(scheduler, work_item, **how)
    return job, write_jobs(scheduler, [job]).argv()


def announce_server(scheduler: Any) -> None:
    """Write into the script directory where the cook listens now, for jobs that an earlier session has sent off."""
    address = str(scheduler.workItemResultServerAddr() or "")
    path = Path(_scripts(scheduler, local=True)) / SERVER_FILE
    draft = path.with_name(f"{SERVER_FILE}.{secrets.token_hex(3)}.part")
    draft.write_text(address + "\n", encoding="utf-8")
    draft.replace(path)


def warn_of_local_disk(scheduler: Any) -> bool:
    """Warn when the working directory lies on a disk of this machine, which the farm's do not see; whether it does.

    For ``onStartCook`` of a scheduler whose jobs run elsewhere. Where the kind of disk is not known, nothing is said.
    """
    host = host_of(scheduler)
    folder = _working(scheduler, local=True)
    kind = host.local_disk(folder)
    if kind:
        scheduler.cookWarning(
            f'the working directory "{folder}" lies on a disk of this machine ({kind}): jobs on other machines do not '
            f"see it, unless it is exported to them\n"
            f"    topcook preflight tries it; for another one: --parm {host.name}.pdg_workingdir=DIR"
        )
    return bool(kind)


def log_uri(scheduler: Any, work_item: Any) -> str:
    """The address of the log that the wrapper of the item's job keeps: the answer of ``getLogURI``."""
    return Path(_log(scheduler, str(work_item.name), local=True)).as_uri()


def ends_dir(scheduler: Any, *, local: bool) -> str:
    """Where wrappers write the ends of their jobs."""
    return f"{_temp(scheduler, local=local)}/ends"


def _temp(scheduler: Any, *, local: bool) -> str:
    return str(scheduler.tempDir(local))


def _log(scheduler: Any, name: str, *, local: bool) -> str:
    return f"{scheduler.logDir(local)}/{file_stem(name)}.log"


def _working(scheduler: Any, *, local: bool) -> str:
    return str(scheduler.workingDir(local))


def _scripts(scheduler: Any, *, local: bool) -> str:
    return str(scheduler.scriptDir(local))


def prepare_farm(scheduler: Any) -> None:
    """Put the support files, the word where the cook listens and the directory for ends in place; once per session."""
    host = host_of(scheduler)
    ends = ends_dir(scheduler, local=True)
    if ends not in host.directories.made:
        host.copy_support_files()
        announce_server(scheduler)
        os.makedirs(ends, exist_ok=True)
        host.directories.made.add(ends)


def _like_the_secret(scheduler: Any, descriptor: int) -> None:
    with suppress(OSError):
        found = os.stat(os.path.join(_scripts(scheduler, local=True), SECRET_FILE))
        if found.st_gid != os.fstat(descriptor).st_gid:
            os.fchown(descriptor, -1, found.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode) & 0o660)


def _text_of(specs: Sequence[Mapping[str, Any]]) -> bytes:
    shared = {key: value for key, value in specs[0].items() if all(spec.get(key) == value for spec in specs[1:])}
    shared.pop("env", None)
    first = specs[0]["env"]
    common = {name: value for name, value in first.items() if all(spec["env"].get(name) == value for spec in specs)}
    own = [
        {
            **{key: value for key, value in spec.items() if key not in shared},
            "env": {name: value for name, value in spec["env"].items() if name not in common},
        }
        for spec in specs
    ]
    lines = [json.dumps(each).encode() + b"\n" for each in ({**shared, "env": common}, *own)]
    places, at = [], HEAD + PLACE * len(lines)
    for line in lines:
        places.append(b"%012d\n" % at)
        at += len(line)
    return b"%-31s\n" % (b"TOPCOOK-JOBS %d %d" % (FORMAT, len(specs))) + b"".join([*places, *lines])
