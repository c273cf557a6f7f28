"""``topcook check`` of types files, folders and distributions, as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Check = Callable[..., subprocess.CompletedProcess[str]]

GOOD = """
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""
BAD = GOOD.replace("onSchedule(", "onSchedul(")


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Runs ``topcook check`` in the test's directory; ``files`` are written there first."""

    def run(*arguments: str, status: int, **files: str) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path = path.with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("TOPCOOK", "PDG_"))}
        home = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "home"), "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "topcook", "check", *arguments],
            cwd=tmp_path,
            env=environ | home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return run


def test_a_good_file_is_ok_and_says_what_is_in_it(check: Check) -> None:
    assert check("farm.py", status=0, farm=GOOD).stdout == 'farm.py: ok, scheduler "farm"\n'


def test_a_problem_is_shown_with_its_line_and_what_to_type(check: Check) -> None:
    assert check("farm.py", status=1, farm=BAD).stdout.splitlines() == [
        'error[missing-callback]: "onSchedule" is missing',
        " --> farm.py:6:9",
        "  |",
        "6 |     def onSchedul(self, work_item):",
        '  |         ^^^^^^^^^ found "onSchedul", expected "onSchedule(self, work_item)"',
        'help: did you mean "onSchedule"? Rename "onSchedul"',
        "",
        "farm.py: 1 error",
    ]


def test_a_folder_is_checked_file_by_file_helpers_that_are_no_python_too(check: Check) -> None:
    done = check(
        "types", status=1, types__farm=GOOD, types__helper="X = 1\n", types__torn="def half(\n", types__bad=BAD
    )
    assert "types/torn.py:1:9" in done.stdout
    assert "types/bad.py:6:9" in done.stdout
    assert done.stdout.endswith("types: 2 errors\n")
    done = check(".", status=1)
    assert " --> types/torn.py:1:9" in done.stdout


def test_a_package_is_checked_as_one_with_its_modules_named(check: Check) -> None:
    files = {"pack____init__": "from .farm import Farm, registerTypes\n", "pack__farm": BAD}
    done = check("pack", status=1, **files)
    assert " --> pack/farm.py:6:9" in done.stdout


def test_several_arguments_are_summed_up(check: Check) -> None:
    done = check("good.py", "bad.py", status=1, good=GOOD, bad=BAD)
    assert done.stdout.splitlines()[0] == 'good.py: ok, scheduler "farm"'
    assert done.stdout.splitlines()[-2:] == ["bad.py: 1 error", "2 arguments: 1 error"]


def test_an_installed_distribution_is_checked_by_its_name(check: Check, tmp_path: Path) -> None:
    info = tmp_path / "my_farm-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-farm\nVersion: 1.2\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[pdg.types]\nfarm = my_farm_types\n", encoding="utf-8")
    done = check("My.Farm", status=1, my_farm_types=BAD)
    assert "my_farm_types.py:6:9" in done.stdout
    assert "6 |     def onSchedul(self, work_item):" in done.stdout
    assert 'did you mean "my-farm"?' in check("my-frm", status=1).stdout
    assert "topcook check my-farm" in check("farm", status=1).stdout


def test_what_is_not_there_is_answered_with_what_is_close(check: Check) -> None:
    done = check("frm.py", status=1, farm=GOOD)
    assert 'there is no file "frm.py"' in done.stdout
    assert 'did you mean "farm.py"?' in done.stdout
    assert "no installed distribution with types" in check("nothing_of_the_kind", status=1).stdout


@pytest.mark.parametrize("text", ["", "X = 1\n", "class Farm: ...\n"])
def test_a_file_without_types_is_told_how_it_gets_one(check: Check, text: str) -> None:
    assert "define registerTypes(type_registry)" in check("farm.py", status=1, farm=text).stdout


def test_a_slip_in_the_name_of_the_hook_is_pointed_at(check: Check) -> None:
    told = check("farm.py", status=1, farm=GOOD.replace("registerTypes", "registerType")).stdout
    assert "^^^^" in told
    assert 'did you mean "registerTypes"? Rename "registerType"' in told


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in a file system")
def test_what_is_no_file_is_not_waited_for(check: Check, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    done = check("pipe.py", "gone.py", status=1)
    assert "it is a pipe, socket or device" in done.stdout
    assert 'it is a link to "nowhere.py", and nothing is there' in done.stdout


def test_a_directory_may_be_called_as_a_file(check: Check) -> None:
    assert 'scheduler "farm"' in check("types.py", status=0, **{"types.py__farm": GOOD}).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text are Linux's")
def test_a_name_that_is_no_text_can_be_shown(check: Check, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"farm_\xff.py")).write_text(BAD, encoding="utf-8")
    assert " --> farm_\\udcff.py:6:9" in check(os.fsdecode(b"farm_\xff.py"), status=1).stdout


@pytest.mark.parametrize("text", ["x = " + "-" * 100_000 + "1", "x = a" + ".a" * 50_000, "x = " + "[" * 100_000])
def test_what_no_compiler_takes_is_said_and_hurts_nobody(check: Check, text: str) -> None:
    assert "error[syntax-error]" in check("deep.py", status=1, deep=text).stdout


def test_strict_asks_for_every_must_at_the_class(check: Check) -> None:
    done = check("--strict", "farm.py", status=1, farm=GOOD)
    assert "warning[not-implemented-here]" in done.stdout
    assert " --> farm.py:5:7" in done.stdout
    assert "error[" not in done.stdout


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="modes are POSIX's")
def test_strict_looks_at_who_may_write_the_file(check: Check, tmp_path: Path) -> None:
    check("farm.py", status=0, farm=GOOD)
    (tmp_path / "farm.py").chmod(0o666)
    check("farm.py", status=0)
    assert "error[untrusted-writable]" in check("--strict", "farm.py", status=1).stdout


def test_json_has_the_same_problems(check: Check) -> None:
    found = json.loads(check("--json", "farm.py", status=1, farm=BAD).stdout)
    (one,) = found["files"]
    (problem,) = one["problems"]
    assert (found["version"], one["path"], one["kind"]) == (1, "farm.py", "types")
    assert (problem["code"], problem["level"], problem["line"], problem["column"]) == (
        "missing-callback",
        "error",
        6,
        9,
    )
    assert problem["path"] == "farm.py"


def test_files_are_executed_in_processes_of_their_own(check: Check) -> None:
    ends = "import os\nos._exit(0)\n" + GOOD
    done = check("ends.py", "good.py", status=1, ends=ends, good=GOOD)
    assert "error[ends-process]" in done.stdout
    assert 'good.py: ok, scheduler "farm"' in done.stdout


def test_what_was_checked_is_quoted_even_when_the_file_is_gone(check: Check) -> None:
    gone = "import os\nos.remove(__file__)\n" + BAD
    done = check("gone.py", status=1, gone=gone)
    assert "def onSchedul(self, work_item):" in done.stdout


def test_a_module_of_another_environment_is_told_apart_from_one_that_is_nowhere(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = tmp_path / "other" / "lib" / version / "site-packages" / "farm_of_another_venv"
    site.mkdir(parents=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "other"))
    done = check("farm.py", status=1, farm="import farm_of_another_venv\n" + GOOD)
    assert f"it is installed in {tmp_path / 'other'}, and Topcook runs in {sys.prefix}" in done.stdout


def test_without_anything_to_check_it_says_so(check: Check) -> None:
    assert "what is to be checked?" in check(status=2).stderr
