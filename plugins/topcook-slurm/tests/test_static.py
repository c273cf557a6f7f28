"""Static hand-over on a real cluster: Slurm has all items at once and keeps their order, whoever is there to see it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
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
KILLED = 4
MAKE = "sh -c 'echo work_@pdg_index >> began; touch made_@pdg_index'"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def ended(cluster: TestCluster) -> bool:
    return not set(cluster.jobs().values()) & {"PENDING", "RUNNING", "COMPLETING"}


def living(cluster: TestCluster) -> set[str]:
    return {job for job, state in cluster.jobs().items() if state in {"PENDING", "RUNNING", "COMPLETING"}}


def cooked(bench: CookBench, text: str) -> Cooked:
    context = bench.load(text)
    context.core.decide_static("farm", takes=True)
    return bench.finish(context, bench.start(context))


def arrays(cluster: TestCluster, before: set[str]) -> Counter[str]:
    return Counter(job.partition("_")[0] for job in set(cluster.jobs()) - before)


def test_all_items_are_with_slurm_from_the_start_and_cook_in_order(bench: CookBench, cluster: TestCluster) -> None:
    before = set(cluster.jobs())
    done = cooked(bench, network(MAKE, count=6) + AFTER + ALL)
    assert done.outcome == "cooked", done.account
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


@pytest.mark.parametrize("layers", [1, 2])
def test_no_more_of_an_array_run_at_a_time_than_the_scheduler_may_have(
    bench: CookBench, cluster: TestCluster, layers: int
) -> None:
    """Of one array that is exact; of two that pair it cannot be, and is told."""
    command = (
        "sh -c 'touch run_NODE_@pdg_index; ls -d run_NODE_* | wc -l >> at_once_NODE; sleep 0.3; rm run_NODE_@pdg_index'"
    )
    after = AFTER.replace(AFTER[AFTER.index('"sh -c') :], f'"""{command.replace("NODE", "after")}"""\n')
    text = network(command.replace("NODE", "work"), count=8, parms="pdg_maxtasks = 2") + (after if layers > 1 else "")
    done = cooked(bench, text)
    assert done.outcome == "cooked", done.account
    counted = {path.name: [int(line) for line in lines(path)] for path in bench.folder.glob("at_once_*")}
    assert {name: len(each) for name, each in counted.items()} == dict.fromkeys(
        ["at_once_work", "at_once_after"][:layers], 8
    )
    assert max(max(each) for each in counted.values()) <= 2
    assert ("some may run beside others" in done.messages) is (layers > 1)


def test_pieces_of_large_layers_pair_and_batches_are_one_task(bench: CookBench, cluster: TestCluster) -> None:
    before = set(cluster.jobs())
    batches = AFTER.replace('inputs = ["work"]', 'inputs = ["work"]\n        parms.framesperbatch = 2')
    done = cooked(
        bench, network(MAKE, count=7, parms="slurm_maxarray = 3") + AFTER + batches.replace(".after]", ".two]")
    )
    assert done.outcome == "cooked", done.account
    assert done.out_of_order() == []
    # The layers, in pieces of three; four batches: three of two items, and what is left.
    assert sorted(arrays(cluster, before).values()) == sorted([3, 3, 1, 3, 3, 1, 1, 1, 1, 1])
    assert len(lines(bench.folder / "began")) == 21


def test_what_waits_for_a_missing_output_never_begins(bench: CookBench, cluster: TestCluster) -> None:
    command = "sh -c 'test @pdg_index = 0 || touch made_@pdg_index'"
    outputs = 'parms.outputs = [{ path = "$HIP/made_@pdg_index" }]'
    done = cooked(bench, network(command, count=2, more=outputs) + AFTER)
    assert sorted(done.states("work").values()) == ["CookedFail", "CookedSuccess"], done.messages
    assert sorted(done.states("after").values()) == ["CookedSuccess", "Waiting"], done.messages
    until(lambda: ended(cluster), "nothing is left on Slurm")
    assert lines(bench.folder / "began") == ["after_1"]


def test_what_waits_for_a_failure_that_holds_nothing_up_cooks_once(bench: CookBench, cluster: TestCluster) -> None:
    command = "sh -c 'touch made_@pdg_index; test @pdg_index = 0'"
    done = cooked(bench, network(command, count=2, more='parms.pdg_onfailure = "continue"') + AFTER)
    assert sorted(done.states("work").values()) == ["CookedFail", "CookedSuccess"], done.messages
    assert set(done.states("after").values()) == {"CookedSuccess"}, done.messages
    assert sorted(lines(bench.folder / "began")) == ["after_0", "after_1"]


def test_items_that_are_canceled_and_then_the_cook_leave_nothing_behind(
    bench: CookBench, cluster: TestCluster, mark: str
) -> None:
    (bench.folder / "mark").write_text(mark)
    context = bench.load(network("sh -c 'echo x >> ran; exec sleep $(cat mark)'", count=3) + AFTER + ALL)
    context.core.decide_static("farm", takes=True)
    cook = bench.start(context)
    until(lambda: len(running(mark)) == 3, "all run")
    first = next(item for item in cook.state.all_items() if item.node.name == "work" and item.index == 0)
    cook.cancel_items([first])
    until(lambda: len(running(mark)) == 2, "it is ended")
    cook.cancel("enough")
    done = bench.finish(context, cook)
    assert done.outcome == "canceled", done.messages
    assert "could not be" not in done.messages
    assert ended(cluster)
    assert not running(mark)
    assert lines(bench.folder / "began") == []


def test_a_job_has_what_those_before_it_have_told(bench: CookBench, cluster: TestCluster) -> None:
    (bench.folder / "job.py").write_text(
        "import os, pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "if item.nodeName == 'work':\n"
        "    open('made', 'w').close()\n"
        "    item.setIntAttrib('square', 9)\n"
        "    pdgcmd.addOutputFile(os.path.abspath('made'))\n"
        "else:\n"
        "    print('has', [os.path.basename(str(each.path)) for each in item.inputFiles], item.intAttribValue('square'))\n"
    )
    command = f"{sys.executable} {bench.folder}/job.py"
    text = network(command) + AFTER.replace('"sh -c', f'"{command}" # "sh -c')
    done = cooked(bench, text)
    assert done.outcome == "cooked", done.account
    (item,) = done.items("after")
    log = Path(done.context.core.host("farm").directories.log_dir(local=True)) / f"{item.name}.log"
    assert log.read_text().endswith("has ['made'] 9\n")


def test_while_the_controller_is_away_what_is_left_waits_to_be_submitted(
    bench: CookBench, cluster: TestCluster
) -> None:
    context = bench.load(network(MAKE, count=3) + AFTER)
    context.core.decide_static("farm", takes=True)
    cluster.stop_controller()
    cook = bench.start(context)
    until(lambda: "6 jobs wait to be submitted" in "\n".join(each.text for each in cook.messages), "it is told")
    cluster.start_controller()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert Counter(lines(bench.folder / "began")) == dict.fromkeys(
        [f"{node}_{number}" for node in ("work", "after") for number in range(3)], 1
    )


#: The first answers that nobody is there, and gets through all the same, when the second is on its way.
LATE = """#!/bin/sh
real={real}
cd {folder}
if [ ! -e late.sh ]; then
  cat > late.in
  {{ printf "exec $real"; for word in "$@"; do printf " '%s'" "$word"; done; }} > late.sh
  echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2
  exit 1
