"""Any network, any schedulers, any reports: no cook loses an item, runs one twice, or fails to end.

The rules play the shell: hosts that perform their calls one after the other, jobs that report when and what they
like, and a user who ticks, pauses and cancels.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from topcook.machine import CookState, Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.nodes import NodeState
from topcook.machine.phases import DONE_BADLY, DONE_WELL, GIVEN_BACK, HELD, NOTIFICATIONS, SETTLED
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import GenerateWhen
from topcook.model.node import Node
from topcook.model.workitem import Trait, WorkItem

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
ALL_GENERATED, ALL_COOKED, EACH_COOKED = (
    GenerateWhen.AllUpstreamGenerated,
    GenerateWhen.AllUpstreamCooked,
    GenerateWhen.EachUpstreamCooked,
)


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


class AnyCook(RuleBasedStateMachine):
    """One cook of a network that hypothesis makes up."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.hosts: dict[str, Host] = {}
        self.generating: deque[ins.Generate] = deque()
        self.items: list[WorkItem] = []
        #: Items that a scheduler was asked to take and has not given back.
        self.given: set[int] = set()
        #: Jobs that may still report: what was accepted, and what is being handed over.
        self.jobs: list[tuple[WorkItem, int]] = []
        self.ended: dict[int, int] = {}
        self.shown: dict[int, Any] = {}
        self.outcome = ""
        self.go_due = False

    # ------------------------------------------------------------------ the network

    @initialize(data=st.data())
    def make_network(self, data: st.DataObject) -> None:
        names = ["one", "two", "three"][: data.draw(st.integers(1, 3), "schedulers")]
        for name in names:
            limits = {"max_items": data.draw(st.integers(0, 4)), "max_tasks": data.draw(st.integers(0, 4))}
            self.hosts[name] = Host(SchedulerState(name, takes_static=data.draw(st.booleans()), **limits))
        nodes: list[NodeState] = []
        for index in range(data.draw(st.integers(1, 6), "nodes")):
            inputs = data.draw(st.lists(st.sampled_from(nodes), unique=True, max_size=3)) if nodes else []
            when = data.draw(st.sampled_from([ALL_GENERATED, ALL_COOKED, EACH_COOKED])) if inputs else ALL_GENERATED
            static = when is ALL_GENERATED and all(node.static for node in inputs)
            partitioner = when is not EACH_COOKED and bool(inputs) and data.draw(st.booleans())
            node = NodeState(Node(f"n{index}", "test"), when, partitioner=partitioner, static=static)
            node.link(inputs)
            nodes.append(node)
        self.scheduler_of = {node.node.name: data.draw(st.sampled_from(names)) for node in nodes}
        self.automatic = {node.node.name: node.partitioner or data.draw(st.integers(0, 4)) == 0 for node in nodes}
        self.state = CookState(nodes, [host.state for host in self.hosts.values()])
        self.tell(ev.CookRequested(self.now))

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

    def items_for(self, order: ins.Generate, data: st.DataObject) -> list[WorkItem]:
        node = self.state.nodes[order.node]
        priority = data.draw(st.integers(0, 2))
        if node.partitioner:
            cut = data.draw(st.integers(0, len(order.upstream)))
            parts = [part for part in (order.upstream[:cut], order.upstream[cut:]) if part]
            return [self.make_item(node, list(part), priority) for part in parts]
        made: list[WorkItem] = []
        for source in order.upstream if node.inputs else [None] * data.draw(st.integers(0, 5)):
            dependencies = [source] if source is not None else []
            if made and data.draw(st.integers(0, 2)) == 0:
                dependencies.append(data.draw(st.sampled_from(made)))
            made.append(self.make_item(node, dependencies, priority))
        return made

    # ------------------------------------------------------------------ the door

    def tell(self, *events: ev.Event) -> None:
        self.now += 1.0
        for order in self.state.handle(*events):
            self.obey(order)
        self.state.validate()
        for item, before, after, _ in self.state.drain_changes():
            assert self.shown.get(item.id, before) is before
            self.shown[item.id] = after
        for item in self.items:
            if item.id in self.ended:
                assert item.phase == self.ended[item.id], "what has ended stays as it ended"
            elif item.phase in DONE_WELL or item.phase in DONE_BADLY:
                self.ended[item.id] = item.phase

    def obey(self, order: ins.Instruction) -> None:
        assert not self.outcome, "nothing is asked for after the end"
        if isinstance(order, ins.Generate):
            assert not self.state.cancel_reason, "a canceled cook makes nothing new"
            self.generating.append(order)
        elif isinstance(order, ins.StaticReady):
            self.go_due = True
        elif isinstance(order, ins.Finish):
            self.outcome = order.outcome
        else:
            self.ask_host(self.hosts[order.scheduler], order)  # type: ignore[attr-defined]

    def ask_host(self, host: Host, order: ins.Instruction) -> None:
        assert not any(isinstance(call, ins.StopScheduler) for call in host.calls)
        assert not host.stopped, "nothing is asked for after the stop"
        if isinstance(order, ins.StartScheduler):
            assert not host.started
            assert not host.calls
        if isinstance(order, ins.HandOver | ins.HandOverStatic):
            assert host.started
            assert not any(isinstance(call, ins.HandOver | ins.HandOverStatic) for call in host.calls)
            assert not host.batch, "one batch at a time"
            self.check_hand_over(host, order)
        if isinstance(order, ins.StopScheduler):
            host.draining = order.cancel
        host.calls.append(order)

    def check_hand_over(self, host: Host, order: ins.HandOver | ins.HandOverStatic) -> None:
        static = isinstance(order, ins.HandOverStatic)
        together = {item.id for item in order.items} if static else set()
        assert order.items
        assert static or order.items == sorted(order.items, key=lambda item: (item.priority, item.id))
        if host.state.max_tasks and not static:
            held = sum(item.phase in HELD and item.scheduler == host.state.name for item in self.items)
            assert held <= host.state.max_tasks
        for item in order.items:
            assert item.id not in self.given, f"{item!r} is handed over twice"
            assert all(dep.phase in DONE_WELL or dep.id in together for dep in item.dependencies)
            self.given.add(item.id)
            self.jobs.append((item, item.attempt))

    # ------------------------------------------------------------------ what the shell does

    @precondition(lambda self: self.go_due)
    @rule()
    def the_user_goes_on(self) -> None:
        self.go_due = False
        self.tell(ev.Go(self.now))

    @rule(data=st.data(), steps=st.integers(1, 6))
    def the_shell_gets_on(self, data: st.DataObject, steps: int) -> None:
        """Most of the time a cook just goes on; the other rules come between."""
        for _ in range(steps):
            if self.go_due:
                self.the_user_goes_on()
            elif self.generating and data.draw(st.booleans()):
                self.a_node_answers(data)
            elif any(host.calls or host.batch for host in self.hosts.values()):
                self.a_host_performs_its_next_call(data)
            elif any(host.started for host in self.hosts.values()):
                self.a_scheduler_ticks(data, busy=False)

    @precondition(lambda self: self.generating)
    @rule(data=st.data())
    def a_node_answers(self, data: st.DataObject) -> None:
        order = self.generating.popleft()
        if data.draw(st.integers(0, 9), "fails") == 0:
            self.tell(ev.GenerationFailed(order.node, "it raised", self.now))
        else:
            some_failed = data.draw(st.integers(0, 9), "some fail") == 0
            self.tell(ev.ItemsGenerated(order.node, self.items_for(order, data), self.now, some_failed))

    @precondition(lambda self: any(host.calls or host.batch for host in self.hosts.values()))
    @rule(data=st.data())
    def a_host_performs_its_next_call(self, data: st.DataObject) -> None:
        busy = [name for name, host in self.hosts.items() if host.calls or host.batch]
        host = self.hosts[data.draw(st.sampled_from(busy))]
        if host.batch:
            self.schedule(host, data.draw(st.sampled_from(ANSWERS)))
        else:
            self.perform(host, host.calls.popleft(), good=data.draw(st.integers(0, 14)) > 0)

    def perform(self, host: Host, call: ins.Instruction, *, good: bool) -> None:
        name = host.state.name
        if isinstance(call, ins.StartScheduler):
            host.started = good
            self.tell(ev.SchedulerStarted(name, good, self.now, "" if good else "it would not"))
        elif isinstance(call, ins.HandOver):
            host.batch.extend(call.items)
            host.full = False
        elif isinstance(call, ins.HandOverStatic):
            self.tell(ev.StaticReturned(name, call.items, not good, self.now, "" if good else "it raised"))
        elif isinstance(call, ins.CancelHeld):
            self.tell(ev.ItemsReleased(call.items, self.now))
        else:
            assert isinstance(call, ins.StopScheduler)
            host.stopped = True
            self.tell(ev.SchedulerStopped(name, self.now))

    def schedule(self, host: Host, answer: Trigger) -> None:
        item = host.batch.popleft()
        if host.full or host.draining:
            answer = Trigger.NOT_OFFERED
        else:
            host.asked_since_tick += 1
            if host.state.max_items:
                assert host.asked_since_tick <= host.state.max_items
        host.full = host.full or answer is Trigger.FULL
        if answer in GIVEN_BACK and item.phase == Phase.HANDING_OVER:
            self.given.discard(item.id)
        self.tell(ev.ItemEvent(item, answer, self.now))

    @precondition(lambda self: any(host.started and not host.batch for host in self.hosts.values()))
    @rule(data=st.data(), busy=st.booleans())
    def a_scheduler_ticks(self, data: st.DataObject, busy: bool) -> None:
        host = data.draw(st.sampled_from([host for host in self.hosts.values() if host.started and not host.batch]))
        host.asked_since_tick = 0
        self.tell(ev.Ticked(host.state.name, busy, self.now))

    @rule(data=st.data())
    def a_scheduler_asks_for_work(self, data: st.DataObject) -> None:
        self.tell(ev.TaskRequested(data.draw(st.sampled_from(sorted(self.hosts))), self.now))

    # ------------------------------------------------------------------ what jobs and users do

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), triggers=st.lists(st.sampled_from(REPORTS), min_size=1, max_size=3), knows=st.booleans())
    def a_job_reports(self, data: st.DataObject, triggers: list[Trigger], knows: bool) -> None:
        item, attempt = data.draw(st.sampled_from(self.jobs))
        self.tell(*(ev.ItemEvent(item, trigger, self.now, attempt if knows else None) for trigger in triggers))

    @precondition(lambda self: self.items)
    @rule(data=st.data(), trigger=st.sampled_from(REPORTS), attempt=st.none() | st.integers(-1, 4))
    def somebody_reports_anything(self, data: st.DataObject, trigger: Trigger, attempt: int | None) -> None:
        self.tell(ev.ItemEvent(data.draw(st.sampled_from(self.items)), trigger, self.now, attempt))

    @precondition(lambda self: self.items)
    @rule(data=st.data(), trigger=st.sampled_from(ANSWERS))
    def a_callback_of_an_earlier_cook_comes_back(self, data: st.DataObject, trigger: Trigger) -> None:
        item = data.draw(st.sampled_from(self.items))
        if not any(item.id in host.state.calls for host in self.hosts.values()):
            self.tell(ev.ItemEvent(item, trigger, self.now))

    @precondition(lambda self: self.items)
    @rule(data=st.data())
    def the_user_cancels_items(self, data: st.DataObject) -> None:
        self.tell(ev.CancelItems(data.draw(st.lists(st.sampled_from(self.items), max_size=3)), self.now))

    @rule(paused=st.booleans())
    def the_user_pauses(self, paused: bool) -> None:
        self.tell(ev.PauseSet(paused))

    @rule(really=st.integers(0, 9))
    def the_user_cancels(self, really: int) -> None:
        if really == 0:
            self.tell(ev.CancelRequested(self.now, "enough"))

    # ------------------------------------------------------------------ what must hold at the end

    @invariant()
    def a_finished_cook_has_settled_everything(self) -> None:
        if not self.outcome:
            return
        items = list(self.state.all_items())
        canceled = bool(self.state.cancel_reason) and not self.state.start_failed
        assert (self.outcome == "canceled") == canceled
        for item in items:
            assert item.phase in SETTLED or (self.state.cancel_reason and item.phase == Phase.UNCOOKED)
            hopeless = any(dep.phase in DONE_BADLY or dep.phase == Phase.BLOCKED for dep in item.dependencies)
            if item.phase == Phase.BLOCKED:
                assert hopeless, "what is blocked has a reason"
            elif hopeless and not self.state.cancel_reason:
                assert item.phase in DONE_BADLY or any(host.state.takes_static for host in self.hosts.values())
        if not canceled:
            well = all(item.phase in DONE_WELL for item in items)
            stalled = any(node.stalled for node in self.state.nodes.values())
            assert (self.outcome == "cooked") == (well and not stalled and not self.state.start_failed)
        for host in self.hosts.values():
            assert host.stopped or not host.started

    def teardown(self) -> None:
        """Whatever happened so far: once callbacks return and jobs end, so does the cook."""
        if not self.hosts:
            return
        self.tell(ev.PauseSet(paused=False))
        for _ in range(20 * (len(self.items) + len(self.hosts) + 10)):
            if self.outcome:
                break
            self.one_round_in_order()
        assert self.outcome, f"the cook does not end: {self.state.stage}, {self.items}"
        self.a_finished_cook_has_settled_everything()

    def one_round_in_order(self) -> None:
        if self.go_due:
            self.the_user_goes_on()
        while self.generating:
            order = self.generating.popleft()
            node = self.state.nodes[order.node]
            sources = [order.upstream] if node.partitioner else [[item] for item in order.upstream]
            self.tell(
                ev.ItemsGenerated(order.node, [self.make_item(node, list(each), 0) for each in sources], self.now)
            )
        for host in self.hosts.values():
            while host.calls or host.batch:
                if host.batch:
                    self.schedule(host, Trigger.ACCEPTED)
                else:
                    self.perform(host, host.calls.popleft(), good=True)
            if host.started and not host.stopped:
                host.asked_since_tick = 0
                self.tell(ev.Ticked(host.state.name, busy=False, at=self.now))
        held = [item for item in self.items if item.phase in {Phase.HANDED_OVER, Phase.COOKING}]
        self.tell(*(ev.ItemEvent(item, Trigger.SUCCEED, self.now, item.attempt) for item in held))


QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

TestAnyCook = AnyCook.TestCase
TestAnyCook.settings = settings(max_examples=100, stateful_step_count=50, **QUIET)


@pytest.mark.fuzz
@pytest.mark.timeout(600)
class TestManyCooks(AnyCook.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(max_examples=600, stateful_step_count=100, **QUIET)
