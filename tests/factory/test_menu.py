from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import topcook
from topcook.factory import GLYPHS, Factory, listing, menu_rows

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
