"""For schedulers whose engine begins items by itself: whether one may begin, and what it must not end without."""

from __future__ import annotations

from typing import Any

from topcook.author.host import host_of, record_of
from topcook.model.builtinparms import task_limit
from topcook.model.states import FINAL

__all__ = ["declared_outputs", "jobs_at_once", "may_begin"]


def may_begin(work_item: Any) -> bool:
    """Whether all that the item waits for is done, as the cook counts it: a failure that holds nothing up is done.

    For schedulers that take static items. What a batch's sub-items wait for inside of it comes with its job.
    """
    item = record_of(work_item)
    if item.batch is None:
        return not item.pending
    return not any(sub.pending > _inside(sub) for sub in item.batch.items if sub.state not in FINAL)


def jobs_at_once(scheduler: Any) -> int:
    """How many of its jobs may run at a time by ``pdg_maxtasks``; 0: any number.

    The cook sees to it for what it offers to ``onSchedule``. What was given away at once the engine has to hold back.
    """
    return task_limit(host_of(scheduler).parms)


def declared_outputs(scheduler: Any, work_item: Any) -> list[str]:
    """The files that its job has to write, as the farm sees them: the ``expects`` of a ``FarmJob.spec``.

    The wrapper looks for them, so that an engine begins nothing behind a job that the cook takes for failed. Those that
    lie outside of a working directory whose name differs there are left out; all are where nobody looks for outputs
    (``pdg_checkexpectedoutputs``).
    """
    if not scheduler["pdg_checkexpectedoutputs"].evaluateInt():
        return []
    item = record_of(work_item)
    here, there = str(scheduler.workingDir(True)), str(scheduler.workingDir(False))  # noqa: FBT003 - PDG's word
    items = [item, *(item.batch.items if item.batch is not None else ())]
    paths = [file.path for each in items for file in each.expected_outputs or ()]
    if here == there:
        return paths
    inside = here.rstrip("/") + "/"
    return [there.rstrip("/") + "/" + path.removeprefix(inside) for path in paths if path.startswith(inside)]


def _inside(sub: Any) -> int:
    return sum(needed.batch_parent is sub.batch_parent and needed.state not in FINAL for needed in sub.dependencies)
