"""A cook is killed, and goes on with ``--resume``: nothing that was done is done again, nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.gate import NODES, by_state, gated, keeper_of, kill_in_the_middle, lines
from tests.waiting import until


@pytest.fixture
def work(shell: Shell) -> Path:
    """The working directory of a network whose jobs wait at a gate."""
    return gated(shell)


def test_what_was_done_stays_done_and_what_ran_is_taken_up(shell: Shell, work: Path) -> None:
    kill_in_the_middle(shell, work)
    began = Counter(line.split()[0] for line in lines(work / "began"))
    assert ", which is in flight" in shell.run("cook", "net.toml", "--resume", "--dry-run").stdout
    (work / "gate").touch()
    report = shell.cook("net.toml", "--resume")
    assert report["state"] == "cooked"
    done = Counter(lines(work / "done"))
    assert set(done) == {f"{node}_{index}" for node in ("make", "after") for index in range(6)}
    assert set(done.values()) == {1}
    assert all(Counter(line.split()[0] for line in lines(work / "began"))[name] == 1 for name in began)


def test_what_ended_while_nobody_was_there_is_not_run_again(shell: Shell, work: Path) -> None:
    kill_in_the_middle(shell, work)
    (work / "gate").touch()
    until(lambda: len(lines(work / "done")) == 4)
    report = shell.cook("net.toml", "--resume")
    assert report["state"] == "cooked"
    assert set(Counter(lines(work / "done")).values()) == {1}
    assert set(by_state(report)) <= {"CookedCache", "CookedSuccess"}


def test_what_ended_while_nobody_was_there_is_held_to_its_declared_outputs(shell: Shell, work: Path) -> None:
    shell.network("""
[nodes.make]
type = "genericgenerator"
[nodes.make.parms]
itemcount = 2
command = "sh -c 'sh $HIP/job.sh make_@pdg_index; [ @pdg_index = 1 ] || touch $HIP/made.@pdg_index'"
outputs = [ { path = "$HIP/made.@pdg_index" } ]
""")
    engine = shell.start("cook", "net.toml")
    until(lambda: len(lines(work / "began")) == 2)
    engine.kill()
    engine.wait()
    (work / "gate").touch()
    until(lambda: len(lines(work / "done")) == 2 and (shell.folder / "made.0").exists())
    made, missing = shell.cook("net.toml", "--resume", status=1)["items"]
    assert (made["state"], [each["path"] for each in made["outputs"]]) == (
        "CookedSuccess",
        [str(shell.folder / "made.0")],
    )
    assert missing["state"] == "CookedFail"
    assert "was not written" in missing["messages"][0]


def test_a_resumed_cook_can_be_killed_and_resumed_again(shell: Shell, work: Path) -> None:
    kill_in_the_middle(shell, work)
    engine = shell.start("cook", "net.toml", "--resume")
    time.sleep(0.3)
    engine.kill()
    engine.wait()
    (work / "gate").touch()
    assert shell.cook("net.toml", "--resume")["state"] == "cooked"
    assert set(Counter(lines(work / "done")).values()) == {1}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
def test_a_job_whose_keeper_died_too_is_ended_and_run_again(shell: Shell, work: Path) -> None:
    (work / "gate_make_0").touch()
    (work / "gate_make_1").touch()
    engine = shell.start("cook", "net.toml")
    until(lambda: len(lines(work / "done")) == 2 and len(lines(work / "began")) == 4)
    keeper = keeper_of(work)
    engine.kill()
    engine.wait()
    os.kill(keeper, signal.SIGKILL)
    held = {line.split()[0] for line in lines(work / "began")} - set(lines(work / "done"))
    # Nobody opens the gate for those that nobody would see the end of.
    for name in {f"{node}_{index}" for node in ("make", "after") for index in range(6)} - held:
        (work / f"gate_{name}").touch()
    resumed = shell.start("cook", "net.toml", "--resume")
    until(lambda: {f"{name} 2" for name in held} <= set(lines(work / "began")))
    (work / "gate").touch()
    assert resumed.wait() == 0
    assert set(Counter(lines(work / "done")).values()) == {1}


def test_what_failed_stays_failed_unless_it_is_to_be_tried_again(shell: Shell) -> None:
    token = uuid.uuid4().hex
    network = """
