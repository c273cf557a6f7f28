"""A cook is killed, and goes on with ``--resume``: nothing that was done is done again, nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Shell
from tests.waiting import until
from topcook.runtime.journal import Past

NODES = """
[nodes.make]
type = "genericgenerator"
[nodes.make.parms]
itemcount = 6
command = "sh $HIP/job.sh make_@pdg_index"
[nodes.after]
type = "genericgenerator"
inputs = ["make"]
[nodes.after.parms]
command = "sh $HIP/job.sh after_@pdg_index"
"""
#: Says that it began, waits for the gate, says that it is done.
JOB = 'echo $1 $PDG_ITEM_ATTEMPT >> began\nwhile [ ! -e "gate_$1" ] && [ ! -e gate ]; do sleep 0.02; done\necho $1 >> done\n'


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def work(shell: Shell) -> Path:
    """The working directory of a network whose jobs wait at a gate."""
    shell.write("job.sh", JOB)
    shell.network(NODES)
    (shell.folder / "work").mkdir()
    return shell.folder / "work"


def kill_in_the_middle(shell: Shell, work: Path, *options: str) -> subprocess.Popen[str]:
    """Two items done, two at work, when the engine is killed."""
    (work / "gate_make_0").touch()
    (work / "gate_make_1").touch()
    engine = shell.start("cook", "net.toml", *options)
    until(lambda: len(lines(work / "done")) == 2 and len(lines(work / "began")) == 4)
    # The ends are known to the journal when what they freed has begun.
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    return engine


def by_state(report: dict[str, Any]) -> Counter[str]:
    return Counter(item["state"] for item in report["items"])


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


def keeper_of(work: Path) -> int:
    """The process id of the keeper, from a job at work upwards."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if os.readlink(entry / "cwd") == str(work) and b"job.sh" in (entry / "cmdline").read_bytes():
                    return keeper_above(entry)
            except OSError:
                continue
    raise AssertionError("no job is at work")


def keeper_above(process: Path) -> int:
    while b"keeper/program/" not in (process / "cmdline").read_bytes():
        process = process.parent / (process / "stat").read_text().rpartition(")")[2].split()[1]
    return int(process.name)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
def test_a_job_whose_keeper_died_too_is_awaited_and_then_run_again(shell: Shell, work: Path) -> None:
    (work / "gate_make_0").touch()
    (work / "gate_make_1").touch()
    engine = shell.start("cook", "net.toml")
    until(lambda: len(lines(work / "done")) == 2 and len(lines(work / "began")) == 4)
    keeper = keeper_of(work)
    engine.kill()
    engine.wait()
    os.kill(keeper, signal.SIGKILL)
    resumed = shell.start("cook", "net.toml", "--resume", "--report", "report.json")
    held = {line.split()[0] for line in lines(work / "began")} - set(lines(work / "done"))
    until(lambda: len(lines(work / "began")) >= 6)
    assert [line for line in lines(work / "began") if line.split()[0] in held and line.endswith(" 2")] == []
    (work / "gate").touch()
    assert resumed.wait() == 0
    began = [line.split() for line in lines(work / "began")]
    assert {name: attempt for name, attempt in began if name in held} == dict.fromkeys(held, "2")


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


def test_a_dry_run_says_what_would_become_of_each_item_and_why(shell: Shell) -> None:
    nodes = """
[nodes.a]
type = "genericgenerator"
[nodes.a.parms]
itemcount = 2
command = "touch $HIP/a.@pdg_index"
outputs = [ { path = "$HIP/a.@pdg_index" } ]
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
[nodes.b.parms]
command = "cp @pdg_input $HIP/b.@pdg_index"
outputs = [ { path = "$HIP/b.@pdg_index" } ]
"""
    shell.network(nodes)
    assert "found done" not in shell.run("cook", "net.toml", "--dry-run").stdout
    shell.cook("net.toml")
    (shell.folder / "a.1").unlink()
    shell.network(nodes.replace("cp @pdg_input", "cp -f @pdg_input"))
    told = shell.run("cook", "net.toml", "--dry-run", "--resume").stdout.splitlines()[-5:]
    folder = shell.folder
    assert told[0].endswith(": 1 of 4 items found done")
    assert [line.split() for line in told[1:3]] == [
        ["done", "a_1"],
        ["cook", "a_2", "output", f'"{folder}/a.1"', "is", "missing"],
    ]
    assert told[3].split()[:4] == ["cook", "b_3", "command", "changed:"]
    assert told[4].split() == ["cook", "b_4", "depends", "on", '"a_2",', "which", "cooks", "again"]
    assert not (folder / "a.1").exists()


