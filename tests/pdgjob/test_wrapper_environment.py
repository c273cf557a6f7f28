"""The environment of jobs where one program runs many, as Dask's workers do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pdgjob import jobwrapper

#: A program that sets SEEN to each of its words, and runs a job after each.
MANY = """
import json, os, sys
from pdgjob import jobwrapper
for value, spec in json.loads(sys.argv[1]):
    os.environ["SEEN"] = value
    assert jobwrapper.Job(spec).run() == 0
"""


def spec(folder: Path, number: int, **changes: Any) -> dict[str, Any]:
    script = f"import os; open('seen{number}', 'w').write(os.environ.get('SEEN', '-') + os.environ.get('OWN', '-'))"
    return {"token": f"cook-{number}-1", "argv": [sys.executable, "-c", script], "cwd": str(folder), **changes}


@pytest.fixture
def seen(tmp_path: Path) -> Any:
    """What jobs saw, each run after SEEN was set to its value."""

    def run(*jobs: tuple[str, dict[str, Any]]) -> list[str]:
        root = Path(jobwrapper.__file__).parents[1]
        given = [(value, spec(tmp_path, number, **changes)) for number, (value, changes) in enumerate(jobs)]
        words = [sys.executable, "-c", MANY, json.dumps(given)]
        subprocess.run(words, check=True, timeout=60, env={"PYTHONPATH": str(root)})
        return [(tmp_path / f"seen{number}").read_text() for number in range(len(jobs))]

    return run


def test_what_one_job_changes_in_the_program_that_runs_it_reaches_no_other(seen: Any) -> None:
    assert seen(("first", {}), ("second", {}), ("third", {"env": {"OWN": "!"}}), ("fourth", {})) == [
        "first-",
        "first-",
        "first!",
        "first-",
    ]


def test_each_job_is_without_the_names_it_is_to_be_without(seen: Any) -> None:
    assert seen(("a", {"unset": ["SEEN"]}), ("b", {}), ("c", {"unset": ["SEEN"], "env": {"SEEN": "own"}})) == [
        "--",
        "b-",
        "own-",
    ]
