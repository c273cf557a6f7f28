"""merge, null, waitforall, partitionbyattribute, mapbyindex: nodes that cook nothing themselves."""

from __future__ import annotations

from typing import Any

import pytest

from topcook.model.node import Node
from topcook.model.states import WorkItemState
from topcook.model.workitem import Trait, WorkItem
from topcook.testkit.nodebench import NodeBench

VARIANTS = [
    {"name": "kind", "values": ["b", "a", "b", "c"]},
    {"name": "n", "type": "int", "values": [10, 9, 10, 9]},
]


@pytest.fixture
def four(bench: NodeBench) -> Node:
    node = bench.node("four", "wedge", wedgeattributes=VARIANTS)
    bench.make(node)
    return node


def attribute(item: WorkItem, name: str) -> Any:
    return (item.attributes or {})[name].values[0]


def members(items: list[WorkItem]) -> list[list[int]]:
    return [[need.index for need in item.dependencies] for item in items]


@pytest.mark.parametrize("type_name", ["merge", "null"])
def test_what_passes_through_has_the_attributes_and_later_the_files(
    bench: NodeBench, four: Node, type_name: str
) -> None:
    other = bench.node("other", "genericgenerator", itemcount=2)
    bench.make(other)
    items = bench.make(bench.node("through", type_name, [four, other]))
    assert [item.index for item in items] == [0, 1, 2, 3, 0, 1]
    assert attribute(items[1], "kind") == "a"
    assert all(item.traits == Trait.STATIC | Trait.AUTOMATIC for item in items)
    bench.cook(other.items[0], "x.png")
    bench.cook(items[4])
    assert [made.path for made in items[4].outputs or ()] == ["x.png"]


def test_a_partition_of_all_agrees_where_its_members_do(bench: NodeBench) -> None:
    source = bench.node("g", "genericgenerator", itemcount=3, priority=2, outputs=[{"path": "f.@pdg_index.png"}])
    wedge = bench.node("w", "wedge", wedgeattributes=[{"name": "shared", "value": 1}])
    bench.make(wedge)
    source.inputs = [wedge]
    bench.make(source)
    (partition,) = bench.make(bench.node("all", "waitforall", [source]))
    assert partition.dependencies == source.items
    assert partition.priority == 2
    assert attribute(partition, "shared") == 1
    assert Trait.PARTITION in partition.traits
    assert [made.path for made in partition.expected_outputs or ()] == [f"f.{number}.png" for number in range(3)]
    for number, item in enumerate(source.items):
        bench.cook(item, f"f.{number}.png", "common.log")
    bench.cook(partition)
    assert [made.path for made in partition.outputs or ()] == ["f.0.png", "common.log", "f.1.png", "f.2.png"]


def test_a_partition_of_nothing_is_none(bench: NodeBench) -> None:
    empty = bench.node("f", "filepattern", pattern="*.nothing")
    assert bench.make(bench.node("all", "waitforall", [empty])) == []


def test_items_with_the_same_values_share_a_partition(bench: NodeBench, four: Node) -> None:
    items = bench.make(bench.node("p", "partitionbyattribute", [four], attributes=[{"name": "kind"}]))
    assert members(items) == [[0, 2], [1], [3]]
    assert [attribute(item, "kind") for item in items] == ["b", "a", "c"]
    assert attribute(items[0], "n") == 10
    assert [item.index for item in items] == [0, 1, 2]


def test_partitions_sort_numbers_as_numbers(bench: NodeBench, four: Node) -> None:
    up = bench.node("p", "partitionbyattribute", [four], attributes=[{"name": "n"}], sortdirection="ascending")
    down = bench.node("q", "partitionbyattribute", [four], attributes=[{"name": "kind"}], sortdirection=2)
    assert [attribute(item, "n") for item in bench.make(up)] == [9, 10]
    assert [attribute(item, "kind") for item in bench.make(down)] == ["c", "b", "a"]


def test_several_attributes_combine_or_partition_each_for_itself(bench: NodeBench, four: Node) -> None:
    rows = [{"name": "kind"}, {"name": "n"}]
    both = bench.make(bench.node("p", "partitionbyattribute", [four], attributes=rows))
    each = bench.make(bench.node("q", "partitionbyattribute", [four], attributes=rows, independent=True))
    assert members(both) == [[0, 2], [1], [3]]
    assert members(each) == [[0, 2], [1], [3], [0, 2], [1, 3]]


def test_unmatched_items_are_left_out_or_kept_together(bench: NodeBench, four: Node) -> None:
    plain = bench.node("plain", "genericgenerator", itemcount=2)
    bench.make(plain)
    rows = [{"name": "kind"}]
    left = bench.make(bench.node("p", "partitionbyattribute", [four, plain], attributes=rows))
    kept = bench.make(bench.node("q", "partitionbyattribute", [four, plain], attributes=rows, createunmatched=True))
    assert len(left) == 3
    assert kept[3].dependencies == plain.items


def test_match_makes_one_partition_of_what_has_the_values(bench: NodeBench, four: Node) -> None:
    rows = [{"name": "kind", "value": "b"}, {"name": "n", "value": 10}]
    items = bench.make(bench.node("p", "partitionbyattribute", [four], mode="match", attributes=rows))
    assert members(items) == [[0, 2]]


@pytest.mark.parametrize(
    ("parms", "said"),
    [
        ({}, "names nothing"),
        ({"attributes": [{"name": "kind"}], "mode": "fuzzy"}, '"mode"'),
        ({"attributes": [{"name": "kind"}], "sortdirection": "up"}, '"sortdirection"'),
    ],
)
def test_a_partition_that_cannot_be_is_said(bench: NodeBench, four: Node, parms: dict[str, Any], said: str) -> None:
    result = bench.generate(bench.node("p", "partitionbyattribute", [four], **parms))
    assert said in str(result.problems[0])


def test_map_by_index_lets_the_second_input_wait_for_the_first(bench: NodeBench, four: Node) -> None:
    waited = bench.node("waited", "genericgenerator", itemcount=3)
    bench.make(waited)
    items = bench.make(bench.node("m", "mapbyindex", [waited, four]))
    assert [item.parent for item in items] == four.items
    assert [[need.name for need in item.dependencies] for item in items] == [
        [four.items[0].name, waited.items[0].name],
        [four.items[1].name, waited.items[1].name],
        [four.items[2].name, waited.items[2].name],
        [four.items[3].name],
    ]
    assert attribute(items[3], "kind") == "c"
    bench.cook(waited.items[0], "a.png")
    four.items[0].state = WorkItemState.CookedSuccess
    bench.cook(items[0])
    assert [made.path for made in items[0].outputs or ()] == ["a.png"]


def test_a_mapper_needs_two_inputs(bench: NodeBench, four: Node) -> None:
    result = bench.generate(bench.node("m", "mapbyindex", [four]))
    assert "two inputs" in str(result.problems[0])
