"""Cooks are killed with ``kill -9`` at any moment, several times, and resumed: nothing is lost, nothing is done twice.

Each cook gets kills of all kinds by chance. ``TOPCOOK_CRASH_SEED`` chooses the same again; a failure prints it.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.bench import CrashBench, Tools, until
from topcook.runtime.keeper.program.processes import process_table

SEED = os.environ.get("TOPCOOK_CRASH_SEED") or str(random.SystemRandom().randrange(10**9))
#: Cooks of each part, and parts: parts are spread over the machine's cores.
COOKS, PARTS, SOAK_PARTS = 10, 10, 100
JOURNAL, RECORD = "/journal.sqlite-wal", "/keeper.record"


def let_work(bench: CrashBench, engine: subprocess.Popen[str], chance: random.Random) -> None:
    """Let a session get on for as long as the lot says, told by what its jobs have written."""
    before = bench.written()
    began = time.monotonic()
    until(lambda: engine.poll() is not None or bench.written() > before, "the first job", pause=0.001)
    bench.pace = time.monotonic() - began
    goal = before + chance.random() * (bench.whole - before)
    until(lambda: engine.poll() is not None or bench.written() > goal, "more jobs", pause=0.001)
    time.sleep(chance.uniform(0.0, 0.003))


def kill_engine(bench: CrashBench, chance: random.Random) -> None:
    """At any moment from the first job to the end."""
    engine = bench.resume()
    let_work(bench, engine, chance)
    engine.send_signal(signal.SIGKILL)
    bench.wait(engine)


def kill_early(bench: CrashBench, chance: random.Random) -> None:
    """While it starts, reads what was, and takes up what runs."""
    engine = bench.resume()
    time.sleep(chance.uniform(0.2, 1.1) * bench.pace)
    engine.send_signal(signal.SIGKILL)
    bench.wait(engine)


def kill_in_commit(bench: CrashBench, chance: random.Random) -> None:
    """Before, within or after a write to the journal."""
    number, what = int(chance.triangular(1, 500, 40)), chance.choice(["kill", "torn", "after"])
    bench.wait(bench.resume(fault=f"write {JOURNAL} {number} {number} {what}"))


def kill_in_on_schedule(bench: CrashBench, chance: random.Random) -> None:
    """By the scheduler itself, before or after the job has gone out."""
    number, when = int(chance.triangular(1, 230, 20)), chance.choice(["before", "after"])
    bench.wait(bench.resume(CRASH_IN_ONSCHEDULE=f"{number} {when}"))


def kill_both(bench: CrashBench, chance: random.Random) -> None:
    """Engine and keeper at once: neither sees the other die, or the keeper has a moment to."""
    engine = bench.resume()
    let_work(bench, engine, chance)
    engine.send_signal(chance.choice([signal.SIGSTOP, signal.SIGKILL]))
    bench.kill_keepers()
    engine.send_signal(signal.SIGKILL)
    bench.wait(engine)


def kill_both_in_the_record(bench: CrashBench, chance: random.Random) -> None:
    """The keeper in the middle of a line of its record, and its engine before it can hear of that."""
    number, what = int(chance.triangular(1, 120, 10)), chance.choice(["both", "lost"])
    # Which of the two will have died can be seen by nobody beforehand.
    bench.keeper_died = True
    bench.wait(bench.resume(fault=f"write {RECORD} {number} {number} {what}"))


KILLS: list[Callable[[CrashBench, random.Random], None]] = [
    kill_engine,
    kill_in_commit,
    kill_in_on_schedule,
    kill_early,
    kill_both,
    kill_both_in_the_record,
]


def cook_killed(folder: Path, tools: Tools, name: str) -> None:
    """A cook that is killed once, twice or three times, and then resumed to its end."""
    chance = random.Random(f"{SEED}/{name}")
    bench = CrashBench(folder, tools)
    bench.story.append(f"TOPCOOK_CRASH_SEED={SEED}, cook {name}")
    try:
        for _ in range(chance.choice([1, 1, 2, 3])):
            kill = chance.choice(KILLS)
            bench.story.append(kill.__name__)
            kill(bench, chance)
            bench.look()
        bench.finish()
    finally:
        bench.close()
    shutil.rmtree(folder)


LONG = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
maxprocsmenu = 1
maxprocs = 2
[nodes.long]
type = "genericgenerator"
[nodes.long.parms]
itemcount = 2
command = "JOB $HIP/effects $HIP/locks long_@pdg_index $HIP/gate"
[nodes.next]
type = "genericgenerator"
[nodes.next.parms]
command = "JOB $HIP/effects $HIP/locks next_@pdg_index"
"""


@pytest.mark.crash
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("what", ["lost", "both"])
def test_a_job_that_its_keeper_had_no_time_to_write_down_is_ended_before_its_item_runs_again(
    tmp_path: Path, tools: Tools, number: int, what: str
) -> None:
    # A third slot: whatever waits at the gate, the next one can run.
    network = LONG.replace("maxprocs = 2", "maxprocs = 3")
    bench = CrashBench(tmp_path / "cook", tools, network, LONG_NAMES, keeper_died=True)
    try:
        engine = bench.start("--progress", "off", fault=f"write {RECORD} {number} {number} {what}")
        if number > 1:
            # Mostly all jobs are written down at once, with the keeper itself: it dies of their end.
            until(lambda: engine.poll() is not None or bench.ended({"long_0", "long_1"}, "start"), "two jobs")
            (bench.folder / "gate").touch()
        assert bench.wait(engine) == -signal.SIGKILL
        begun = bench.look().at
        engine = bench.resume()
        until(lambda: any(line.name == "next_0" and line.at > begun for line in bench.lines()), "what can run at once")
        (bench.folder / "gate").touch()
        assert bench.wait(engine) == 0
        bench.finish()
    finally:
        bench.close()


