"""What a cook leaves in its journal, read back."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import jsonschema
import pytest

from topcook.errors import CookRefusedError
from topcook.model import graphfile
from topcook.model.states import WorkItemState
from topcook.runtime.api import GraphContext
from topcook.runtime.cook import Cook
from topcook.runtime.journal import Journal, Past, lock
from topcook.runtime.journal.keeping import How, KeptCook, keep_cook
from topcook.runtime.journal.report import report_parts_of
from topcook.runtime.report import report_parts
from topcook.runtime.statedir import drop_old_cooks, journal_of
from topcook.runtime.tokens import new_cook_id
from topcook.testkit.cookbench import CookBench, Cooked

SCHEMA = json.loads((Path(graphfile.__file__).parents[1] / "schemas" / "report.schema.json").read_text("utf-8"))
NETWORK = """
    [network]
    scheduler = "local"
    [schedulers.local]
    type = "localscheduler"
    [nodes.make]
    type = "genericgenerator"
    [nodes.make.parms]
    itemcount = 3
    pdg_command = "test @pdg_index -ne 1"
    [nodes.after]
    type = "genericgenerator"
    inputs = ["make"]
    [nodes.after.parms]
    pdg_command = "true"
"""


def journaled(bench: CookBench, context: GraphContext, path: Path) -> Cooked:
    cook_id = new_cook_id()
    journal = Journal(str(path), cook_id, "network.toml", find=context.core.item, facts={"who": "me"})
    cook = context.prepare(recorder=journal, cook_id=cook_id)
    cook.run()
    return Cooked(context, cook)


def test_what_became_of_each_item_is_in_the_journal(bench: CookBench, tmp_path: Path) -> None:
    context = bench.load(NETWORK)
    cooked = journaled(bench, context, tmp_path / "cooks" / "journal.sqlite")
    past = Past.open(str(tmp_path / "cooks" / "journal.sqlite"))
    assert past.outcome == cooked.outcome == "failed"
    assert past.cook_id == cooked.cook.cook_id
    assert past.sessions[0].facts == {"who": "me"}
    by_name = {item.name: item for item in past.items()}
    assert {name: item.state.name for name, item in by_name.items()} == {
        item.name: item.state.name for item in cooked.items()
    }
    for item in cooked.items("make"):
        found = by_name[item.name]
        run = item.ran()
        assert (found.started, found.finished, found.duration) == (run.started, run.finished, run.duration)
        assert (found.attempt, found.exit_status, found.scheduler) == (1, run.exit_status, "local")
        assert found.token == cooked.cook.link.token(item)
        assert found.messages == run.messages
    failed = [item for item in past.items() if item.state is WorkItemState.CookedFail]
    assert [(item.index, item.exit_status) for item in failed] == [(1, 1)]
    assert past.in_flight() == []
    waiting = next(item for item in past.items() if item.node == "after" and item.state is WorkItemState.Waiting)
    assert waiting.needs == [failed[0].id]


def kept(context: GraphContext, state: Path, monkeypatch: pytest.MonkeyPatch, **how: object) -> tuple[KeptCook, Cook]:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(state))
    cook_id = new_cook_id()
    keeping = keep_cook(context.core, "net.toml", cook_id, How(**how))  # type: ignore[arg-type]
    cook = context.prepare(recorder=keeping.recorder, cook_id=cook_id)
    keeping.watch(cook)
    return keeping, cook


@pytest.mark.parametrize("network", [NETWORK, NETWORK.replace("itemcount", "pdg_retries = 2\n    itemcount")])
def test_the_report_of_a_cook_can_be_made_of_its_journal_alone(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    context = bench.load(network)
    keeping, cook = kept(context, tmp_path / "state", monkeypatch)
    cook.run()
    wanted = json.loads("".join(report_parts(cook)))
    found = json.loads("".join(report_parts_of(Past.open(keeping.journal))))
    by_id = {item["id"]: item for item in wanted["items"]}
    for item in found["items"]:
        assert item == by_id[item["id"]]
    for key in ("version", "network", "state", "counts", "messages", "schedulers", "types"):
        assert found[key] == wanted[key], key
    jsonschema.validate(found, SCHEMA)


def test_the_report_of_a_cook_that_was_killed_says_how_far_it_came(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bench.load(NETWORK)
    keeping, cook = kept(context, tmp_path / "state", monkeypatch)
    cook.run()
    with sqlite3.connect(keeping.journal) as connection:
        connection.execute("UPDATE session SET outcome = NULL, finished = NULL")
        connection.execute("DELETE FROM step WHERE number > (SELECT count(*) FROM step) - 2")
    connection.close()
    found = json.loads("".join(report_parts_of(Past.open(keeping.journal))))
    jsonschema.validate(found, SCHEMA)
    assert (found["state"], found["finished"]) == ("interrupted", None)


def test_journals_of_the_last_cooks_are_kept_and_older_ones_go(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journals = []
    for _ in range(5):
        context = bench.load(NETWORK)
        keeping, cook = kept(context, tmp_path / "state", monkeypatch)
        assert keeping.before == journals[::-1][:3]
        cook.run()
        journals.append(keeping.journal)
    assert [Path(each).exists() for each in journals] == [False, False, True, True, True]
    assert not Path(journals[0]).parent.exists()


def test_nothing_is_removed_that_only_a_pointer_names(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping, cook = kept(bench.load(NETWORK), tmp_path / "state", monkeypatch)
    cook.run()
    pointer = Path(keeping.identity.pointer)
    said = json.loads(pointer.read_text(encoding="utf-8"))
    precious, folder = tmp_path / "precious", tmp_path / "state" / "cooks" / "another"
    precious.write_text("still here", encoding="utf-8")
    folder.mkdir()
    (folder / "journal.sqlite").write_text("a journal", encoding="utf-8")
    names = (str(tmp_path), "../../..", "..", "another", "20200101-000000-0000000")
    said["before"] = [{"host": os.uname().nodename, "cook": name, "journal": str(precious)} for name in names] * 2
    pointer.write_text(json.dumps(said), encoding="utf-8")
    _, cook = kept(bench.load(NETWORK), tmp_path / "state", monkeypatch)
    cook.run()
    assert precious.read_text(encoding="utf-8") == "still here"
    assert (folder / "journal.sqlite").exists()
    assert Path(keeping.journal).exists()


def test_what_is_no_cooks_directory_keeps_no_other_from_being_tidied_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path))
    cooks = tmp_path / "cooks"
    old, young = cooks / "20200101-000000-0000000", cooks / "20300101-000000-0000000"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "journal.sqlite").touch()
    for name in ("20100101", "20400101"):
        (cooks / name).write_text("a file", encoding="utf-8")
    os.utime(old / "journal.sqlite", (1, 1))
    drop_old_cooks()
    assert (old.exists(), young.exists()) == (False, True)


def test_a_refused_cook_leaves_no_journal_and_the_last_one_stays_the_last(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, cook = kept(bench.load(NETWORK), tmp_path / "state", monkeypatch)
    cook.run()
    broken = NETWORK.replace("test @pdg_index", "test @no_such_attribute")
    refused, cook = kept(bench.load(broken), tmp_path / "state", monkeypatch)
    assert cook.run() == "refused"
    assert not Path(refused.journal).exists()
    third, cook = kept(bench.load(NETWORK), tmp_path / "state", monkeypatch)
    assert third.before == [first.journal]
    cook.run()


def test_a_journal_elsewhere_is_found_by_the_cooks_id(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping, cook = kept(bench.load(NETWORK), tmp_path / "state", monkeypatch, directory=str(tmp_path / "else"))
    cook.run()
    assert Path(keeping.journal).parent == tmp_path / "else"
    assert journal_of(keeping.cook_id) == keeping.journal
    assert journal_of("20200101-000000-0000000") == journal_of("") == journal_of("../x") == ""


def test_a_cook_without_a_journal_still_holds_the_lock(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bench.load(NETWORK)
    _, cook = kept(context, tmp_path / "state", monkeypatch, journal=False)
    with pytest.raises(CookRefusedError, match="already"):
        keep_cook(context.core, "net.toml", new_cook_id(), How())
    cook.run()
    again, cook = kept(context, tmp_path / "state", monkeypatch)
    assert again.before == []
    cook.run()


def test_a_cook_whose_journal_is_removed_ends_and_says_why(
    bench: CookBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.02)
    context = bench.load(NETWORK.replace("test @pdg_index -ne 1", "sleep 60"))
    keeping, cook = kept(context, tmp_path / "state", monkeypatch)
    Path(keeping.journal).unlink()
    assert cook.run() == "canceled"
    assert "was removed while the cook ran" in cook.state.cancel_reason
