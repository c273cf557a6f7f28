"""Two attempts of one item never run at the same time."""

from __future__ import annotations

import sys

import pytest
from dask_bench import network

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

#: It does not end when it is asked to; the second one looks whether the first is there.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.environ["PDG_ITEM_ATTEMPT"] == "1":
    with open("first", "w") as stream:
        stream.write(str(os.getpid()))
    time.sleep(600)
with open("first") as stream:
    there = os.path.exists("/proc/" + stream.read())
with open("second", "w") as stream:
    stream.write("both" if there else "alone")
"""


def test_the_job_of_an_item_that_timed_out_is_gone_before_its_next_attempt_begins(
    bench: CookBench, cluster: TestCluster
) -> None:
    script = bench.folder / "job.py"
    script.write_text(STUBBORN)
    more = "parms.pdg_timeout = 2.0\n        parms.pdg_timeoutgrace = 2.0\n        parms.pdg_retries = 1"
    done = bench.cook(network(cluster, f"{sys.executable} {script}", more=more))
    assert done.outcome == "cooked", done.messages
    assert (bench.folder / "second").read_text() == "alone"
