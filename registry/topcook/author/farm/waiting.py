"""Whether an item that was handed over before its time may begin."""

from __future__ import annotations

from typing import Any

from topcook.author.host import record_of
from topcook.model.states import FINAL

__all__ = ["may_begin"]


def may_begin(work_item: Any) -> bool:
    """Whether all that the item waits for is done, as the cook counts it: a failure that holds nothing up is done.

    For schedulers that take static items. What a batch's sub-items wait for inside of it comes with its job.
    """
    item = record_of(work_item)
    if item.batch is None:
        return not item.pending
    return not any(sub.pending > _inside(sub) for sub in item.batch.items if sub.state not in FINAL)


def _inside(sub: Any) -> int:
    return sum(needed.batch_parent is sub.batch_parent and needed.state not in FINAL for needed in sub.dependencies)
