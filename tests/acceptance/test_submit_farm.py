"""A network that a farm cooks as one job: how far it is can be asked from the moment it is submitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from tests.waiting import until

#: Its job waits for a gate, and outlives who submits.
FARM = """
import subprocess
from pdg.scheduler import PyScheduler
from topcook.author import submitted_cook

class Farm(PyScheduler):
    def onSchedule(self, work_item):
        raise RuntimeError("only whole networks")

    def submitAsJob(self, graph_file, node_path):
        cook = submitted_cook(self, graph_file, node_path, "the farm")
        shell = 'while [ ! -e GATE ]; do sleep 0.05; done; exec "$@"'.replace("GATE", GATE)
        with open(cook.log, "ab") as log:
            subprocess.Popen(
                ["sh", "-c", shell, "sh", *cook.command], cwd=self.workingDir(False), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        cook.is_job(self, "7", queue=DELETED)
        return cook.status_uri, "7"

    @classmethod
    def submittedJobEnd(cls, job, asked):
        with open(asked["queue"]) as queue:
            return f"job {job} {said}" if (said := queue.read()) else ""

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""
NETWORK = """
[network]
name = "net"
[schedulers.farm]
type = "farm"
parms.pdg_workingdir = "$HIP/over there"
[nodes.a]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "COMMAND"
"""


def submitted(shell: Shell, command: str) -> str:
    """Have the farm's job wait; the URI of its status."""
    text = FARM.replace("GATE)", f"{str(shell.folder / 'gate')!r})")
    shell.write("types/farm.py", text.replace("DELETED", repr(str(shell.write("deleted", "")))))
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    shell.write("net.toml", NETWORK.replace("COMMAND", command))
    done = shell.run("submit", "net.toml", "--scheduler", "farm")
    assert "submitted to farm as job 7" in done.stderr
    uri = done.stdout.strip()
    assert f"how far it is: topcook status {uri}" in done.stderr
    return uri


@pytest.mark.parametrize(
    ("command", "status", "state"), [("true", 0, "cooked: 2"), ("no-such-program", 1, "failed: 2")]
)
def test_a_job_that_waits_runs_and_ends_tells_so(shell: Shell, command: str, status: int, state: str) -> None:
    uri = submitted(shell, command)
    told = shell.run("status", uri).stdout
    assert told.startswith("submitted: no work items yet")
    assert told.endswith("  not begun yet on the farm\n")
    (shell.folder / "gate").touch()
    told = shell.run("status", uri, "--wait", status=status).stdout
    assert told.startswith(state)
    assert "report.json" in told
    assert ("cook.log" in told) == bool(status)
    assert Path(uri.removeprefix("file://").replace("%20", " ")).is_file()


def test_a_network_that_is_deleted_before_its_job_begins_is_refused_with_the_reason(shell: Shell) -> None:
    uri = submitted(shell, "true")
    (shell.folder / "over there" / "net.toml").unlink()
    (shell.folder / "gate").touch()
    told = shell.run("status", uri, "--wait", status=1).stdout
    assert told.startswith("refused: no work items yet")
    assert "over there/net.toml" in told
    assert "no such" in told.lower()


def test_a_job_that_is_deleted_before_it_begins_is_lost_with_the_farms_word(shell: Shell) -> None:
    uri = submitted(shell, "true")
    waiting = shell.start("status", uri, "--wait")
    shell.write("deleted", "was deleted by carla")
    told, _ = waiting.communicate(timeout=120)
    assert waiting.returncode == 1
    assert told.startswith("lost: no work items yet")
    assert "  its job 7 cooks no more: job 7 was deleted by carla\n" in told
    # A farm may be wrong: what the cook says goes before.
    (shell.folder / "gate").touch()
    until(lambda: shell.run("status", uri, status=None).stdout.startswith("cooked: 2"), "the cook's own word")


def test_where_the_farm_cannot_be_asked_what_is_written_counts(shell: Shell) -> None:
    uri = submitted(shell, "true")
    (shell.folder / "deleted").unlink()
    told = shell.run("status", uri)
    assert told.stdout.startswith("submitted: ")
    assert "whether its job is still there could not be asked: " in told.stderr
    shell.environment.pop("PDG_TYPES_PATH")
    assert 'there is no scheduler type "farm" here' in shell.run("status", uri).stderr
    (shell.folder / "gate").touch()
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    assert shell.run("status", uri, "--wait").stdout.startswith("cooked: 2")
