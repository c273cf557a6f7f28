"""A cook that was killed left jobs on a farm: it is told that they may run, and ``topcook cancel`` has them ended."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.queuefarm import HEAD, queue_farm
from tests.waiting import until
from topcook.testkit.processfarm import ProcessFarm

NETWORK = (
    HEAD
    + """\
[nodes.first]
type = "genericgenerator"
[nodes.first.parms]
command = "true"
[nodes.make]
type = "genericgenerator"
inputs = ["first"]
[nodes.make.parms]
pdg_workitemgeneration = "dynamic"
command = "sh $HIP/job.sh"
[nodes.others]
type = "genericgenerator"
[nodes.others.parms]
itemcount = 2
command = "sh $HIP/job.sh"
[nodes.here]
type = "genericgenerator"
scheduler = "localscheduler"
[nodes.here.parms]
command = "sh $HIP/job.sh"
[nodes.inside]
type = "pythonscript"
[nodes.inside.parms]
script = "import time; time.sleep(600)"
[nodes.later]
type = "genericgenerator"
inputs = ["make"]
[nodes.later.parms]
command = "touch $HIP/later"
"""
)


@pytest.fixture
def farm(shell: Shell) -> Iterator[ProcessFarm]:
    with queue_farm(shell, NETWORK, f"echo $$ >> {shell.folder}/began\nexec sleep 600\n") as farm:
        yield farm


def jobs(shell: Shell) -> list[int]:
    """The processes that jobs began as."""
    path = shell.folder / "began"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}") and b"sleep" in _command_line(pid)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def the_cook(shell: Shell) -> dict[str, object]:
    (found,) = json.loads(shell.run("cooks", "--json").stdout)
    return dict(found)


def killed(shell: Shell) -> list[int]:
    """A cook that is killed while three jobs run on the farm, one here and one in its own process."""
    engine = shell.start("cook", "net.toml")
    until(lambda: len(jobs(shell)) == 4 and dict(the_cook(shell)["counts"]).get("Cooking") == 5)  # type: ignore[call-overload]
    engine.kill()
    engine.wait(60)
    return jobs(shell)


def test_jobs_that_a_dead_cook_left_on_a_farm_are_told_and_canceled(shell: Shell, farm: ProcessFarm) -> None:
    began = killed(shell)
    told = the_cook(shell)
    assert told["state"] == "dead"
    assert [each["scheduler"] for each in told["away"]] == ["queue"] * 3  # type: ignore[attr-defined]
    said = shell.run("cooks").stdout
    assert "3 jobs of it may still run: queue " in said
    assert "end its jobs: topcook cancel" in said
    shell.run("cancel", "net.toml")
    until(lambda: not alive(began))
    assert not [job for job, known in farm.jobs().items() if known["phase"] in {"queued", "running"}]
    assert jobs(shell) == began
    assert not (shell.folder / "later").exists()
    told = the_cook(shell)
    assert (told["state"], told["away"]) == ("canceled", [])


def test_jobs_that_the_farm_does_not_know_any_more_do_not_count_as_left(shell: Shell, farm: ProcessFarm) -> None:
    began = killed(shell)
    for job in farm.jobs():
        farm.forget(job)
    done = shell.run("cancel", "net.toml")
    assert "queue has not found jobs that an earlier session left" in done.stderr
    assert "nobody has taken them up" not in done.stderr
    # The farm has no word of them, and nobody else can end them.
    for pid in alive(began):
        os.kill(pid, signal.SIGKILL)


def test_a_dead_cook_that_cannot_go_on_keeps_its_farm_jobs_and_says_so(shell: Shell, farm: ProcessFarm) -> None:
    began = killed(shell)
    shell.write("net.toml", NETWORK.replace("queuefarm", "nosuchfarm"))
    refused = shell.run("cancel", "net.toml", status=2)
    assert 'unknown scheduler "nosuchfarm"' in refused.stderr
    assert "3 jobs of it may still run: queue " in refused.stderr
    assert len(alive(began)) == 4
    shell.write("net.toml", NETWORK)
    shell.run("cancel", "net.toml")
    until(lambda: not alive(began))
