"""The reader of item graph files: JSON and JSON Lines, big ones, and wrong ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.errors import GraphFileError, Problem
from topcook.model.attributes import AttribType, Attribute
from topcook.model.files import File
from topcook.model.graphfile import ItemRecord, read_item_graph
from topcook.model.graphfile.cycles import chain, find_cycles

FULL: dict[str, Any] = {
    "name": "beauty 1001",
    "command": "render 'a b'",
    "dependencies": ["sim", "later", "sim"],
    "attributes": {
        "angle": 15.5, "hero": True, "names": ["a", "b"], "mixed": [1, 2.5], "none": [],
        "cache": {"type": "file", "value": "sim.bgeo.sc"}, "big": {"type": "float", "value": 3},
        "table": {"type": "dict", "value": {"a": [1, {"b": "c"}]}}, "any": {"type": "pyobject", "value": ["x", 1]},
        "typed": {"type": "file", "value": [{"path": "x.exr", "tag": "file/mine"}]},
    },
    "outputs": ["a.exr", {"path": "b", "tag": "file/b"}],
    "priority": 3,
    "slots": 4,
    "inprocess": True,
    "frame": 1001,
    "index": 7,
}  # fmt: skip


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes objects, or lines as they stand, as JSON Lines."""

    def write(*rows: Any) -> Path:
        path = tmp_path / "graph.jsonl"
        path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), "utf-8")
        return path

    return write


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a JSON text."""

    def write(text: str) -> Path:
        path = tmp_path / "graph.json"
        path.write_text(text, "utf-8")
        return path

    return write


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(GraphFileError) as caught:
        read_item_graph(path)
    return caught.value.problems


def problems_or_none(path: Path) -> list[Problem] | None:
    """The problems of a file; ``None`` when it was read."""
    try:
        read_item_graph(path)
    except GraphFileError as error:
        return error.problems
    return None


def told(path: Path) -> list[tuple[str, int | None, int | None]]:
    return [(problem.code, problem.line, problem.column) for problem in problems_of(path)]


def expected_full() -> ItemRecord:
    kinds = AttribType
    return ItemRecord(
        name="beauty 1001",
        command="render 'a b'",
        dependencies=(0, 2),
        attributes={
            "angle": Attribute(kinds.Float, (15.5,)),
            "hero": Attribute(kinds.Int, (1,)),
            "names": Attribute(kinds.String, ("a", "b")),
            "mixed": Attribute(kinds.Float, (1.0, 2.5)),
            "none": Attribute(kinds.String, ()),
            "cache": Attribute(kinds.File, (File("sim.bgeo.sc", "file/geo"),)),
            "big": Attribute(kinds.Float, (3.0,)),
            "table": Attribute(kinds.Dict, ({"a": [1, {"b": "c"}]},)),
            "any": Attribute(kinds.PyObject, ("x", 1)),
            "typed": Attribute(kinds.File, (File("x.exr", "file/mine"),)),
        },
        outputs=(File("a.exr", "file/image"), File("b", "file/b")),
        priority=3,
        slots=4,
        inprocess=True,
        frame=1001,
        index=7,
        line=2,
    )


def test_an_item_is_read_with_all_it_says_and_its_dependencies_as_positions(lines: Callable[..., Path]) -> None:
    sim, full, later = read_item_graph(lines({"name": "sim"}, FULL, {"name": "later"}))
    assert sim == ItemRecord("sim", line=1)
    assert full == expected_full()
    assert later.line == 3
    assert [type(value) for value in full.attributes["mixed"].values] == [float, float]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_list_is_read_the_same_as_json_lines(
    lines: Callable[..., Path], listed: Callable[[str], Path], indent: int | None
) -> None:
    rows = [{"name": "sim"}, FULL, {"name": "later", "dependencies": ["sim"]}]
    one = read_item_graph(lines(*rows))
    two = read_item_graph(listed(json.dumps(rows, indent=indent)))
    for record in two:
        record.line = next(other.line for other in one if other.name == record.name)
    assert one == two


def test_what_the_file_starts_with_decides_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "graph.txt"
    path.write_bytes(b'\xef\xbb\xbf\r\n{"name": "a"}\r\n\r\n{"name": "b", "dependencies": ["a"]}')
    assert [(record.name, record.line, record.dependencies) for record in read_item_graph(path)] == [
        ("a", 2, ()),
        ("b", 4, (0,)),
    ]
    path.write_bytes(b'\xef\xbb\xbf [{"name": "a"}]')
    assert [record.name for record in read_item_graph(path)] == ["a"]


def test_an_empty_list_is_a_graph_without_items_and_an_empty_file_is_a_mistake(listed: Callable[[str], Path]) -> None:
    assert read_item_graph(listed(" [ ] \n")) == []
    (problem,) = problems_of(listed(" \n"))
    assert (problem.code, problem.hint) == ("empty", "write [] for a graph without items")


def test_ten_thousand_items_with_thirty_thousand_dependencies_in_either_order(lines: Callable[..., Path]) -> None:
    rows = [
        {"name": f"i{number}", "dependencies": [f"i{number - step}" for step in (1, 2, 3) if number >= step]}
        for number in range(10_000)
    ]
    forwards, backwards = read_item_graph(lines(*rows)), read_item_graph(lines(*reversed(rows)))
    assert len(forwards) == len(backwards) == 10_000
    for one, two in zip(forwards, reversed(backwards), strict=True):
        assert one.name == two.name
        assert [forwards[n].name for n in one.dependencies] == [backwards[n].name for n in two.dependencies]


def test_all_mistakes_of_all_lines_are_told_at_once_with_their_places(lines: Callable[..., Path]) -> None:
    path = lines(
        {"name": "a", "comand": "x", "slots": 0},
        '{"name": "b", "attributes": {"x": null, "y": [1, "z"], "z": {"type": "int", "value": "1"}}}',
        {"name": "a"},
        "[1]",
        {"name": "", "inprocess": 1},
        '{"name": "c" "x": 1}',
        '{"name": "d"} {"name": "e"}',
        '{"name": "f", "name": "g"}',
        {"command": "x"},
        {"name": "h", "dependencies": "a", "outputs": [3, {"tag": "x"}]},
    )
    assert told(path) == [
        ("unknown-key", 1, 15),
        ("bad-value", 1, 39),
        ("wrong-type", 2, 35),
        ("mixed-list", 2, 46),
        ("wrong-type", 2, 86),
        ("duplicate-name", 3, 10),
        ("wrong-type", 4, 1),
        ("bad-value", 5, 10),
        ("wrong-type", 5, 27),
        ("syntax", 6, 14),
        ("syntax", 7, 14),
        ("repeated-key", 8, 1),
        ("missing-key", 9, 1),
        ("wrong-type", 10, 31),
        ("wrong-type", 10, 48),
        ("missing-key", 10, 51),
    ]


def test_dependencies_that_name_nothing_are_told_where_they_stand(
    lines: Callable[..., Path], listed: Callable[[str], Path]
) -> None:
    first, second = {"name": "item_b", "dependencies": ["item_b", "itemb"]}, {"name": "c", "dependencies": ["x"]}
    path = lines(first, second)
    assert told(path) == [("self-dependency", 1, 37), ("unknown-dependency", 1, 47), ("unknown-dependency", 2, 32)]
    problems = problems_of(listed(json.dumps([first, second], indent=1)))
    assert [(problem.line, problem.column) for problem in problems] == [(5, 4), (6, 4), (12, 4)]
    assert problems[1].hint == 'did you mean "item_b"?'
    assert problems[1].message == 'item "item_b" waits for "itemb", which is no item'


def test_a_line_that_cannot_be_read_does_not_make_others_wait_for_nobody(lines: Callable[..., Path]) -> None:
    """What the broken line would have been called is not known."""
    assert told(lines('{"name": "a"', {"name": "b", "dependencies": ["a"]})) == [("syntax", 1, 13)]


def test_a_circle_is_told_as_a_chain(lines: Callable[..., Path]) -> None:
    needs = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": [], "e": ["a"]}
    (problem,) = problems_of(lines(*({"name": name, "dependencies": names} for name, names in needs.items())))
    assert problem.message == "items wait for each other in a circle: a -> b -> c -> a"
    assert (problem.code, problem.line) == ("cycle", 1)


def test_of_many_mistakes_the_first_fifty_are_told_and_the_rest_is_counted(lines: Callable[..., Path]) -> None:
    problems = problems_of(lines(*({"name": f"i{n}", "dependencies": ["x", "y"]} for n in range(100))))
    assert len(problems) == 51
    assert problems[-1].message == "and 150 more"
    with pytest.raises(GraphFileError, match="has 200 mistakes"):
        read_item_graph(lines(*({"name": f"i{n}", "slots": "x", "frame": "x"} for n in range(100))))


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ('[{"name": "a"},\n {"name": }]', "syntax", (2, 11)),
        ('[{"name": "a"}\n {"name": "b"}]', "syntax", (2, 2)),
        ('[{"name": "a"},\n]', "syntax", (2, 1)),
        ('[{"name": "a"}] x', "syntax", (1, 17)),
        ('[{"name": "a"}', "syntax", (1, 15)),
        ('[{"name": "a",\n "name": "b"}]', "repeated-key", (1, 2)),
        ("[" + "[" * 100_000, "syntax", (1, 2)),
        ('[{"name": "a", "index": 1' + "0" * 5000 + "}]", "syntax", (1, 2)),
    ],
)
def test_a_syntax_error_in_a_list_comes_alone(
    listed: Callable[[str], Path], text: str, code: str, place: tuple[int, int]
) -> None:
    assert told(listed(text)) == [(code, *place)]


def test_numbers_that_would_not_travel_are_refused(lines: Callable[..., Path]) -> None:
    """Beyond 64 bits, infinite, or none at all: no attribute, report or environment could carry them on."""
    big = 1 << 63
    path = lines(
        {"name": "a", "attributes": {"x": big, "y": [1.5, 10**400], "z": {"type": "float", "value": 10**400}}},
        '{"name": "b", "frame": 1e999, "attributes": {"x": NaN}}',
        {"name": "c", "index": -big - 1, "priority": big, "slots": big, "frame": 10**400},
        {"name": "d", "index": -big, "priority": big - 1, "attributes": {"x": [-big]}},
    )
    assert [problem.code for problem in problems_of(path)] == ["bad-value"] * 9
    assert {problem.line for problem in problems_of(path)} == {1, 2, 3}


def test_bytes_that_are_no_utf8_are_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "graph.jsonl"
    path.write_bytes(b'{"name": "a"}\n{"name": "\xe4"}\n{"name": 3}\n')
    assert told(path) == [("not-utf8", 2, 11), ("wrong-type", 3, 10)]


def test_a_line_beyond_the_limit_is_refused(lines: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topcook.model.graphfile.itemgraph.MAX_LINE", 100)
    assert told(lines({"name": "a"}, {"name": "b" * 200})) == [("too-large", 2, None)]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert [problem.code for problem in problems_of(tmp_path / "none.json")] == ["missing-file"]


@given(st.lists(st.one_of(st.just(b'{"name": "a"}'), st.binary(max_size=20)), max_size=4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_is_in_the_file_it_is_read_or_refused(tmp_path: Path, pieces: list[bytes], as_list: bool) -> None:
    path = tmp_path / "graph"
    path.write_bytes(b"[" + b",".join(pieces) + b"]" if as_list else b"\n".join(pieces))
    problems = problems_or_none(path)
    assert problems is None or problems
    assert all(problem.message for problem in problems or [])


@given(st.lists(st.lists(st.integers(0, 11), max_size=3), max_size=12))
def test_circles_are_found_if_and_only_if_the_items_cannot_be_put_in_order(needs: list[list[int]]) -> None:
    waits_for = [[needed for needed in row if needed < len(needs)] for row in needs]
    cycles = find_cycles(waits_for)
    left = set(range(len(waits_for)))
    while ready := [number for number in left if not left.intersection(waits_for[number])]:
        left.difference_update(ready)
    assert bool(cycles) == bool(left)
    members = [number for cycle in cycles for number in cycle]
    assert len(members) == len(set(members))
    for cycle in cycles:
        assert cycle[0] == min(cycle)
        for number, needed in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            assert needed in waits_for[number]


def test_a_circle_of_a_hundred_thousand_is_found_and_told_in_short() -> None:
    size = 100_000
    (cycle,) = find_cycles([[(number + 1) % size] for number in range(size)])
    assert len(cycle) == size
    text = chain([f"i{number}" for number in cycle])
    assert text.startswith("i0 -> i1 -> ")
    assert "(99988 more)" in text
    assert text.endswith("-> i99999 -> i0")
