"""What a cluster may do to a cook: workers die, tasks kill them, the scheduler is away, nobody hears a report."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from dask_bench import network, ours, running, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

WAIT = "while [ ! -e gate ]; do sleep 0.05; done"
GATE = f"sh -c 'touch began_@pdg_index; {WAIT}'"
AWAY = 20.0


def told(cook: Any) -> str:
    return "\n".join(each.text for each in cook.messages)


def busy(cluster: TestCluster) -> str:
    """The name of a worker that has something to do."""
    return until(lambda: next((name for name, keys in cluster.executing().items() if keys), ""), "a worker is busy")


def python(script: str, parms: str = "") -> str:
    """A node of in-process items, one for each of "work"."""
    return f"""
        [nodes.python]
        type = "pythonscript"
        inputs = ["work"]
        {parms}
        parms.script = '''
{textwrap.indent(textwrap.dedent(script).strip(), " " * 8)}
        '''
    """


def test_a_job_whose_worker_dies_runs_again_and_ends_once(bench: CookBench, cluster: TestCluster, mark: str) -> None:
    """What it left there is ended, and what its first run told of outputs is withdrawn."""
    script = bench.folder / "job.py"
    script.write_text(
        "import os, subprocess, sys, time, pdgcmd\n"
        "run = len([name for name in os.listdir('.') if name.startswith('run_')])\n"
        "open('run_%d' % run, 'w').close()\n"
        "pdgcmd.addOutputFile(os.path.abspath('run_%d' % run))\n"
        "if not run:\n"
        # A child in a session of its own, that ignores SIGTERM.
        f"    subprocess.Popen(['sh', '-c', 'trap \"\" TERM; sleep {mark}; true'], start_new_session=True)\n"
        "open('told_%d' % run, 'w').close()\n"
        "while not os.path.exists('gate'): time.sleep(0.05)\n"
    )
    context = bench.load(network(cluster, f"{sys.executable} {script}"))
    cook = bench.start(context)
    until((bench.folder / "told_0").exists, "the first run has told its output")
    until(lambda: running(mark), "its child runs")
    cluster.kill_worker(busy(cluster))
    until((bench.folder / "told_1").exists, "it runs again")
    until(lambda: not running(mark), "what was left is ended")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    (item,) = done.items("work")
    assert (item.state.name, item.attempt) == ("CookedSuccess", 1), done.messages
    assert [Path(file.path).name for file in item.outputs or ()] == ["run_1"]


def test_python_whose_worker_dies_runs_again_and_ends_once(bench: CookBench, cluster: TestCluster) -> None:
    script = """
        import os, time
        path = work_item.localizePath("__PDG_DIR__/")
        run = len([name for name in os.listdir(path) if name.startswith("run_")])
        open(f"{path}/run_{run}", "w").close()
        work_item.setIntAttrib("run", run)
        work_item.addOutputFile(f"{path}/run_{run}")
        while not os.path.exists(f"{path}/gate"):
            time.sleep(0.05)
    """
    context = bench.load(network(cluster, "true", more=python(script)))
    cook = bench.start(context)
    until((bench.folder / "run_0").exists, "it runs")
    cluster.kill_worker(busy(cluster))
    until((bench.folder / "run_1").exists, "it runs again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    (item,) = done.items("python")
    assert (item.state.name, item.attempt, item.attributes["run"].values) == ("CookedSuccess", 1, (1,)), done.messages  # type: ignore[index]
    assert [Path(file.path).name for file in item.outputs or ()] == ["run_1"]


@pytest.mark.parametrize("how", ["command", "python"])
def test_what_kills_each_worker_that_takes_it_fails_with_the_workers(bench: CookBench, how: str) -> None:
    """It comes last: Dask blames whatever a worker had taken."""
    with TestCluster(workers=3, threads=1, environment={"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}) as own:
        if how == "command":
            more = """
        [nodes.bad]
        type = "genericgenerator"
        inputs = ["gathered"]
        parms.command = "sh -c 'kill -9 $PPID'"
            """
        else:
            more = python("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
            more = more.replace("nodes.python", "nodes.bad").replace('"work"', '"gathered"')
        gathered = '[nodes.gathered]\n        type = "waitforall"\n        inputs = ["work"]\n'
        text = network(own, "true", count=6, more=gathered + more)
        # Who died is remembered from one look at the cluster to the next.
        done = bench.cook(text.replace("dask_poll = 1.0", "dask_poll = 0.1"))
        assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
        (bad,) = done.items("bad")
        assert bad.state.name == "CookedFail", done.messages
        reason = "\n".join(bad.ran().messages)
        assert reason.startswith("each worker died that ran it: ")
        assert sum(name in reason for name in own.names) == 2, reason
        own.wait(lambda: len(own.workers()) == 1, "one worker is left")


def test_what_no_worker_can_take_is_named_and_goes_on_when_one_can(bench: CookBench, cluster: TestCluster) -> None:
    text = network(
        cluster,
        "true",
        more="""
        job_parms.dask_resources = "GPU=1"
        [nodes.pinned]
        type = "genericgenerator"
        parms.command = "true"
        job_parms.dask_workers = "w9"
        """,
    )
    context = bench.load(text)
    cook = bench.start(context)
    until(lambda: "GPU" in told(cook) and "w9" in told(cook), "both are told")
    cluster.start_worker("w9", resources="GPU=1")
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account


def test_a_scheduler_that_is_killed_and_started_again_loses_nothing(bench: CookBench, cluster: TestCluster) -> None:
    more = """
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        parms.command = "touch after_@pdg_index"
    """
    context = bench.load(
        network(cluster, GATE, count=12, parms="dask_lostafter = 3.0", more=f"parms.pdg_retries = 3{more}")
    )
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 4, "all run that can")
    cluster.stop_scheduler()
    cluster.start_scheduler()
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert len(list(bench.folder.glob("after_*"))) == 12


def test_a_scheduler_that_stays_away_ends_no_cook_in_silence(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network(cluster, GATE, count=4))
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 4, "all run")
    cluster.stop_scheduler()
    until(lambda: "Dask" in told(cook) and cluster.address.partition("//")[2] in told(cook), "it is told")
    cook.cancel("by the test")
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) <= {"CookedCancel", "CookedFail"}, done.messages


def test_jobs_that_reach_nobody_for_twenty_seconds_tell_all_then(bench: CookBench, cluster: TestCluster) -> None:
    """The whole cook stands still: its result server answers nobody, and it hears nothing of Dask."""
    script = bench.folder / "job.py"
    script.write_text(
        "import os, time, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "open('began_%d' % item.index, 'w').close()\n"
        "while not os.path.exists('gate'): time.sleep(0.05)\n"
        "item.setIntAttrib('square', item.index ** 2)\n"
        "item.addOutputFile(os.path.abspath('began_%d' % item.index))\n"
    )
    more = python("work_item.setIntAttrib('twice', 2 * work_item.intAttribValue('square'))")
    text = network(cluster, f"{sys.executable} {script}", count=4, more=more)
    (bench.folder / "net.toml").write_text(textwrap.dedent(text))
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--progress", "off", "--report", "report.json"]
    with (bench.folder / "said").open("wb") as said:
        cook = subprocess.Popen(words, cwd=bench.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        until(lambda: len(list(bench.folder.glob("began_*"))) == 4 or cook.poll() is not None, "all run")
        cook.send_signal(signal.SIGSTOP)
        (bench.folder / "gate").touch()
        back = time.monotonic() + AWAY
        until(lambda: time.monotonic() > back, "twenty seconds are over")
    finally:
        cook.send_signal(signal.SIGCONT)
    assert cook.wait(120) == 0, (bench.folder / "said").read_text()
    report = json.loads((bench.folder / "report.json").read_text())
    assert {item["state"] for item in report["items"]} == {"CookedSuccess"}
    twice = [item["attributes"]["twice"] for item in report["items"] if "twice" in item.get("attributes", {})]
    assert len(twice) == 4, report["items"][-1]


def test_items_of_all_kinds_are_canceled_by_item_node_and_cook(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    """What runs ignores SIGTERM, and has children; some wait in the cluster's queue."""
    (bench.folder / "mark").write_text(mark)
    ignore = "sh -c 'touch began_@pdg_index; trap \\\"\\\" TERM; sleep $(cat mark) & sleep $(cat mark)'"
    text = network(cluster, "x", count=6).replace('"""x"""', f'"{ignore}"')
    text += f"""
        [nodes.script]
        type = "pythonscript"
        parms.script = "while True: pass"
        [nodes.other]
        type = "genericgenerator"
        parms.itemcount = 2
        parms.command = "{ignore}"
    """
    context = bench.load(text)
    cook = bench.start(context)
    until(lambda: running(mark), "some run")
    first = next(item for item in cook.state.all_items() if item.node.name == "work")
    cook.cancel_items([first])
    until(lambda: first.state.name == "CookedCancel", "one is canceled")
    cook.cancel_items([item for item in cook.state.all_items() if item.node.name == "other"])
    cook.cancel("by the test")
    done = bench.finish(context, cook)
    assert set(done.states().values()) <= {"CookedCancel", "Uncooked", "Waiting"}, done.messages
    until(lambda: not running(mark), "no process left")
    until(lambda: not any(cluster.executing().values()), "no thread is busy")
    cluster.wait(lambda: not ours(cluster), "no task is left")
