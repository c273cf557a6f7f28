"""``topcook list`` as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FARM = """
import pdg
from pdg.scheduler import PyScheduler
class {name}(PyScheduler):
    '''Sends items to {name}.'''
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded
def registerTypes(r): r.registerScheduler({name}, name="{name}", label="The {name}")
"""


@pytest.fixture
def types(tmp_path: Path) -> Path:
    folder = tmp_path / "types"
    folder.mkdir()
    for name in ("alpha", "beta"):
        (folder / f"{name}.py").write_text(FARM.format(name=name), encoding="utf-8")
    (folder / "broken.py").write_text("import no_such_thing\ndef registerTypes(r): pass\n", encoding="utf-8")
    return folder


def listed(types: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "TOPCOOK_", "HOUDINI"))}
    home = {"HOME": str(types.parent), "XDG_CACHE_HOME": str(types.parent / "cache"), "PDG_TYPES_PATH": str(types)}
    done = subprocess.run(
        [sys.executable, "-m", "topcook", "list", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=types.parent,
        env=kept | home,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_scheduler_that_takes_all_items_only_when_asked_says_how_to_ask(types: Path) -> None:
    hand_over = (
        "    staticCook = False\n    def onScheduleStatic(self, dependencies, dependents, ready):\n        self.x = 1\n"
    )
    text = FARM.format(name="alpha").replace("    def onSchedule(", f"{hand_over}    def onSchedule(")
    (types / "alpha.py").write_text(text, encoding="utf-8")
    (told,) = [line for line in listed(types, "alpha").stdout.splitlines() if line.startswith("  static ")]
    assert (
        told.split(None, 1)[1]
        == "no, because staticCook = False; it has onScheduleStatic for those who ask by --static"
    )


def test_what_pip_installed_is_checked_by_the_name_of_its_distribution(
    types: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = types.parent / "site" / "topcook_odd-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: topcook-odd\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[pdg.types]\nodd = no_such_module\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(info.parent))
    (types / "broken.py").unlink()
    assert "1 file with problems; all of them: topcook check topcook-odd\n" in listed(types).stderr


def test_a_slip_in_the_name_of_the_hook_passes_no_file_over_in_silence(types: Path) -> None:
    text = FARM.format(name="slip").replace("registerTypes", "registerType")
    (types / "slip.py").write_text(text, encoding="utf-8")
    told = f"{types / 'slip.py'} is passed over: its function is called registerType, not registerTypes(type_registry)"
    assert f"{told}; topcook check {types / 'slip.py'}\n" in listed(types).stderr


def test_a_broken_file_stands_in_place_and_what_to_type_is_told_below(types: Path) -> None:
    done = listed(types, "--types", "schedulers")
    rows = done.stdout.splitlines()
    assert [row.split()[1] for row in rows[1:3]] == ["broken", "In-Process"]
    assert f'l.1 there is no module "no_such_thing" - {types / "broken.py"}' in rows[1]
    assert f"1 file with problems; all of them: topcook check {types / 'broken.py'}" in done.stderr
    (types / "worse.py").write_text("def registerTypes(:\n", encoding="utf-8")
    assert f"2 files with problems; all of them: topcook check {types}\n" in listed(types).stderr


def test_names_are_shown_in_full_one_after_the_other(types: Path) -> None:
    told = listed(types, "alpha", "BETA", "broken").stdout
    assert told.index("The alpha  alpha\n  Sends items to alpha.") < told.index("The beta  beta")
    assert "1 own" in told
    assert 'there is no module "no_such_thing"' in told


def test_a_name_that_nobody_has_is_answered_as_a_cook_would(types: Path) -> None:
    done = listed(types, "alhpa", status=2)
    assert 'unknown scheduler "alhpa"' in done.stderr
    assert 'did you mean "alpha"?' in done.stderr
    assert 'unknown node type "wegde"' in listed(types, "--types", "nodes", "wegde", status=2).stderr


def test_names_narrow_the_json_too(types: Path) -> None:
    import json

    data = json.loads(listed(types, "--json", "alpha").stdout)
    assert [each["name"] for each in data["schedulers"]] == ["alpha"]
    assert data["nodes"] == []


@pytest.mark.skipif(os.name == "nt", reason="no pipes, links and odd bytes among file names there")
def test_odd_things_among_the_files_keep_nobody_waiting_and_none_is_missing(types: Path) -> None:
    os.mkfifo(types / "pipe.py")
    os.symlink("loop.py", types / "loop.py")
    os.symlink("/no/such/target.py", types / "gone.py")
    (types / "directory.py").mkdir()
    text = FARM.format(name="odd")
    (types / "two\nlines.py").write_text(text, encoding="utf-8")
    with open(os.fsencode(types) + b"/b\xffad.py", "w", encoding="utf-8") as stream:
        stream.write(text)
    (types / "writable.py").write_text(text, encoding="utf-8")
    (types / "writable.py").chmod(0o666)
    first = listed(types, "--all").stdout
    for name in ("pipe.py", "loop.py", "gone.py", "directory.py", "two lines.py", r"b\udcffad.py", "writable.py"):
        assert name in first, first
    # What the index keeps is the same.
    assert listed(types, "--all").stdout == first


def test_one_long_label_does_not_move_the_others(tmp_path: Path) -> None:
    from topcook.cli.menu_text import Page, rows_text
    from topcook.factory import Factory, menu_rows

    text = "from pdg.scheduler import PyScheduler\nclass Farm(PyScheduler):\n    def onSchedule(self, item):\n        pass\n"
    hook = "def registerTypes(r):\n    r.registerScheduler(Farm, 'long', 'L' * 3000)\n"
    (tmp_path / "long.py").write_text(text + hook, encoding="utf-8")
    rows = menu_rows(Factory.scan({"PDG_TYPES_PATH": str(tmp_path)}).records, "schedulers")
    piped = rows_text(rows, Page(sys.maxsize, plain=True, coloured=False)).splitlines()
    assert "L" * 3000 in "".join(piped)
    assert max(len(line) for line in piped if "LLL" not in line) < 200
    assert max(map(len, rows_text(rows, Page(80, plain=True, coloured=False)).splitlines())) <= 80
