"""For schedulers that send jobs to a farm: wrapped jobs, their ends, and what became of those that nobody heard of.

``docs/farm-plugins.md`` shows how the pieces make a scheduler.
"""

from __future__ import annotations

from topcook.author.farm.collect import Collector
from topcook.author.farm.ends import Ends, JobEnding, tell_cook
from topcook.author.farm.engine import EngineAwayError, EngineCommand, EngineError
from topcook.author.farm.flight import FarmPhase, FarmState, Flight
from topcook.author.farm.job import (
    FarmJob,
    JobFile,
    farm_job,
    log_uri,
    prepare_farm,
    warn_of_local_disk,
    wrap_command,
    write_jobs,
)
from topcook.author.farm.lost import LostJobs
from topcook.author.farm.python import accept_python, python_job
from topcook.author.farm.reconcile import Reconciler
from topcook.author.host import tick_soon, waits_for

__all__ = [
    "Collector",
    "Ends",
    "EngineAwayError",
    "EngineCommand",
    "EngineError",
    "FarmJob",
    "FarmPhase",
    "FarmState",
    "Flight",
    "JobEnding",
    "JobFile",
    "LostJobs",
    "Reconciler",
    "accept_python",
    "farm_job",
    "log_uri",
    "prepare_farm",
    "python_job",
    "tell_cook",
    "tick_soon",
    "waits_for",
    "warn_of_local_disk",
    "wrap_command",
    "write_jobs",
]
