"""Graphs of another tool, cooked as item graphs: order, and every item once."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

NODES = """
[nodes.graph]
type = "itemgraph"
[nodes.graph.parms]
file = "$HIP/graph.jsonl"
"""


def write_graph(shell: Any, waits: list[list[int]], command: str = "true") -> None:
    rows = (
        {"name": f"i{number}", "command": command, "dependencies": [f"i{other}" for other in others]}
        for number, others in enumerate(waits)
    )
    shell.write("graph.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def cook_in_order(shell: Any, waits: list[list[int]]) -> None:
    """Cook it; no item starts before what it waits for has ended, each is handed over once."""
    write_graph(shell, waits)
    report = shell.cook(shell.network(NODES), "--progress", "off")
    items = {item["label"]: item for item in report["items"]}
    assert len(items) == len(waits)
    assert report["counts"] == {"CookedSuccess": len(waits)}
    assert {item["attempts"] for item in items.values()} == {1}
    late = [
        (number, other)
        for number, others in enumerate(waits)
        for other in others
        if items[f"i{other}"]["finished"] > items[f"i{number}"]["started"]
    ]
    assert not late


def random_waits(size: int, each: int) -> list[list[int]]:
    chance = random.Random(size)
    return [sorted(chance.sample(range(number), min(number, each))) for number in range(size)]


@pytest.mark.parametrize(
    "waits",
    [
        random_waits(1000, 3),
        [[number - 1] if number else [] for number in range(300)],
        [[]] + [[0]] * 600 + [list(range(1, 601))],
        [[], [0], [0], [1, 2], [3], [3], [4, 5]],
    ],
    ids=["random", "chain", "fan", "diamonds"],
)
def test_an_item_graph_cooks_in_the_order_of_its_dependencies(shell: Any, waits: list[list[int]]) -> None:
    cook_in_order(shell, waits)


@pytest.mark.fuzz
@pytest.mark.timeout(600)
def test_ten_thousand_items_with_thirty_thousand_dependencies_cook_in_order(shell: Any) -> None:
    cook_in_order(shell, random_waits(10_000, 3))


@pytest.mark.fuzz
@pytest.mark.timeout(600)
def test_a_chain_of_a_thousand_and_a_fan_of_five_thousand_cook(shell: Any) -> None:
    cook_in_order(shell, [[number - 1] if number else [] for number in range(1000)])
    cook_in_order(shell, [[]] + [[0]] * 5000 + [list(range(1, 5001))])
