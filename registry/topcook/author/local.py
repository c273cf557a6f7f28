"""Jobs on this machine: started, watched and ended by the cook's keeper process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from topcook.author.host import host_of
from topcook.contract.host import JobEnd, JobKeeper, JobLimits
from topcook.lean import dataclass


def _no_start(_pid: int, _at: float) -> None:
    """Nobody asked."""


def _no_end(_end: JobEnd) -> None:
    """Nobody asked."""


@dataclass(slots=True)
class LocalJob:
    """A command for the keeper; ``topcook.contract.host.LocalJob`` says what each field means."""

    token: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log_path: str
    slots: int = 1
    on_start: Callable[[int, float], None] = _no_start
    on_end: Callable[[JobEnd], None] = _no_end
    base: Mapping[str, str] | None = None
    limits: JobLimits | None = None


def local_jobs(scheduler: Any) -> JobKeeper:
    """The keeper of this scheduler's jobs on this machine; the process starts with the first job.

    Any scheduler may use it: one that drives a farm's command-line client gets its processes ended with the cook.
    """
    return host_of(scheduler).keeper


def end_server(scheduler: Any, info: Mapping[str, Any], grace: float = 5.0) -> list[int]:
    """End a shared server that a local job of this scheduler has started; the processes that could not be ended.

    ``info`` is what the job told (``getSharedServerInfo``). The keeper knows the server by the mark of that job, so no
    stranger is hit that got its number since.
    """
    token = str(info.get("token") or "")
    return host_of(scheduler).keeper.cancel([token], grace) if token else []
