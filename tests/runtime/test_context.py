"""``pdg.GraphContext`` from Python: building, items by hand, changing the network, its life."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from topcook.errors import CookRefusedError, CycleError, ProblemsError, UnknownSchedulerError, UnknownTypeError
from topcook.runtime.api import CookOptions, GraphContext
from topcook.testkit.cookbench import CookBench


@pytest.fixture
def context(bench: CookBench, tmp_path: Path) -> GraphContext:
    return bench.opened(GraphContext("made", hip=str(tmp_path), factory=bench.factory()))


def test_a_network_is_built_and_cooked_from_python(context: GraphContext, tmp_path: Path) -> None:
    context.addScheduler("localscheduler", "mine", maxprocsmenu=1, maxprocs=2)
    context.setDefaultScheduler("mine")
    context.addNode("genericgenerator", "make", itemcount=3, command="echo @pdg_index > m@pdg_index")
    context.addNode("waitforall", "all")
    context.addNode("genericgenerator", "count")
    context.setParameter("count", "command", "cat m* | wc -l > count")
    context.connect("make", "all")
    context.connect("all.output", "count.input")
    assert context.cook()
    assert (tmp_path / "count").read_text().strip() == "3"
    assert [item.state.name for item in context.graph.node("count").workItems] == ["CookedSuccess"]
    assert context.graph.workItemByName("make_2").index == 1
    assert context.graph.workItemById(10**9) is None
    assert [node.name for node in context.cookSet] == ["make", "all", "count"]


def test_one_node_is_cooked_with_what_it_needs(context: GraphContext, tmp_path: Path) -> None:
    for name in ("first", "second", "aside"):
        context.addNode("genericgenerator", name, command=f"touch {name}")
    context.connect("first", "second")
    assert context.cook(CookOptions(blocking=True, nodeNames=["second"]))
    assert {path.name for path in tmp_path.iterdir()} >= {"first", "second"}
    assert not (tmp_path / "aside").exists()


def test_mistakes_raise_at_once_and_say_what_there_is(context: GraphContext) -> None:
    context.addNode("genericgenerator", "make")
    with pytest.raises(UnknownTypeError, match="genericgenerator"):
        context.addNode("genericgenerater", "other")
    with pytest.raises(UnknownSchedulerError, match="localscheduler"):
        context.addScheduler("locelscheduler")
    with pytest.raises(CookRefusedError, match='there is a node "make" already'):
        context.addNode("null", "make")
    with pytest.raises(UnknownTypeError, match='there is no node "mako"; there are: make'):
        context.connect("mako", "make")
    with pytest.raises(ProblemsError) as caught:
        context.setParameters("make", {"comand": "x", "itemcount": "many"})
    assert len(caught.value.problems) == 2
    with pytest.raises(ProblemsError, match="overrid"):
        context.setJobParameter("make", "pdg_workingdir", "/tmp")


def test_nodes_in_a_circle_are_refused_with_the_chain(context: GraphContext) -> None:
    for name in "abc":
        context.addNode("null", name)
    context.connect("a", "b")
    context.connect("b", "c")
    with pytest.raises(CycleError, match="c -> a -> b -> c"):
        context.connect("c", "a")
    with pytest.raises(CycleError, match="a -> a"):
        context.connect("a", "a")


# ---------------------------------------------------------------------- items by hand


def by_hand(context: GraphContext, **items: list[str]) -> dict[str, Any]:
    """A node with items of these names, each waiting for those."""
    context.addNode("genericgenerator", "hand")
    made = {name: context.addWorkItem("hand", name=name, command=f"echo {name} >> order") for name in items}
    for name, needs in items.items():
        for need in needs:
            context.addWorkItemDependency(made[name], made[need])
    return made


def test_items_added_by_hand_cook_in_order_and_cook_again(context: GraphContext, tmp_path: Path) -> None:
    made = by_hand(context, last=["middle"], middle=["first"], first=[])
    context.addNode("genericgenerator", "after", command="echo after >> order")
    context.addNode("waitforall", "all")
    context.connect("hand", "all")
    context.connect("all", "after")
    for turn in (1, 2):
        assert context.cook(), context._cook.messages
        assert (tmp_path / "order").read_text().split() == ["first", "middle", "last", "after"] * turn
    assert made["last"].state.name == "CookedSuccess"
    assert made["last"].record.attempt == 1


def test_items_by_hand_that_wait_for_each_other_are_refused_with_the_chain(context: GraphContext) -> None:
    made = by_hand(context, a=["c"], b=["a"], c=["b"], d=[])
    with pytest.raises(CycleError, match="a -> c -> b -> a"):
        context.cook()
    assert made["d"].state.name == "Uncooked"
    assert not context.cooking


def test_two_items_cannot_have_one_name(context: GraphContext) -> None:
    by_hand(context, only=[])
    with pytest.raises(CookRefusedError, match='there is a work item "only" already'):
        context.addWorkItem("hand", name="only")


def test_items_by_hand_may_be_in_process_and_name_their_scheduler(context: GraphContext) -> None:
    context.addScheduler("localscheduler", "other")
    context.addNode("pythonscript", "hand", script="work_item.setIntAttrib('done', 1)")
    inside = context.addWorkItem("hand", inProcess=True)
    outside = context.addWorkItem("hand", command="true", attributes={"pdg_scheduler": "other"})
    assert context.cook(), context._cook.messages
    assert inside.intAttribValue("done") == 1
    assert (inside.record.scheduler, outside.record.scheduler) == ("pdg_inprocessscheduler", "other")


def test_an_item_by_hand_that_names_an_unknown_scheduler_refuses_the_cook(context: GraphContext) -> None:
    context.addNode("genericgenerator", "hand")
    context.addWorkItem("hand", command="true", attributes={"pdg_scheduler": "nowhere"})
    with pytest.raises(ProblemsError, match="nowhere"):
        context.cook()


def test_an_item_of_another_context_is_refused(bench: CookBench, context: GraphContext) -> None:
    other = bench.opened(GraphContext("other", factory=context.core.factory))
    other.addNode("null", "n")
    for _ in range(3):
        stranger = other.addWorkItem("n")
    context.addNode("null", "n")
    mine = context.addWorkItem("n")
    with pytest.raises(CookRefusedError, match="is not of this graph context"):
        context.addWorkItemDependency(mine, stranger)


# ---------------------------------------------------------------------- changing the network


def test_a_renamed_node_keeps_its_links_its_items_names_follow(context: GraphContext, tmp_path: Path) -> None:
    context.addNode("genericgenerator", "old", command="true")
    context.addNode("genericgenerator", "after", command="touch after")
    context.connect("old", "after")
    assert context.cook()
    context.core.network.display = "old"
    context.core.choice.by_node = {"old": "localscheduler"}
    context.renameNode("old", "new")
    assert [node.name for node in context.graph.nodes()] == ["new", "after"]
    assert context.core.network.display == "new"
    assert context.core.choice.by_node == {"new": "localscheduler"}
    context.addNode("null", "old")
    assert context.cook()
    assert [item.name for item in context.core.items()] == ["new_3"]
    with pytest.raises(CookRefusedError, match='there is a node "after" already'):
        context.renameNode("new", "after")


def test_a_deleted_node_is_gone_from_what_it_was_linked_to(context: GraphContext) -> None:
    for name in "abc":
        context.addNode("genericgenerator", name, command="true")
    context.connect("a", "b")
    context.connect("b", "c")
    context.core.network.display = "b"
    context.delete("b")
    assert context.core.network.nodes["c"].inputs == []
    assert context.cook()
    assert {item.node.name for item in context.core.items()} == {"a", "c"}
    context.addNode("null", "b")
    assert context.core.node_instance(context.core.network.nodes["b"]) is not None


def test_a_component_of_a_parm_is_set_alone(bench: CookBench, context: GraphContext) -> None:
    context.addNode("genericgenerator", "make")
    context.setParameter("make", "framerange", [1.0, 10.0, 2.0])
    context.setParameter("make", "framerange", 5.0, index=0)
    parm = context.core.network.nodes["make"].parms.get("framerange")
    assert parm is not None
    assert parm.values == [5.0, 10.0, 2.0]
    context.setParameter("make", "framerange", 3.0, index=2)
    assert parm.values == [5.0, 10.0, 3.0]


def test_a_limit_set_from_outside_is_heeded_by_the_cook_under_way(bench: CookBench, tmp_path: Path) -> None:
    bench.types(
        "mine",
        """
        import pdg
        from pdg.scheduler import PyScheduler
        class Mine(PyScheduler):
            held = []
            def onSchedule(self, work_item):
                Mine.held.append(work_item.id)
                return pdg.scheduleResult.Succeeded
            def onTick(self):
                if len(Mine.held) == 1:
                    self.context.setParameter(self.name, "pdg_maxtasks", 0)
                elif Mine.held:
                    for item in Mine.held:
                        self.onWorkItemSucceeded(item, -1, 0)
                return pdg.tickResult.SchedulerReady
        def registerTypes(type_registry):
            type_registry.registerScheduler(Mine, name="mine")
        """,
    )
    context = bench.opened(GraphContext("limits", hip=str(tmp_path), factory=bench.factory()))
    context.addScheduler("mine", "farm", pdg_maxtasks=1, pdg_tickperiod=0.02)
    context.setDefaultScheduler("farm")
    context.addNode("genericgenerator", "work", itemcount=5, command="x")
    assert bench.cook(context).outcome == "cooked"


def test_the_directory_of_the_next_cook_follows_the_parm(context: GraphContext, tmp_path: Path) -> None:
    context.addScheduler("localscheduler", "mine")
    context.setDefaultScheduler("mine")
    context.addNode("genericgenerator", "make", command="touch here")
    for name in ("one", "two"):
        context.setParameter("mine", "pdg_workingdir", f"$HIP/{name}")
        assert context.cook()
        assert (tmp_path / name / "here").exists()


def test_a_closed_context_cooks_no_more(context: GraphContext) -> None:
    context.addNode("genericgenerator", "make", command="true")
    assert context.cook()
    context.close()
    context.close()
    with pytest.raises(CookRefusedError, match="is closed"):
        context.cook()


def test_contexts_of_one_name_are_told_apart(bench: CookBench) -> None:
    made = [bench.opened(GraphContext("same", factory=bench.factory())) for _ in range(3)]
    assert [context.name for context in made] == ["same", "same1", "same2"]
    assert GraphContext.byName("same1") is made[1]
    assert {"same", "same1", "same2"} <= set(GraphContext.names())


def test_what_earlier_cooks_made_takes_no_room_and_ids_are_never_used_again(context: GraphContext) -> None:
    context.addNode("genericgenerator", "work")
    context.setParameters("work", {"itemcount": 3, "command": ""})
    seen: list[int] = []
    for _ in range(4):
        assert context.cook()
        seen += [item.id for item in context.core.items()]
    assert len(set(seen)) == len(seen) == 12
    assert seen == sorted(seen)
    assert [context.core.item(number) is not None for number in seen] == [False] * 9 + [True] * 3
    assert sys.getsizeof(context.core._items) <= sys.getsizeof(dict.fromkeys(range(8)))
