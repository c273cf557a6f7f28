"""Two attempts of one item never run at the same time."""

from __future__ import annotations

import pytest
from slurm_bench import network

from topcook.testkit.cookbench import CookBench
from topcook.testkit.stubborn import met_by, stubborn_job
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine


def test_the_job_of_an_item_that_timed_out_is_gone_before_its_next_attempt_begins(
    bench: CookBench, cluster: TestCluster
) -> None:
    more = "parms.pdg_timeout = 2.0\n        parms.pdg_timeoutgrace = 2.0\n        parms.pdg_retries = 9"
    done = bench.cook(network(stubborn_job(bench.folder), more=more))
    assert done.outcome == "cooked", done.messages
    assert met_by(bench.folder) == {"alone"}
