"""Static hand-over on a real cluster: Slurm has all items at once and keeps their order, whoever is there to see it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from slurm_bench import network, running, until

from topcook.testkit.cookbench import CookBench, Cooked
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

AFTER = """
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        parms.command = "sh -c 'echo after_@pdg_index >> began; test -e made_@pdg_index'"
"""
ALL = """
        [nodes.together]
        type = "waitforall"
        inputs = ["after"]
        [nodes.last]
        type = "genericgenerator"
        inputs = ["together"]
        parms.command = "sh -c 'ls made_* | wc -l > counted'"
"""
MAKE = "sh -c 'echo work_@pdg_index >> began; touch made_@pdg_index'"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def ended(cluster: TestCluster) -> bool:
    return not set(cluster.jobs().values()) & {"PENDING", "RUNNING", "COMPLETING"}


def cooked(bench: CookBench, text: str) -> Cooked:
    context = bench.load(text)
    context.core.decide_static("farm", takes=True)
    return bench.finish(context, bench.start(context))


def arrays(cluster: TestCluster, before: set[str]) -> Counter[str]:
    return Counter(job.partition("_")[0] for job in set(cluster.jobs()) - before)


def test_all_items_are_with_slurm_from_the_start_and_cook_in_order(bench: CookBench, cluster: TestCluster) -> None:
    before = set(cluster.jobs())
    done = cooked(bench, network(MAKE, count=6) + AFTER + ALL)
    assert done.outcome == "cooked", done.messages
    assert done.out_of_order() == []
    assert sorted(arrays(cluster, before).values()) == [1, 6, 6]
    assert (bench.folder / "counted").read_text().strip() == "6"


def test_what_waits_for_a_failure_is_blocked_and_what_waits_for_a_retry_cooks_once(
    bench: CookBench, cluster: TestCluster
) -> None:
    """The first fails once, the second for good, the third not at all."""
    command = (
        "sh -c 'echo work_@pdg_index >> began; test @pdg_index = 1 && exit 3;"
        " test @pdg_index = 0 -a $PDG_ITEM_ATTEMPT = 1 && exit 4; touch made_@pdg_index'"
    )
    done = cooked(bench, network(command, count=3, more="parms.pdg_retries = 1") + AFTER + ALL)
    assert done.states("work") == {"work_1": "CookedSuccess", "work_2": "CookedFail", "work_3": "CookedSuccess"}
    assert sorted(done.states("after").values()) == ["CookedSuccess", "CookedSuccess", "Waiting"], done.messages
    assert set(done.states("last").values()) == {"Waiting"}
    began = Counter(lines(bench.folder / "began"))
    assert began == {"work_0": 2, "work_1": 2, "work_2": 1, "after_0": 1, "after_2": 1}
    assert {item.attempt for item in done.items("after")} == {1}
    until(lambda: ended(cluster), "nothing is left on Slurm")
