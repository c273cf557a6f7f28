"""For schedulers that send jobs to a farm: the job wrapper's side of the cook.

``docs/farm-plugins.md`` shows how the pieces make a scheduler.
"""

from __future__ import annotations

from topcook.author.farm.job import FarmJob, JobFile, announce_server, ends_dir, farm_job, wrap_command, write_jobs

__all__ = [
    "FarmJob",
    "JobFile",
    "announce_server",
    "ends_dir",
    "farm_job",
    "wrap_command",
    "write_jobs",
]
