"""What is canceled leaves no process and no task."""

from __future__ import annotations

import pytest
from dask_bench import network, ours, running, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine


def test_a_cook_that_is_canceled_leaves_no_process_and_no_task(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    # More than the workers have room for, so that some are queued; what runs ignores SIGTERM and has children.
    command = f"sh -c 'trap \"\" TERM; sleep {mark} & sleep {mark}'"
    context = bench.load(network(cluster, command, count=40, more="parms.pdg_timeoutgrace = 0.5"))
    cook = bench.start(context)
    until(lambda: running(mark), "jobs run")
    cook.cancel("by the test")
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) <= {"CookedCancel", "Uncooked", "Waiting"}, done.messages
    assert "could not be ended" not in done.messages
    assert not running(mark)
    until(lambda: not ours(cluster), "no task is left")
    with cluster.client() as client:
        plugins = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.plugins))
    assert not [name for name in plugins if name.startswith("topcook")]


def test_items_that_are_canceled_are_ended_and_the_others_go_on(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    # Not on the others' command lines.
    (bench.folder / "mark").write_text(mark)
    wait = "while [ ! -e gate ]; do sleep 0.05; done"
    text = network(
        cluster, f"sh -c 'touch began_@pdg_index; test @pdg_index -gt 0 || exec sleep $(cat mark); {wait}'", count=6
    )
    context = bench.load(text)
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 4, "all run that can")
    queued = {5} if not (bench.folder / "began_5").exists() else {3}
    cook.cancel_items([item for item in cook.state.all_items() if item.index in {0, *queued}])
    until(lambda: not running(mark), "no process left")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert sorted(done.states("work").values()) == ["CookedCancel"] * 2 + ["CookedSuccess"] * 4


def test_a_task_that_is_canceled_while_it_is_on_its_way_never_begins(bench: CookBench, cluster: TestCluster) -> None:
    """Thousands are canceled as fast as few."""
    context = bench.load(network(cluster, "sh -c 'echo x >> began; sleep 600'", count=3000))
    cook = bench.start(context)
    until((bench.folder / "began").exists, "some run")
    cook.cancel("by the test")
    bench.finish(context, cook)
    began = (bench.folder / "began").read_text()
    until(lambda: not ours(cluster), "no task is left")
    until(lambda: not any(cluster.executing().values()), "no thread is busy")
    assert len(began) < 100
    assert (bench.folder / "began").read_text() == began
