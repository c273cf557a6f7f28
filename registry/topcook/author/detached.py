"""A cook of a whole network as a process of its own, for schedulers that implement ``submitAsJob``."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from topcook.author.host import host_of
from topcook.lean import NamedTuple
from topcook.model.directories import JOB_NOTE

#: What is ours alone: the job's process gets its own.
_NOT_PASSED_ON = frozenset({"HIP"})


def cook_command(scheduler: Any, graph_file: str, node_path: str, *options: str, local: bool = False) -> list[str]:
    """The words that cook a submitted network: what a farm's job runs.

    ``graph_file`` and ``node_path`` are those of ``submitAsJob``. The path and the interpreter are the farm's, or with
    ``local`` this machine's. The profile is the one that the network is submitted with.
    """
    working = str(scheduler.workingDir(local))
    # Only whoever sends whole networks needs it, and all scheduler files import this package.
    import shlex

    python = sys.executable if local else shlex.split(str(scheduler.applicationBin("python", None)))[0]
    words = [python, "-m", "topcook", "cook", os.path.join(working, graph_file)]
    node = node_path.strip("/").partition("/")[2]
    if node:
        words += ["--node", node]
    host = host_of(scheduler)
    words += host.cook_options()
    if not host.node.implicit:
        # Its $HIP is the working directory now: "$HIP/work" would lie one deeper than where the files are.
        words += ["--parm", f"{host.name}.pdg_workingdir={working}"]
    return [*words, *options]


class SubmittedCook(NamedTuple):
    """The cook of a submitted network as a farm's job; what is beside the status file goes by the farm's names."""

    #: The words to run, as ``cook_command`` answers them.
    command: list[str]
    #: This machine's name of the status file, which answers from now on.
    status_uri: str
    #: Where the job's output is to go: ``topcook status`` names it where the cook did not end well.
    log: str

    def is_job(self, scheduler: Any, job: str, **asked: str) -> None:
        """Note which job of the engine it is, so that ``topcook status`` can ask what becomes of that.

        It calls the classmethod ``submittedJobEnd(job, asked)`` of this scheduler's type, wherever it runs. A disk that
        takes no note keeps no job from running.
        """
        path = Path(unquote(urlsplit(self.status_uri).path)).with_name(JOB_NOTE)
        said = {"version": 1, "type": host_of(scheduler).type_name, "job": job, "asked": asked}
        with suppress(OSError):
            path.write_text(json.dumps(said), encoding="utf-8")


def submitted_cook(scheduler: Any, graph_file: str, node_path: str, engine: str) -> SubmittedCook:
    """The cook of a submitted network as a job of ``engine``, with a status file in the shared directory.

    For ``submitAsJob``; raises ``OSError`` where the file cannot be written. Beside it come the report and the log.
    """
    here, there = Path(scheduler.tempDir(True)), str(scheduler.tempDir(False))  # noqa: FBT003 - PDG's words for the views
    here.mkdir(parents=True, exist_ok=True)
    status, report, log = (os.path.join(there, name) for name in ("status.json", "report.json", "cook.log"))
    command = cook_command(
        scheduler, graph_file, node_path, "--status", status, "--report", report, "--progress", "plain"
    )
    # Of a process on another machine nobody here can tell whether it lives.
    said = {**_submitted(0, node_path, here / "report.json"), "host": engine}
    (here / "status.json").write_text(json.dumps(said), encoding="utf-8")
    return SubmittedCook(command, (here / "status.json").as_uri(), log)


def cook_detached(scheduler: Any, graph_file: str, node_path: str) -> tuple[str, str]:
    """Cook a submitted network on this machine, in a session of its own that outlives this program and its terminal.

    Answers its status URI, a JSON file that is kept up to date, and its process id. Beside it stand the report and
    ``cook.log``, what the cook itself prints.
    """
    # PDG's word for this machine's view is a bare True.
    folder, working = Path(scheduler.tempDir(True)), scheduler.workingDir(True)  # noqa: FBT003
    folder.mkdir(parents=True, exist_ok=True)
    status, report, log = (folder / name for name in ("status.json", "report.json", "cook.log"))
    options = ("--status", str(status), "--report", str(report), "--progress", "plain")
    command = cook_command(scheduler, graph_file, node_path, *options, local=True)
    with log.open("ab") as output:
        import subprocess

        process = subprocess.Popen(
            command,
            cwd=working,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    if not status.exists():
        # From the first moment on the URI answers; the cook writes over it as soon as it has started.
        status.write_text(json.dumps(_submitted(process.pid, node_path, report)), encoding="utf-8")
    return status.as_uri(), str(process.pid)


def _submitted(pid: int, node_path: str, report: Path) -> dict[str, Any]:
    now = time.time()
    network = node_path.strip("/").partition("/")[0]
    said = {"version": 1, "network": network, "state": "submitted", "pid": pid, "counts": {}, "started": now}
    return {**said, "cook": "", "host": "", "updated": now, "finished": None, "report": str(report)}


def _environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    for name in ("PDG_TYPES_PATH", "PYTHONPATH"):
        if env.get(name):
            # It starts in another directory, where relative entries would mean something else.
            env[name] = os.pathsep.join(os.path.abspath(entry) for entry in env[name].split(os.pathsep) if entry)
    return env
