"""Twice the network takes twice the steps: nothing in the machine walks everything for each of everything.

Executed lines are counted rather than seconds, so that a busy computer changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import topcook.machine
from topcook.machine import CookState, Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.nodes import NodeState
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import GenerateWhen
from topcook.model.node import Node
from topcook.model.workitem import Trait, WorkItem

MACHINE = str(Path(str(topcook.machine.__file__)).parent)
ALL_GENERATED, ALL_COOKED, EACH_COOKED = (
    GenerateWhen.AllUpstreamGenerated,
    GenerateWhen.AllUpstreamCooked,
    GenerateWhen.EachUpstreamCooked,
)


class Lines:
    """Counts the lines of the machine that are executed."""

    def __init__(self) -> None:
        self.count = 0

    def calls(self, frame: FrameType, _event: str, _arg: Any) -> Callable[..., Any] | None:
        return self.lines if frame.f_code.co_filename.startswith(MACHINE) else None

    def lines(self, _frame: FrameType, event: str, _arg: Any) -> Callable[..., Any]:
        self.count += event == "line"
        return self.lines

    @contextmanager
    def counting(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self.calls)
        try:
            yield
        finally:
            sys.settrace(before)


class Network:
    """Nodes, the items they will make, and a shell that does everything at once."""

    def __init__(self, *, takes_static: bool = False) -> None:
        self.nodes: list[NodeState] = []
        self.made: dict[str, list[WorkItem]] = {}
        self.by_name: dict[str, Node] = {}
        self.items: list[WorkItem] = []
        self.scheduler = SchedulerState("farm", max_items=0, takes_static=takes_static)
        self.end = Trigger.SUCCEED
        self.cancel_first = False

    def node(self, *inputs: NodeState, when: GenerateWhen = ALL_GENERATED, partitioner: bool = False) -> NodeState:
        static = when is ALL_GENERATED
        node = NodeState(Node(f"n{len(self.nodes)}", "test"), when, partitioner=partitioner, static=static)
        node.link(inputs)
        self.nodes.append(node)
        self.made[node.node.name] = []
        self.by_name[node.node.name] = node.node
        return node

    def item(self, node: NodeState, *dependencies: WorkItem, automatic: bool = False) -> WorkItem:
        item = WorkItem(len(self.items) + 1, node.node)
        item.dependencies = list(dependencies)
        item.scheduler = "" if automatic else "farm"
        item.traits = Trait.STATIC | (Trait.AUTOMATIC if automatic else Trait.NONE)
        self.items.append(item)
        self.made[node.node.name].append(item)
        return item

    def cook(self) -> CookState:
        state = CookState(self.nodes, [self.scheduler])
        events: list[ev.Event] = [ev.CookRequested(0.0)]
        while events:
            orders = state.handle(*events)
            events = [event for order in orders for event in self.answers(order)]
        assert state.stage == "finished"
        return state

    def answers(self, order: ins.Instruction) -> list[ev.Event]:
        if isinstance(order, ins.Generate):
            made = self.made.get(order.node) or [self.child(order, source) for source in order.upstream]
            return [ev.ItemsGenerated(order.node, made, 0.0)]
        if isinstance(order, ins.StaticReady):
            return [ev.Go(0.0)]
        if isinstance(order, ins.StartScheduler):
            return [ev.SchedulerStarted("farm", ok=True, at=0.0)]
        if isinstance(order, ins.HandOverStatic):
            ends: list[ev.Event] = [ev.ItemEvent(item, Trigger.SUCCEED, 0.0) for item in order.items]
            return [ev.StaticReturned("farm", order.items, raised=False, at=0.0), *ends]
        if isinstance(order, ins.HandOver):
            if self.cancel_first:
                return [ev.CancelRequested(0.0)]
            return [ev.ItemEvent(item, each, 0.0) for item in order.items for each in (Trigger.ACCEPTED, self.end)]
        if isinstance(order, ins.StopScheduler):
            return [ev.SchedulerStopped("farm", 0.0)]
        return []

    def child(self, order: ins.Generate, source: WorkItem) -> WorkItem:
        item = WorkItem(len(self.items) + 1, self.by_name[order.node])
        item.dependencies = [source]
        item.traits = Trait.AUTOMATIC
        self.items.append(item)
        return item


def chain_of_nodes(size: int, when: GenerateWhen = ALL_GENERATED, *, partitioner: bool = False) -> Network:
    network = Network()
    node = network.node()
    network.item(node)
    for _ in range(size):
        node = network.node(node, when=when, partitioner=partitioner)
    return network


def fan_of_nodes(size: int) -> Network:
    network = Network()
    top = network.node()
    network.item(top)
    network.node(*[network.node(top) for _ in range(size)], when=ALL_COOKED, partitioner=True)
    return network


def chain_of_items(size: int, *, automatic: bool = False, takes_static: bool = False) -> Network:
    network = Network(takes_static=takes_static)
    node = network.node()
    item = network.item(node, automatic=automatic)
    for _ in range(size):
        item = network.item(node, item, automatic=automatic)
    return network


def fan_of_items(size: int) -> Network:
    """One, then many, then one that waits for them all."""
    network = Network()
    node = network.node()
    top = network.item(node)
    network.item(node, *[network.item(node, top) for _ in range(size)])
    return network


def each_item_one_child(size: int) -> Network:
    network = Network()
    top = network.node()
    for _ in range(size):
        network.item(top)
    network.node(network.node(top, when=EACH_COOKED), when=ALL_COOKED, partitioner=True)
    return network


def failing(network: Network) -> Network:
    network.end = Trigger.FAIL
    return network


def canceled(network: Network) -> Network:
    network.cancel_first = True
    return network


def circle(size: int) -> Network:
    network = chain_of_items(size)
    network.items[0].dependencies = [network.items[-1]]
    return network


NETWORKS: dict[str, Callable[[int], Network]] = {
    "a chain of nodes": chain_of_nodes,
    "a chain of nodes that wait for all": lambda size: chain_of_nodes(size, ALL_COOKED),
    "a chain of nodes that wait for each": lambda size: chain_of_nodes(size, EACH_COOKED),
    "a chain of partitions": lambda size: chain_of_nodes(size, ALL_COOKED, partitioner=True),
    "a fan of nodes": fan_of_nodes,
    "a chain of items": chain_of_items,
    "a chain of items with nothing to cook": lambda size: chain_of_items(size, automatic=True),
    "a chain of static items": lambda size: chain_of_items(size, takes_static=True),
    "a fan of items": fan_of_items,
    "a node that waits for each of many": each_item_one_child,
    "a chain of items whose first fails": lambda size: failing(chain_of_items(size)),
    "many items that fail": lambda size: failing(each_item_one_child(size)),
    "a canceled cook of many items": lambda size: canceled(each_item_one_child(size)),
    "a circle of items": circle,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_twice_the_network_takes_twice_the_steps(name: str) -> None:
    steps = []
    for size in (150, 300):
        network, lines = NETWORKS[name](size), Lines()
        with lines.counting():
            network.cook()
        steps.append(lines.count)
    assert steps[1] <= 2.2 * steps[0], f"{name}: {steps}"


@pytest.mark.parametrize("name", ["a chain of nodes", "a fan of nodes", "a chain of nodes that wait for each"])
def test_ten_thousand_nodes_are_no_trouble(name: str) -> None:
    network = NETWORKS[name](10_000)
    network.cook()
    assert all(node.quiet for node in network.nodes)


def test_an_item_may_wait_for_a_hundred_thousand() -> None:
    network = fan_of_items(100_000)
    network.cook()
    assert all(item.phase == Phase.SUCCESS for item in network.items)
