"""What Dask's scheduler tells of tasks, and how it goes without its help."""

from __future__ import annotations

from typing import Any

import pytest
from dask_bench import network, ours, running, until
from distributed.diagnostics.plugin import SchedulerPlugin

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine


WAIT = "while [ ! -e gate ]; do sleep 0.05; done"


def told(cook: Any) -> str:
    return "\n".join(each.text for each in cook.messages)


def test_a_task_that_no_worker_has_the_resource_for_says_what_they_have(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network(cluster, "true", more='job_parms.dask_resources = "slots=3"'))
    cook = bench.start(context)
    why = "no worker has slots=3: the most is slots=2"
    until(lambda: why in "\n".join(each.text for each in cook.messages), "the cook is told")
    (item,) = cook.state.all_items()
    until(lambda: why in item.ran().custom_state, "the item says so")
    cook.cancel("by the test")
    bench.finish(context, cook)


class Refused(SchedulerPlugin):
    """Raises over there, as a scheduler does that lets nobody send code."""

    def __init__(self, name: str, *_: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("[][0]",)


def test_a_scheduler_that_takes_no_code_is_told_of_and_cooks_all_the_same(
    bench: CookBench, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.setattr("topcook_dask.session.SentPlugin", Refused)
    monkeypatch.setattr("topcook_dask.session.Sent", Refused)
    text = network(cluster, "sh -c 'test @pdg_index -ne 1 || exit 3'", count=3)
    done = bench.cook(text)
    states = [item.state.name for item in done.items("work")]
    assert states == ["CookedSuccess", "CookedFail", "CookedSuccess"], done.messages
    assert done.messages.count("takes no plugin") == 1
    context = bench.load(network(cluster, f"sleep {mark}", count=6))
    cook = bench.start(context)
    until(lambda: running(mark), "some run")
    cook.cancel("by the test")
    bench.finish(context, cook)
    assert not running(mark)
    until(lambda: not ours(cluster), "no task is left")


def test_an_address_at_which_nobody_listens_refuses_the_cook(bench: CookBench) -> None:
    text = network(Nobody(), "true", parms="dask_connecttimeout = 1.0")  # type: ignore[arg-type]
    done = bench.cook(text)
    assert done.outcome != "cooked"
    assert "tcp://127.0.0.1:9" in done.messages
    assert "dask_address" in done.messages


class Nobody:
    address = "tcp://127.0.0.1:9"


def test_the_worker_that_is_gone_is_named(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network(cluster, f"sh -c 'echo x >> began; {WAIT}'"))
    cook = bench.start(context)
    until((bench.folder / "began").exists, "it runs")
    (name,) = [name for name, keys in cluster.executing().items() if keys]
    cluster.kill_worker(name)
    until(lambda: (bench.folder / "began").read_text() == "x\nx\n", "it runs again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.states("work") == {done.items("work")[0].name: "CookedSuccess"}
    assert f"Dask's worker {name} is gone: what ran there runs again" in done.messages


def test_what_is_pinned_to_a_worker_waits_for_the_next_one_of_its_name(bench: CookBench, cluster: TestCluster) -> None:
    """One that is started anew, by its nanny or its batch system, has another address."""
    text = network(cluster, f"sh -c 'echo x >> began_@pdg_index; {WAIT}'", count=5, parms='dask_workers = "w1"')
    context = bench.load(text)
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 2, "it has two threads")
    cluster.kill_worker("w1")
    until(lambda: "its workers are not there: w1 (there are w2)" in told(cook), "what they wait for is told")
    cluster.start_worker("w1")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert {item.attempt for item in done.items("work")} == {1}


def test_without_any_worker_the_cook_says_so_and_goes_on_when_one_comes(bench: CookBench) -> None:
    with TestCluster(workers=0) as own:
        context = bench.load(network(own, "true", count=3))
        cook = bench.start(context)
        until(lambda: "tasks wait on Dask: no worker is connected" in told(cook), "it is told")
        own.start_worker("w1")
        done = bench.finish(context, cook)
        assert done.outcome == "cooked", done.account


def test_workers_that_are_paused_are_named_until_they_go_on(bench: CookBench, cluster: TestCluster) -> None:
    """As Dask pauses those whose memory is nearly full."""

    def become(status: str) -> None:
        def become(dask_worker: Any) -> None:
            dask_worker.status = type(dask_worker.status)[status]

        with cluster.client() as client:
            client.run(become)

    become("paused")
    try:
        context = bench.load(network(cluster, "true", count=3))
        cook = bench.start(context)
        why = "none of its workers takes tasks: w1 is paused (its memory is nearly full), w2 is paused"
        until(lambda: why in told(cook), "it is told")
    finally:
        become("running")
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
