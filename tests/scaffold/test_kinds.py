from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from topcook.cli.new import command
from topcook.contract.callbacks import BY_NAME, CALLBACKS, Need
from topcook.scaffold import KINDS, Kind, new_network, new_scheduler, new_test, type_names


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_is_written_checks_cooks_and_passes_its_own_test(kind: Kind, tmp_path: Path) -> None:
    """The generated test holds the file against `check --strict`, cooks its network, and makes an item fail."""
    names = type_names(f"my_{kind.name}")
    (tmp_path / f"{names.name}.py").write_text(new_scheduler(names, kind), encoding="utf-8")
    (tmp_path / f"{names.name}.toml").write_text(new_network(names, kind), encoding="utf-8")
    test = tmp_path / f"test_{names.name}.py"
    test.write_text(new_test(names, kind), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(test)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_signatures_are_those_of_the_table_and_nothing_unknown_is_filled(kind: Kind) -> None:
    text = new_scheduler(type_names("farm_x"), kind)
    assert set(kind.bodies) <= set(BY_NAME)
    for row in CALLBACKS:
        if row.need is not Need.OPTIONAL or row.name in kind.bodies:
            assert f"    def {row.signature}:" in text
    assert "@name@" not in text
    assert "@label@" not in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_help_of_new_has_every_kind(kind: Kind) -> None:
    assert f"\n    {kind.name} " in str(command.help).replace("\n        ", "\n    ")


@pytest.mark.parametrize(
    ("name", "take"),
    [
        ("My-Farm", "my_farm"),
        ("my farm", "my_farm"),
        ("3d", "farm_3d"),
        ("class", "class_farm"),
        ("logging", "logging_farm"),
        ("pdg", "pdg_farm"),
        ("../evil", "evil"),
        ("Farm", "farm"),
    ],
)
def test_a_name_that_cannot_be_used_is_answered_with_one_that_can(name: str, take: str) -> None:
    with pytest.raises(ValueError, match=f"take {take}$"):
        type_names(name)


@pytest.mark.parametrize("name", ["", "--", "/"])
def test_a_name_without_letters_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no letters"):
        type_names(name)


@pytest.mark.parametrize(
    ("name", "cls", "label"),
    [
        ("myfarm", "MyfarmScheduler", "Myfarm"),
        ("my_farm", "MyFarmScheduler", "My Farm"),
        ("tractorscheduler", "TractorScheduler", "Tractorscheduler"),
        ("my_scheduler", "MyScheduler", "My Scheduler"),
        ("scheduler", "SchedulerScheduler", "Scheduler"),
    ],
)
def test_class_and_label_follow_from_the_name(name: str, cls: str, label: str) -> None:
    names = type_names(name)
    assert (names.cls, names.label) == (cls, label)


def test_nothing_is_overwritten_and_a_taken_name_is_refused(tmp_path: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(command, ["farm_one", "--dir", str(tmp_path)])
    assert made.exit_code == 0, made.output
    (tmp_path / "farm_one.toml").unlink()
    mine = tmp_path / "farm_one.py"
    mine.write_text("# mine\n", encoding="utf-8")
    again = runner.invoke(command, ["farm_one", "--dir", str(tmp_path)])
    assert "there already" in str(again.exception)
    assert mine.read_text(encoding="utf-8") == "# mine\n"
    assert not (tmp_path / "farm_one.toml").exists()
    forced = runner.invoke(command, ["farm_one", "--dir", str(tmp_path), "--force"])
    assert forced.exit_code == 0, forced.output
    taken = runner.invoke(command, ["local", "--dir", str(tmp_path)])
    assert '"local" is the scheduler type "localscheduler" already' in str(taken.exception)
