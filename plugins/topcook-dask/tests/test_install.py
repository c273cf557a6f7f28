"""pip puts the scheduler into the menu of a fresh environment; without Dask there it says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1]
Run = Callable[..., str]


@pytest.fixture
def python(tmp_path: Path) -> str:
    """An interpreter that has what is installed here, but Dask's distributed: there is no net to install it from."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=300)
    (packages,) = (tmp_path / "venv" / "lib").glob("*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith("distributed"):
            (packages / path.name).symlink_to(path)
    return str(tmp_path / "venv" / "bin" / "python")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str | Path, status: int = 0) -> str:
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    return run


def install(run: Run, python: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install", "--quiet"]
    run(*pip, "--no-index", "--no-deps", "--no-build-isolation", PLUGIN)


def test_pip_brings_the_scheduler_into_the_menu(python: str, run: Run) -> None:
    (packages,) = Path(python).parents[1].glob("lib/*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).glob("distributed*"):
        (packages / path.name).symlink_to(path)
    assert "daskscheduler" not in run(python, "-m", "topcook", "list")
    install(run, python)
    (row,) = [line for line in run(python, "-m", "topcook", "list").splitlines() if "daskscheduler" in line]
    assert row.split() == ["●", "Dask", "Scheduler", "daskscheduler", "ok", "topcook-dask", "0.1.0", "(pip)"]


def test_without_dask_the_scheduler_is_listed_by_its_name_with_what_to_type(python: str, run: Run) -> None:
    install(run, python)
    (row,) = [line for line in run(python, "-m", "topcook", "list").splitlines() if "topcook-dask" in line]
    assert row.split()[:4] == ["✗", "daskscheduler", "daskscheduler", "failed"]
    assert 'there is no module "distributed"' in row
    told = run(python, "-m", "topcook", "doctor", "daskscheduler", status=1)
    assert f"{python} -m pip install distributed" in told
