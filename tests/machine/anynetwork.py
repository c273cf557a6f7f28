"""The networks that cooks of any kind are tried on: nodes, schedulers, policies and items by lot."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from topcook.machine import CookState, Phase, Trigger
from topcook.machine import instructions as ins
from topcook.machine.nodes import NodeState
from topcook.machine.phases import DONE_WELL, NOTIFICATIONS
from topcook.machine.policies import Policies
from topcook.machine.resources import SLOTS
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import BatchActivation, GenerateWhen
from topcook.model.node import Node
from topcook.model.policy import USUAL, OnFailure, Policy
from topcook.model.workitem import Batch, Trait, WorkItem

#: How a job ends that was denied a licence.
DENIED = 77
#: A node makes no more items when there are so many.
MANY = 40
REPORTS = sorted(NOTIFICATIONS, key=lambda trigger: trigger.value)
ANSWERS = [
    *[Trigger.ACCEPTED] * 5,
    *[Trigger.DEFERRED] * 2,
    *[Trigger.FULL] * 2,
    Trigger.COOK_SUCCEEDED,
    Trigger.COOK_FAILED,
    Trigger.COOK_CANCELED,
    Trigger.REJECTED,
    Trigger.RAISED,
]
Thing = TypeVar("Thing")
ALL_GENERATED, ALL_COOKED, EACH_COOKED = (
    GenerateWhen.AllUpstreamGenerated,
    GenerateWhen.AllUpstreamCooked,
    GenerateWhen.EachUpstreamCooked,
)


def subs_of(item: WorkItem) -> list[WorkItem]:
    """A batch's sub-items, no others."""
    return item.batch.items if item.batch is not None else []


@dataclass
class Host:
    """One scheduler, as the machine hears of it: its calls end in the order in which they were asked for."""

    state: SchedulerState
    calls: deque[ins.Instruction] = field(default_factory=deque)
    batch: deque[WorkItem] = field(default_factory=deque)
    started: bool = False
    draining: bool = False
    full: bool = False
    stopped: bool = False
    asked_since_tick: int = 0


def is_covered(item: WorkItem, together: set[int]) -> bool:
    """Whether an item is done, or given away in the same static hand-over, or nobody's and waits for such only."""
    if item.phase in DONE_WELL or (item.batch_parent or item).id in together:
        return True
    nobodys = bool(item.traits & Trait.AUTOMATIC) and bool(together) and item.phase == Phase.WAITING
    return nobodys and all(is_covered(dependency, together) for dependency in item.dependencies)


