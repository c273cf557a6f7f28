"""Twins for tests of schedulers and nodes: a cook in memory that does nothing and remembers everything.

::

    host = FakeHost(url="http://farm")
    scheduler = host.make(MyScheduler)
    item = host.graph.add_item(command="render @pdg_index")
    assert scheduler.onSchedule(host.graph.handle(item)) is pdg.scheduleResult.Succeeded
    assert host.told() == [("start", item.id)]
"""

from __future__ import annotations

from topcook.testkit.fakegraph import FakeGraph
from topcook.testkit.fakehost import FakeHost

__all__ = ["FakeGraph", "FakeHost"]
