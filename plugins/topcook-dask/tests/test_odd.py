"""What is odd about names and numbers, and leaves a cluster as it is."""

from __future__ import annotations

import os

import pytest
from dask_bench import network

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

ODD = r"""
        [nodes.odd]
        type = "pythonprocessor"
        parms.generate = '''
import os
item_holder.addWorkItem(name="odd").setCommand(os.fsdecode(b"no_caf\xe9"))
'''
        [nodes.inside]
        type = "pythonscript"
        parms.script = '''
import os
work_item.addOutputFile(os.fsdecode(b"caf\xe9.exr"))
work_item.setIntAttrib("large", 1 << 70)
'''
"""


def test_what_no_message_of_dask_can_say_is_heard_and_costs_no_worker(bench: CookBench, cluster: TestCluster) -> None:
    done = bench.cook(network(cluster, "true", count=4, more=ODD))
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
    (odd,), (inside,) = done.items("odd"), done.items("inside")
    assert (odd.state.name, odd.ran().exit_status) == ("CookedFail", 127), odd.ran().messages
    assert inside.state.name == "CookedSuccess", inside.ran().messages
    assert os.path.basename(inside.outputs[0].path) == os.fsdecode(b"caf\xe9.exr")  # type: ignore[index]
    assert inside.attributes["large"].values == (1 << 70,)  # type: ignore[index]
    assert "is gone" not in done.messages
