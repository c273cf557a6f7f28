"""``topcook logs``: what jobs printed in the last cook."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

NODES = """
[nodes.say]
type = "genericgenerator"
[nodes.say.parms]
itemcount = 3
pdg_workitemlabel = "frame`@pdg_index`"
command = "sh -c 'echo I am @pdg_index; exit @pdg_index'"
"""
FARM = """
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookFailed if work_item.index else pdg.scheduleResult.CookSucceeded
    def getLogURI(self, work_item):
        return "http://farm/logs/%s" % work_item.name
    def getStatusURI(self, work_item):
        return "http://farm/jobs/%d" % work_item.id

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""


def test_the_log_of_an_item_goes_by_name_id_and_label(shell: Any) -> None:
    network = shell.network(NODES)
    shell.run("cook", network, status=1)
    for asked in ("say_2", "2", "frame1"):
        done = shell.run("logs", "net.toml", asked)
        assert done.stdout == "I am 1\n"
        assert "say_2 CookedFail, cook 20" in done.stderr
        assert "logs/say_2.log" in done.stderr
    assert Path(shell.run("logs", network, "say_1", "--path").stdout.strip()).read_text() == "I am 0\n"


def test_only_the_end_of_a_long_log_is_shown(shell: Any) -> None:
    network = shell.network("[nodes.a]\ntype = 'genericgenerator'\nparms = { command = 'seq 1 100000' }\n")
    shell.run("cook", network)
    done = shell.run("logs", network, "a_1", "-n", "2")
    assert done.stdout == "99999\n100000\n"
    assert "there is more before" in done.stderr
    assert len(shell.run("logs", network, "a_1", "-n", "0").stdout.splitlines()) == 100000


def test_the_last_of_several_cooks_is_meant_and_other_networks_keep_their_own(shell: Any) -> None:
    other = shell.network(NODES.replace("I am", "other"), name="other.toml")
    other.write_text(other.read_text().replace('name = "net"', 'name = "other"'))
    shell.run("cook", other, status=1)
    for word in ("first", "second"):
        network = shell.network(NODES.replace("I am", word))
        shell.run("cook", network, status=1)
    assert shell.run("logs", network, "say_1").stdout == "second 0\n"
    assert "there is no work item" in shell.run("logs", network, "say_9", status=2).stderr


def test_what_is_not_there_is_told_with_what_is(shell: Any) -> None:
    network = shell.network(NODES)
    assert "nothing of it was cooked yet" in shell.run("logs", network, "say_1", status=2).stderr
    shell.run("cook", network, status=1)
    assert "did you mean say_1" in shell.run("logs", network, "say_11", status=2).stderr
    blocked = shell.network(NODES + "[nodes.b]\ntype='genericgenerator'\ninputs=['say']\nparms={command='echo'}\n")
    shell.run("cook", blocked, status=1)
    assert "has no log" in shell.run("logs", blocked, "b_5", status=2).stderr


def test_uris_of_a_farm_are_named_in_summary_and_logs(shell: Any) -> None:
    shell.write("types/farm.py", FARM)
    network = shell.network(NODES)
    variables = {"PDG_TYPES_PATH": str(shell.folder / "types")}
    done = shell.run("cook", network, "--scheduler", "farm", status=1, **variables)
    assert "log: http://farm/logs/say_2" in done.stdout
    assert "status: http://farm/jobs/2" in done.stdout
    done = shell.run("logs", network, "say_1", **variables)
    assert "say_1 CookedSuccess" in done.stderr
    assert "http://farm/logs/say_1" in done.stderr
    assert "status: http://farm/jobs/1" in done.stderr


def test_a_job_that_still_runs_shows_what_it_printed_so_far(shell: Any) -> None:
    network = shell.network(
        "[nodes.a]\ntype = 'genericgenerator'\nparms = { command = 'echo so far; touch $PDG_DIR/on; sleep 600' }\n"
    )
    process = shell.start("cook", network)
    until = time.monotonic() + 30
    while not (shell.folder / "work" / "on").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert shell.run("logs", network, "a_1").stdout == "so far\n"
    assert shell.run("logs", network, "1").stdout == "so far\n"
    process.terminate()
    assert process.wait(30) == 130


def test_a_scratch_directory_that_its_scheduler_removes_stays_away(shell: Any) -> None:
    """Word of the last cook is not worth making a directory again that nobody will look into."""
    shell.write(
        "types/scratch.py",
        """
import shutil, pdg
from pdg.scheduler import PyScheduler
class Scratch(PyScheduler):
    def onStartCook(self, static, cook_set):
        self.setWorkingDir(FOLDER, FOLDER)
        return True
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded
    def onStopCook(self, cancel):
        shutil.rmtree(self.workingDir(True))
        return True
def registerTypes(type_registry):
    type_registry.registerScheduler(Scratch)
""".replace("FOLDER", repr(str(shell.folder / "scratch"))),
    )
    network = shell.write(
        "net.toml",
        """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "scratch"
[nodes.a]
type = "genericgenerator"
parms = { command = "true" }
""",
    )
    shell.run("cook", network, PDG_TYPES_PATH=str(shell.folder / "types"))
    assert not (shell.folder / "scratch").exists()