[nodes.a]
type = "genericgenerator"
[nodes.a.parms]
command = "sh -c 'echo $PDG_ITEM_ATTEMPT >> $HIP/TOKEN; test -e $HIP/mended'"
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
[nodes.b.parms]
command = "true"
""".replace("TOKEN", token)
    shell.network(network)
    shell.cook("net.toml", status=1)
    report = shell.cook("net.toml", "--resume", status=1)
    assert by_state(report) == {"CookedFail": 1, "Waiting": 1}
    assert lines(shell.folder / token) == ["1"]
    (shell.folder / "mended").touch()
    report = shell.cook("net.toml", "--resume", "--retry-failed")
    assert by_state(report) == {"CookedSuccess": 2}
    # What the last session did not come to is no news.
    assert [text for text in report["messages"] if "cooks again" in text] == [
        "info: a: a_1 cooks again: it failed before"
    ]
    assert lines(shell.folder / token) == ["1", "2"]


def test_what_depends_on_a_failure_that_holds_nothing_up_cooks_also_for_who_goes_on(shell: Shell, work: Path) -> None:
    shell.network("""
[nodes.bad]
type = "genericgenerator"
[nodes.bad.parms]
pdg_onfailure = "continue"
command = "false"
[nodes.after]
type = "genericgenerator"
inputs = ["bad"]
[nodes.after.parms]
command = "sh $HIP/job.sh after"
""")
    engine = shell.start("cook", "net.toml")
    until(lambda: len(lines(work / "began")) == 1)
    engine.kill()
    engine.wait()
    (work / "gate").touch()
    for _ in range(2):
        report = shell.cook("net.toml", "--resume", status=1)
        assert report["items"][0]["state"] == "CookedFail"
        assert report["items"][1]["state"] in {"CookedSuccess", "CookedCache"}
    assert lines(work / "done") == ["after"]


def test_what_was_edited_meanwhile_is_ended_and_cooked_anew(shell: Shell, work: Path) -> None:
    kill_in_the_middle(shell, work)
    shell.network(NODES.replace("make_@pdg_index", "new_@pdg_index"))
    resumed = shell.start("cook", "net.toml", "--resume")
    until(lambda: any(line.startswith("new_") for line in lines(work / "began")))
    (work / "gate").touch()
    assert resumed.wait() == 0
    done = lines(work / "done")
    assert sorted(done[:2]) == ["make_0", "make_1"]
    assert not [line for line in done[2:] if line.startswith("make")]


def test_nothing_to_resume_is_said(shell: Shell, work: Path) -> None:
    told = shell.run("cook", "net.toml", "--resume", status=2).stderr
    assert "there is no cook of" in told
    assert "leave --resume away" in told


def test_retries_that_were_used_up_before_the_crash_stay_used_up(shell: Shell) -> None:
    shell.network("""
[nodes.a]
type = "genericgenerator"
[nodes.a.parms]
pdg_retries = 1
command = "sh -c 'echo $PDG_ITEM_ATTEMPT >> $HIP/began; [ $PDG_ITEM_ATTEMPT = 1 ] || while [ ! -e $HIP/gate ]; do sleep 0.02; done; exit 3'"
""")
    engine = shell.start("cook", "net.toml")
    until(lambda: lines(shell.folder / "began") == ["1", "2"])
    engine.kill()
    engine.wait()
    resumed = shell.start("cook", "net.toml", "--resume", "--report", "report.json")
    (shell.folder / "gate").touch()
    assert resumed.wait() == 1
    assert by_state(shell.report()) == {"CookedFail": 1}
    assert lines(shell.folder / "began") == ["1", "2"]


def test_attempts_before_it_was_to_be_tried_again_have_used_up_nothing(shell: Shell) -> None:
    shell.network("""
