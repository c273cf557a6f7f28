"""Whole cooks on a real cluster: what is heard of each item, and what Dask is told of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from dask_bench import network

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine


def test_items_cook_as_tasks_and_tell_all_that_jobs_tell(bench: CookBench, cluster: TestCluster) -> None:
    script = bench.folder / "job.py"
    script.write_text(
        "import pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "item.setIntAttrib('square', item.index ** 2)\n"
        "open('out_%d' % item.index, 'w').close()\n"
        "pdgcmd.addOutputFile('__PDG_DIR__/out_%d' % item.index)\n"
        "print('said by', item.index)\n"
    )
    done = bench.cook(network(cluster, f"{sys.executable} {script}", count=6))
    assert done.outcome == "cooked", done.messages
    assert [item.attributes["square"].values for item in done.items("work")] == [(n * n,) for n in range(6)]  # type: ignore[index]
    host = done.context.core.host("farm")
    for item in done.items("work"):
        assert item.ran().exit_status == 0
        log = Path(host.directories.log_dir(local=True)) / f"{item.name}.log"
        assert f"said by {item.index}" in log.read_text()


def test_a_failure_is_told_with_its_status_and_tried_again(bench: CookBench, cluster: TestCluster) -> None:
    command = "sh -c 'echo x >> tried; test $(wc -l < tried) -gt 1 || exit 3'"
    done = bench.cook(network(cluster, command, more="parms.pdg_retries = 1"))
    (item,) = done.items("work")
    assert (item.state.name, item.attempt) == ("CookedSuccess", 2), done.messages
    done = bench.cook(network(cluster, "sh -c 'exit 3'"))
    (item,) = done.items("work")
    assert (item.state.name, item.ran().exit_status, item.ran().messages) == ("CookedFail", 3, ["exit status 3"])
