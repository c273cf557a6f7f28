from __future__ import annotations

import json
import time
from pathlib import Path

from topcook.model.workitem import Trait
from topcook.testkit.nodebench import NodeBench

ROWS = [
    {
        "name": "late",
        "command": "b me@home",
        "dependencies": ["early"],
        "outputs": ["b.png", {"path": "c", "tag": "x"}],
    },
    {"name": "early", "command": "echo @take", "attributes": {"take": 3}, "priority": 2, "slots": 4},
    {"name": "here", "command": "work_item.setIntAttrib('cooked', 1)", "inprocess": True, "index": 7, "frame": 1001},
]


def write(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


def test_items_come_in_file_order_with_forward_references(bench: NodeBench, tmp_path: Path) -> None:
    write(tmp_path / "items.jsonl", ROWS)
    late, early, here = bench.make(bench.node("dag", "itemgraph", file="items.jsonl"))
    assert (late.label, late.command, late.dependencies) == ("late", "b me@home", [early])
    assert [(made.path, made.tag) for made in late.expected_outputs or ()] == [("b.png", "file/image"), ("c", "x")]
    assert (early.priority, early.slots, (early.attributes or {})["take"].values) == (2, 4, (3,))
    assert early.command == "echo @take"
    assert (here.index, here.frame) == (7, 1001)
    assert here.traits == Trait.STATIC | Trait.IN_PROCESS
    bench.cook(here)
    assert (here.attributes or {})["cooked"].values == (1,)


def test_expand_evaluates_commands_and_outputs(bench: NodeBench, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"name": "a", "command": "echo @take", "attributes": {"take": 3}, "outputs": ["f.@take"]}
    ]
    node = bench.node("dag", "itemgraph", file=write(tmp_path / "items.jsonl", rows), expand=True)
    (item,) = bench.make(node)
    assert item.command == "echo 3"
    assert [made.path for made in item.expected_outputs or ()] == ["f.3"]


def test_every_mistake_of_the_file_is_told_with_its_line(bench: NodeBench, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"name": "a", "dependencies": ["b"]}, {"name": "a"}, {"name": "c", "comand": "x"}]
    node = bench.node("dag", "itemgraph", file=write(tmp_path / "items.jsonl", rows))
    result = bench.generate(node)
    assert not result.items
    assert {problem.line for problem in result.problems} == {1, 2, 3}


def test_a_missing_file_an_unnamed_one_and_an_input_are_told(bench: NodeBench) -> None:
    gone = bench.generate(bench.node("a", "itemgraph", file="gone.jsonl"))
    unnamed = bench.generate(bench.node("b", "itemgraph"))
    source = bench.node("g", "genericgenerator")
    bench.make(source)
    fed = bench.generate(bench.node("c", "itemgraph", [source], file="x"))
    assert "gone.jsonl" in str(gone.problems[0])
    assert '"file" is empty' in str(unnamed.problems[0])
    assert "takes no inputs" in str(fed.problems[0])


def test_a_hundred_thousand_items_are_made_in_seconds(bench: NodeBench, tmp_path: Path) -> None:
    count = 100_000
    with (tmp_path / "many.jsonl").open("w") as file:
        for number in range(count):
            needs = [str(number - step) for step in (1, 2, 3) if number >= step]
            file.write(json.dumps({"name": str(number), "command": "true", "dependencies": needs}) + "\n")
    start = time.perf_counter()
    items = bench.make(bench.node("dag", "itemgraph", file="many.jsonl"))
    seconds = time.perf_counter() - start
    print(f"{count / seconds:,.0f} items/s")
    assert len(items) == count
    assert sum(len(item.dependencies) for item in items) == 3 * count - 6
    assert seconds < 20
