"""``topcook index``: what is kept from one start to the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from topcook.cli.group import topcook as main

FARM = """
from pdg.scheduler import PyScheduler
class Farm(PyScheduler):
    def onSchedule(self, work_item): return True
def registerTypes(r): r.registerScheduler(Farm, "indexed_farm")
"""


@pytest.fixture
def types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "types"
    folder.mkdir()
    (folder / "farm.py").write_text(FARM, encoding="utf-8")
    monkeypatch.setenv("PDG_TYPES_PATH", str(folder))
    monkeypatch.setenv("TOPCOOK_INDEX", str(tmp_path / "cache" / "index.sqlite3"))
    return folder


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, [*map(str, arguments)], standalone_mode=False)
    assert done.exception is None, done.output
    return int(done.return_value or 0), done.output


def test_build_status_and_clear(types: Path, tmp_path: Path) -> None:
    assert "nothing is kept yet" in run("index", "status")[1]
    code, text = run("index", "build")
    assert (code, str(tmp_path / "cache" / "index.sqlite3") in text) == (0, True)
    told = json.loads(run("index", "status", "--json")[1])
    assert told["path"] == str(tmp_path / "cache" / "index.sqlite3")
    assert told["candidate"] > 1
    assert told["notes"] == []
    assert "removed" in run("index", "clear")[1]
    assert "nothing to remove" in run("index", "clear")[1]
    assert not (tmp_path / "cache" / "index.sqlite3").exists()


def test_a_site_has_an_index_of_its_own(types: Path) -> None:
    code, text = run("index", "build", "--site", types)
    assert (code, "1 record" in text) == (0, True)
    assert (types / ".topcook-index.sqlite3").is_file()


def test_an_index_that_cannot_be_written_is_said(types: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCOOK_INDEX", "/proc/nowhere/index.sqlite3")
    code, text = run("index", "build")
    assert code == 1
    assert "could not be written" in text


def test_status_says_why_nothing_can_be_kept(types: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCOOK_INDEX", "/proc/nowhere/index.sqlite3")
    code, text = run("index", "status")
    assert (code, "could not be written" in text) == (1, True)


def test_status_tells_for_how_many_files_a_sealed_index_answers(types: Path) -> None:
    run("index", "build", "--site", types)
    assert "answers for 1 of 1 file of its directory" in run("index", "status")[1]
    (types / "farm.py").write_text(FARM.replace("indexed", "other"), encoding="utf-8")
    text = run("index", "status")[1]
    assert "answers for 0 of 1 file of its directory" in text
    assert f"topcook index build --site {types}" in text
    (types / ".topcook-index.sqlite3").chmod(0o666)
    (site,) = json.loads(run("index", "status", "--json")[1])["sites"]
    assert (site["known"], site["files"]) == (0, 1)
    assert "everybody may write" in site["notes"][0]


def test_without_an_index_there_is_nothing_to_build(types: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCOOK_INDEX", "off")
    assert run("index", "build")[0] == 1
    assert run("index", "status") == (0, "no index is kept\n")
