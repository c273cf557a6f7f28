"""What a cluster may do to a cook: nodes die, the controller is away, nobody hears a report, the cook itself is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from slurm_bench import network, running, until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

GATE = "sh -c 'touch began_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"
#: Says that it began, takes its time, says that it is done.
JOB = "echo $1 $PDG_ITEM_ATTEMPT >> began\nsleep $(cat mark)\necho $1 >> done\n"
RESUMED = 10


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_jobs_whose_node_dies_or_whose_time_is_over_end_with_the_reason_or_run_again(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    """In one cook: Slurm takes half a minute for each of them."""
    script = bench.folder / "job.py"
    script.write_text(
        "import os, pdgcmd, time\n"
        "run = len([name for name in os.listdir('.') if name.startswith('run_')])\n"
        "open('run_%d' % run, 'w').close()\n"
        "pdgcmd.addOutputFile(os.path.abspath('run_%d' % run))\n"
        "open('told_%d' % run, 'w').close()\n"
        "while not os.path.exists('gate'): time.sleep(0.05)\n"
    )
    more = f"""job_parms.slurm_requeue = 0
        job_parms.slurm_nodelist = "n1"
        [nodes.again]
        type = "genericgenerator"
        parms.command = "{sys.executable} {script}"
        job_parms.slurm_cpus = 3
        [nodes.late]
        type = "genericgenerator"
        parms.command = "sleep 1{mark}"
        job_parms.slurm_nodelist = "n2"
        job_parms.slurm_cpus = 2
        job_parms.slurm_time = "1"
    """
    # What may be anywhere comes to the node that dies: the other one has room for what is bound to it, and no more.
    words = [
        "sbatch",
        "--parsable",
        "--nodelist=n2",
        "--cpus-per-task=6",
        "--output=/dev/null",
        "--wrap=exec sleep 600",
    ]
    full = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    until(lambda: cluster.jobs()[full] == "RUNNING", "it is full")
    context = bench.load(network(f"sleep {mark}", more=more))
    cook = bench.start(context)
    until(lambda: len(running(mark)) >= 2 and (bench.folder / "told_0").exists(), "all run, one has told its output")
    running_jobs = cluster.call("squeue", "--noheader", "--states=R", "--format=%N %i %k").splitlines()
    assert {line.split()[0] for line in running_jobs if "node=again" in line} == {"n1"}
    (late,) = [line.split()[1] for line in running_jobs if "node=late" in line]
    # Its minute is over at once; Slurm looks once in half of one.
    cluster.call("scontrol", "update", f"JobId={late}", "EndTime=now")
    cluster.lose_node("n1")
    cluster.call("scancel", full)
    until(lambda: not running(f"sleep\0{mark}\0"), "what was left on the node is ended")
    until((bench.folder / "told_1").exists, "one runs again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    (item,), (again,), (item_late,) = done.items("work"), done.items("again"), done.items("late")
    assert (item.state.name, item.ran().messages) == ("CookedFail", ["node failure (n1)"]), done.messages
    assert (again.state.name, again.attempt) == ("CookedSuccess", 1), done.messages
    assert [Path(file.path).name for file in again.outputs or ()] == ["run_1"]
    assert f"Slurm runs {again.name} (job " in done.messages
    assert (item_late.state.name, item_late.ran().messages) == ("CookedFail", ["time limit (n2)"]), done.messages
    until(lambda: not running(mark), "no process left")


def test_while_the_controller_is_away_the_cook_says_so_and_sends_what_waits_when_it_is_back(
    bench: CookBench, cluster: TestCluster
) -> None:
    text = network(GATE, count=2, more='[nodes.after]\n        type = "genericgenerator"\n        inputs = ["work"]')
    context = bench.load(text + '        parms.command = "touch after_@pdg_index"\n')
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 2, "both run")
    cluster.stop_controller()
    # What they report counts, and what waits for them cannot be submitted.
    (bench.folder / "gate").touch()
    until(lambda: "to be submitted; it is tried again" in "\n".join(each.text for each in cook.messages), "it is told")
    cluster.start_controller()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert len(list(bench.folder.glob("after_*"))) == 2


def test_a_controller_that_is_killed_and_started_again_changes_nothing(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network(GATE, count=30))
    cook = bench.start(context)
    # The nodes have room for sixteen.
    until(lambda: len(list(bench.folder.glob("began_*"))) == 16, "all run that can")
    cluster.wait_until_saved()
    cluster.stop_controller()
    cluster.start_controller()
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
    assert {item.attempt for item in done.items("work")} == {1}


def test_jobs_that_the_controller_has_forgotten_are_sent_again(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One had not begun: it comes again as it was. Of the one that had nobody knows: it has failed, and is tried again."""
    # A cluster of its own: one that has forgotten its jobs gives their numbers to others.
    with TestCluster() as cluster:
        monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
        parms = "slurm_simultaneous = 1\n        slurm_lostafter = 3.0\n        slurm_collect = 3.0"
        context = bench.load(network(GATE, count=2, parms=parms, more="parms.pdg_retries = 1"))
        cook = bench.start(context)
        until((bench.folder / "began_0").exists, "one runs")
        cluster.stop_controller()
        cluster.start_controller(clean=True)
        # The other one counts as begun when that is heard.
        until(lambda: cook.wait(0) or any("Slurm has lost" in each.text for each in cook.messages), "it is told")
        assert any("Slurm has lost" in each.text for each in cook.messages), bench.finish(context, cook).account
        (bench.folder / "gate").touch()
        done = bench.finish(context, cook)
        assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages
        attempts = {item.index: item.attempt for item in done.items("work")}
        assert attempts[1] == 1
        assert attempts[0] in {1, 2}


