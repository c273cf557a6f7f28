"""Jobs that do not reach the cook's result server for a while: it runs, and no way leads there from the workers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_bench import Door, network, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster, free_ports

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

AWAY = 20.0
JOB = """
import os, time, pdgjson
item = pdgjson.WorkItem.fromJobEnvironment()
item.setStringAttrib("before", "told")
open("began_%d" % item.index, "w").close()
while not os.path.exists("gate"): time.sleep(0.05)
item.setIntAttrib("square", item.index ** 2)
item.addOutputFile(os.path.abspath("began_%d" % item.index))
"""


@pytest.fixture
def door() -> Iterator[tuple[Door, int]]:
    """The way to the result server, and the server's port."""
    (port,) = free_ports(1)
    door = Door(port)
    yield door, port
    door.shut()


def test_what_jobs_cannot_tell_for_twenty_seconds_is_told_with_their_end_or_then(
    bench: CookBench, cluster: TestCluster, door: tuple[Door, int]
) -> None:
    way, port = door
    (bench.folder / "job.py").write_text(JOB)
    # The first two try it once, and leave it to their wrapper; the others try it again for a minute.
    tries = "if [ @pdg_index -lt 2 ]; then export PDG_RPC_RETRIES=0; fi"
    parms = f'topcook_serverbind = "127.0.0.1"\ntopcook_serveraddress = "{Door.HOST}"\n'
    parms += f'topcook_serverports = "{port}-{port}"'
    context = bench.load(network(cluster, f"sh -c '{tries}; exec {sys.executable} job.py'", count=4, parms=parms))
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 4, "all run, and have told something")
    items = {item.index: item for item in cook.state.all_items()}
    assert way.passed >= len(items)
    way.shut()
    back = time.monotonic() + AWAY
    (bench.folder / "gate").touch()
    until(lambda: {items[0].state.name, items[1].state.name} == {"CookedSuccess"}, "Dask tells the ends of two")
    until(lambda: time.monotonic() > back, "twenty seconds are over")
    way.open()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    for index, item in items.items():
        assert {name: item.attributes[name].values for name in ("before", "square")} == {  # type: ignore[index]
            "before": ("told",),
            "square": (index**2,),
        }
        assert [Path(file.path).name for file in item.outputs or ()] == [f"began_{index}"]
