"""A network that a farm cooks as one job: how far it is can be asked from the moment it is submitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell

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
        return cook.status_uri, "7"

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


@pytest.mark.parametrize(
    ("command", "status", "state"), [("true", 0, "cooked: 2"), ("no-such-program", 1, "failed: 2")]
)
def test_a_job_that_waits_runs_and_ends_tells_so(shell: Shell, command: str, status: int, state: str) -> None:
    shell.write("types/farm.py", FARM.replace("GATE)", f"{str(shell.folder / 'gate')!r})"))
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    shell.write("net.toml", NETWORK.replace("COMMAND", command))
    done = shell.run("submit", "net.toml", "--scheduler", "farm")
    assert "submitted to farm as job 7" in done.stderr
    uri = done.stdout.strip()
    assert f"how far it is: topcook status {uri}" in done.stderr
    told = shell.run("status", uri).stdout
    assert told.startswith("submitted: no work items yet")
    assert told.endswith("  not begun yet on the farm\n")
    (shell.folder / "gate").touch()
    told = shell.run("status", uri, "--wait", status=status).stdout
    assert told.startswith(state)
    assert "report.json" in told
    assert ("cook.log" in told) == bool(status)
    assert Path(uri.removeprefix("file://").replace("%20", " ")).is_file()
