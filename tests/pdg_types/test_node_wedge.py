from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.factory.scan import Factory
from topcook.model.attributes import AttribFlag, AttribType
from topcook.model.workitem import Trait, WorkItem
from topcook.testkit.nodebench import NodeBench


def values(items: list[WorkItem], name: str) -> list[Any]:
    return [(item.attributes or {})[name].values[0] for item in items]


def test_a_range_is_spread_from_its_first_to_its_last_value(bench: NodeBench) -> None:
    rows = [{"name": "angle", "type": "float", "wedgetype": "range", "range": [0.0, 345.0]}]
    items = bench.make(bench.node("angles", "wedge", wedgecount=24, wedgeattributes=rows))
    assert values(items, "angle") == [15.0 * number for number in range(24)]
    assert values(items, "wedgeindex") == list(range(24))
    assert all(item.traits == Trait.STATIC | Trait.AUTOMATIC for item in items)


def test_side_by_side_walks_all_attributes_together(bench: NodeBench) -> None:
    rows = [
        {"name": "kind", "values": ["maze", "coral", "spots"]},
        {"name": "feed", "values": [0.03, 0.04, 0.05]},
        {"name": "steps", "type": "int", "range": [10, 20]},
        {"name": "all", "value": "same"},
    ]
    items = bench.make(bench.node("w", "wedge", wedgeattributes=rows))
    assert [values(items, name) for name in ("kind", "feed", "steps", "all")] == [
        ["maze", "coral", "spots"],
        [0.03, 0.04, 0.05],
        [10, 15, 20],
        ["same"] * 3,
    ]
    assert (items[0].attributes or {})["steps"].type is AttribType.Int


def test_product_makes_every_combination_and_the_last_changes_fastest(bench: NodeBench) -> None:
    rows = [{"name": "a", "values": ["x", "y"]}, {"name": "b", "type": "int", "range": [1, 3], "count": 3}]
    items = bench.make(bench.node("w", "wedge", wedgemode="product", wedgeattributes=rows))
    assert list(zip(values(items, "a"), values(items, "b"), strict=True)) == [
        ("x", 1),
        ("x", 2),
        ("x", 3),
        ("y", 1),
        ("y", 2),
        ("y", 3),
    ]
    assert values(items, "wedgetotal") == [6] * 6


def test_random_values_are_the_same_each_time_and_change_with_the_seed(bench: NodeBench) -> None:
    def draw(name: str, seed: int, kind: str = "float") -> list[Any]:
        rows = [{"name": "r", "type": kind, "wedgetype": "random", "random": [1, 6]}]
        return values(bench.make(bench.node(name, "wedge", wedgecount=20, seed=seed, wedgeattributes=rows)), "r")

    first = draw("a", 1)
    assert draw("b", 1) == first
    assert draw("c", 2) != first
    assert all(1 <= value <= 6 for value in first)
    assert set(draw("d", 1, "int")) <= {1, 2, 3, 4, 5, 6}


def test_stacked_wedges_multiply_and_may_keep_their_numbers(bench: NodeBench) -> None:
    first = bench.node("a", "wedge", wedgecount=2, wedgeattributes=[{"name": "a", "range": [0, 1]}])
    bench.make(first)
    second = bench.node(
        "b",
        "wedge",
        [first],
        wedgecount=3,
        preservenum=True,
        exportenvironment=True,
        wedgeattributes=[{"name": "b", "values": [[1, 2], [3, 4], [5, 6]]}],
    )
    items = bench.make(second)
    assert [item.index for item in items] == list(range(6))
    assert [(item.attributes or {})["wedgenum"].values for item in items[:4]] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert (items[4].attributes or {})["b"].values == (3, 4)
    assert (items[4].attributes or {})["b"].flags is AttribFlag.EnvExport
    assert values(items, "a") == [0.0] * 3 + [1.0] * 3
    assert items[5].dependencies == [first.items[1]]


def test_values_may_be_made_of_upstream_attributes(bench: NodeBench) -> None:
    first = bench.node("a", "wedge", wedgeattributes=[{"name": "n", "type": "int", "values": [3, 5]}])
    bench.make(first)
    second = bench.node(
        "b", "wedge", [first], wedgeattributes=[{"name": "text", "type": "string", "values": ["n is @n"]}]
    )
    assert values(bench.make(second), "text") == ["n is 3", "n is 5"]


@pytest.mark.parametrize(
    ("parms", "said"),
    [
        ({}, "wedgecount"),
        ({"wedgecount": -1}, "wedgecount"),
        ({"wedgeattributes": [{"name": "a b", "values": [1]}]}, "no name for an attribute"),
        ({"wedgecount": 4, "wedgeattributes": [{"name": "a", "values": [1, 2, 3]}]}, "lists 3 values for 4"),
        ({"wedgecount": 4, "wedgeattributes": [{"name": "a", "wedgetype": "spiral"}]}, "wedgetypes: range"),
        ({"wedgecount": 4, "wedgeattributes": [{"name": "a", "type": "colour", "values": [1]}]}, "types: float"),
        ({"wedgecount": 4, "wedgeattributes": [{"name": "a"}]}, "has no range"),
        ({"wedgecount": 4, "wedgeattributes": [{"name": "a", "wedgetype": "values"}]}, "has no values"),
        ({"wedgecount": 4, "wedgeattributes": [{"name": "a", "type": "int", "values": [1.5]}]}, "no whole number"),
        ({"wedgecount": 4, "wedgeattributes": [{"name": "a", "type": "string", "range": [0, 1]}]}, "list its values"),
        ({"wedgemode": "sum"}, '"product"'),
        ({"wedgemode": "product", "wedgeattributes": [{"name": "a", "range": [0, 1]}]}, 'no "count"'),
        ({"wedgemode": "product", "wedgecount": 3, "wedgeattributes": [{"name": "a", "values": [0, 1]}]}, "are 2"),
    ],
)
def test_what_cannot_be_is_said_with_what_to_write(bench: NodeBench, parms: dict[str, Any], said: str) -> None:
    result = bench.generate(bench.node("w", "wedge", **parms))
    assert not result.items
    assert said in str(result.problems[0])


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 40), low=st.floats(-1e6, 1e6), high=st.floats(-1e6, 1e6))
def test_a_range_never_leaves_its_ends(builtins: Factory, count: int, low: float, high: float) -> None:
    rows = [{"name": "x", "range": [low, high]}]
    bench = NodeBench(".", builtins)
    found = values(bench.make(bench.node("w", "wedge", wedgecount=count, wedgeattributes=rows)), "x")
    assert len(found) == count
    assert found[0] == low
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert all(min(low, high) - slack <= value <= max(low, high) + slack for value in found)
