"""Event handlers hear what happens in a cook, on a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pdg

E = pdg.EventType
S = pdg.workItemState


@pytest.fixture
def context(tmp_path: Path) -> Iterator[pdg.GraphContext]:
    made = pdg.GraphContext("events", hip=str(tmp_path))
    made.addScheduler("localscheduler", "farm")
    made.setDefaultScheduler("farm")
    made.addNode("genericgenerator", "first")
    made.setParameters("first", {"itemcount": 2, "command": "test @pdg_index -eq 0"})
    made.addNode("genericgenerator", "second")
    made.setParameter("second", "command", "true")
    made.connect("first", "second")
    yield made
    made.close()


def test_the_context_hears_of_items_and_nodes_from_start_to_end(context: pdg.GraphContext) -> None:
    heard: list[Any] = []
    context.addEventHandler(heard.append, [E.CookStart, E.NodeGenerated, E.WorkItemStateChange, E.CookComplete])
    context.cook(True)
    kinds = [event.type for event in heard]
    assert kinds[:2] == [E.NodeGenerated, E.NodeGenerated]
    assert kinds.count(E.CookStart) == 1
    assert kinds[-1] == E.CookComplete
    assert {event.context for event in heard} == {context}
    steps = [event for event in heard if event.type == E.WorkItemStateChange and event.workItemId == 1]
    assert [event.currentState for event in steps] == [S.Scheduled, S.Cooking, S.CookedSuccess]
    assert [event.lastState for event in steps[1:]] == [event.currentState for event in steps[:-1]]
    assert {event.node.name for event in steps} == {"first"}


def test_a_node_and_an_item_are_heard_each_alone(context: pdg.GraphContext) -> None:
    node: list[Any] = []
    item: list[Any] = []
    context.graph.node("second").addEventHandler(node.append, E.All)
    context.graph.node("first").addEventHandler(item.append, E.WorkItemAdd)

    def watch(event: Any) -> None:
        if event.type == E.CookStart:
            context.graph.workItemById(4).addEventHandler(item.append, [E.WorkItemStateChange])

    context.addEventHandler(watch, [E.CookStart])
    context.cook(True)
    assert {event.workItemId for event in node} == {-1, 3, 4}
    assert [event.type for event in item[:2]] == [E.WorkItemAdd, E.WorkItemAdd]
    assert {(event.workItemId, event.node.name) for event in item[2:]} <= {(4, "second")}


def test_a_node_is_cooked_when_nothing_more_is_expected_of_it(context: pdg.GraphContext) -> None:
    heard: list[Any] = []
    context.addEventHandler(heard.append, E.NodeCooked)
    context.cook(True)
    assert sorted(event.node.name for event in heard) == ["first", "second"]


def test_handlers_run_on_a_thread_of_their_own_in_order_and_may_raise(
    context: pdg.GraphContext, caplog: pytest.LogCaptureFixture
) -> None:
    threads: set[str] = set()
    heard: list[int] = []

    def broken(event: Any) -> None:
        raise RuntimeError(event.type.name)

    def handler(mine: Any, event: Any) -> None:
        assert context.addEventHandler
        threads.add(threading.current_thread().name)
        heard.append(event.workItemId)
        if len(heard) == 3:
            context.removeEventHandler(mine)

    context.addEventHandler(broken, E.WorkItemStateChange)
    context.addEventHandler(handler, E.WorkItemStateChange, True)
    with caplog.at_level(logging.CRITICAL, "topcook.events"):
        context.cook(True)
    assert threads == {"topcook-events"}
    assert len(heard) == 3


def test_errors_and_warnings_are_heard_with_their_words(tmp_path: Path) -> None:
    text = (
        "import pdg\nfrom pdg.scheduler import PyScheduler\n"
        "class Grumbler(PyScheduler):\n"
        "    def onStartCook(self, static, cook_set):\n"
        "        self.addEventHandler(self.heard.append, pdg.EventType.CookWarning)\n"
        "        self.cookWarning('slow today')\n"
        "    heard = []\n"
        "    def onSchedule(self, item):\n"
        "        self.cookError('tea break')\n"
        "        return pdg.scheduleResult.CookSucceeded\n"
        "def registerTypes(r):\n    r.registerScheduler(Grumbler)\n"
    )
    (tmp_path / "grumbler.py").write_text(text)
    from topcook.factory import Factory

    context = pdg.GraphContext("grumble", hip=str(tmp_path), factory=Factory.scan({"PDG_TYPES_PATH": str(tmp_path)}))
    heard: list[Any] = []
    try:
        context.addScheduler("grumbler", "farm")
        context.setDefaultScheduler("farm")
        context.addNode("genericgenerator", "one")
        context.setParameter("one", "command", "true")
        context.addEventHandler(heard.append, E.Log)
        context.cook(True)
        own = context.core.host("farm").instance.heard
    finally:
        context.close()
    assert [(event.type, event.message) for event in heard] == [
        (E.CookWarning, "slow today"),
        (E.CookError, "tea break"),
    ]
    assert [event.message for event in own] == ["slow today"]


def test_handlers_are_counted_by_their_owner(context: pdg.GraphContext) -> None:
    node = context.graph.node("first")
    mine = node.addEventHandler(print, E.All)
    other = context.addEventHandler(print, [E.All])
    assert (node.eventHandlers, context.eventHandlers) == ([mine], [other])
    assert node.hasEventHandler(mine)
    assert not context.hasEventHandler(mine)
    node.removeAllEventHandlers()
    context.removeEventHandler(other)
    assert not node.eventHandlers
    assert not context.eventHandlers
    assert E.WorkItemStateChange in context.supportedEventTypes
