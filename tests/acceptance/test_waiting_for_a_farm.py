"""A cook whose farm starts nothing, or does not answer, says what it waits for."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.queuefarm import HEAD, queue_farm
from tests.waiting import until
from topcook.testkit.processfarm import ProcessFarm

NETWORK = (
    HEAD
    + """\
pdg_tickperiod = 0.1
[nodes.make]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "sh $HIP/job.sh"
"""
)
JOB = 'while [ ! -e "$HIP/gate" ]; do sleep 0.05; done\n'


@pytest.fixture
def farm(shell: Shell) -> Iterator[ProcessFarm]:
    shell.environment["TOPCOOK_WATCHDOG"] = "1"
    with queue_farm(shell, NETWORK, f"HIP={shell.folder}\n{JOB}") as farm:
        yield farm


def waits(shell: Shell) -> str:
    """What the one cook that runs waits for."""
    running = [each for each in json.loads(shell.run("cooks", "--json").stdout) if each["state"] == "cooking"]
    return "".join(text for each in running for text in each["waits"].values())


def test_the_engines_reason_is_told_by_the_cook_by_cooks_and_by_status(shell: Shell, farm: ProcessFarm) -> None:
    with farm.held("no free licence"):
        cook = shell.start("cook", "net.toml", "--progress", "plain", "--status", "status.json")
        said = "2 jobs on queue farm (no free licence)"
        told = []
        for line in cook.stderr or ():
            told.append(line)
            if said in line:
                break
        assert f'scheduler "queue" waits for {said}' in told[-1], told
        until(lambda: waits(shell) == said)
        assert f"    queue waits for {said}\n" in shell.run("cooks").stdout
        until(lambda: f"  queue waits for {said}\n" in shell.run("status", "status.json").stdout)
    (shell.folder / "gate").touch()
    cook.communicate(timeout=120)
    assert cook.returncode == 0
    assert "waits" not in shell.run("status", "status.json").stdout


def test_an_engine_that_does_not_answer_is_what_is_waited_for(shell: Shell, farm: ProcessFarm) -> None:
    cook = shell.start("cook", "net.toml", "--progress", "plain")
    until(lambda: waits(shell) == "2 jobs that run on queue farm")
    with farm.away():
        until(lambda: waits(shell).startswith("queue farm, which has not answered for "))
        cook.send_signal(signal.SIGINT)
        out, err = cook.communicate(timeout=120)
    assert cook.returncode == 130
    assert "  queue waited for queue farm, which has not answered for " in out + err
