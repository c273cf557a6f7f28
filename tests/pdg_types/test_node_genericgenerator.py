from __future__ import annotations

from topcook.model.workitem import Trait
from topcook.testkit.nodebench import NodeBench


def test_without_an_input_it_makes_itemcount_items_that_count_from_zero(bench: NodeBench) -> None:
    items = bench.make(bench.node("gen", "genericgenerator", itemcount=3, command="echo @pdg_index"))
    assert [item.command for item in items] == ["echo 0", "echo 1", "echo 2"]
    assert all(item.traits == Trait.STATIC and not item.dependencies for item in items)


def test_a_frame_range_gives_an_item_per_frame_and_padded_names(bench: NodeBench) -> None:
    node = bench.node(
        "render",
        "genericgenerator",
        framerange=[1001, 1005, 2],
        command="render -f $F",
        outputs=[
            {"path": "__PDG_DIR__/beauty.$F4.exr", "tag": ""},
            {"path": "log.`padzero(6, @pdg_frame)`", "tag": "x"},
        ],
    )
    items = bench.make(node)
    assert [item.frame for item in items] == [1001.0, 1003.0, 1005.0]
    assert items[0].frame_step == 2
    assert items[1].command == "render -f 1003"
    made = [(file.path, file.tag) for file in items[1].expected_outputs or ()]
    assert made == [("__PDG_DIR__/beauty.1003.exr", "file/image"), ("log.001003", "x")]


def test_a_fractional_or_falling_frame_range_ends_where_it_says(bench: NodeBench) -> None:
    tenths = bench.make(bench.node("a", "genericgenerator", framerange=[0, 1, 0.1]))
    falling = bench.make(bench.node("b", "genericgenerator", framerange=[3, 1, -1]))
    assert len(tenths) == 11
    assert [item.frame for item in falling] == [3, 2, 1]


def test_each_upstream_item_is_the_parent_of_its_own_items(bench: NodeBench) -> None:
    source = bench.node("source", "genericgenerator", itemcount=2)
    bench.make(source)
    node = bench.node("two", "genericgenerator", [source], itemcount=2, command="@pdg_index")
    items = bench.make(node)
    assert [item.index for item in items] == [0, 1, 2, 3]
    assert [item.dependencies for item in items] == [[source.items[0]]] * 2 + [[source.items[1]]] * 2
    assert items[3].parent is source.items[1]


def test_sequential_chains_the_items_of_one_parent_only(bench: NodeBench) -> None:
    source = bench.node("source", "genericgenerator", itemcount=2)
    bench.make(source)
    node = bench.node("sim", "genericgenerator", [source], framerange=[1, 3], sequential=True)
    items = bench.make(node)
    assert [[need.index for need in item.dependencies if need.node is node] for item in items] == [
        [],
        [0],
        [1],
        [],
        [3],
        [4],
    ]


def test_priority_slots_and_count_may_come_from_attributes(bench: NodeBench) -> None:
    source = bench.node("w", "wedge", wedgeattributes=[{"name": "n", "type": "int", "values": [2, 1]}])
    bench.make(source)
    node = bench.node("g", "genericgenerator", [source], itemcount="@n", priority="@n", slots="@n")
    items = bench.make(node)
    assert [(item.priority, item.slots) for item in items] == [(2, 2), (2, 2), (1, 1)]


def test_the_label_that_every_node_has_is_written_out(bench: NodeBench) -> None:
    node = bench.node(
        "g", "genericgenerator", itemcount=2, pdg_workitemlabel="shot @pdg_index", command="say @pdg_label"
    )
    assert [item.command for item in bench.make(node)] == ["say shot 0", "say shot 1"]


def test_every_unknown_attribute_of_all_items_is_told_with_those_there_are(bench: NodeBench) -> None:
    source = bench.node("w", "wedge", wedgecount=2, wedgeattributes=[{"name": "angle", "range": [0, 1]}])
    bench.make(source)
    node = bench.node("g", "genericgenerator", [source], command="x @angel", outputs=[{"path": "@nope"}])
    result = bench.generate(node)
    assert result.items == []
    told = "\n".join(map(str, result.problems))
    assert len(result.problems) == 2
    assert 'parm "command"' in told
    assert 'parm "path1"' in told
    assert "angle" in told


def test_what_cannot_be_is_said_and_makes_nothing(bench: NodeBench) -> None:
    for parms, said in [
        ({"framerange": [1, 10, 0]}, "has no frames"),
        ({"framerange": [10, 1, 1]}, "has no frames"),
        ({"itemcount": -1}, "itemcount"),
        ({"itemcount": 10**9}, "itemcount"),
        ({"command": "a", "pdg_command": "b"}, "two names of one parm"),
        ({"itemcount": "many"}, "no number"),
    ]:
        result = bench.generate(bench.node("g", "genericgenerator", **parms))
        assert not result.items
        assert said in str(result.problems[0]), parms


def test_a_command_that_names_inputs_waits_for_them_unless_they_are_declared(bench: NodeBench) -> None:
    silent = bench.node("silent", "genericgenerator", itemcount=1)
    telling = bench.node("telling", "genericgenerator", outputs=[{"path": "a.txt"}])
    bench.make(silent)
    bench.make(telling)
    (late,) = bench.make(bench.node("late", "genericgenerator", [silent], command="cat @pdg_input"))
    (known,) = bench.make(bench.node("known", "genericgenerator", [telling], command="cat @pdg_input"))
    assert late.command == "cat @pdg_input"
    assert Trait.LATE_COMMAND in late.traits
    assert known.command == "cat a.txt"


def test_a_late_command_still_refuses_other_attributes_now(bench: NodeBench) -> None:
    silent = bench.node("silent", "genericgenerator")
    bench.make(silent)
    result = bench.generate(bench.node("late", "genericgenerator", [silent], command="cat @pdg_input @nope"))
    assert '"nope"' in str(result.problems[0])


def test_a_command_may_name_its_own_outputs_and_those_of_the_item_before_it(bench: NodeBench) -> None:
    node = bench.node(
        "sim",
        "genericgenerator",
        framerange=[1, 2],
        sequential=True,
        command="sim --out @pdg_output",
        outputs=[{"path": "f.$F.sim", "tag": "file/sim"}],
    )
    assert [item.command for item in bench.make(node)] == ["sim --out f.1.sim", "sim --out f.2.sim"]
    node.parms.set("command", "sim @pdg_input")
    node.parms.set("itemcount", 1)
    result = bench.generate(node)
    assert len(result.problems) == 1  # the first frame has no input at all