fi
[ -e late ] || sh late.sh < late.in > late
$real "$@"
status=$?
touch second
exit $status
"""


@pytest.mark.parametrize("static", [False, True])
def test_what_got_through_late_runs_but_once(
    static: bool, bench: CookBench, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its sbatch was given up, and it was sent again before Slurm had it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sbatch").write_text(LATE.format(real=shutil.which("sbatch"), folder=programs))
    (programs / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    before = set(cluster.jobs())
    gated = "sh -c 'while [ ! -e gate ]; do sleep 0.05; done; echo work_@pdg_index >> began'"
    context = bench.load(network(gated, count=3))
    context.core.decide_static("farm", takes=static)
    cook = bench.start(context)
    until((programs / "second").exists, "both have got through")
    until(lambda: len(living(cluster) - before) == 3, "one of them is left")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    until(lambda: ended(cluster), "nothing is left on Slurm")
    assert Counter(lines(bench.folder / "began")) == {"work_0": 1, "work_1": 1, "work_2": 1}


JOB = """
import os, sys, time
import pdgcmd, pdgjson
item = pdgjson.WorkItem.fromJobEnvironment()
name = f"{item.nodeName}_{item.index}"
with open("began", "a") as stream:
    stream.write(name + "\\n")
while not os.path.exists("gate"):
    time.sleep(0.05)
if name == "work_1":
    sys.exit(3)