[nodes.a]
type = "genericgenerator"
[nodes.a.parms]
pdg_retries = 1
command = "sh -c 'echo $PDG_ITEM_ATTEMPT >> $HIP/began; [ $PDG_ITEM_ATTEMPT != 3 ] || while [ ! -e $HIP/gate ]; do sleep 0.02; done; exit 3'"
""")
    shell.cook("net.toml", status=1)
    engine = shell.start("cook", "net.toml", "--resume", "--retry-failed")
    until(lambda: lines(shell.folder / "began") == ["1", "2", "3"])
    engine.kill()
    engine.wait()
    (shell.folder / "gate").touch()
    shell.cook("net.toml", "--resume", status=1)
    assert lines(shell.folder / "began") == ["1", "2", "3", "4"]


LATE = """
import os, sys, time
sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
import pdgcmd, pdgjson
home = os.environ["HIP"]
item = pdgjson.WorkItem.fromJobEnvironment()
open(home + "/began", "a").write(os.environ["PDG_ITEM_ATTEMPT"] + "\\n")
open(home + "/made.txt", "w").write("x")
pdgcmd.addOutputFile(home + "/made.txt", result_data_tag="file/early")
open(home + "/reported", "w").close()
while not os.path.exists(home + "/gate"):
    time.sleep(0.02)
open(home + "/late.txt", "w").write("x")
open(home + "/trying", "w").close()
pdgcmd.addOutputFile(home + "/late.txt", result_data_tag="file/late")
item.setStringAttrib("said", "hello")
"""


@pytest.mark.parametrize("engine_first", [True, False])
def test_a_job_that_goes_on_reports_to_the_session_that_took_it_up(shell: Shell, *, engine_first: bool) -> None:
    shell.write("job.py", LATE)
    shell.network("""
[nodes.a]
type = "genericgenerator"
[nodes.a.parms]
command = "__PDG_PYTHON__ $HIP/job.py"
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
[nodes.b.parms]
command = "sh -c 'echo @pdg_input.1 > $HIP/told'"
""")
    engine = shell.start("cook", "net.toml")
    until((shell.folder / "reported").exists)
    engine.kill()
    engine.wait()
    if not engine_first:
        (shell.folder / "gate").touch()
        until((shell.folder / "trying").exists)
    resumed = shell.start("cook", "net.toml", "--resume", "--report", "report.json")
    if engine_first:
        # It has told where it listens now.
        until(lambda: list((shell.folder / "work").rglob(".pdg_result_server")))
        (shell.folder / "gate").touch()
    assert resumed.wait() == 0
    first, _ = shell.report()["items"]
    assert (first["state"], first["attempts"], lines(shell.folder / "began")) == ("CookedSuccess", 1, ["1"])
    assert [each["tag"] for each in first["outputs"]] == ["file/early", "file/late"]
    assert first["attributes"]["said"]["value"] == ["hello"]
    assert lines(shell.folder / "told") == [f"{shell.folder}/late.txt"]


def test_a_cook_whose_journal_is_elsewhere_goes_on_there(shell: Shell, work: Path) -> None:
    kill_in_the_middle(shell, work, "--journal", "kept")
    [journal] = (shell.folder / "kept").glob("*.sqlite")
    (work / "gate").touch()
    shell.run("resume", journal.stem, "--report", "report.json")
    report = shell.report()
    assert (report["state"], len(report["items"])) == ("cooked", 12)
    assert set(Counter(lines(work / "done")).values()) == {1}
    assert [each.name for each in (shell.folder / "kept").glob("*.sqlite")] == [journal.name]
    assert json.loads(shell.run("report", journal.stem).stdout)["state"] == "cooked"
