"""Slurm away, slow, or full: what helps is tried again, what waits is told, and no job is lost or sent twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from slurm_bench import network, running, until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

GATE = "sh -c 'touch began_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"
AFTER = """
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        parms.command = "sh -c 'echo x >> after_@pdg_index'"
"""


def said(cook: object) -> str:
    return "\n".join(each.text for each in cook.messages)  # type: ignore[attr-defined]


def of_node(cluster: TestCluster, node: str) -> list[str]:
    """The ids of the jobs and array tasks of a node that Slurm knows."""
    lines = cluster.call("squeue", "--noheader", "--array", "--states=all", "--format=%i %k").splitlines()
    return [line.split()[0] for line in lines if f" node={node} " in line]


def test_no_job_is_taken_for_lost_while_nobody_answers(bench: CookBench, cluster: TestCluster) -> None:
    """``squeue --json`` tells of no jobs then, and ends well: that is no empty queue."""
    context = bench.load(network(GATE, count=3, parms="slurm_lostafter = 1.0"))
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 3, "all run")
    # Else it gives their numbers to others when it is back.
    cluster.wait_until_saved()
    cluster.stop_controller()
    ended = {"CookedFail", "CookedSuccess"}
    until(
        lambda: "asked again" in said(cook) or ended & {item.state.name for item in cook.state.all_items()},
        "the silence is told",
    )
    cluster.start_controller()
    until(lambda: "Slurm answers again" in said(cook), "it is asked again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
    assert {item.attempt for item in done.items("work")} == {1}


def test_a_controller_that_is_too_busy_gets_each_job_once(bench: CookBench, cluster: TestCluster) -> None:
    before = {*of_node(cluster, "after")}
    context = bench.load(network(GATE, count=3, more=AFTER))
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 3, "all run")
    cluster.pause_controller()
    (bench.folder / "gate").touch()
    # sbatch gives up after ten seconds; what it asked lies before the controller's door.
    until(lambda: "to be submitted; it is tried again" in said(cook), "it is told")
    until(lambda: "Slurm to take 3 jobs (sbatch" in "".join(cook.link.waiting.values()), "it says what it waits for")
    cluster.resume_controller()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert len({*of_node(cluster, "after")} - before) == 3
    assert [path.read_text() for path in bench.folder.glob("after_*")] == ["x\n"] * 3


def test_an_array_that_is_there_twice_is_ended_but_once(bench: CookBench, cluster: TestCluster) -> None:
    """A submission that was given up may come through after all, when it has been sent again."""
    context = bench.load(network(GATE, count=2, parms="slurm_collect = 3.0"))
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 2, "both run")
    (comment,) = set(cluster.call("squeue", "--noheader", "--states=R", "--format=%k").splitlines())
    words = ["sbatch", "--parsable", "--hold", "--array=0-1", f"--comment={comment}", "--wrap=sleep 600"]
    twin = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, check=True).stdout.strip()
    until(lambda: cluster.jobs().get(f"{twin}_0") not in {"PENDING", "RUNNING"}, "the twin is ended")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages


def test_a_cluster_that_takes_no_more_jobs_gets_them_when_it_does(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nor larger arrays than of two.
    with TestCluster(settings={"MaxJobCount": "2"}, max_array_size=2) as cluster:
        monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
        context = bench.load(network("true", count=4, parms="slurm_timeout = 3.0"))
        cook = bench.start(context)
        until(lambda: "to be submitted; it is tried again" in said(cook), "it is told")
        words = "sleeping and retrying"
        until(lambda: words in "".join([said(cook), *cook.link.waiting.values()]), "it says what it waits for")
        cluster.stop_controller()
        conf = Path(cluster.environment["SLURM_CONF"])
        whole = conf.with_name("slurm.conf.part")
        whole.write_text(conf.read_text().replace("MaxJobCount=2", "MaxJobCount=2000"))
        # At once: sbatch reads it meanwhile.
        whole.replace(conf)
        cluster.start_controller()
        done = bench.finish(context, cook)
        assert done.outcome == "cooked", done.account
        tasks = sorted(job.partition("_")[2] for job in of_node(cluster, "work"))
        assert tasks == ["0", "0", "1", "1"]


def test_where_nobody_can_prove_who_he_is_jobs_wait_until_he_can(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network("true", count=2, parms="slurm_timeout = 3.0\n        slurm_collect = 1.0"))
    cluster.stop_munged()
    cook = bench.start(context)
    until(lambda: "to be submitted; it is tried again" in said(cook), "it is told")
    assert "munge" in said(cook)
    cluster.start_munged()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account


@contextmanager
def another_munged(cluster: TestCluster) -> Iterator[Path]:
    """A munged with another key than the cluster's; the configuration that has clients use it."""
    folder = cluster.folder / "stranger"
    folder.mkdir()
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o400)
    places = {"key-file": "key", "socket": "munge.sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    words = [f"--{name}={folder / place}" for name, place in places.items()]
    subprocess.run(
        ["munged", "--force", *words], check=True, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    )
    conf = folder / "slurm.conf"
    text = Path(cluster.environment["SLURM_CONF"]).read_text()
    conf.write_text(text.replace(f"{cluster.folder}/munge.sock", f"{folder}/munge.sock"))
    try:
        yield conf
    finally:
        os.kill(int((folder / "pid").read_text()), 15)


def test_credentials_of_another_cluster_are_told_as_what_may_be_wrong(bench: CookBench, cluster: TestCluster) -> None:
    with another_munged(cluster) as conf:
        context = bench.load(network("true", parms=f'slurm_conf = "{conf}"'))
        cook = bench.start(context)
        until(lambda: "to be submitted; it is tried again" in said(cook), "it is told")
        assert "munge key" in said(cook)
        cook.cancel("by the test")
        bench.finish(context, cook)
        # What may have got through unheard is asked for, for a day.
        for pid in until(lambda: running(f"{conf}"), "somebody goes on asking"):
            os.kill(pid, signal.SIGTERM)


def test_jobs_of_a_cook_that_was_canceled_while_nobody_answered_are_ended_when_somebody_does(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    # More than the nodes have room for, so that some are queued.
    context = bench.load(network(f"sleep {mark}", count=20))
    cook = bench.start(context)
    until(lambda: len(running(mark)) >= 16, "jobs run")
    cluster.wait_until_saved()
    cluster.stop_controller()
    cook.cancel("by the test")
    done = bench.finish(context, cook)
    assert "these jobs may go on" in done.messages
    assert Counter(done.states("work").values()).keys() <= {"CookedCancel", "Uncooked", "Waiting"}, done.messages
    cluster.start_controller()
    until(lambda: not set(cluster.jobs().values()) & {"PENDING", "RUNNING"}, "nothing is queued or runs")
    until(lambda: not running(mark), "no process left")
