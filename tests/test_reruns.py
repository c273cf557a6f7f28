"""What CI shows of a test that failed and passed when it was run again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECOND_TIME = """
from pathlib import Path

def test_it():
    mark = Path(__file__).with_name("mark")
    is_second = mark.exists()
    mark.touch()
    assert is_second, "the first time"

def test_never():
    assert False, "at no time"
"""


def test_both_runs_of_a_failed_test_are_shown_and_one_that_fails_twice_fails(tmp_path: Path) -> None:
    path = tmp_path / "test_sometimes.py"
    path.write_text(SECOND_TIME)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-n",
        "2",
        "--reruns=1",
        f"--rootdir={tmp_path}",
    ]
    command += ["-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", str(path)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed, 2 rerun" in done.stdout
    head, _, tail = done.stdout.partition("failed, and was run again: test_sometimes.py::test_it")
    assert "AssertionError: the first time" in tail
    assert "at no time" in head + tail
