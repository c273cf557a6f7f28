from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import topcook
from topcook.factory import GLYPHS, Factory, Kind, Origin, Record, State, Tier, listing, menu_rows
from topcook.factory.details import details_of

Drop = Callable[..., Path]
Scan = Callable[..., Factory]

SCHEMA = json.loads((Path(topcook.__file__).parent / "model/schemas/listing.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def factory(drop: Drop, scan: Scan) -> Factory:
    drop("b.py", name="beta", label="Beta")
    drop("a.py", name="beta", label="Alpha Beta")
    drop("broken.py", "\nimport no_such\ndef registerTypes(r): r.registerScheduler(1)\n")
    drop("houdini.py", "import hou\ndef registerTypes(r): r.registerScheduler(1)\n")
    drop("helper.py", "x = 1\n")
    return scan(builtins=True)


def test_rows_stand_in_the_order_of_the_menu_with_the_broken_ones_in_place(factory: Factory) -> None:
    rows = [(row.look, row.label) for row in menu_rows(factory.records) if row.category == "Schedulers"]
    assert rows == [
        ("ok", "Alpha Beta"),
        ("failed", "broken"),
        ("needs houdini", "houdini"),
        ("ok", "In-Process Scheduler"),
        ("ok", "Local Scheduler"),
        ("ok", "Python Scheduler"),
    ]
    categories = list(dict.fromkeys(row.category for row in menu_rows(factory.records)))
    assert categories[0] == "Schedulers"
    assert categories[1:] == sorted(categories[1:])


def test_a_broken_row_carries_its_line_and_first_problem(factory: Factory) -> None:
    notes = {row.name: row.note for row in menu_rows(factory.records)}
    assert notes["broken"] == 'l.2 there is no module "no_such"'
    assert notes["houdini"] == "l.1 needs Houdini (import hou)"
    assert notes["localscheduler"] == "built-in"


def test_all_shows_helpers_and_the_shadowed_too(factory: Factory) -> None:
    more = {(row.name, row.look) for row in menu_rows(factory.records, show_all=True)}
    assert {("helper", "skipped"), ("beta", "shadowed")} <= more
    assert len(more) == len(factory.records)
    assert {look for _, look in more} <= set(GLYPHS)


def test_types_narrows_the_menu(factory: Factory) -> None:
    assert {row.category for row in menu_rows(factory.records, "schedulers")} == {"Schedulers"}
    assert "Schedulers" not in {row.category for row in menu_rows(factory.records, "nodes")}


def test_the_listing_fits_its_schema_and_holds_every_record(factory: Factory) -> None:
    data = listing(factory.records, factory.problems)
    jsonschema.validate(data, SCHEMA)
    assert json.loads(json.dumps(data)) == data
    assert sum(len(data[group]) for group in ("schedulers", "nodes", "other")) == len(factory.records)
    beta = [entry for entry in data["schedulers"] if entry["name"] == "beta"]
    assert beta[0]["shadows"] == [beta[1]["origin"]]
    assert beta[1]["shadowed_by"] == beta[0]["origin"]
    broken = next(entry for entry in data["schedulers"] if entry["name"] == "broken")
    assert broken["problems"][0]["line"] == 2
    local = next(entry for entry in data["schedulers"] if entry["name"] == "localscheduler")
    assert local["callbacks"]["onSchedule"] == "implemented"
    assert any(parm["overridable"] for parm in local["parms"])


def test_what_labels_and_messages_would_do_to_a_terminal_is_written_out(drop: Drop, scan: Scan) -> None:
    drop("farm.py", label="\\x1b[31mFarm")
    drop("bad.py", "raise ValueError('\\x1b[2J')\ndef registerTypes(r): pass\n")
    rows = menu_rows(scan().records)
    assert {row.label for row in rows} == {"bad", r"\x1b[31mFarm"}
    assert all(text.isprintable() for row in rows for text in (row.name, row.label, row.note, row.category))


def test_a_file_that_was_never_looked_into_stands_among_the_schedulers() -> None:
    """Refused, disabled and unprobed files have no known kind; where people look for schedulers they must not miss."""
    states = [State.DISABLED, State.FAILED, State.NOT_PROBED, State.SKIPPED]
    records = [
        Record(state.value, Origin(Tier.PATH, f"/types/{state.value}.py"), state, Kind.UNKNOWN, reason="x")
        for state in states
    ]
    rows = menu_rows(records, "schedulers")
    assert {row.look: row.category for row in rows} == {
        "disabled": "Schedulers",
        "failed": "Schedulers",
        "not probed": "Schedulers",
    }
    assert [each["name"] for each in listing(records)["other"]] == ["skipped"]


def test_the_details_of_a_type_say_what_a_person_wants_to_know(drop: Drop, scan: Scan) -> None:
    text = drop("farm.py", name="farm").read_text(encoding="utf-8")
    body = """
    @classmethod
    def templateBody(cls):
        return \'\'\'{"parameters": [
            {"name": "partition", "type": "String", "size": 1, "default": "an\\\\"im", "tag": ["pdg::scheduler"]},
            {"name": "span", "type": "Integer", "size": 2, "default": [1, 5]},
            {"name": "quiet", "type": "Toggle", "size": 1, "default": true}]}\'\'\'

    def getLogURI(self, work_item):
        return ""
"""
    text = text.replace("(PyScheduler):\n", '(PyScheduler):\n    """Sends items off.  Then\n    waits."""\n')
    path = drop("farm.py", text.replace("\ndef registerTypes", body + "\ndef registerTypes"))
    found = details_of(scan().scheduler("farm"))
    assert (found.about, found.kind, found.state) == ("Sends items off.", "scheduler", "ok")
    assert found.place.startswith(f"{path}:")
    assert [(parm.name, parm.value, parm.overridable) for parm in found.parms] == [
        ("partition", '"an\\"im"', True),
        ("span", "[1, 5]", False),
        ("quiet", "true", False),
    ]
    assert found.own == ("onSchedule", "getLogURI")
    assert "onStart" in found.default
    assert {ability.word: ability.has for ability in found.abilities} == {
        "static": False,
        "submit": False,
        "logs": True,
        "status": False,
    }
    assert found.import_ms > 0


def test_the_details_of_a_broken_file_are_its_problems(factory: Factory) -> None:
    found = details_of(next(record for record in factory.records if record.name == "broken"))
    assert found.state == 'failed, because there is no module "no_such"'
    assert [problem.line for problem in found.problems] == [2]
    assert not found.parms
    assert not found.abilities