BATCHES = """
[nodes.sim]
type = "genericgenerator"
[nodes.sim.parms]
itemcount = 4
framesperbatch = 2
sequential = 1
command = "sh -c 'test ! -e $HIP/bad.@pdg_index && touch $HIP/sim.@pdg_index'"
outputs = [ { path = "$HIP/sim.@pdg_index" } ]
[nodes.use]
type = "genericgenerator"
inputs = ["sim"]
[nodes.use.parms]
command = "cp @pdg_input $HIP/use.@pdg_index"
outputs = [ { path = "$HIP/use.@pdg_index" } ]
"""


def test_a_dry_run_tells_the_sub_items_of_batches_apart_as_the_cook_does(shell: Shell) -> None:
    shell.network(BATCHES)
    (shell.folder / "bad.2").touch()
    shell.cook("net.toml", status=1)

    def forecast(*options: str) -> dict[str, str]:
        told = shell.run("cook", "net.toml", "--dry-run", *options).stdout
        rows = [line[2:] for line in told.partition("after cook ")[2].splitlines()[1:]]
        return {row[13:].split()[0]: row[:13].strip() for row in rows}

    done = ["sim_1", "sim_2", "sim_3", "use_7", "use_8"]
    again = ["sim_4", "sim_5", "sim_6", "use_9", "use_10"]
    assert forecast() == dict.fromkeys(done, "done") | dict.fromkeys(again, "cook")
    stays = forecast("--resume")
    assert [name for name, what in stays.items() if what == "done"] == done
    assert [name for name, what in stays.items() if what == "failed before"] == ["sim_4", "sim_5"]
    assert forecast("--resume", "--retry-failed") == forecast()
    (shell.folder / "bad.2").unlink()
    report = shell.cook("net.toml", "--resume", "--retry-failed")
    assert {item["name"] for item in report["items"] if item["state"] == "CookedCache"} == set(done)


FARM = """
import pdg
from pdg.scheduler import PyScheduler

class Sleepy(PyScheduler):
    \"\"\"Runs each command here and now.\"\"\"

    def onSchedule(self, work_item):
        import subprocess
        status = subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True)
        return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Sleepy, label="Sleepy")
"""


def test_a_cook_does_not_go_on_with_another_version_of_a_type_unasked(shell: Shell) -> None:
    types = shell.write("types/sleepy.py", FARM)
    shell.network("""
[nodes.a]
type = "genericgenerator"
scheduler = "sleepy"
[nodes.a.parms]
command = "true"
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
scheduler = "sleepy"
[nodes.b.parms]
command = "test -e $HIP/mended"
""")
    found = {"PDG_TYPES_PATH": str(types.parent)}
    shell.cook("net.toml", status=1, **found)
    types.write_text(FARM.replace("here and now", "here, now"))
    (shell.folder / "mended").touch()
    told = shell.run("cook", "net.toml", "--resume", "--retry-failed", status=2, **found).stderr
    assert 'type "sleepy" (' in told
    assert "--accept-version" in told
    report = shell.cook("net.toml", "--resume", "--retry-failed", "--accept-version", **found)
    assert by_state(report) == {"CookedCache": 1, "CookedSuccess": 1}


