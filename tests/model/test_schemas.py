"""The JSON Schemas: sound in themselves, and of one mind with the readers."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import topcook.model
from topcook.errors import GraphFileError
from topcook.model.graphfile import read_item_graph, read_network_file
from topcook.model.states import WorkItemState

SCHEMAS = Path(topcook.model.__file__).parent / "schemas"
# What a schema cannot say: whether names mean something, and whether the graph can be cooked.
BEYOND_SCHEMAS = {
    "unknown-input", "self-input", "cycle", "unknown-display",
    "duplicate-name", "unknown-dependency", "self-dependency",
}  # fmt: skip

NETWORK: dict[str, Any] = {
    "network": {
        "name": "turntable",
        "scheduler": "local",
        "inprocess_scheduler": "threads",
        "display": "render",
        "slots": 8,
        "max_failures": 3,
        "files": ["a.py"],
        "parms": {"x": 1},
    },
    "schedulers": {
        "local": {
            "type": "localscheduler",
            "parms": {"maxprocs": 2, "pdg_workingdir": "$HIP/work"},
            "spare": [{"name": "queue", "type": "String", "size": 1, "value": "day", "tags": ["jobParm"]}],
        }
    },
    "nodes": {
        "angles": {"type": "wedge", "parms": {"wedgeattributes": [{"name": "angle", "range": [0.0, 345.5]}]}},
        "render": {
            "type": "genericgenerator",
            "inputs": ["angles"],
            "scheduler": "farm",
            "parms": {"command": "render @angle", "outputs": [{"path": "a.png", "tag": "file/image"}]},
            "job_parms": {"farm_priority": 5},
            "spare": [{"name": "x", "label": "X", "help": "what", "secret": True, "tags": "one"}],
            "files": ["scene.geo"],
        },
    },
    "resources": {"licence:nuke": 5, "disk": 0},
    "pathmap": [{"from": "/a", "to": "B:/a", "zone": "WIN", "match": "prefix", "scheduler": "farm"}],
    "profiles": {"farm": {"scheduler": "farm", "parms": {"y": True}, "job_parms": {}, "overrides": {"render": "f"}}},
}
ITEMS: list[dict[str, Any]] = [
    {
        "name": "a",
        "command": "make a",
        "dependencies": ["b"],
        "attributes": {
            "one": 1, "two": [1.5, 2, True], "three": "x", "four": ["x"], "five": [], "six": False,
            "seven": {"type": "int", "value": 3}, "eight": {"type": "float", "value": [1, 2.5]},
            "nine": {"type": "file", "value": ["a", {"path": "b", "tag": "file/image"}]},
            "ten": {"type": "dict", "value": {"a": [1, {"b": "c"}]}}, "eleven": {"type": "pyobject", "value": [[1], "x"]},
            "twelve": {"type": "string", "value": ""},
        },
        "outputs": ["a.png", {"path": "b.exr", "tag": "file/image"}],
        "priority": -3,
        "slots": 2,
        "resources": ["disk", "licence:nuke = 2"],
        "inprocess": False,
        "frame": 1001.5,
        "index": 7,
    },
    {"name": "b"},
]  # fmt: skip
REPORT: dict[str, Any] = {
    "version": 1,
    "network": "turntable",
    "state": "failed",
    "started": 1700000000.25,
    "finished": None,
    "counts": {"CookedSuccess": 1, "CookedFail": 1},
    "messages": [],
    "schedulers": {
        "local": {
            "type": "localscheduler", "origin": "/types/local.py", "version": "sha256:00", "static": False,
            "errors": [], "warnings": ["slow"],
        }
    },
    "types": [
        {
            "name": "localscheduler", "kind": "scheduler", "path": "/types/local.py", "distribution": None,
            "distribution_version": None, "content_hash": "00",
        }
    ],
    "items": [
        {
            "id": 1, "name": "render_1", "label": "", "index": 0, "frame": None, "node": "render", "scheduler": "local",
            "state": "CookedFail", "attempts": 2, "queued": 1700000000.5, "started": 1700000001, "finished": 1700000002,
            "duration": 1, "exit_status": -9, "outputs": [{"path": "a.png", "tag": "file/image", "checksum": 0}],
            "attributes": {"angle": {"type": "float", "value": [15.0]}}, "log_uri": "file:///l", "status_uri": "",
            "dependencies": [2], "blocked_by": [], "messages": ["killed"],
            "earlier_attempts": [
                {
                    "attempt": 1, "scheduler": "local", "queued": 1700000000.25, "started": None, "finished": None,
                    "duration": None, "exit_status": 1, "messages": ["exit status 1"],
                }
            ],
        }
    ],
}  # fmt: skip
SAMPLES: dict[str, Any] = {"network": NETWORK, "itemgraph": ITEMS, "report": REPORT}


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8")))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_schema_is_one_and_accepts_a_sample_with_every_key(name: str) -> None:
    schema = validator(name)
    Draft202012Validator.check_schema(schema.schema)
    assert [error.message for error in schema.iter_errors(SAMPLES[name])] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_the_schema_refuses_an_unknown_key_in_every_table(name: str) -> None:
    """The null under it makes it wrong in the tables whose keys are the author's, too."""
    for path, value in paths(SAMPLES[name]):
        if isinstance(value, dict):
            changed = deepcopy(SAMPLES[name])
            table = changed
            for key in path:
                table = table[key]
            table["nope"] = None
            assert not validator(name).is_valid(changed), path


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for key, one in inside for found in paths(one, (*path, key)))]


