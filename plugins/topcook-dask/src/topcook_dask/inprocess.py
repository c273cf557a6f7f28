"""In-process items as tasks: their Python runs on a thread of a worker."""

from __future__ import annotations

from typing import Any

from topcook.author.farm import FarmJob, farm_job
from topcook.author.farm.python import accept_python, python_job

__all__ = ["AT_ONCE", "job_of", "welcome"]

#: Reports of a job that need not wait for its end: nothing that comes after it depends on them.
AT_ONCE = frozenset({"set_custom_state", "set_cook_percent", "keepalive", "warning", "sharedserver_started"})


def welcome(scheduler: Any) -> None:
    """In ``onStart``: take in-process items, unless ``dask_inprocess`` is off."""
    accept_python(scheduler, accept=scheduler["dask_inprocess"].evaluateBool())


def job_of(scheduler: Any, work_item: Any, **how: Any) -> FarmJob:
    """The item's job; ``how`` are options of ``farm_job``. Raises what its node raises whose Python cannot be read."""
    if not work_item.isInProcess:
        return farm_job(scheduler, work_item, **how)
    here = (
        f"on a worker Python has less than in Topcook's process (docs/job-side.md); cook such items there: "
        f"--parm {scheduler.name}.dask_inprocess=0"
    )
    return python_job(scheduler, work_item, here=here, **how)