def test_a_cook_goes_on_by_its_id_with_the_options_it_was_begun_with(shell: Shell) -> None:
    network = shell.network("""
[nodes.a]
type = "genericgenerator"
[nodes.a.parms]
itemcount = 1
command = "test -e $HIP/mended"
""")
    shell.cook(network, "--parm", "a.itemcount=3", status=1)
    [pointer] = (shell.folder / "work" / "pdgtemp").glob("cook.net.*.json")
    cook = json.loads(pointer.read_text())["cook"]
    (shell.folder / "mended").touch()
    shell.run("resume", cook, "--retry-failed", "--report", "report.json")
    assert by_state(shell.report()) == {"CookedSuccess": 3}
    told = shell.run("resume", "20200101-000000-0000000", status=2).stderr
    assert "there is no cook" in told


def test_a_cook_goes_on_by_its_id_within_the_limits_it_was_begun_with(shell: Shell) -> None:
    network = shell.network("""
[nodes.a]
type = "genericgenerator"
[nodes.a.parms]
itemcount = 3
command = "sh -c 'echo $PDG_ITEM_ATTEMPT >> $HIP/ran; exit 3'"
""")
    limits = ["--slots", "1", "--machine-slots", "0", "--max-failures", "1", "--retries", "1"]
    kept = ["--die-with-parent", "--durability", "power", "--cache", "hash"]
    shell.cook(network, *limits, *kept, status=1)
    [pointer] = (shell.folder / "work" / "pdgtemp").glob("cook.net.*.json")
    said = json.loads(pointer.read_text())
    shell.run("resume", said["cook"], "--retry-failed", "--max-failures", "2", status=1)
    with Past.open(said["journal"]) as past:
        first, second = (session.facts for session in past.sessions)
    assert second["durability"] == "power"
    assert second["arguments"] == [
        each if each != "1" or place != 5 else "2" for place, each in enumerate(first["arguments"])
    ]
    # With one slot and one retry each: one item that failed for good, and then two.
    assert lines(shell.folder / "ran") == ["1", "2", "3", "4", "1", "2"]


SECRETIVE = (
    FARM.replace('"""Runs each', '''"""Reads its password, then runs each''')
    .replace("        import subprocess\n", '        import subprocess\n        self["password"].evaluateString()\n')
    .replace(
        "class Sleepy(PyScheduler):",
        "class Sleepy(PyScheduler):\n    @classmethod\n    def templateBody(cls):\n"
        '        return \'{"name": "sleepy", "parameters": [{"name": "password", "type": "String", "tags": ["secret"]}]}\'\n',
    )
)


def test_the_value_of_a_secret_is_not_kept_and_has_to_be_given_again(shell: Shell) -> None:
    types = shell.write("types/sleepy.py", SECRETIVE)
    shell.network("""
[schedulers.sleepy]
type = "sleepy"
[schedulers.sleepy.parms]
password = { env = "FARM_PASSWORD" }
[nodes.a]
type = "genericgenerator"
scheduler = "sleepy"
[nodes.a.parms]
command = "true"
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
scheduler = "sleepy"
[nodes.b.parms]
command = "true"
""")
    found = {"PDG_TYPES_PATH": str(types.parent), "FARM_PASSWORD": "opensesame"}
    given = "b.command=test -e $HIP/mended # opensesame"
    shell.cook("net.toml", "--parm", given, status=1, **found)
    [pointer] = (shell.folder / "work" / "pdgtemp").glob("cook.net.*.json")
    cook = json.loads(pointer.read_text())["cook"]
    told = shell.run("resume", cook, "--retry-failed", status=2, **found).stderr
    assert f"topcook resume {cook} --parm b.command=..." in told
    (shell.folder / "mended").touch()
    shell.run("resume", cook, "--retry-failed", "--report", "report.json", "--parm", given, **found)
    assert by_state(shell.report()) == {"CookedCache": 1, "CookedSuccess": 1}


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


BATCH = NODES.replace("itemcount = 6", "itemcount = 3\nframesperbatch = 3")


def kill_in_a_batch(shell: Shell, work: Path, network: str = BATCH) -> None:
    """One frame done, one at work, one to come, when the engine is killed."""
    shell.network(network)
    (work / "gate_make_0").touch()
    (work / "gate_after_0").touch()
    engine = shell.start("cook", "net.toml")
    until(lambda: {"make_0", "after_0"} <= set(lines(work / "done")) and "make_1 1" in lines(work / "began"))
    engine.kill()
    engine.wait()


