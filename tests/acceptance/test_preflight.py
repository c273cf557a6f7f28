"""``topcook preflight`` on a farm of processes, and on what goes wrong there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Shell
from topcook.testkit.processfarm import ProcessFarm

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
    farm.stop()
    _, found = preflight(shell, "--timeout", "1", status=1)
    assert 'nothing was heard in time: its job is Scheduled ("queue farm ' in found["job", "problem"]["text"]


def test_a_callback_that_hangs_is_named(shell: Shell, farm: ProcessFarm) -> None:
    body = "def onSchedule(self, item):\n        import time\n        time.sleep(20)"
    _, found = preflight(shell, "--timeout", "1", body=body, status=1)
    assert "has been in onSchedule" in found["job", "problem"]["text"]


def test_a_scheduler_that_does_not_start_is_told_with_its_reason(shell: Shell, farm: ProcessFarm) -> None:
    body = "def onStart(self):\n        raise RuntimeError('no licence')"
    row, _ = preflight(shell, body=body, status=1)
    assert row["verdict"] == "cannot be used"
    assert "no licence" in json.dumps(row["findings"])


def test_the_schedulers_in_use_are_looked_at_each(shell: Shell, farm: ProcessFarm) -> None:
    nodes = '[nodes.near]\ntype = "genericgenerator"\nscheduler = "localscheduler"\nparms.command = "true"\n'
    shell.write("net.toml", NETWORK.format(type="queuefarm", more="") + nodes)
    said = json.loads(shell.run("preflight", "net.toml", "--json").stdout)
    assert [row["subject"].partition(" ")[2] for row in said["schedulers"]] == ["(queuefarm)", "(localscheduler)"]
    said = json.loads(shell.run("preflight", "net.toml", "--json", "--node", "near").stdout)
    assert [row["subject"].partition(" ")[2] for row in said["schedulers"]] == ["(localscheduler)"]
