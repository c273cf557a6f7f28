"""What Slurm runs again is told, each run once."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

from topcook_slurm.again import RunsAgain, again_line
from topcook_slurm.states import SlurmJob, why_again

RUNS = SlurmJob("7", frozenset({"RUNNING"}))


def test_each_run_but_the_first_is_told_once(tmp_path: Path) -> None:
    said: list[str] = []
    again = RunsAgain(tmp_path, said.append, clock=lambda: 0.0)
    names = {"7": "work_1", "8_0": "work_2"}
    assert again.look({"7": RUNS, "9": replace(RUNS, restarts=2)}, names) == []
    assert again.look({"7": replace(RUNS, restarts=1)}, names) == ["7"]
    assert again.look({"7": replace(RUNS, restarts=1)}, names) == []
    first, second = said[0].splitlines()
    assert first == "Slurm runs work_1 (job 7) again, after a node died, for preemption, or by scontrol requeue"
    assert second.strip() == "what earlier runs told of outputs does not count"
    # What the job leaves says the same, or more.
    (tmp_path / "7.1").touch()
    assert again.look({}, names, last=True) == []
    (tmp_path / "7.2").touch()
    (tmp_path / "8_0.1").touch()
    (tmp_path / "none").touch()
    assert sorted(again.look({}, names, last=True)) == ["7", "8_0"]
    assert "work_1 (job 7)" in said[1]
    assert "work_2 (job 8_0)" in said[1]
    assert len(said) == 2


def test_the_reason_is_told_where_accounting_has_it(tmp_path: Path) -> None:
    """As 22.05 tells of a node that died, of preemption, and of one that somebody requeued."""
    text = (
        "7|PREEMPTED|0:0|n2\n7|PENDING|0:0|None assigned\n8_0|REQUEUED|0:0|n2\n8_0|NODE_FAIL|0:0|n1\n"
        "8_0|RUNNING|0:0|n2\n9|REQUEUED|0:0|None assigned\n9|COMPLETED|0:0|n2\n10|FAILED|1:0|n1\n"
    )
    whys = why_again(text)
    assert whys == {"7": "preempted on n2", "8_0": "node failure on n1", "9": "requeued"}
    said: list[str] = []
    again = RunsAgain(tmp_path, said.append, lambda _jobs: whys)
    again.look({"7": replace(RUNS, restarts=1)}, {"7": "work_1"})
    assert said[0].splitlines()[0] == "Slurm runs work_1 (job 7: preempted on n2) again"


def test_many_are_told_together_and_no_more_often_than_once_in_a_minute(tmp_path: Path) -> None:
    said: list[str] = []
    times = iter([0.0, 10.0, 59.0, 60.0, 61.0])
    again = RunsAgain(tmp_path, said.append, clock=lambda: next(times))
    names = {str(number): f"work_{number}" for number in range(40)}
    told = []
    for count in (1, 11, 21, 31):
        again.look({str(number): replace(RUNS, restarts=1) for number in range(count)}, names)
        told.append(len(said))
    assert told == [1, 1, 1, 2]
    assert said[1].startswith("Slurm runs 30 items, work_1 (job 1), ")
    again.look({}, names, last=True)
    assert len(said) == 2


def test_a_script_says_that_it_runs_again_and_goes_on_where_it_cannot(tmp_path: Path) -> None:
    folder = tmp_path / "odd 'dir'"
    folder.mkdir()

    def run(where: Path, restarts: dict[str, str]) -> str:
        text = again_line(str(where), "JOB") + "echo on\n"
        environment = {"JOB": "8_1", "PATH": "/usr/bin:/bin", **restarts}
        done = subprocess.run(
            ["sh"], input=text, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout + done.stderr

    assert run(folder, {}) == "on\n"
    assert run(folder, {"SLURM_RESTART_COUNT": "0"}) == "on\n"
    assert not list(folder.iterdir())
    assert run(folder, {"SLURM_RESTART_COUNT": "2"}) == "on\n"
    assert [path.name for path in folder.iterdir()] == ["8_1.2"]
    assert run(tmp_path / "none", {"SLURM_RESTART_COUNT": "2"}) == "on\n"
