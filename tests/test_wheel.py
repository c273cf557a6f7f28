"""The wheel, built, installed into an environment of its own and used there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, **environment: str) -> str:
    """Standard output of a command that must succeed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "PYTHON", "TOPCOOK_"))}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, env=kept | environment
    )
    assert done.returncode == 0, f"{command} said:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout; no isolation, so that no index is asked for hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    return next(folder.glob("topcook-*.whl"))


def test_wheel_holds_the_packages_and_the_built_in_types_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"pdg", "pdgcmd.py", "pdgd.py", "pdgjob", "pdgjson.py", "pdgutils.py", "topcook"}
    for path in (ROOT / "pdg_types").rglob("*.py"):
        assert f"topcook/_builtin_types/{path.relative_to(ROOT / 'pdg_types').as_posix()}" in names
    for package in ("pdg", "pdgjob", "topcook"):
        assert f"{package}/py.typed" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_wheel_carries_every_data_file_of_its_packages(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    listed = run("git", "-C", ROOT, "ls-files", "registry").splitlines()
    wanted = {name.removeprefix("registry/") for name in listed if name.count("/") > 1}
    assert wanted <= names


def test_installed_wheel_lists_the_schedulers_it_ships(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(home)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    # The dependencies are this environment's; PYTHONPATH does not run its .pth files, so the checkout stays out.
    dependencies = {"PYTHONPATH": sysconfig.get_path("purelib"), "HOME": str(tmp_path)}
    where = run(python, "-c", "import topcook; print(topcook.__file__)", **dependencies)
    assert Path(where.strip()).is_relative_to(home)
    listed = run(home / "bin" / "topcook", "list", "--json", **dependencies)
    schedulers = {entry["name"]: entry for entry in json.loads(listed)["schedulers"]}
    assert "localscheduler" in schedulers
    assert str(home) in json.dumps(schedulers["localscheduler"]["origin"])
