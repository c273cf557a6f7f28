"""``topcook doctor`` as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import topcook
from topcook.cli.doctor import diagnosis_text
from topcook.cli.menu_text import Page
from topcook.factory.diagnosis import BAD, GOOD, ODD, Diagnosis, Finding

SCHEMA = json.loads((Path(topcook.__file__).parent / "model/schemas/doctor.schema.json").read_text(encoding="utf-8"))
FARM = """
import pdg
from pdg.scheduler import PyScheduler
class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded
def registerTypes(r): r.registerScheduler(Farm, name="farm", label="Farm")
"""


def doctor(folder: Path, *arguments: str, status: int, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "TOPCOOK_", "HOUDINI"))}
    home = {
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_CONFIG_HOME": str(folder / "conf"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "topcook", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=kept | home | variables,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def types(tmp_path: Path) -> Path:
    folder = tmp_path / "types"
    folder.mkdir()
    (folder / "farm.py").write_text(FARM, encoding="utf-8")
    return folder


def test_a_healthy_installation_ends_with_0_and_names_what_matters(types: Path) -> None:
    told = doctor(types.parent, status=0, PDG_TYPES_PATH=str(types), TOPCOOK_API_TOKEN="hush-hush").stdout
    assert told.startswith("this installation: healthy\n")
    for said in (sys.executable, "import pdg finds Topcook's own", f"PDG_TYPES_PATH={types}", f"{types} (", "built-in"):
        assert said in told
    assert "hush-hush" not in told


def test_a_broken_file_makes_the_report_end_with_1_and_is_what_to_look_at_next(types: Path) -> None:
    (types / "broken.py").write_text("import no_such_thing\ndef registerTypes(r): pass\n", encoding="utf-8")
    told = doctor(types.parent, status=1, PDG_TYPES_PATH=f"{types}{os.pathsep}{types}-gone").stdout
    assert told.splitlines()[-1] == "next: topcook doctor broken"
    assert "does not exist" in told
    assert "1 failed" in told


def test_a_name_and_a_path_are_followed_through_the_chain(types: Path) -> None:
    told = doctor(types.parent, "farm", status=0, PDG_TYPES_PATH=str(types)).stdout
    assert told.startswith("farm: in the menu\n")
    assert 'Schedulers > Farm; ask for it as "farm"' in told
    told = doctor(types.parent, "types/farm.py", status=1).stdout
    assert "not on the types path" in told
    assert told.splitlines()[-1].startswith(f"next: export PDG_TYPES_PATH={types}")


@pytest.mark.parametrize(("arguments", "status"), [((), 0), (("farm",), 0), (("nobody",), 1), (("types",), 0)])
def test_all_of_it_is_there_as_json(types: Path, arguments: tuple[str, ...], status: int) -> None:
    data = json.loads(doctor(types.parent, "--json", *arguments, status=status, PDG_TYPES_PATH=str(types)).stdout)
    jsonschema.validate(data, SCHEMA)
    assert data["healthy"] is (status == 0)
    assert data["next"]


def test_somebody_elses_pdg_is_reported_and_nothing_is_executed(types: Path) -> None:
    foreign = types.parent / "other" / "pdg"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("", encoding="utf-8")
    (types / "farm.py").write_text(f"open({str(types / 'ran')!r}, 'w')\n{FARM}", encoding="utf-8")
    variables = {"PYTHONPATH": str(foreign.parent), "PDG_TYPES_PATH": str(types)}
    told = doctor(types.parent, status=1, **variables).stdout
    assert str(foreign) in told
    assert "next: " in told
    assert str(foreign) in doctor(types.parent, "farm", status=1, **variables).stdout
    assert not (types / "ran").exists()


def test_plain_text_is_ascii_with_words_for_each_mark(types: Path) -> None:
    told = doctor(types.parent, "farm", status=0, PDG_TYPES_PATH=str(types), NO_COLOR="1").stdout
    assert told.isascii()


def test_lines_fit_the_terminal_and_what_is_to_be_typed_is_never_broken() -> None:
    command = "export PDG_TYPES_PATH=" + "/very/long" * 12
    words = "many words " * 20
    findings = [
        Finding("python", GOOD, words),
        Finding("python", ODD, "short"),
        Finding("file", BAD, words, command, "/x:1:2"),
    ]
    lines = diagnosis_text(
        Diagnosis("x", "not in the menu", findings), Page(80, plain=True, coloured=False)
    ).splitlines()
    assert all(len(line) <= 80 for line in lines if command not in line)
    assert sum(line.strip() == command for line in lines) == 1
    assert sum("python" in line for line in lines) == 1
    assert lines[-1] == f"next: /x:1:2: {command}"


def test_the_index_is_told_and_what_it_remembers_of_a_file(types: Path) -> None:
    index = types.parent / "index.sqlite3"
    variables = {"PDG_TYPES_PATH": str(types), "TOPCOOK_INDEX": str(index)}
    told = doctor(types.parent, status=0, **variables).stdout
    assert f"{index}, " in told
    assert "executed in" in doctor(types.parent, "farm", status=0, **variables).stdout
    none = doctor(types.parent, status=0, PDG_TYPES_PATH=str(types), TOPCOOK_INDEX="off").stdout
    assert "none is kept" in none
    index.write_bytes(b"no index at all" * 1000)
    assert "could not be" in doctor(types.parent, status=0, **variables).stdout


def test_what_the_command_line_configures_counts(types: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "topcook", "-c", f"types.path={types}", "doctor", "farm"],
        capture_output=True,
        text=True,
        check=False,
        cwd=types.parent,
    )
    assert done.stdout.startswith("farm: in the menu"), done.stdout + done.stderr
