"""A cook is let go on purpose: it ends, what farms have goes on there, and a later session takes it up."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.queuefarm import HEAD, queue_farm
from tests.networks import makes
from tests.waiting import until
from topcook.testkit.processfarm import ProcessFarm

NETWORK = HEAD + makes("work", "sh $HIP/job.sh work_@pdg_index", parms="itemcount = 2")
AFTER = makes("after", "sh $HIP/job.sh after_@pdg_index", of="work")
HERE = makes("here", "sh $HIP/here.sh", settings='scheduler = "localscheduler"')
#: Says that it began, waits for the gate, tells a report and an output that nobody may be there to hear.
JOB = """echo $1 >> {folder}/began
while [ ! -e {folder}/gate ]; do sleep 0.05; done
touch {folder}/made_$1
$PDG_SCRIPTDIR/pdgcmd addOutputFile {folder}/made_$1
"""


#: Items, and the reports of each of their jobs.
MANY, REPORTS = 80, 12
TALKS = f"""
import os, pdgcmd
here, index = os.path.dirname(os.path.abspath(__file__)), os.environ["PDG_INDEX"]
with open(here + "/began", "a") as stream:
    stream.write(index + "\\n")
for number in range({REPORTS}):
    open(here + "/made/%s_%d" % (index, number), "w").close()
    pdgcmd.addOutputFile(here + "/made/%s_%d" % (index, number))
    pdgcmd.setIntAttrib("last", number)