@pytest.mark.parametrize("engine_first", [True, False])
def test_a_batch_that_was_at_work_is_taken_up_with_what_of_it_is_done(
    shell: Shell, work: Path, *, engine_first: bool
) -> None:
    kill_in_a_batch(shell, work)
    if not engine_first:
        # Its frame ends while nobody is there to be told.
        (work / "gate").touch()
        until(lambda: "make_1" in lines(work / "done"))
    resumed = shell.start("cook", "net.toml", "--resume", "--report", "report.json")
    if engine_first:
        until(lambda: list((shell.folder / "work").rglob(".pdg_result_server")))
        (work / "gate").touch()
    assert resumed.wait() == 0
    items = {item["name"]: item for item in shell.report()["items"]}
    batch, *subs = [item for item in items.values() if item["node"] == "make"]
    assert [batch["attempts"], *(sub["attempts"] for sub in subs)] == [1, 1, 1, 1]
    assert [batch["state"], *(sub["state"] for sub in subs)] == [
        "CookedSuccess",
        "CookedCache",
        "CookedSuccess",
        "CookedSuccess",
    ]
    assert set(Counter(lines(work / "began")).values()) == {1}
    assert sorted(lines(work / "done")) == sorted(f"{node}_{index}" for node in ("make", "after") for index in range(3))


def test_a_batch_that_ended_well_while_nobody_was_there_is_not_run_again(shell: Shell, work: Path) -> None:
    shell.network(BATCH.replace("make_@pdg_index", "make_@pdg_batchstart"))
    engine = shell.start("cook", "net.toml")
    until(lambda: lines(work / "began") == ["make_0 1"])
    engine.kill()
    engine.wait()
    (work / "gate").touch()
    until(lambda: lines(work / "done") == ["make_0"])
    report = shell.cook("net.toml", "--resume")
    assert by_state(report) == {"CookedSuccess": 7}
    assert Counter(lines(work / "began"))["make_0 1"] == 1
    assert set(Counter(lines(work / "done")).values()) == {1}


def test_a_batch_that_was_edited_meanwhile_is_ended_and_cooked_anew(shell: Shell, work: Path) -> None:
    kill_in_a_batch(shell, work)
    shell.network(BATCH.replace("make_@pdg_index", "new_@pdg_index"))
    resumed = shell.start("cook", "net.toml", "--resume")
    until(lambda: any(line.startswith("new_") for line in lines(work / "began")))
    (work / "gate").touch()
    assert resumed.wait() == 0
    done = lines(work / "done")
    assert {"new_0", "new_1", "new_2"} <= set(done)
    assert not {"make_1", "make_2"} & set(done)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
def test_of_a_batch_whose_keeper_died_too_only_what_was_not_done_is_run_again(shell: Shell, work: Path) -> None:
    kill_in_a_batch(shell, work)
    os.kill(keeper_of(work), signal.SIGKILL)
    (work / "gate").touch()
    assert shell.cook("net.toml", "--resume")["state"] == "cooked"
    began = lines(work / "began")
    assert [line for line in began if line.startswith("make_0")] == ["make_0 1"]
    assert "make_2 2" in began


def test_a_batch_one_of_whose_outputs_went_missing_is_not_taken_up(shell: Shell, work: Path) -> None:
    network = BATCH.replace(
        'command = "sh $HIP/job.sh make_@pdg_index"',
        'command = "sh -c \'sh $HIP/job.sh make_@pdg_index; touch $HIP/out.@pdg_index\'"\noutputs = [ { path = "$HIP/out.@pdg_index" } ]',
        1,
    )
    kill_in_a_batch(shell, work, network)
    (shell.folder / "out.0").unlink()
    (work / "gate").touch()
    assert shell.cook("net.toml", "--resume")["state"] == "cooked"
    assert "make_0 2" in lines(work / "began")
    assert (shell.folder / "out.0").exists()
