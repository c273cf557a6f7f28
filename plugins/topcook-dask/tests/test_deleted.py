"""Tasks that somebody else ends on the cluster: one by one, or all with a restart of its workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import distributed
import pytest
from dask_bench import network, ours, running, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

WHY = "somebody has deleted its task on Dask"
#: Says that it began, and waits for the gate; of the other kind, the first one is told from all other processes.
GATED = "sh -c 'echo x >> began_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"
SLEEPS = "sh -c 'echo x >> began_@pdg_index; test @pdg_index -gt 0 || exec sleep $(cat mark); {wait}'"


def began(folder: Path) -> dict[int, int]:
    """How often each item has begun, by its index."""
    return {int(path.name.partition("_")[2]): len(path.read_text().split()) for path in folder.glob("began_*")}


def delete(cluster: TestCluster, items: list[Any]) -> None:
    """End the tasks of these items as another user does."""
    with cluster.client() as client:
        keys = [key for key in ours(cluster) if any(f"-{item.id}-" in key for item in items)]
        assert len(keys) == len(items)
        client.cancel([distributed.Future(key, client=client) for key in keys], force=True)


def test_items_whose_tasks_somebody_deletes_are_canceled_and_not_sent_again(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    (bench.folder / "mark").write_text(mark)
    command = SLEEPS.format(wait="while [ ! -e gate ]; do sleep 0.05; done")
    # Those that wait are told of sooner than they would be sent again.
    context = bench.load(network(cluster, command, count=6, parms="dask_lostafter = 2.0"))
    cook = bench.start(context)
    until(lambda: len(began(bench.folder)) == 4, "all run that can")
    until(lambda: running(mark), "the first one sleeps")
    queued = next(item for item in cook.state.all_items() if item.index not in began(bench.folder))
    deleted = [next(item for item in cook.state.all_items() if item.index == 0), queued]
    delete(cluster, deleted)
    until(lambda: not running(mark), "what ran is ended")
    until(lambda: all(item.state.name == "CookedCancel" for item in deleted), "both are canceled")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert sorted(done.states("work").values()) == ["CookedCancel"] * 2 + ["CookedSuccess"] * 4, done.account
    assert [WHY in "\n".join(item.ran().messages) for item in deleted] == [True, True], done.account
    assert began(bench.folder) == {item.index: 1 for item in done.items("work") if item is not queued}
    cluster.wait(lambda: not ours(cluster), "no task is left")


def test_items_that_the_cook_cancels_itself_are_deleted_by_nobody(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network(cluster, GATED, count=6))
    cook = bench.start(context)
    until(lambda: len(began(bench.folder)) == 4, "all run that can")
    canceled = [item for item in cook.state.all_items() if item.index in {0, 5}]
    cook.cancel_items(canceled)
    until(lambda: all(item.state.name == "CookedCancel" for item in canceled), "both are canceled")

    def fates(dask_scheduler: Any) -> list[str]:
        return [key for each in dask_scheduler.plugins.values() for key in getattr(each, "fates", ())]

    with cluster.client() as client:
        assert client.run_on_scheduler(fates) == []
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert sorted(done.states("work").values()) == ["CookedCancel"] * 2 + ["CookedSuccess"] * 4, done.account


def test_a_restart_of_all_workers_by_somebody_else_loses_nothing(bench: CookBench, cluster: TestCluster) -> None:
    """All tasks are gone from Dask then; other workers come, as they do where somebody looks after them."""
    # Long: who waits for that long was not told.
    context = bench.load(network(cluster, GATED, count=6, parms="dask_lostafter = 600.0"))
    cook = bench.start(context)
    until(lambda: len(began(bench.folder)) == 4, "all run that can")
    with cluster.client() as client:
        client.restart(wait_for_workers=False)
    cluster.replace_workers()
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert "are sent again (somebody has restarted Dask's workers)" in done.messages
    assert {item.attempt for item in done.items("work")} == {1}
    assert set(began(bench.folder)) == set(range(6))
