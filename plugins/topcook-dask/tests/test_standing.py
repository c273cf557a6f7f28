"""What stands in the way of a cook, and what a cook leaves behind: hanging workers, files, events."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from dask_bench import network, ours, running, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.connect import connect
from topcook_dask.options import TaskOptions
from topcook_dask.session import Session
from topcook_dask.settings import Settings
from topcook_dask.tasks import WorkerCode
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

GATED = """
        [nodes.gate]
        type = "genericgenerator"
        scheduler = "localscheduler"
        parms.command = "sh -c 'while [ ! -e gate ]; do sleep 0.05; done'"
        [nodes.later]
        type = "genericgenerator"
        inputs = ["gate"]
        parms.command = "true"
"""


def test_what_waits_for_dask_is_written_once_and_fails_where_it_cannot_be_written(
    bench: CookBench, cluster: TestCluster
) -> None:
    """A full disk, say: whoever cannot be submitted then has failed, and waits for nobody."""
    context = bench.load(network(cluster, "true", more=GATED))
    cook = bench.start(context)
    until(lambda: "CookedSuccess" in {item.state.name for item in cook.state.all_items()}, "the first has ended")
    (jobs,) = bench.folder.glob("pdgtemp/*/jobs")
    cluster.stop_scheduler()
    (bench.folder / "gate").touch()
    until(lambda: any("1 job waits to be submitted" in each.text for each in cook.messages), "the other one waits")
    until(lambda: "Dask to take 1 job" in cook.link.waiting.get("farm", ""), "whoever asks is told")
    assert len(list(jobs.glob("*.jobs"))) == 1
    jobs.rename(jobs.with_name("moved"))
    jobs.write_text("no directory")
    cluster.start_scheduler()
    done = bench.finish(context, cook)
    assert done.states("later") == {next(iter(done.states("later"))): "CookedFail"}, done.messages
    assert "it could not be submitted: FileExistsError" in "\n".join(
        text for item in done.items("later") for text in item.ran().messages
    )


def left(cluster: TestCluster) -> list[str]:
    """The plugins and topics of ours that Dask's scheduler has."""

    # A function in here goes over as it is: this module is none over there.
    def left(dask_scheduler: Any) -> list[str]:
        names = [*dask_scheduler.plugins, *dask_scheduler._broker._topics]
        return [name for name in names if str(name).startswith("topcook")]

    with cluster.client() as client:
        return list(client.run_on_scheduler(left))


def test_a_cook_leaves_nothing_in_dasks_scheduler(bench: CookBench, cluster: TestCluster) -> None:
    done = bench.cook(network(cluster, "true", count=20))
    assert done.outcome == "cooked", done.account
    until(lambda: not ours(cluster), "no task is left")
    until(lambda: not left(cluster), "neither a plugin nor events are left")


def test_what_is_told_when_the_cook_has_gone_is_not_kept(cluster: TestCluster) -> None:
    """A worker tells of an end a moment later, when Dask may have forgotten the task."""
    session = Session(lambda: connect(Settings(address=cluster.address)), lambda _: None, lambda _: None)
    topic = session.follow("gone")
    session.close()

    def tell(dask_scheduler: Any) -> bool:
        # Dask does not take back the subscription of a client that was killed.
        dask_scheduler._broker.subscribe(topic, "Client-gone")
        dask_scheduler.log_event(topic, {"said": []})
        return topic in dask_scheduler._broker._topics

    with cluster.client() as client:
        assert client.run_on_scheduler(tell)
    until(lambda: topic not in left(cluster), "it is forgotten")


def test_a_worker_that_hangs_keeps_no_other_job_from_its_end(bench: CookBench, cluster: TestCluster, mark: str) -> None:
    hangs = cluster.worker_pid("w2")
    text = network(cluster, f"sleep {mark}", count=2, parms='dask_workers = "w1"')
    os.kill(hangs, signal.SIGSTOP)
    try:
        context = bench.load(text)
        cook = bench.start(context)
        until(lambda: len(running(mark)) == 2, "they run on the other one")
        cook.cancel_items([item for item in cook.state.all_items() if item.index == 0])
        until(lambda: len(running(mark)) == 1, "one is ended")
        cook.cancel("by the test")
        done = bench.finish(context, cook)
        assert set(done.states("work").values()) == {"CookedCancel"}, done.messages
        assert not running(mark)
    finally:
        os.kill(hangs, signal.SIGCONT)