def test_jobs_that_reach_nobody_for_twenty_seconds_tell_their_end_then(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(network(GATE, count=3))
    cook = bench.start(context)
    until(lambda: len(list(bench.folder.glob("began_*"))) == 3, "all run")
    (where,) = bench.folder.glob("pdgtemp/*/scripts/.pdg_result_server")
    server = where.read_text()
    # Nothing listens there.
    where.write_text("127.0.0.1:9\n")
    (bench.folder / "gate").touch()
    # The ends are found on disk meanwhile, though no wrapper can tell.
    away = time.monotonic() + 20.0
    until(lambda: time.monotonic() > away, "twenty seconds are over")
    where.write_text(server)
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) == {"CookedSuccess"}, done.messages


def test_five_hundred_items_in_each_layer_cook_beside_local_ones(bench: CookBench, cluster: TestCluster) -> None:
    text = network("true", count=500, parms="slurm_poll = 5.0").replace("slurm_poll = 1.0\n", "")
    text += """
        [schedulers.here]
        type = "localscheduler"
        [nodes.local]
        type = "genericgenerator"
        inputs = ["work"]
        scheduler = "here"
        parms.command = "true"
    """
    before = set(cluster.jobs())
    done = bench.cook(text)
    assert done.outcome == "cooked", done.account
    assert Counter(done.states().values()) == {"CookedSuccess": 1000}
    assert done.out_of_order() == []
    sent = set(cluster.jobs()) - before
    assert len(sent) == 500
    assert len({job.partition("_")[0] for job in sent}) < 50


def test_a_cook_that_is_killed_at_any_moment_goes_on_and_runs_nothing_twice_that_had_finished(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    folder = bench.folder
    (folder / "job.sh").write_text(JOB)
    (folder / "mark").write_text("0.2")
    text = network("sh job.sh make_@pdg_index", count=30, parms="slurm_poll = 0.5")
    text = (
        text.replace("slurm_poll = 1.0\n", "")
        + """
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        parms.command = "sh job.sh after_@pdg_index"
    """
    )
    (folder / "net.toml").write_text(textwrap.dedent(text))
    chance = random.Random(20)
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--progress", "off"]
    finished: set[str] = set()
    began_of_finished: Counter[str] = Counter()
    for number in range(RESUMED + 1):
        with (folder / "said").open("ab") as said:
            more = ["--resume"] if number else []
            cook = subprocess.Popen([*words, *more], cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        if number < RESUMED:
            # By what has been done, not by the clock: a busy machine would be killed before it began.
            goal = len(lines(folder / "done")) + chance.randrange(1, 6)
            until(lambda: len(lines(folder / "done")) >= goal or cook.poll() is not None, "some are done")  # noqa: B023
            cook.kill()
            cook.wait()
            finished = set(lines(folder / "done"))
            began_of_finished = Counter(
                line.split()[0] for line in lines(folder / "began") if line.split()[0] in finished
            )
        else:
            assert cook.wait(300) == 0, (folder / "said").read_text()[-4000:]
    names = {f"{node}_{number}" for node in ("make", "after") for number in range(30)}
    assert set(lines(folder / "done")) == names
    # What had finished when the last cook began was not begun again.
    began = Counter(line.split()[0] for line in lines(folder / "began"))
    assert {name: began[name] for name in finished} == dict(began_of_finished)
    twice = {name for name, count in Counter(lines(folder / "done")).items() if count > 1}
    assert not twice, sorted(line for line in lines(folder / "began") if line.split()[0] in twice)


def test_nothing_of_a_session_is_left_in_the_queue_when_its_cook_ends(bench: CookBench, cluster: TestCluster) -> None:
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--progress", "off"]
    (bench.folder / "net.toml").write_text(textwrap.dedent(network(GATE, count=30)))
    cook = subprocess.Popen(words, cwd=bench.folder, env=dict(os.environ), stdin=subprocess.DEVNULL)
    until((bench.folder / "began_0").exists, "jobs run")
    cook.send_signal(signal.SIGTERM)
    assert cook.wait(200) == 130
    assert not set(cluster.jobs().values()) & {"PENDING", "RUNNING"}