class AnyNetwork(RuleBasedStateMachine):
    """A network that hypothesis makes up, and what its nodes make."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.hosts: dict[str, Host] = {}
        self.generating: deque[ins.Generate] = deque()
        self.items: list[WorkItem] = []
        #: How often a scheduler was asked to take an item and has not given it back.
        self.given: Counter[int] = Counter()
        self.wake: float | None = None
        #: How many there are of what some items need.
        self.totals: dict[str, int] = {}
        #: Jobs that may still report: what was accepted, and what is being handed over.
        self.jobs: list[tuple[WorkItem, int]] = []
        self.ended: dict[int, int] = {}
        self.shown: dict[int, Any] = {}
        self.outcome = ""
        self.go_due = False
        #: Small choices are made by lot: hypothesis chooses what happens, and prefers the empty and the small.
        self.lot = Random(0)
        self.given_statically: set[int] = set()

    def once_in(self, times: int) -> bool:
        return self.lot.randrange(times) == 0

    def some(self, things: Sequence[Thing], most: int) -> list[Thing]:
        return self.lot.sample(things, self.lot.randint(0, min(most, len(things))))

    # ------------------------------------------------------------------ the network

    def lay_out(self, seed: int) -> None:
        lot = self.lot = Random(seed)
        names = ["one", "two", "three"][: lot.randint(1, 3)]
        for name in names:
            limits = {"max_items": lot.choice([0, 1, 4]), "max_tasks": lot.choice([0, 1, 3])}
            kind = {"takes_static": lot.random() < 0.5, "begins_early": lot.random() < 0.5}
            self.hosts[name] = Host(SchedulerState(name, **kind, **limits))
        nodes: list[NodeState] = []
        for index in range(lot.randint(1, 7)):
            inputs = [] if self.once_in(4) else self.some(nodes, 3)
            when = lot.choice([ALL_GENERATED, ALL_COOKED, EACH_COOKED]) if inputs else ALL_GENERATED
            static = when is ALL_GENERATED and all(node.static for node in inputs)
            partitioner = when is not EACH_COOKED and bool(inputs) and self.once_in(2)
            node = NodeState(Node(f"n{index}", "test"), when, partitioner=partitioner, static=static)
            node.link(inputs)
            nodes.append(node)
        self.scheduler_of = {node.node.name: lot.choice(names) for node in nodes}
        self.automatic = {node.node.name: node.partitioner or self.once_in(5) for node in nodes}
        self.state = CookState(nodes, [host.state for host in self.hosts.values()])
        self.state.early_from = lot.choice([0, 1, 3])
        if self.once_in(2):
            self.have_policies()

    def have_policies(self) -> None:
        """Retries, time-outs, resources and what follows failures, for each node as the lot falls."""
        lot = self.lot
        policies = Policies()
        self.totals = {"disk": lot.randint(1, 4), "licence": lot.randint(1, 2)}
        for name in self.state.nodes:
            needs = {key: lot.randint(1, most) for key, most in self.totals.items() if self.once_in(3)}
            policies.by_node[name] = Policy(
                retries=lot.choice([0, 0, 1, 3]),
                retry_delay=lot.choice([0.0, 2.0, 10.0]),
                denied=frozenset({DENIED}) if self.once_in(3) else frozenset(),
                denied_delay=lot.choice([0.0, 3.0]),
                on_failure=lot.choice([OnFailure.BLOCK, *OnFailure]),
                timeout=lot.choice([0.0, 0.0, 8.0]),
                heartbeat=lot.choice([0.0, 6.0]),
                needs=tuple(sorted(needs.items())),
            )
        self.state.be_patient(policies)
        if self.once_in(2):
            self.state.limit({**self.totals, **({SLOTS: lot.randint(1, 5)} if self.once_in(3) else {})})
        self.state.max_failures = lot.choice([0, 0, 2])

    def policy_of(self, item: WorkItem) -> Policy:
        return self.state.policies.of(item) if self.state.policies is not None else USUAL

    def make_item(self, node: NodeState, dependencies: list[WorkItem], priority: int) -> WorkItem:
        name = node.node.name
        made = WorkItem(len(self.items) + 1, node.node)
        made.dependencies = dependencies
        made.priority = priority
        made.traits = Trait.STATIC if node.static else Trait.NONE
        if self.automatic[name]:
            made.traits |= Trait.AUTOMATIC
        else:
            made.scheduler = self.scheduler_of[name]
        self.items.append(made)
        return made

    def items_for(self, order: ins.Generate) -> list[WorkItem]:
        node = self.state.nodes[order.node]
        priority = self.lot.randint(0, 2)
        if node.partitioner:
            cut = self.lot.randint(0, len(order.upstream))
            parts = [part for part in (order.upstream[:cut], order.upstream[cut:]) if part]
            return [self.make_item(node, list(part), priority) for part in parts]
        sources = order.upstream if node.inputs else [None] * self.lot.randint(0, 6)
        made: list[WorkItem] = []
        for source in [] if len(self.items) > MANY else sources:
            dependencies = [source] if source is not None else []
            made.append(self.make_item(node, dependencies + self.some(made, 2), priority))
        if len(made) > 1 and self.once_in(12):
            # A circle, if the last waits for the first by some way.
            made[0].dependencies.append(made[-1])
        if made and not self.automatic[node.node.name] and self.once_in(2):
            return self.batched(node, made, priority)
        return made

    def batched(self, node: NodeState, made: list[WorkItem], priority: int) -> list[WorkItem]:
        """The same items, some of them as sub-items of batches."""
        whole: list[WorkItem] = []
        while made:
            size = self.lot.randint(1, 5)
            some, made = made[:size], made[size:]
            if self.once_in(3):
                whole += some
                continue
            parent = self.make_item(node, [], priority)
            parent.batch = Batch(some, self.lot.choice(list(BatchActivation)))
            for sub in some:
                sub.batch_parent = parent
            whole += [parent, *some]
        return whole
