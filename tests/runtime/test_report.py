"""The report file: strict JSON, whole or not at all."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.errors import CookRefusedError
from topcook.model import graphfile
from topcook.model.attributes import attribute_of
from topcook.model.files import File
from topcook.model.node import Node
from topcook.model.states import WorkItemState
from topcook.model.workitem import WorkItem
from topcook.runtime.link import Message
from topcook.runtime.report import check_report_path, item_record, report_parts, write_report

SCHEMA = json.loads((Path(graphfile.__file__).parents[1] / "schemas" / "report.schema.json").read_text("utf-8"))


class Stubborn:
    def __repr__(self) -> str:
        raise RuntimeError


def cook_of(*items: WorkItem) -> Any:
    return SimpleNamespace(
        graph=SimpleNamespace(network=SimpleNamespace(name="net", schedulers={})),
        state=SimpleNamespace(all_items=lambda: iter(items), schedulers={}),
        used=SimpleNamespace(rows=list),
        outcome="failed",
        started=1.5,
        finished=2.5,
        messages=[Message("error", "farm", "no licence")],
    )


def item_with(**attributes: Any) -> WorkItem:
    item = WorkItem(1, Node("gen", "genericgenerator"))
    item.attributes = {name: attribute_of(value) for name, value in attributes.items()}
    return item


def written(cook: Any) -> Any:
    return json.loads("".join(report_parts(cook)), parse_constant=pytest.fail)


def test_what_is_not_known_is_null() -> None:
    found = written(cook_of(item_with()))
    jsonschema.validate(found, SCHEMA)
    item = found["items"][0]
    unknown = [
        "frame",
        "scheduler",
        "queued",
        "started",
        "finished",
        "duration",
        "exit_status",
        "log_uri",
        "status_uri",
    ]
    assert {name: item[name] for name in unknown} == dict.fromkeys(unknown)
    assert found["messages"] == ["error: farm: no licence"]
    assert found["counts"] == {"Uncooked": 1}


def test_the_duration_comes_from_the_times_when_nobody_told_it() -> None:
    item = item_with()
    item.state = WorkItemState.CookedSuccess
    run = item.ran()
    run.started, run.finished = 10.0, 12.5
    assert item_record(item)["duration"] == 2.5
    run.duration = 2.0
    assert item_record(item)["duration"] == 2.0


def test_values_that_json_does_not_know_are_told_as_well_as_it_can() -> None:
    item = item_with(
        number=[1.5, float("inf"), float("nan")], file=File("/a.exr", "file/image"), table={"a": {"b": (1, 2)}},
        thing=object, stubborn=Stubborn(), odd="\udcff", whole=3,
    )  # fmt: skip
    found = written(cook_of(item))
    jsonschema.validate(found, SCHEMA)
    attributes = found["items"][0]["attributes"]
    assert attributes["number"] == {"type": "float", "value": [1.5, None, None]}
    assert attributes["file"] == {"type": "file", "value": ["/a.exr"]}
    assert attributes["table"] == {"type": "dict", "value": [{"a": {"b": [1, 2]}}]}
    assert attributes["stubborn"]["value"] == ["<Stubborn>"]
    assert attributes["whole"] == {"type": "int", "value": [3]}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), _VALUES))
def test_any_attributes_make_a_report_that_fits_the_schema(attributes: dict[str, Any]) -> None:
    jsonschema.validate(written(cook_of(item_with(), _with(attributes))), SCHEMA)


def _with(attributes: dict[str, Any]) -> WorkItem:
    item = WorkItem(2, Node("gen", "genericgenerator"))
    item.attributes = {name: attribute_of(value) for name, value in attributes.items()}
    return item


def test_a_report_that_breaks_off_leaves_the_old_one_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")
    cook = cook_of(item_with())

    def breaks() -> Any:
        yield item_with()
        raise OSError(28, "No space left on device")

    cook.state.all_items = breaks
    with pytest.raises(OSError, match="No space"):
        write_report(cook, str(path))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.json"]


def test_a_link_to_the_report_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "r.json", tmp_path / "r.json"
    link.symlink_to(target)
    write_report(cook_of(item_with()), str(link))
    assert link.is_symlink()
    assert json.loads(target.read_text())["version"] == 1


def test_a_report_can_be_written_into_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_report(cook_of(item_with()), str(pipe))
    reader.join()
    assert json.loads(got[0])["network"] == "net"


def test_a_path_that_cannot_take_the_report_is_refused(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "it is a directory"), (tmp_path / "no" / "r.json", "there is no directory")):
        with pytest.raises(CookRefusedError, match=why):
            check_report_path(str(path))
    check_report_path(str(tmp_path / "r.json"))


def test_no_value_of_an_author_costs_the_report() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"in": deep}
    item = item_with(deep=deep, huge=10**9000, seen=b"bytes", stubborn=Stubborn(), whole=2**64, yes=True)
    item.outputs = [File("/a.exr", b"file/image")]  # type: ignore[arg-type]
    found = written(cook_of(item))["items"][0]
    assert found["attributes"]["deep"]["value"][0]["in"]["in"]
    assert found["attributes"]["huge"]["value"][0].startswith("0x")
    assert found["attributes"]["whole"]["value"] == [2**64]
    assert found["outputs"][0]["tag"] == "b'file/image'"
