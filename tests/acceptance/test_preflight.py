"""``topcook preflight`` on a farm of processes, and on what goes wrong there."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import topcook
from tests.acceptance.conftest import Shell
from tests.waiting import until
from topcook.testkit.processfarm import ProcessFarm

SCHEMA = json.loads((Path(topcook.__file__).parent / "model/schemas/preflight.schema.json").read_text(encoding="utf-8"))

EXAMPLE = Path(__file__).parents[2] / "examples" / "farm_plugin" / "types" / "queuefarm.py"
NETWORK = """
[network]
name = "net"
scheduler = "queue"
[schedulers.queue]
type = "{type}"
parms.queue_poll = 0.2
[nodes.node]
type = "genericgenerator"
parms.command = "touch nothing_of_the_network_is_cooked; {more}"
"""
FARM = """
from queuefarm import QueueFarm as Base
class OddFarm(Base):
    @classmethod
    def templateName(cls):
        return "oddfarm"
    {body}
def registerTypes(registry):
    registry.registerScheduler(OddFarm)
"""


@pytest.fixture
def farm(shell: Shell) -> Iterator[ProcessFarm]:
    shutil.copytree(EXAMPLE.parent, shell.folder / "types", ignore=shutil.ignore_patterns("__pycache__"))
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    with ProcessFarm(shell.folder / "farm") as farm:
        yield farm


def preflight(shell: Shell, *options: str, body: str = "", status: int = 0, more: str = "", **variables: str) -> Any:
    """What it says of the one scheduler: its row, and its findings by topic."""
    if body:
        shell.write("types/oddfarm.py", FARM.format(body=body))
    shell.write("net.toml", NETWORK.format(type="oddfarm" if body else "queuefarm", more=more))
    done = shell.run("preflight", "net.toml", "--json", "--timeout", "60", *options, status=status, **variables)
    said = json.loads(done.stdout)
    jsonschema.validate(said, SCHEMA)
    assert said["ready"] is (status == 0)
    (row,) = said["schedulers"]
    assert not (shell.folder / "nothing_of_the_network_is_cooked").exists()
    return row, {(finding["topic"], finding["state"]): finding for finding in row["findings"]}


def test_where_all_is_well_it_says_so_and_cooks_nothing(shell: Shell, farm: ProcessFarm) -> None:
    row, found = preflight(shell)
    assert (row["verdict"], row["healthy"]) == ("ready", True)
    topics = ["job", "python", "shared", "shared", "path map", "result server", "clock", "user"]
    assert [finding["topic"] for finding in row["findings"]] == topics
    assert found["job", "ok"]["text"].startswith("ran on ")
    assert not (shell.folder / "pdgtemp").exists()


def test_for_people_it_is_a_table(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK.format(type="queuefarm", more=""))
    text = shell.run("preflight", "net.toml").stdout
    assert text.startswith("queue (queuefarm): ready\n")
    assert "a report from there was recorded here" in text


def test_a_directory_that_is_not_there_over_there_is_named(shell: Shell, farm: ProcessFarm) -> None:
    body = "def onStartCook(self, *args):\n        self.setWorkingDir(self.workingDir(True), '/no/such/mount')\n        return super().onStartCook(*args)"
    _, found = preflight(shell, body=body, status=1)
    finding = found["shared", "problem"]
    assert "/no/such/mount" in finding["text"]
    assert f'"{shell.folder}" here has to be "/no/such/mount" there' in finding["hint"]
    left = Path(found["files", "note"]["text"].rpartition(": ")[2])
    assert left.parent == shell.folder / "pdgtemp"
    assert (left / "logs").is_dir()


def test_a_python_that_is_not_there_is_named(shell: Shell, farm: ProcessFarm) -> None:
    _, found = preflight(shell, status=1, PDG_PYTHON="/no/such/python")
    assert "/no/such/python" in found["python", "problem"]["text"]
    assert "PDG_PYTHON" in found["python", "problem"]["hint"]


def test_a_result_server_that_jobs_do_not_reach_is_told_by_the_shared_directory(
    shell: Shell, farm: ProcessFarm
) -> None:
    body = "def workItemResultServerAddr(self):\n        return '127.0.0.1:9'"
    _, found = preflight(shell, body=body, status=1, PDG_RPC_RETRIES="0")
    assert "not reached from there" in found["result server", "problem"]["text"]
    assert "topcook_serverbind" in found["result server", "problem"]["hint"]
    assert ("shared", "ok") in found


def test_hython_is_looked_for_where_the_network_uses_it(shell: Shell, farm: ProcessFarm) -> None:
    more = "__PDG_HYTHON__ render.py"
    _, found = preflight(shell, status=1, more=more, PDG_HYTHON="/no/such/hython")
    assert "/no/such/hython does not run there" in found["hython", "problem"]["text"]
    _, found = preflight(shell, more=more, PDG_HYTHON=shutil.which("python3") or "python3")
    assert ("hython", "ok") in found


def test_an_engine_that_starts_nothing_is_not_waited_for_without_end(shell: Shell, farm: ProcessFarm) -> None:
    with farm.held("no free licence"):
        # Long enough that the engine was asked.
        _, found = preflight(shell, "--timeout", "12", status=1)
    text = found["job", "problem"]["text"]
    assert text.startswith('nothing was heard within 12 s: its job is Scheduled ("queue farm ')
    assert text.endswith('queued, no free licence"); queue waits for 1 job on queue farm (no free licence)')


def test_what_the_scheduler_said_is_told_where_nothing_was_heard(shell: Shell, farm: ProcessFarm) -> None:
    said = "self.cookWarning('the gate is shut')"
    body = f"def onSchedule(self, work_item):\n        import pdg\n        {said}\n        return pdg.scheduleResult.Deferred"
    _, found = preflight(shell, "--timeout", "3", body=body, status=1)
    assert found["job", "note"]["text"] == "queue says: the gate is shut"


def test_a_callback_that_hangs_is_named(shell: Shell, farm: ProcessFarm) -> None:
    body = "def onSchedule(self, item):\n        import time\n        time.sleep(8)"
    _, found = preflight(shell, "--timeout", "5", body=body, status=1)
    assert "has been in onSchedule" in found["job", "problem"]["text"]


def test_a_scheduler_that_does_not_start_is_told_with_its_reason(shell: Shell, farm: ProcessFarm) -> None:
    body = "def onStart(self):\n        raise RuntimeError('no licence')"
    row, _ = preflight(shell, body=body, status=1)
    assert row["verdict"] == "cannot be used"
    assert "no licence" in json.dumps(row["findings"])


def test_a_scheduler_whose_cook_does_not_start_is_told_with_its_reason(shell: Shell, farm: ProcessFarm) -> None:
    body = "def onStartCook(self, *args):\n        self.cookError('no such queue: fast')\n        return False"
    _, found = preflight(shell, body=body, status=1)
    assert found["job", "problem"]["text"] == "the job was not begun: no such queue: fast"


def test_the_schedulers_in_use_are_looked_at_each(shell: Shell, farm: ProcessFarm) -> None:
    nodes = '[nodes.near]\ntype = "genericgenerator"\nscheduler = "localscheduler"\nparms.command = "true"\n'
    shell.write("net.toml", NETWORK.format(type="queuefarm", more="") + nodes)
    said = json.loads(shell.run("preflight", "net.toml", "--json").stdout)
    assert [row["subject"].partition(" ")[2] for row in said["schedulers"]] == ["(queuefarm)", "(localscheduler)"]
    said = json.loads(shell.run("preflight", "net.toml", "--json", "--node", "near").stdout)
    assert [row["subject"].partition(" ")[2] for row in said["schedulers"]] == ["(localscheduler)"]


def test_an_onstart_that_hangs_is_not_waited_for_without_end(shell: Shell, farm: ProcessFarm) -> None:
    body = "def onStart(self):\n        import time\n        time.sleep(600)"
    row, found = preflight(shell, "--timeout", "5", body=body, status=1)
    assert row["verdict"] == "cannot be used"
    text = found["scheduler", "problem"]["text"]
    assert text.startswith('nothing was heard within 5 s: scheduler "queue" has been in onStart for ')


def test_schedulers_are_looked_at_together(shell: Shell, farm: ProcessFarm) -> None:
    """Each of the two hands its job over when the other one was asked to."""
    body = """def onSchedule(self, item):
        import pathlib, time
        folder = pathlib.Path(self.workingDir(True))
        (folder / self.name).touch()
        until = time.monotonic() + 60
        while not all((folder / name).exists() for name in ("queue", "other")):
            assert time.monotonic() < until, "the other one was not asked"
            time.sleep(0.01)
        return super().onSchedule(item)"""
    shell.write("types/oddfarm.py", FARM.format(body=body))
    other = '[schedulers.other]\ntype = "oddfarm"\n[nodes.far]\ntype = "genericgenerator"\nscheduler = "other"\n'
    shell.write("net.toml", NETWORK.format(type="oddfarm", more="") + other)
    said = json.loads(shell.run("preflight", "net.toml", "--json").stdout)
    jsonschema.validate(said, SCHEMA)
    assert [(row["subject"], row["verdict"]) for row in said["schedulers"]] == [
        ("queue (oddfarm)", "ready"),
        ("other (oddfarm)", "ready"),
    ]


def test_ctrl_c_leaves_no_job_and_no_file(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK.format(type="queuefarm", more=""))
    with farm.held("no free licence"):
        process = shell.start("preflight", "net.toml")
        until(lambda: [job for job in farm.jobs().values() if job["reason"]])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, ""), err
    assert [job["phase"] for job in farm.jobs().values()] == ["canceled"]
    assert not (shell.folder / "pdgtemp").exists()


IN_PROCESS = """
import pdg
from pdg.scheduler import PyScheduler
class Thinker(PyScheduler):
    @classmethod
    def templateName(cls): return "thinker"
    def onStart(self):
        self.setAcceptInProcess(True)
        return True
    def onAcceptWorkItem(self, item):
        return pdg.acceptResult.Accept if item.isInProcess else pdg.acceptResult.Reject
    def onSchedule(self, item):
        return pdg.scheduleResult.CookSucceeded