"""


@pytest.fixture
def farm(shell: Shell) -> Iterator[ProcessFarm]:
    with queue_farm(shell, NETWORK, JOB.format(folder=shell.folder)) as farm:
        yield farm


def began(shell: Shell) -> Counter[str]:
    path = shell.folder / "began"
    return Counter(path.read_text().split()) if path.exists() else Counter()


def the_cook(shell: Shell) -> dict[str, Any]:
    (found,) = json.loads(shell.run("cooks", "--json").stdout)
    return dict(found)


def opened(shell: Shell, farm: ProcessFarm) -> None:
    """The jobs come to their end, and so do their wrappers, although nobody hears them."""
    (shell.folder / "gate").touch()
    until(lambda: {job["phase"] for job in farm.jobs().values()} == {"succeeded"}, "all jobs have ended")


def outputs(report: dict[str, Any]) -> dict[str, list[str]]:
    return {item["name"]: [Path(file["path"]).name for file in item["outputs"]] for item in report["items"]}


def test_a_cook_leaves_its_jobs_to_their_farm_and_a_later_session_has_what_they_told(
    shell: Shell, farm: ProcessFarm
) -> None:
    shell.write("net.toml", NETWORK)
    done = shell.run("cook", "net.toml", "--detach", "--report", "report.json", "--status", "status.json", status=3)
    assert "detached: 0 of 2 items cooked, 2 running" in done.stdout
    assert "queue goes on with 2 items" in done.stdout
    assert "go on with it: topcook resume" in done.stdout
    assert shell.report()["state"] == "detached"
    assert "go on with it: topcook resume" in shell.run("status", "status.json", status=1).stdout
    told = the_cook(shell)
    assert (told["state"], [each["ended"] for each in told["away"]]) == ("detached", [False, False])
    assert "2 jobs of it may still run: queue " in shell.run("cooks").stdout
    opened(shell, farm)
    assert [each["ended"] for each in the_cook(shell)["away"]] == [True, True]
    assert "2 jobs of it that went on have ended" in shell.run("cooks").stdout
    shell.run("resume", told["cook"], "--report", "report.json")
    assert outputs(shell.report()) == {"work_1": ["made_work_0"], "work_2": ["made_work_1"]}
    assert began(shell) == {"work_0": 1, "work_1": 1}
    assert the_cook(shell)["state"] == "cooked"


def test_jobs_that_still_run_are_taken_up(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK + AFTER)
    engine = shell.start("cook", "net.toml")
    until(lambda: began(shell).total() == 2, "both run")
    shell.run("detach", "net.toml", "--now")
    assert engine.wait(60) == 3
    engine = shell.start("resume", "net.toml")
    until(lambda: the_cook(shell)["state"] == "cooking", "it goes on")
    (shell.folder / "gate").touch()
    assert engine.wait(60) == 0
    assert began(shell) == {"work_0": 1, "work_1": 1, "after_0": 1, "after_1": 1}


def test_a_cook_that_goes_on_can_be_let_go_again(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK)
    shell.run("cook", "net.toml", "--detach", status=3)
    assert "queue goes on with 2 items" in shell.run("resume", "net.toml", "--detach", status=3).stdout
    opened(shell, farm)
    shell.run("resume", "net.toml", "--detach")
    assert began(shell) == {"work_0": 1, "work_1": 1}


def test_what_has_ended_when_the_rest_is_canceled_has_ended_so(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK)
    shell.run("cook", "net.toml", "--detach", status=3)
    opened(shell, farm)
    done = shell.run("cancel", "net.toml")
    assert "2 jobs of it that went on have ended\n    their ends are recorded" in done.stderr
    assert "cooked: 2 items" in done.stdout
    assert the_cook(shell)["state"] == "cooked"
    shell.run("resume", "net.toml")
    assert began(shell) == {"work_0": 1, "work_1": 1}


def test_a_batch_goes_on_with_all_of_its_sub_items(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK.replace("itemcount = 2", "itemcount = 3\nframesperbatch = 3"))
    assert "queue goes on with 1 item\n" in shell.run("cook", "net.toml", "--detach", status=3).stdout
    opened(shell, farm)
    shell.run("resume", "net.toml", "--report", "report.json")
    assert began(shell) == {f"work_{number}": 1 for number in range(3)}
    made = sorted(name for names in outputs(shell.report()).values() for name in names)
    assert made == [f"made_work_{number}" for number in range(3)]
    assert {item["state"] for item in shell.report()["items"]} == {"CookedSuccess"}


def test_what_needs_this_machine_is_waited_for_and_told(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("here.sh", f"cd {shell.folder}; while [ ! -e heregate ]; do sleep 0.05; done; touch here_is_done\n")
    shell.write("net.toml", NETWORK + HERE)
    engine = shell.start("cook", "net.toml")
    until(lambda: began(shell).total() == 2, "both run")
    waiting = shell.start("detach", "net.toml")
    until(lambda: the_cook(shell)["state"] == "detaching", "it is asked to")
    kept = "needs the cook for 1 work item (here_"
    until(lambda: kept in shell.run("cooks").stdout, "it says what keeps it")
    (shell.folder / "heregate").touch()
    assert (waiting.wait(60), engine.wait(60)) == (0, 3)
    assert (shell.folder / "here_is_done").exists()
    engine = shell.start("resume", "net.toml", "--report", "report.json")
    until(lambda: the_cook(shell)["state"] == "cooking", "it goes on")
    opened(shell, farm)
    assert engine.wait(60) == 0
    assert began(shell) == {"work_0": 1, "work_1": 1}
    assert outputs(shell.report()) == {"work_1": ["made_work_0"], "work_2": ["made_work_1"], "here_3": []}


def let_go_soon(shell: Shell, word: str) -> bool:
    """A session of the cook that is let go when some more have begun; whether it was, or has cooked all before."""
    before = began(shell).total()
    engine = shell.start(word, "net.toml", "--report", "report.json")
    until(lambda: began(shell).total() > before + 3 or engine.poll() is not None, "some more have begun")
    shell.run("detach", "net.toml", "--now", status=None)
    status = engine.wait(60)
    assert status in {0, 3}, engine.stderr.read() if engine.stderr is not None else ""
    return status == 3


@pytest.mark.crash
def test_a_cook_that_is_let_go_again_and_again_loses_no_report_and_runs_no_job_twice(
    shell: Shell, farm: ProcessFarm
) -> None:
    """Jobs report all the time, also in the moment in which the cook hangs up."""
    shell.write("job.py", TALKS)
    text = NETWORK.replace("itemcount = 2", f"itemcount = {MANY}").replace("queue_poll", "pdg_maxtasks = 6\nqueue_poll")
    shell.write("net.toml", text.replace("sh $HIP/job.sh work_@pdg_index", f"{sys.executable} $HIP/job.py"))
    (shell.folder / "made").mkdir()
    left, word = 0, "cook"
    while let_go_soon(shell, word):
        left, word = left + 1, "resume"
    assert left
    assert began(shell) == {f"{number}": 1 for number in range(MANY)}
    for item in shell.report()["items"]:
        made = [f"{item['index']}_{number}" for number in range(REPORTS)]
        assert [Path(file["path"]).name for file in item["outputs"]] == made, item["messages"]
        assert item["attributes"]["last"]["value"] == [REPORTS - 1]
        assert (item["state"], item["attempts"]) == ("CookedSuccess", 1) or item["state"] == "CookedCache", item


def test_a_cook_that_no_farm_can_go_on_with_cooks_to_its_end(shell: Shell) -> None:
    shell.network('[nodes.a]\ntype = "genericgenerator"\n[nodes.a.parms]\ncommand = "true"\n')
    assert "cooked:" in shell.run("cook", "net.toml", "--detach").stdout


def test_jobs_of_a_cook_that_was_let_go_are_ended_by_a_cancel(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK)
    shell.run("cook", "net.toml", "--detach", status=3)
    shell.run("cancel", "net.toml")
    until(lambda: {job["phase"] for job in farm.jobs().values()} == {"canceled"}, "both are ended")
    assert the_cook(shell)["state"] == "canceled"


def test_a_plain_cook_after_one_that_was_let_go_runs_no_job_beside_another(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK)
    shell.run("cook", "net.toml", "--detach", status=3)
    until(lambda: began(shell).total() == 2, "both run")
    engine = shell.start("cook", "net.toml")
    until(lambda: began(shell).total() == 4, "they run again")
    until(lambda: Counter(job["phase"] for job in farm.jobs().values()) == {"canceled": 2, "running": 2}, "once each")
    (shell.folder / "gate").touch()
    assert engine.wait(60) == 0


def test_nobody_can_let_go_of_a_cook_that_cannot_go_on(shell: Shell) -> None:
    shell.network('[nodes.a]\ntype = "genericgenerator"\n[nodes.a.parms]\ncommand = "sleep 600"\n')
    said = shell.run("cook", "net.toml", "--detach", "--no-journal", status=2).stderr
    assert "--detach leaves the rest to `topcook resume`, and --no-journal keeps nothing for it" in said
    shell.start("cook", "net.toml", "--no-journal")
    until(lambda: "cooking" in shell.run("cooks").stdout, "it cooks")
    assert "it keeps no journal" in shell.run("detach", "net.toml", status=2).stderr
    shell.run("cancel", "net.toml")
