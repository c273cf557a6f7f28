from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner

from topcook.cli.pack import command as pack
from topcook.errors import CookRefusedError
from topcook.scaffold import KINDS, dist_name_problem, make_project, new_network, new_scheduler, type_names

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **environment: str) -> str:
    """Standard output of a command that must succeed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "PYTEST", "TOPCOOK_"))}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, env=kept | environment
    )
    assert done.returncode == 0, f"{command} said:\n{done.stdout}{done.stderr}"
    return done.stdout


def farm(folder: Path) -> Path:
    """A scheduler file with a helper and a helper package beside it."""
    names = type_names("packed_farm")
    text = new_scheduler(names, KINDS["poll"]).replace("import itertools\n", "import itertools\nimport farm_part\n")
    text = text.replace("self._farm = Farm(", "from farm_kit.lazy import SLOTS\n        self._farm = Farm(SLOTS or ")
    (folder / "farm_part.py").write_text("import farm_kit\n", encoding="utf-8")
    (folder / "farm_kit").mkdir()
    (folder / "farm_kit" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "farm_kit" / "lazy.py").write_text("SLOTS = 2\n", encoding="utf-8")
    (folder / "net.toml").write_text(new_network(names, KINDS["poll"]), encoding="utf-8")
    path = folder / "packed_farm.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_packed_file_builds_installs_and_cooks_from_a_fresh_environment(tmp_path: Path) -> None:
    """No isolation and no index: hatchling is this environment's, as Topcook's dependencies are."""
    file = farm(tmp_path)
    project = tmp_path / "out"
    done = CliRunner().invoke(pack, [str(file), "--dist-name", "topcook-packed", "--dir", str(project)])
    assert done.exit_code == 0, done.output
    assert "farm_part.py: imports of files beside it are relative now (line 1)" in done.stderr
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, project)
    wheel = next(tmp_path.glob("topcook_packed-*.whl"))
    home = tmp_path / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(home)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    paths = os.pathsep.join([str(ROOT / "registry"), sysconfig.get_path("purelib")])
    there = {"PYTHONPATH": paths, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    listed = json.loads(run(python, "-m", "topcook", "list", "--json", **there))
    entry = next(each for each in listed["schedulers"] if each["name"] == "packed_farm")
    assert entry["state"] == "ok", entry
    assert (entry["origin"]["distribution"], entry["origin"]["version"]) == ("topcook-packed", "0.1.0")
    cooked = run(python, "-m", "topcook", "cook", tmp_path / "net.toml", "--progress", "off", **there)
    assert "cooked: 6 items" in cooked
    tests = next((project / "tests").glob("test_*.py"))
    run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", project, tests, **there)


def test_a_module_that_nothing_installed_brings_is_told_and_one_that_is_becomes_a_dependency(tmp_path: Path) -> None:
    file = tmp_path / "farm_x.py"
    text = new_scheduler(type_names("farm_x"), KINDS["cli"])
    file.write_text(
        text.replace("import shlex\n", "import shlex\nimport click\nimport no_such_farm\n"), encoding="utf-8"
    )
    project = make_project(str(file), "topcook-x", "1.0", [("farm_x", "Farm X")])
    assert '    "click",\n' in project.files["pyproject.toml"].decode()
    assert [note for note in project.notes if '"no_such_farm"' in note]


def test_modules_of_a_folder_that_the_package_puts_on_sys_path_are_brought_by_itself(tmp_path: Path) -> None:
    package = tmp_path / "myfarm"
    (package / "lib").mkdir(parents=True)
    (package / "lib" / "farm_api.py").write_text("", encoding="utf-8")
    text = "import os, sys\nsys.path.insert(0, os.path.dirname(__file__) + '/lib')\nimport farm_api, no_such_farm\n"
    (package / "__init__.py").write_text(text + "def registerTypes(r): ...\n", encoding="utf-8")
    project = make_project(str(package), "topcook-myfarm", "1.0", [("myfarm", "My Farm")])
    assert "topcook_myfarm/myfarm/lib/farm_api.py" in project.files
    assert [note for note in project.notes if "nothing installed" in note] == [
        'nothing installed brings the module "no_such_farm"; add what does to dependencies'
    ]


def test_a_helper_imported_by_its_name_as_a_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("X = 1\n", encoding="utf-8")
    file = tmp_path / "farm_y.py"
    text = new_scheduler(type_names("farm_y"), KINDS["cli"])
    file.write_text(text + '\nimport importlib\n\nPART = importlib.import_module("part")\n', encoding="utf-8")
    project = make_project(str(file), "topcook-y", "1.0", [("farm_y", "Farm Y")])
    assert any('imports "part" by its name at run time' in note for note in project.notes)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my farm", "take my-farm"),
        ("-farm", "take farm"),
        ("farm-", "take farm"),
        ("3d", "take farm-3d"),
        ("../../evil", "take evil"),
        ("json", "would hide the module"),
        ("pdg", "would hide the module"),
        ("", "take my-farm"),
    ],
)
def test_a_name_that_pip_or_python_cannot_have_is_answered_with_one_that_they_can(name: str, said: str) -> None:
    assert said in dist_name_problem(name)
    assert dist_name_problem("topcook-My.Farm_2") == ""


def test_nothing_is_written_over_without_being_asked_and_a_version_is_one(tmp_path: Path) -> None:
    file = tmp_path / "farm_z.py"
    file.write_text(new_scheduler(type_names("farm_z"), KINDS["cli"]), encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    words = [str(file), "--dist-name", "topcook-z", "--dir", str(out)]
    refused = CliRunner().invoke(pack, words)
    assert isinstance(refused.exception, CookRefusedError)
    assert sorted(path.name for path in out.iterdir()) == ["mine.txt"]
    assert CliRunner().invoke(pack, [*words, "--force", "--version", "one"]).exit_code == 2
    assert CliRunner().invoke(pack, [*words, "--force", "--version", "1.0rc1"]).exit_code == 0
