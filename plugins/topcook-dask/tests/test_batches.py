"""Batches on a real cluster: one task, whose sub-items have states of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from dask_bench import network, ours, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

WAIT = "while [ ! -e go_@pdg_index ]; do sleep 0.05; done"
LOCAL = """
        [schedulers.here]
        type = "localscheduler"
"""


def test_a_batch_is_one_task_that_tells_of_each_of_its_sub_items(bench: CookBench, cluster: TestCluster) -> None:
    command = f"sh -c 'touch began_@pdg_index; {WAIT}; test @pdg_index -ne 1'"
    context = bench.load(network(cluster, command, count=3, more="parms.framesperbatch = 0"))
    cook = bench.start(context)
    until((bench.folder / "began_0").exists, "the first runs")
    assert len(ours(cluster)) == 1
    (bench.folder / "go_0").touch()
    until((bench.folder / "began_1").exists, "the second runs")
    (batch,) = (item for item in cook.state.all_items() if item.batch is not None)
    first = batch.batch.items[0]  # type: ignore[union-attr]
    # While the batch goes on.
    until(lambda: first.state.name == "CookedSuccess", "the first is done")
    for number in (1, 2):
        (bench.folder / f"go_{number}").touch()
    done = bench.finish(context, cook)
    assert [sub.state.name for sub in batch.batch.items] == ["CookedSuccess", "CookedFail", "CookedSuccess"]  # type: ignore[union-attr]
    assert (batch.state.name, batch.attempt) == ("CookedFail", 1), done.messages


def test_what_waits_for_a_frame_starts_while_its_batch_goes_on(bench: CookBench, cluster: TestCluster) -> None:
    """The second frame waits for what a local item makes of the first."""
    more = f"""parms.framesperbatch = 0
        {LOCAL}
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        scheduler = "here"
        parms.command = "sh -c 'touch go_$((@pdg_index + 1)) after_@pdg_index'"
    """
    (bench.folder / "go_0").touch()
    done = bench.cook(network(cluster, f"sh -c '{WAIT}'", count=4, more=more))
    assert done.outcome == "cooked", done.account
    assert len(list(bench.folder.glob("after_*"))) == 4


def test_a_batch_that_is_tried_again_leaves_out_what_is_done(bench: CookBench, cluster: TestCluster) -> None:
    command = "sh -c 'echo x >> ran_@pdg_index; test @pdg_index -ne 1 -o $(wc -l < ran_@pdg_index) -gt 1'"
    more = "parms.framesperbatch = 0\n        parms.pdg_retries = 1"
    done = bench.cook(network(cluster, command, count=3, more=more))
    assert done.outcome == "cooked", done.account
    runs = [len((bench.folder / f"ran_{number}").read_text().splitlines()) for number in range(3)]
    assert runs == [1, 2, 1]


def test_a_batch_whose_worker_dies_goes_on_elsewhere_with_what_is_left(bench: CookBench, cluster: TestCluster) -> None:
    command = f"sh -c 'echo $PDG_ITEM_ATTEMPT >> ran_@pdg_index; echo $PPID > runner_@pdg_index; {WAIT}'"
    more = "parms.framesperbatch = 0\n        parms.pdg_retries = 1"
    context = bench.load(network(cluster, command, count=3, more=more))
    cook = bench.start(context)
    (bench.folder / "go_0").touch()
    until((bench.folder / "runner_1").exists, "the second runs")
    (worker,) = [name for name, keys in cluster.executing().items() if keys]
    runner = int((bench.folder / "runner_1").read_text())
    cluster.kill_worker(worker)
    until(lambda: not Path(f"/proc/{runner}").exists(), "nothing of it is left where it ran")
    for number in (1, 2):
        (bench.folder / f"go_{number}").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    (batch,) = (item for item in done.items("work") if item.batch is not None)
    assert {sub.state.name for sub in batch.batch.items} == {"CookedSuccess"}  # type: ignore[union-attr]


def test_a_batch_of_python_runs_in_one_interpreter_and_its_frames_have_attributes(
    bench: CookBench, cluster: TestCluster
) -> None:
    text = network(cluster, "true", count=4)
    more = """
        [nodes.frames]
        type = "pythonscript"
        inputs = ["work"]
        parms.inprocess = 0
        parms.framesperbatch = 2
        parms.script = "import os; work_item.setIntAttrib('ran', os.getpid())"
    """
    done = bench.cook(text + more)
    assert done.outcome == "cooked", done.account
    batches = [item for item in done.items("frames") if item.batch is not None]
    ran = [[sub.attributes["ran"].values[0] for sub in batch.batch.items] for batch in batches]  # type: ignore[index,union-attr]
    assert [len(set(each)) for each in ran] == [1, 1]
    assert ran[0] != ran[1]