item.setIntAttrib("square", item.index ** 2)
open(f"out_{name}", "w").close()
pdgcmd.addOutputFile(os.path.abspath(f"out_{name}"))
"""


def test_a_cook_that_is_killed_finds_all_as_slurm_has_done_it(bench: CookBench, cluster: TestCluster) -> None:
    """Nobody listens while it is done: ends, outputs and attributes are what the jobs have left on disk."""
    folder = bench.folder
    (folder / "job.py").write_text(JOB)
    command = f"{sys.executable} {folder}/job.py"
    after = AFTER.replace('"sh -c', f'"{command}" # "sh -c')
    text = network(command, count=4) + after + ALL.replace("ls made_*", "ls out_after*")
    (folder / "net.toml").write_text(textwrap.dedent(text))
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--static", "farm", "--progress", "off"]
    with (folder / "said").open("wb") as said:
        cook = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        until(lambda: len(lines(folder / "began")) == 4, "the first layer runs")
        cook.kill()
        cook.wait()
    (folder / "gate").touch()
    until(lambda: ended(cluster), "Slurm has done all")
    before = set(cluster.jobs())
    assert sorted(lines(folder / "began")) == sorted(
        [f"work_{n}" for n in range(4)] + [f"after_{n}" for n in (0, 2, 3)]
    ), "nobody is needed"
    again = subprocess.run(
        [*words, "--resume", "--report", "report.json", "-v"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert again.returncode == 1, again.stdout + again.stderr
    items = {
        f"{each['node']}_{each['index']}": each for each in json.loads((folder / "report.json").read_text())["items"]
    }
    states = {name: each["state"] for name, each in items.items()}
    assert states.pop("work_1") == "CookedFail", states
    assert states.pop("after_1") == "Waiting"
    assert states.pop("last_0") == "Waiting"
    states.pop("together_0")
    assert set(states.values()) == {"CookedSuccess"}, again.stdout + again.stderr
    assert set(cluster.jobs()) == before, "nothing was sent again"
    assert len(lines(folder / "began")) == 7
    assert items["after_1"]["blocked_by"] == [items["work_1"]["id"]]
    assert [Path(each["path"]).name for each in items["after_3"]["outputs"]] == ["out_after_3"]
    assert items["after_3"]["attributes"]["square"]["value"] == [9]


@pytest.mark.parametrize("how", [["cancel"], ["cook", "--static", "farm", "--resume"]])
def test_who_comes_back_to_end_a_cook_that_was_killed_ends_all_of_it(
    bench: CookBench, cluster: TestCluster, mark: str, how: list[str]
) -> None:
    folder = bench.folder
    (folder / "mark").write_text(mark)
    text = network("sh -c 'test @pdg_index = 0 || exec sleep $(cat mark)'", count=3) + AFTER + ALL
    # Of the first, what waits for it runs, too.
    text = text.replace("echo after_@pdg_index >> began;", "echo after_@pdg_index >> began; sleep $(cat mark);")
    (folder / "net.toml").write_text(textwrap.dedent(text))
    topcook = [sys.executable, "-m", "topcook"]
    with (folder / "said").open("wb") as said:
        cook = subprocess.Popen(
            [*topcook, "cook", "net.toml", "--static", "farm"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        until(lambda: lines(folder / "began") and len(running(mark)) >= 3, "all run that can")
        cook.kill()
        cook.wait()
        again = subprocess.Popen(
            [*topcook, how[0], "net.toml", *how[1:]], cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        if how[0] == "cook":
            (where,) = folder.glob("pdgtemp/*/scripts/.pdg_result_server")
            before = where.stat().st_mtime_ns
            until(lambda: where.stat().st_mtime_ns > before, "it has begun to look for them")
            again.terminate()
        again.wait(200)
    words = (folder / "said").read_text()
    until(lambda: ended(cluster), f"nothing is left on Slurm: {words}")
    until(lambda: not running(mark), "no process left")
    assert lines(folder / "began") == ["after_0"], words


def test_a_cook_that_is_killed_again_and_again_runs_nothing_twice_that_had_finished(
    bench: CookBench, cluster: TestCluster
) -> None:
    folder = bench.folder
    (folder / "job.sh").write_text("sleep 0.2\necho $1 >> done\n")
    text = network("sh job.sh work_@pdg_index", count=20, parms="slurm_poll = 0.5\n        slurm_simultaneous = 4")
    text = text.replace("slurm_poll = 1.0\n", "") + AFTER.replace(
        "sh -c 'echo after_@pdg_index >> began; test -e made_@pdg_index'", "sh job.sh after_@pdg_index"
    )
    (folder / "net.toml").write_text(textwrap.dedent(text))
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--static", "farm", "--progress", "off"]
    chance = random.Random(7)
    for number in range(KILLED + 1):
        with (folder / "said").open("ab") as said:
            more = ["--resume"] if number else []
            cook = subprocess.Popen([*words, *more], cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        if number < KILLED:
            # By what has been done, not by the clock: a busy machine would be killed before it began.
            goal = len(lines(folder / "done")) + chance.randrange(1, 8)
            until(lambda: len(lines(folder / "done")) >= goal or cook.poll() is not None, "some are done")  # noqa: B023
            cook.kill()
            cook.wait()
        else:
            assert cook.wait(300) == 0, (folder / "said").read_text()[-4000:]
    assert Counter(lines(folder / "done")) == dict.fromkeys(
        [f"{node}_{number}" for node in ("work", "after") for number in range(20)], 1
    )
    until(lambda: ended(cluster), "nothing is left on Slurm")