def test_ends_that_nobody_heard_are_read_at_once_by_any_session(cluster: TestCluster) -> None:
    """Also by one that goes on with what another has sent."""
    settings = Settings(address=cluster.address)
    keys = [f"topcook_x-unheard-{number}-1" for number in range(1100)]
    first, second = (Session(lambda: connect(settings), lambda _: None, lambda _: None) for _ in range(2))
    try:
        first.follow("unheard")
        first.submit(TaskOptions(), keys, ["['succeeded', 0, '']"] * len(keys))
        for session in (first, second):
            until(lambda session=session: len(_ended(session, keys)) == len(keys), "all have ended")
    finally:
        second.close()
        first.close()


def test_an_end_that_cannot_be_read_is_an_error_and_no_silence(cluster: TestCluster) -> None:
    key = "topcook_x-unread-1-1"
    session = Session(lambda: connect(Settings(address=cluster.address)), lambda _: None, lambda _: None)
    try:
        session.follow("unread")
        # It can be sent, and be read by nobody.
        session.submit(TaskOptions(), [key], ["type('', (), {'__reduce__': lambda _: (eval, ('no_such_name',))})()"])
        until(lambda: ours(cluster) == {key: "memory"}, "it has ended")
        with pytest.raises(NameError, match="no_such_name"):
            session.states([key])
    finally:
        session.close()


def test_a_job_that_has_ended_does_not_run_again_on_another_worker(
    bench: CookBench, cluster: TestCluster, tmp_path: Path
) -> None:
    """Whose worker died before Dask heard of it, say; one that had not ended does, and withdraws what it told."""
    bench.cook(network(cluster, "true"))
    (script_dir,) = bench.folder.glob("pdgtemp/*/scripts")
    jobs = tmp_path / "two.jobs"
    ends = tmp_path / "ends"
    own = [
        {"token": f"again-{number}-1", "item": number, "log": f"{tmp_path}/{number}.log", "env": {}}
        for number in (1, 2)
    ]
    argv = ["sh", "-c", "echo run; exit 3"]
    shared = {"attempt": 1, "argv": argv, "ends": str(ends), "again": True, "scripts": str(script_dir), "env": {}}
    _write_jobs(jobs, shared, own)
    (tmp_path / "2.log").write_text("topcook: again-2-1 on a node that died\nrun\n")
    code = WorkerCode(str(script_dir), str(script_dir))
    with cluster.client() as client:
        for worker, number in (("w1", 0), ("w2", 0), ("w2", 1)):
            task = client.submit(
                eval, code.call("run", str(jobs), number, "topcook-again"), workers=[worker], pure=False
            )
            assert task.result(60) == ["failed", 3, "exit status 3"]
    assert [(tmp_path / f"{number}.log").read_text().count("\nrun\n") for number in (1, 2)] == [1, 2]
    assert '"invalidate_cache"' in (ends / "again-2-1.reports").read_text()
    assert not (ends / "again-1-1.reports").exists()


def _write_jobs(path: Path, shared: dict[str, object], own: list[dict[str, object]]) -> None:
    """As ``write_jobs`` does, for jobs of no scheduler."""
    lines = [json.dumps(each).encode() + b"\n" for each in (shared, *own)]
    at = 32 + 13 * len(lines)
    places = [at + sum(map(len, lines[:number])) for number in range(len(lines))]
    head = b"%-31s\n" % (b"TOPCOOK-JOBS 1 %d" % len(own))
    path.write_bytes(head + b"".join(b"%012d\n" % place for place in places) + b"".join(lines))


def _ended(session: Session, keys: list[str]) -> list[str]:
    return [key for key, state in session.states(keys).items() if state.exit_status == 0]
