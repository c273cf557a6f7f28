"""Cooks are killed with ``kill -9`` at any moment, several times, and resumed: nothing is lost, nothing is done twice.

Each cook gets kills of all kinds by chance. ``TOPCOOK_CRASH_SEED`` chooses the same again; a failure prints it.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.bench import CrashBench, Tools

SEED = os.environ.get("TOPCOOK_CRASH_SEED") or str(random.SystemRandom().randrange(10**9))
#: Cooks of each part, and parts: parts are spread over the machine's cores.
COOKS, PARTS, SOAK_PARTS = 10, 10, 100
JOURNAL, RECORD = "/journal.sqlite-wal", "/keeper.record"


def kill_engine(bench: CrashBench, chance: random.Random) -> None:
    """At any moment, start-up and end included."""
    engine = bench.resume()
    time.sleep(chance.uniform(0.0, 1.2))
    engine.send_signal(signal.SIGKILL)
    bench.wait(engine)


def kill_early(bench: CrashBench, chance: random.Random) -> None:
    """While it reads what was, and takes up what runs."""
    engine = bench.resume()
    time.sleep(chance.uniform(0.15, 0.5))
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
    time.sleep(chance.uniform(0.2, 1.2))
    engine.send_signal(chance.choice([signal.SIGSTOP, signal.SIGKILL]))
    bench.kill_keepers()
    engine.send_signal(signal.SIGKILL)
    bench.wait(engine)


def kill_both_in_the_record(bench: CrashBench, chance: random.Random) -> None:
    """The keeper in the middle of a line of its record, and its engine before it can hear of that."""
    number = int(chance.triangular(1, 120, 10))
    # Which of the two will have died can be seen by nobody beforehand.
    bench.keeper_died = True
    bench.wait(bench.resume(fault=f"write {RECORD} {number} {number} both"))


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