def test_the_report_knows_the_states_of_work_items() -> None:
    schema = validator("report").schema
    assert isinstance(schema, dict)
    assert schema["$defs"]["state"]["enum"] == [state.name for state in WorkItemState]


@pytest.mark.parametrize("key", REPORT["items"][0])
def test_a_report_leaves_no_key_of_an_item_out(key: str) -> None:
    changed = deepcopy(REPORT)
    del changed["items"][0][key]
    assert not validator("report").is_valid(changed)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from(
        [0.5, -1.5, "", "a", "b", "angles", "int", "string", "Float", "a b", "a/b", "é", "x" * 101, "n\0l"]
    ),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from([1, "a", 1.5, True, {"path": "p"}]), max_size=2),
    st.sampled_from(
        [{"type": "int", "value": "x"}, {"type": "int", "value": [1]}, {"path": ""}, {"name": "x"}, {"": 1}]
    ),
).map(deepcopy)
KEYS = st.sampled_from(
    ["name", "type", "inputs", "parms", "spare", "value", "path", "tag", "from", "", "nope", "a b", "x", "slots"]
)


@st.composite
def mutated(draw: st.DrawFn, sample: Any) -> Any:
    """A sample after a few changes: something replaced, removed, or added under a key."""
    document = deepcopy(sample)
    for _ in range(draw(st.integers(1, 3))):
        places = paths(document)
        path, value = places[draw(st.integers(0, len(places) - 1))]
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "add" and isinstance(value, dict):
            value[draw(KEYS)] = draw(JUNK)
        elif action == "add" and isinstance(value, list):
            value.append(draw(JUNK))
        elif not path:
            document = draw(JUNK) if action == "replace" else document
        else:
            around = document
            for key in path[:-1]:
                around = around[key]
            if action == "replace":
                around[path[-1]] = draw(JUNK)
            else:
                del around[path[-1]]
    return document


def structural_problems(read: Callable[[Path], Any], path: Path) -> list[str]:
    try:
        read(path)
    except GraphFileError as error:
        return [str(problem) for problem in error.problems if problem.code not in BEYOND_SCHEMAS]
    return []


@given(document=mutated(NETWORK))
@settings(max_examples=400, deadline=None)
def test_the_network_reader_and_its_schema_accept_the_same(tmp_path: Path, document: Any) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(document), "utf-8")
    errors = [error.message for error in validator("network").iter_errors(document)]
    assert bool(structural_problems(read_network_file, path)) == bool(errors), errors


@given(items=mutated(ITEMS))
@settings(max_examples=400, deadline=None)
def test_the_item_graph_reader_and_its_schema_accept_the_same(tmp_path: Path, items: Any) -> None:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(items if isinstance(items, list) else [items]), "utf-8")
    errors = [
        error.message for error in validator("itemgraph").iter_errors(items if isinstance(items, list) else [items])
    ]
    assert bool(structural_problems(read_item_graph, path)) == bool(errors), errors
