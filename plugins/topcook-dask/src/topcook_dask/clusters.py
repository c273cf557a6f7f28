"""What is to be started where no running cluster is named; ``clusterhost.py`` starts it."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import shlex
from dataclasses import dataclass
from typing import Any

from topcook_dask.resources import read_resources
from topcook_dask.settings import PREFIX, BadClusterError, Settings

__all__ = ["JOBQUEUE", "cluster_spec"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A batch system: how it is written, its class in dask-jobqueue, and the parms that others have and it has not."""

    label: str
    cls: str
    account: str = "account"
    lacks: tuple[str, ...] = ("resourcespec", "disk")


#: The kinds of clusters on batch systems, by what ``dask_cluster`` says.
JOBQUEUE: dict[str, _Kind] = {
    "slurm": _Kind("Slurm", "SLURMCluster"),
    "pbs": _Kind("PBS", "PBSCluster", lacks=("disk",)),
    "lsf": _Kind("LSF", "LSFCluster", account="project"),
    "sge": _Kind("SGE", "SGECluster", account="project", lacks=("disk",)),
    "htcondor": _Kind("HTCondor", "HTCondorCluster", lacks=("queue", "account", "walltime", "resourcespec")),
}
#: Older PBS refuses names of jobs that are longer.
_PBS_NAME = 15


def cluster_spec(settings: Settings, *, name: str = "topcook", logs: str = "", shared: str = "") -> dict[str, Any]:
    """What ``clusterhost.py`` is to start, as plain data; raises ``BadClusterError``.

    ``name`` is that of its jobs, ``logs`` and ``shared`` directories that this machine and the nodes see.
    """
    kind = settings.cluster.lower() or "local"
    if kind not in {"local", *JOBQUEUE}:
        raise BadClusterError(
            f'{PREFIX}_cluster: there is no "{settings.cluster}"\n    one of local, {", ".join(JOBQUEUE)}'
        )
    if settings.maximum and settings.minimum > settings.maximum:
        raise BadClusterError(
            f"{PREFIX}_minimum is {settings.minimum}, more than {PREFIX}_maximum, which is {settings.maximum}"
        )
    if kind == "local":
        cls, options = "distributed.LocalCluster", _local(settings)
    else:
        if importlib.util.find_spec("dask_jobqueue") is None:
            raise BadClusterError(
                f"{PREFIX}_cluster is {kind}, and dask-jobqueue is not installed\n"
                '    pip install "topcook-dask[jobqueue]"'
            )
        cls, options = f"dask_jobqueue.{JOBQUEUE[kind].cls}", _jobqueue(settings, kind, name, logs, shared)
    count = settings.count if kind == "local" else settings.count or max(settings.minimum, 1)
    return {
        "kind": kind,
        "folder": "" if kind == "local" else shared,
        "class": cls,
        "options": options,
        "tls": {name: os.path.abspath(path) for name, path in settings.tls().items()} or settings.encrypt,
        "count": 0 if settings.maximum else count,
        "minimum": settings.minimum,
        "maximum": settings.maximum,
        "idle": settings.idle,
    }


def _local(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "dashboard_address": settings.dashboard or "127.0.0.1:0",
        "n_workers": settings.minimum if settings.maximum else settings.count or None,
        "threads_per_worker": settings.threads or None,
        "resources": _resources(settings.workerresources),
        "local_directory": settings.scratch,
        "host": settings.host,
        "scheduler_port": settings.port,
        "interface": settings.interface,
    }
    if settings.workermemory:
        options["memory_limit"] = settings.workermemory
    return {name: value for name, value in options.items() if value not in ("", {})}


def _jobqueue(settings: Settings, kind: str, name: str, logs: str, shared: str) -> dict[str, Any]:
    system = JOBQUEUE[kind]
    for parm in system.lacks:
        if getattr(settings, parm):
            raise BadClusterError(
                f"{PREFIX}_{parm}: {system.label} has none\n    {PREFIX}_directives takes what it is told"
            )
    processes = max(1, settings.processes)
    name = re.sub(r"[^\w.+-]", "_", name)
    given: dict[str, Any] = {
        "processes": processes,
        "cores": settings.threads * processes,
        "memory": _times(settings.workermemory, processes),
        "job_name": name[:_PBS_NAME] if kind == "pbs" else name,
        "queue": settings.queue,
        system.account: settings.account,
        "walltime": settings.walltime,
        "resource_spec": settings.resourcespec,
        "disk": settings.disk,
        "job_extra_directives": _directives(settings.directives, kind, name),
        "job_script_prologue": [line for line in settings.prologue.splitlines() if line.strip()],
        "worker_extra_args": _worker_words(settings),
        "python": shlex.quote(settings.python) if settings.python else "",
        "local_directory": shlex.quote(settings.scratch) if settings.scratch else "",
        "log_directory": os.path.abspath(settings.logdir) if settings.logdir else logs,
        "death_timeout": str(math.ceil(settings.deathtimeout)),
        "config_name": settings.jobqueueconfig,
        "interface": settings.interface,
        "shared_temp_directory": shared,
    }
    # Blank is what jobqueue.yaml says, a studio's or dask-jobqueue's own.
    options = {key: value for key, value in given.items() if value not in ("", 0, [], {})}
    listen: dict[str, Any] = {"dashboard_address": settings.dashboard or ":0"}
    if settings.host:
        listen["host"] = settings.host
    if settings.port:
        listen["port"] = settings.port
    return options | {"scheduler_options": listen}


def _directives(text: str, kind: str, name: str) -> list[str] | dict[str, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if kind != "htcondor":
        return lines
    # dask-jobqueue gives the worker's name for that of the job.
    found = {"batch_name": name}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals:
            raise BadClusterError(f'{PREFIX}_directives: "{line}" is none of HTCondor\n    write NAME = VALUE')
        found[key.strip()] = value.strip()
    return found


def _worker_words(settings: Settings) -> list[str]:
    try:
        words = shlex.split(settings.workerargs)
    except ValueError as error:
        raise BadClusterError(f"{PREFIX}_workerargs cannot be read: {error}: {settings.workerargs!r}") from None
    resources = _resources(settings.workerresources)
    if resources:
        words += ["--resources", " ".join(f"{name}={amount:.15g}" for name, amount in resources.items())]
    # dask-jobqueue writes them into a script as they are.
    return [shlex.quote(word) for word in words]


def _resources(text: str) -> dict[str, float]:
    try:
        return read_resources(text, f"{PREFIX}_workerresources")
    except ValueError as error:
        raise BadClusterError(str(error)) from None


def _times(memory: str, processes: int) -> str:
    if not memory:
        return ""
    from dask.utils import parse_bytes

    try:
        return f"{parse_bytes(memory) * processes}B"
    except ValueError:
        raise BadClusterError(
            f'{PREFIX}_workermemory: "{memory}" is no amount of memory\n    write "8GB" or "500MiB"'
        ) from None
