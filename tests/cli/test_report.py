"""The report of a cook from its journal, by ``topcook report``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from topcook.cli.group import topcook as main
from topcook.runtime.statedir import JOURNAL, cook_directory
from topcook.testkit.journaldesk import JournalDesk

COOK = "20261122-015007-6990b6b"


@pytest.fixture
def cooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JournalDesk:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path / "state"))
    desk = JournalDesk(Path(cook_directory(COOK), JOURNAL))
    done, _ = desk.item(), desk.item()
    desk.hand_over(done)
    desk.end(done)
    return desk


def test_a_cook_is_reported_by_its_id_while_it_runs(cooked: JournalDesk) -> None:
    told = CliRunner().invoke(main, ["report", COOK])
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    assert (report["state"], report["counts"]) == ("interrupted", {"CookedSuccess": 1, "Waiting": 1})
    assert [item["attempts"] for item in report["items"]] == [1, 0]


def test_a_journal_is_reported_by_its_path_into_a_file(cooked: JournalDesk, tmp_path: Path) -> None:
    cooked.journal.close("failed")
    told = CliRunner().invoke(main, ["report", cooked.path, "--output", str(tmp_path / "report.json")])
    assert told.exit_code == 0, told.output
    assert json.loads((tmp_path / "report.json").read_text())["state"] == "failed"


def test_whoever_asks_for_a_cook_that_is_not_there_hears_of_those_that_are(cooked: JournalDesk) -> None:
    told = CliRunner().invoke(main, ["report", "nothing"])
    assert told.exit_code == 2
    assert COOK in told.output
