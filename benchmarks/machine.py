"""What a cook's decisions cost, without the cook: ``python -m benchmarks.machine [--items N] [--profile]``.

Every item is handed over, started and ended at once, so that the machine's own time is all that is left. The floor is
a bare loop over the same graph that counts dependencies down and does nothing else, run in the same round.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from collections import deque
from collections.abc import Callable, Sequence

from topcook.machine import CookState, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.nodes import NodeState
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import GenerateWhen
from topcook.model.node import Node
from topcook.model.workitem import Trait, WorkItem

LAYERS = 100
#: Steps of the table that one item takes: released, handed over, accepted, started, succeeded.
STEPS = 5

Graph = list[list[int]]


def independent(count: int) -> Graph:
    """Items that wait for nothing."""
    return [[] for _ in range(count)]


def layered(count: int) -> Graph:
    """``LAYERS`` layers; each item waits for three of the layer before."""
    width = max(1, count // LAYERS)
    graph: Graph = []
    for index in range(width * LAYERS):
        start = (index // width - 1) * width
        graph.append([start + (index + step) % width for step in (0, 1, 7)] if start >= 0 else [])
    return graph


def chained(count: int) -> Graph:
    """Each item waits for the one before."""
    return [[index - 1] if index else [] for index in range(count)]


def gathered(count: int) -> Graph:
    """The last item waits for all the others."""
    return [*([] for _ in range(count - 1)), list(range(count - 1))]


def countdown(graph: Graph) -> float:
    """Processor seconds that it takes to go through the graph with a counter per item, and nothing else."""
    dependents: Graph = [[] for _ in graph]
    for index, dependencies in enumerate(graph):
        for dependency in dependencies:
            dependents[dependency].append(index)
    started = time.process_time()
    pending = [len(dependencies) for dependencies in graph]
    ready = deque(index for index, count in enumerate(pending) if not count)
    done = 0
    while ready:
        done += 1
        for index in dependents[ready.popleft()]:
            pending[index] -= 1
            if not pending[index]:
                ready.append(index)
    seconds = time.process_time() - started
    if done != len(graph):
        raise AssertionError(f"{done} of {len(graph)} items")
    return seconds


def items_of(graph: Graph, node: Node) -> list[WorkItem]:
    """Work items with the dependencies of the graph."""
    items = [WorkItem(index + 1, node, index) for index in range(len(graph))]
    for item, dependencies in zip(items, graph, strict=True):
        item.scheduler = "farm"
        item.traits = Trait.STATIC
        item.dependencies = [items[index] for index in dependencies]
    return items


def cook(graph: Graph, handle_with: Callable[..., list[ins.Instruction]] | None = None) -> float:
    """Processor seconds that ``CookState.handle`` takes for a whole cook of the graph."""
    node = Node("bench", "bench")
    state = NodeState(node, GenerateWhen.AllUpstreamGenerated)
    machine = CookState([state], [SchedulerState("farm", max_items=0)])
    items = items_of(graph, node)
    handle = handle_with or machine.handle
    seconds = 0.0
    events: Sequence[ev.Event] = [ev.CookRequested(0.0)]
    while events:
        started = time.process_time()
        orders = handle(*events) if handle_with is None else handle_with(machine, *events)
        seconds += time.process_time() - started
        machine.drain_changes()
        events = [event for order in orders for event in answers(order, items)]
    if machine.stage != "finished" or machine.outcome() != "cooked":
        raise AssertionError(f"the cook is {machine.stage}, {machine.outcome()}")
    return seconds


def answers(order: ins.Instruction, items: list[WorkItem]) -> list[ev.Event]:
    """What the quickest of all shells says."""
    if isinstance(order, ins.HandOver):
        return [
            ev.ItemEvent(item, trigger, 1.0)
            for item in order.items
            for trigger in (Trigger.ACCEPTED, Trigger.START, Trigger.SUCCEED)
        ]
    if isinstance(order, ins.Generate):
        return [ev.ItemsGenerated(order.node, items, 1.0)]
    if isinstance(order, ins.StaticReady):
        return [ev.Go(1.0)]
    if isinstance(order, ins.StartScheduler):
        return [ev.SchedulerStarted(order.scheduler, ok=True, at=1.0)]
    if isinstance(order, ins.StopScheduler):
        return [ev.SchedulerStopped(order.scheduler, 1.0)]
    return []


def main() -> None:
    """Run every graph and print the best round of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.machine", description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="work items in a graph (default 100000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (default 3)")
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    settings = parser.parse_args()
    graphs = {"independent": independent, "100 layers": layered, "chain": chained, "all into one": gathered}
    # As the cook does while it handles much at once.
    gc.disable()
    if settings.profile:
        profile = cProfile.Profile()
        cook(layered(settings.items), lambda machine, *events: profile.runcall(machine.handle, *events))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    print(f"{'':16}{'seconds':>10}{'items/s':>12}{'steps/s':>12}{'x floor':>10}")
    for name, make in graphs.items():
        graph = make(settings.items)
        floor = min(countdown(graph) for _ in range(settings.rounds))
        seconds = min(cook(graph) for _ in range(settings.rounds))
        count = len(graph)
        print(f"{name:16}{seconds:10.3f}{count / seconds:12.0f}{STEPS * count / seconds:12.0f}{seconds / floor:10.1f}")


if __name__ == "__main__":
    main()
