"""A cook of many items begins while the rest of them is being made, and one of few does not."""

from __future__ import annotations

from typing import Any

import pytest

from topcook.model.enums import EventType
from topcook.model.workitem import WorkItem
from topcook.runtime import cook as cooking
from topcook.runtime.observers import hookimpl
from topcook.testkit.cookbench import CookBench, Cooked

#: A node whose items leave a file each, and one that makes its items when it sees such a file, or gives up.
TYPES = """
    import os
    import time
    import pdg
    from pdg.processor import PyProcessor

    class Leaves(PyProcessor):
        templateName = classmethod(lambda cls: "leaves")

        def onGenerate(self, item_holder, upstream_items, generation_type):
            for _ in range(4):
                item_holder.addWorkItem(inProcess=True)
            return pdg.result.Success

        def onCookTask(self, work_item):
            open("SEEN", "a").close()
            return pdg.result.Success

    class Looks(PyProcessor):
        templateName = classmethod(lambda cls: "looks")

        def onGenerate(self, item_holder, upstream_items, generation_type):
            deadline = time.monotonic() + PATIENCE
            while not os.path.exists("SEEN") and time.monotonic() < deadline:
                time.sleep(0.01)
            MISTAKE
            for each in upstream_items:
                item_holder.addWorkItem(parent=each, inProcess=True, name=f"{os.path.exists('SEEN')}{each.index}")
            return pdg.result.Success

        def onCookTask(self, work_item):
            return pdg.result.Success

    def registerTypes(type_registry):
        type_registry.registerNode(Leaves, pdg.nodeType.Processor)
        type_registry.registerNode(Looks, pdg.nodeType.Processor)
"""
NETWORK = """
    [network]
    scheduler = "here"
    [schedulers.here]
    type = "KIND"
    [schedulers.here.parms]
    pdg_workingdir = "$HIP/work"
    [nodes.first]
    type = "leaves"
    [nodes.second]
    type = "looks"
    inputs = ["first"]
"""
#: A scheduler as anybody writes it.
CAREFUL = """
    import pdg
    from pdg.scheduler import PyScheduler

    class Careful(PyScheduler):
        templateName = classmethod(lambda cls: "careful")

        def onStart(self):
            self.setAcceptInProcess(True)
            return True

        def onSchedule(self, work_item):
            self.cookWorkItem(work_item)
            return pdg.scheduleResult.CookSucceeded

    def registerTypes(type_registry):
        type_registry.registerScheduler(Careful, name="careful", label="Careful")
"""


@pytest.fixture
def network(bench: CookBench, monkeypatch: pytest.MonkeyPatch) -> CookBench:
    monkeypatch.setattr(cooking, "EARLY_FROM", 3)
    return bench


def types(bench: CookBench, *, patience: float = 60, mistake: str = "pass") -> None:
    text = TYPES.replace("SEEN", str(bench.folder / "seen"))
    bench.types("early", text.replace("PATIENCE", str(patience)).replace("MISTAKE", mistake))


def test_the_first_items_cook_while_others_are_being_made(network: CookBench) -> None:
    types(network)
    done = network.cook(NETWORK.replace("KIND", "inprocessscheduler"))
    assert done.outcome == "cooked", done.account
    assert sorted(item.name for item in done.items("second")) == [f"True{index}" for index in range(4)]
    assert done.out_of_order() == []


def test_a_mistake_that_is_found_then_fails_its_node_and_is_told(network: CookBench) -> None:
    types(network, mistake='raise ValueError("not today")')
    done = network.cook(NETWORK.replace("KIND", "inprocessscheduler"))
    assert done.outcome == "failed"
    assert "not today" in done.messages
    assert {item.state.name for item in done.items("first")} == {"CookedSuccess"}


def test_few_items_cook_when_all_are_there_and_a_mistake_lets_none_of_them_cook(bench: CookBench) -> None:
    types(bench, patience=0, mistake='raise ValueError("not today")')
    done = bench.cook(NETWORK.replace("KIND", "inprocessscheduler"))
    assert done.outcome == "refused"
    assert not (bench.folder / "seen").exists()


def test_a_scheduler_that_does_not_say_so_is_started_when_all_static_items_are_there(network: CookBench) -> None:
    types(network, patience=0)
    network.types("careful", CAREFUL)
    done = network.cook(NETWORK.replace("KIND", "careful"))
    assert done.outcome == "cooked", done.account
    assert sorted(item.name for item in done.items("second")) == [f"False{index}" for index in range(4)]


#: A node that makes all of its items in one call; the first waits for the last.
AT_ONCE = """
    import pdg
    from pdg.processor import PyProcessor

    class AtOnce(PyProcessor):
        templateName = classmethod(lambda cls: "atonce")

        def onGenerate(self, item_holder, upstream_items, generation_type):
            items = [item_holder.addWorkItem(inProcess=True) for _ in range(8)]
            item_holder.addDependency(items[0], items[7])
            MORE
            return pdg.result.Success

        def onCookTask(self, work_item):
            return pdg.result.Success

    def registerTypes(type_registry):
        type_registry.registerNode(AtOnce, pdg.nodeType.Processor)
"""
ONE_NODE = """
    [network]
    scheduler = "here"
    [schedulers.here]
    type = "inprocessscheduler"
    [schedulers.here.parms]
    pdg_workingdir = "$HIP/work"
    [nodes.first]
    type = "atonce"
"""


class Portions:
    """Notes in which order items join, and when the cook begins."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    @hookimpl
    def items_generated(self, items: list[WorkItem], more: bool) -> None:
        self.heard.append((len(items), more))

    @hookimpl
    def cook_started(self) -> None:
        self.heard.append("begun")


def cooked_in_portions(bench: CookBench, more: str = "pass") -> tuple[Cooked, list[object], list[Any]]:
    """The cook, what an observer heard of its beginning, and its ``NodeGenerated`` events."""
    bench.types("atonce", AT_ONCE.replace("MORE", more))
    context, portions, events = bench.load(ONE_NODE), Portions(), list[Any]()
    context.observe(portions)
    context.addEventHandler(events.append, EventType.NodeGenerated)
    return bench.cook(context), portions.heard, events


def test_items_of_one_call_join_in_portions_and_the_cook_begins_with_the_first_of_them(network: CookBench) -> None:
    done, heard, events = cooked_in_portions(network)
    assert done.outcome == "cooked", done.account
    assert heard == [(3, True), "begun", (3, True), (2, False)]
    assert done.out_of_order() == []
    assert [item.index for item in done.items("first")] == list(range(8))
    assert len(events) == 1, "it has generated when the last of them are there"


def test_batches_join_with_all_of_their_sub_items(network: CookBench) -> None:
    add = "whole = item_holder.addWorkItem(batch=True, batchSize=4)"
    done, heard, _ = cooked_in_portions(network, add)
    assert heard == [(13, False), "begun"], done.messages


def test_a_dry_run_takes_all_items_at_once(network: CookBench) -> None:
    network.types("atonce", AT_ONCE.replace("MORE", "pass"))
    context, portions = network.load(ONE_NODE), Portions()
    context.observe(portions)
    cook = context.prepare(static_only=True)
    assert cook.run() == "static"
    assert portions.heard == [(8, False)]
