"""A cook that is killed in the middle of a batch goes on with what of it is done."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.gate import NODES, by_state, gated, keeper_of, lines
from tests.waiting import until


@pytest.fixture
def work(shell: Shell) -> Path:
    """The working directory of a network whose jobs wait at a gate."""
    return gated(shell)


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
    resumed = shell.start("cook", "net.toml", "--resume")
    # Its first job stands at the gate: whoever waits for that waits for ever.
    until(lambda: "make_1 2" in lines(work / "began"))
    (work / "gate").touch()
    assert resumed.wait() == 0
    assert Counter(lines(work / "done"))["make_1"] == 1
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
