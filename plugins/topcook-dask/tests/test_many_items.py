"""Layers of many items on a cluster, beside items that cook on this machine, in one network."""

from __future__ import annotations

from collections import Counter

import pytest
from dask_bench import network, ours

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

MANY = 500


def test_five_hundred_items_in_each_layer_cook_beside_local_ones(bench: CookBench, cluster: TestCluster) -> None:
    # Eight seconds, on a machine that does nothing else.
    bench.deadline = 500.0
    text = network(cluster, "true", count=MANY)
    text += """
        [schedulers.here]
        type = "localscheduler"
        [nodes.local]
        type = "genericgenerator"
        inputs = ["work"]
        scheduler = "here"
        parms.command = "true"
        [nodes.python]
        type = "pythonscript"
        inputs = ["local"]
        parms.script = "work_item.setIntAttrib('square', work_item.index ** 2)"
        [nodes.after]
        type = "genericgenerator"
        inputs = ["python"]
        parms.command = "true"
    """
    done = bench.cook(text)
    assert done.outcome == "cooked", done.account
    assert Counter(done.states().values()) == {"CookedSuccess": 4 * MANY}
    assert done.out_of_order() == []
    by = Counter((item.node.name, item.scheduler) for item in done.items())
    assert by == {("work", "farm"): MANY, ("local", "here"): MANY, ("python", "farm"): MANY, ("after", "farm"): MANY}
    assert {item.attributes["square"].values[0] for item in done.items("python")} == {  # type: ignore[index]
        number**2 for number in range(MANY)
    }
    assert {item.attempt for item in done.items()} == {1}
    cluster.wait(lambda: not ours(cluster), "no task is left")
