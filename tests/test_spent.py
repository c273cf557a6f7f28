from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spent import BUDGET, spent_lines, spent_of

ROOT = Path(__file__).parents[1]
#: A quick one of the core's tests, and one of a plugin's.
SOME = (
    "tests/test_spent.py::test_a_plugin_that_is_over_its_budget_is_told_and_the_core_has_none",
    "plugins/topcook-slurm/tests/test_plan.py::test_one_to_one_is_two_arrays_task_by_task",
)


def test_seconds_are_summed_by_distribution_and_the_longest_stands_first() -> None:
    durations = [
        ("tests/test_words.py::test_a", 1.5),
        ("plugins/topcook-slurm/tests/test_cooks.py::test_b[x/y]", 2.0),
        ("plugins/topcook-slurm/tests/test_cooks.py::test_b[x/y]", 0.5),
        ("tests/cli/test_c.py::test_c", 0.25),
    ]
    assert spent_of(durations) == {"core": 1.75, "topcook-slurm": 2.5}
    assert spent_lines(spent_of(durations)) == ["     2.5 s  topcook-slurm", "     1.8 s  core"]


def test_a_plugin_that_is_over_its_budget_is_told_and_the_core_has_none() -> None:
    lines = spent_lines({"core": BUDGET + 100, "topcook-dask": BUDGET + 1, "topcook-slurm": BUDGET})
    assert lines == [
        "   580.0 s  core",
        "   481.0 s  topcook-dask, more than the 480 s of a plugin",
        "   480.0 s  topcook-slurm",
    ]


def told_of(*words: str, ci: str) -> str:
    """What a run of these tests says of the time they took."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, *SOME]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={**environment, "CI": ci})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.partition("seconds of tests, by distribution")[2]


@pytest.mark.timeout(600)
def test_a_run_of_ci_ends_with_them_and_any_other_without() -> None:
    told = told_of("-n", "2", ci="true")
    assert " s  core\n" in told
    assert " s  topcook-slurm\n" in told
    assert told_of(ci="") == ""