LONG_NAMES = ["long_0", "long_1", "next_0"]
TWO_GATES = (
    LONG
    + """
[nodes.other]
type = "genericgenerator"
[nodes.other.parms]
command = "JOB $HIP/effects $HIP/locks other_@pdg_index $HIP/other_gate"
[nodes.last]
type = "genericgenerator"
inputs = ["other"]
[nodes.last.parms]
command = "JOB $HIP/effects $HIP/locks last_@pdg_index"
"""
)


def sockets(pid: int) -> int:
    """How many sockets a process has: a keeper has one that listens, and one to its engine."""
    return sum(os.readlink(entry).startswith("socket:") for entry in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.crash
def test_jobs_of_a_dead_keeper_are_ended_and_those_of_the_next_one_are_taken_up(tmp_path: Path, tools: Tools) -> None:
    names = ["long_0", "long_1", "next_0", "other_0", "last_0"]
    network = TWO_GATES.replace("maxprocs = 2", "maxprocs = 4")
    bench = CrashBench(tmp_path / "cook", tools, network, names, keeper_died=True)
    try:
        engine = bench.start("--progress", "off")
        until(lambda: bench.ended({"long_0", "long_1"}, "start"), "two jobs")
        until(lambda: len(bench.recorded()) >= 2, "their lines in the record")
        engine.kill()
        bench.kill_keepers()
        bench.wait(engine)
        engine = bench.resume()
        again = {("long_0", 2), ("long_1", 2)}
        until(lambda: again <= {(line.name, line.attempt) for line in bench.lines()}, "their second attempts")
        until(lambda: bench.ended({"other_0"}, "start"), "the next keeper at work")
        engine.kill()
        bench.wait(engine)
        bench.look()
        [keeper] = bench.keepers()
        until(lambda: sockets(keeper) == 1, "a keeper that is alone")
        engine = bench.resume()
        until(lambda: sockets(keeper) == 2, "a keeper that was found")
        (bench.folder / "other_gate").touch()
        until(lambda: bench.ended({"last_0"}), "what is not in the way")
        (bench.folder / "gate").touch()
        assert bench.wait(engine) == 0
        bench.finish()
        assert {(line.name, line.attempt) for line in bench.lines() if line.name.startswith("long")} == {
            *again, ("long_0", 1), ("long_1", 1)}  # fmt: skip
    finally:
        bench.close()


@pytest.mark.crash
def test_what_a_keeper_writes_down_counts_although_nobody_could_reach_it(tmp_path: Path, tools: Tools) -> None:
    bench = CrashBench(tmp_path / "cook", tools, LONG.replace("maxprocs = 2", "maxprocs = 3"), LONG_NAMES)
    try:
        engine = bench.start("--progress", "off")
        until(lambda: len(bench.recorded()) >= 2, "the lines of two jobs in the record")
        until(lambda: bench.ended({"long_0", "long_1"}, "start") and bench.ended({"next_0"}), "all jobs")
        engine.kill()
        bench.wait(engine)
        [keeper] = bench.keepers()
        for card in bench.state.glob("*/keeper.json"):
            card.unlink()
        network = bench.folder / "net.toml"
        network.write_text(network.read_text().replace('next_@pdg_index"', 'next_@pdg_index $HIP/net.toml"'))
        engine = bench.resume()
        until(lambda: len(bench.ends("next_0")) == 2, "what was edited")
        (bench.folder / "gate").touch()
        assert bench.wait(engine) == 0
        assert (len(bench.ends("long_0")), len(bench.ends("long_1"))) == (1, 1), bench.whole_story(["long_0 ran again"])
        until(lambda: (row := process_table().get(keeper)) is None or row.zombie, "the keeper's end")
    finally:
        bench.close()


@pytest.mark.crash
@pytest.mark.parametrize("both", [False, True], ids=["engine", "engine and keeper"])
def test_killed_cooks_that_are_cooked_anew_run_beside_nothing_of_the_dead_ones(
    tmp_path: Path, tools: Tools, *, both: bool
) -> None:
    bench = CrashBench(tmp_path / "cook", tools, LONG, LONG_NAMES)
    try:
        engine = bench.start("--progress", "off")
        until(lambda: len(bench.recorded()) >= 2, "the lines of two jobs in the record")
        until(lambda: bench.ended({"long_0", "long_1"}, "start"), "two jobs")
        engine.kill()
        if both:
            bench.kill_keepers()
        bench.wait(engine)
        engine = bench.start("--progress", "off")
        until(lambda: sum(line.what == "start" for line in bench.lines()) >= 4, "the same jobs of the next cook")
        (bench.folder / "gate").touch()
        assert bench.wait(engine) == 0
        told = [(line.what, line.name) for line in bench.lines() if line.what != "start"]
        assert sorted(told) == [("end", "long_0"), ("end", "long_1"), ("end", "next_0")], bench.whole_story(["twice"])
    finally:
        bench.close()


@pytest.mark.crash
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_cooks_go_on_to_their_end(tmp_path: Path, tools: Tools, part: int) -> None:
    for number in range(COOKS):
        cook_killed(tmp_path / str(number), tools, f"{part}.{number}")


@pytest.mark.soak
@pytest.mark.parametrize("part", range(SOAK_PARTS))
def test_a_thousand_killed_cooks_go_on_to_their_end(tmp_path: Path, tools: Tools, part: int) -> None:
    for number in range(COOKS):
        cook_killed(tmp_path / str(number), tools, f"soak.{part}.{number}")