def registerTypes(registry): registry.registerScheduler(Thinker)
"""


@pytest.mark.parametrize("kind", ["inprocessscheduler", "thinker"])
def test_one_that_runs_no_commands_has_nothing_to_look_at_and_is_no_obstacle(shell: Shell, kind: str) -> None:
    shell.write("types/thinker.py", IN_PROCESS)
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    network = f'[nodes.think]\ntype = "pythonscript"\nscheduler = "{kind}"\nparms.script = "pass"\n'
    shell.write("net.toml", network)
    said = json.loads(shell.run("preflight", "net.toml", "--json").stdout)
    jsonschema.validate(said, SCHEMA)
    (row,) = said["schedulers"]
    assert (said["ready"], row["healthy"], row["verdict"]) == (True, True, "not applicable")


def test_the_schedulers_of_a_profile_are_looked_at(shell: Shell, farm: ProcessFarm) -> None:
    profile = '[profiles.near]\nscheduler = "localscheduler"\n'
    shell.write("net.toml", NETWORK.format(type="queuefarm", more="") + profile)
    said = json.loads(shell.run("preflight", "net.toml", "--json", "--profile", "near").stdout)
    assert [row["subject"].partition(" ")[2] for row in said["schedulers"]] == ["(localscheduler)"]
    assert farm.jobs() == {}
    done = shell.run("preflight", "net.toml", "--profile", "naer", status=2)
    assert "did you mean near?" in done.stderr
