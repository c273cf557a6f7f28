"""For schedulers that send jobs to a farm: wrapped jobs, their ends, and what became of those that nobody heard of.

``docs/farm-plugins.md`` shows how the pieces make a scheduler. What only some need stands in modules of its own:
``ends`` for those that hear of jobs by a way of their own, ``python`` for in-process items on workers, ``variables``
for those that are given thousands of items, ``waiting`` for engines that keep the order themselves.
"""

from __future__ import annotations

from topcook.author.farm.collect import Collector
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
from topcook.author.farm.reconcile import Reconciler
from topcook.author.farm.stragglers import Stragglers
from topcook.author.host import tick_soon, waits_for

__all__ = [
    "Collector",
    "EngineAwayError",
    "EngineCommand",
    "EngineError",
    "FarmJob",
    "FarmPhase",
    "FarmState",
    "Flight",
    "JobFile",
    "LostJobs",
    "Reconciler",
    "Stragglers",
    "farm_job",
    "log_uri",
    "prepare_farm",
    "tick_soon",
    "waits_for",
    "warn_of_local_disk",
    "wrap_command",
    "write_jobs",
]
