"""The benchmarks' frame: targets are read the right way round, and the one command runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_a_table_is_printed_below_the_machine_and_above_how_many_targets_are_met() -> None:
    done = bench("--quick", "--only", "journal")
    assert done.returncode == 0, done.stderr
    head, versions, *rest = done.stdout.splitlines()
    assert " cores, " in head
    assert f"Python {sys.version.split()[0]}" in versions
    assert any("x bare" in line for line in rest)
    assert "targets met" in rest[-1]


def test_a_table_that_is_none_is_refused_with_those_there_are() -> None:
    done = bench("--only", "nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    for name in ("local", "engine", "scale", "reports", "latency", "startup"):
        assert name in done.stderr


def test_a_value_is_held_against_its_target() -> None:
    code = (
        "from benchmarks.suite import Table, at_least, at_most\n"
        "table = Table('t')\n"
        "table.add('a', '', 1.7, 'x', at_most(1.7))\n"
        "table.add('b', '', 1.71, 'x', at_most(1.7))\n"
        "table.add('c', '', 0.65, 'x', at_least(0.65))\n"
        "table.add('d', '', 0.6, 'x', at_least(0.65))\n"
        "table.add('e', 'only told')\n"
        "print([row.verdict for row in table.rows])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "['ok', 'missed', 'ok', 'missed', '']\n"
