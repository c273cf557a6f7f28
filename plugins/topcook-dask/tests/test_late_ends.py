"""An end that comes late, when its item is at another attempt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from topcook.author.farm import FarmJob
from topcook.testkit import FakeHost
from topcook_dask.scheduler import DaskScheduler


def test_the_late_end_of_an_attempt_has_dask_forget_nothing_of_the_next_one() -> None:
    """Where Dask's scheduler takes no plugin, the next one's task would end with that."""
    item = FakeHost().graph.add_item(command="x")
    forgotten: list[str] = []
    present = f"topcook_work-cook-{item.id}-2"
    scheduler: Any = SimpleNamespace(_keys={item.id: present}, _session=SimpleNamespace(over=forgotten.append))
    DaskScheduler._over(scheduler, FarmJob.left(item, f"cook-{item.id}-1"))
    assert forgotten == []
    DaskScheduler._over(scheduler, FarmJob.left(item, f"cook-{item.id}-2"))
    assert forgotten == [present]
