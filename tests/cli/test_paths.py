"""``topcook paths``: each place types are looked for in, as a person reads it and as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from topcook.cli.group import TopcookGroup

TEXT = "def registerTypes(r): ...\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with nothing in it, and nothing of Houdini or Topcook in the environment."""
    for name in [
        each for each in os.environ if each.startswith(("PDG_", "HOUDINI", "TOPCOOK_", "XDG_", "HFS", "HSITE"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "types"
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("a.py", "b.py"):
        (folder / name).write_text(TEXT, encoding="utf-8")
        (folder / name).chmod(0o644)
    monkeypatch.setenv("PDG_TYPES_PATH", str(folder))
    return folder


def told(*arguments: str) -> str:
    done = CliRunner().invoke(TopcookGroup(), ["paths", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(told("--json"))["entries"]
    return found


def test_each_place_is_told_with_who_names_it(types: Path, home: Path) -> None:
    first, own = entries()
    assert (first["path"], first["named_by"], first["exists"], first["files"]) == (
        str(types),
        "PDG_TYPES_PATH",
        True,
        2,
    )
    assert (own["path"], own["exists"]) == (str(home / ".local/share/topcook/types"), False)
    data = json.loads(told("--json"))
    assert data["version"] == 1
    assert data["builtin"]["files"] > 10
    assert data["problems"] == []
    lines = told().splitlines()
    assert lines[0].split() == ["1", str(types), "2", "files"] or str(types) in lines[0]
    assert "~/.local/share/topcook/types" in told()


@pytest.mark.skipif(sys.platform != "linux", reason="owners and file systems as Linux tells them")
def test_owner_mode_file_system_and_watcher_are_told(types: Path) -> None:
    first = entries()[0]
    assert (first["mode"], first["trust"], first["watcher"]) == ("755", "trusted", "inotify")
    assert first["file_system"]
    assert "changes by inotify" in told()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners here")
def test_what_is_refused_is_told_with_what_to_type(types: Path) -> None:
    (types / "a.py").chmod(0o646)
    first = entries()[0]
    assert (first["refused"], [each["code"] for each in first["problems"]]) == (1, ["untrusted-writable"])
    text = told()
    assert "1 of 2 files refused" in text
    assert "-> chmod o-w" in text
    assert "a.py" in text


def test_a_missing_place_is_a_problem_only_where_somebody_named_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDG_TYPES_PATH", str(tmp_path / "nowhere"))
    named, own = entries()
    assert [each["code"] for each in named["problems"]] == ["path-missing"]
    assert own["problems"] == []
    assert "not there" in told()


@pytest.mark.skipif(os.name == "nt", reason="no links here")
def test_a_place_named_twice_is_told_as_the_same(types: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(types)
    monkeypatch.setenv("PDG_TYPES_PATH", f"{types}{os.pathsep}{tmp_path / 'link'}")
    assert entries()[-1]["same_as"] == str(types)
    assert "same place" in told()


def test_a_broken_package_and_a_mistake_of_the_configuration_are_told(home: Path) -> None:
    package = home / "houdini20.5" / "packages" / "tool.json"
    package.parent.mkdir(parents=True)
    package.write_text("{", encoding="utf-8")
    text = told()
    assert "this Houdini package is no JSON" in text
    assert "~/houdini20.5/packages/tool.json:1:2" in text
    assert "the user folder of Houdini 20.5" in text


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners here")
def test_of_many_like_problems_a_few_are_told(types: Path) -> None:
    for number in range(50):
        (types / f"f{number:02}.py").write_text(TEXT, encoding="utf-8")
        (types / f"f{number:02}.py").chmod(0o646)
    text = told()
    assert "50 of 52 files refused" in text
    assert text.count("-> chmod") == 3
    assert "and 47 more like it" in text


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(types: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    types.chmod(0o777)
    monkeypatch.setenv("COLUMNS", str(columns))
    whole = [line for line in told().splitlines() if str(types) not in line and "pdg_types" not in line]
    assert max(map(len, whole)) <= max(columns, 60)
