"""A cook without a shell, for tests of the machine: tell it what happened, take every instruction it gives.

::

    cook = MachineDriver()
    first = cook.item("a")
    second = cook.item("a", first)
    cook.begin()
    assert cook.offered() == [first]
    cook.said(first, Trigger.ACCEPTED, Trigger.SUCCEED)
    assert cook.offered() == [second]

An instruction that nobody took is an error as soon as the next event is told, so a test states every effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from topcook.machine import CookState
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.nodes import NodeState
from topcook.machine.policies import Policies
from topcook.machine.schedulers import SchedulerState
from topcook.model.enums import BatchActivation, GenerateWhen
from topcook.model.node import Node
from topcook.model.policy import Policy
from topcook.model.workitem import Batch, Trait, WorkItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine import Trigger

__all__ = ["FARM", "MachineDriver"]

#: The scheduler that a driver has when it is given none.
FARM = "farm"

Order = TypeVar("Order", bound=ins.Instruction)


class MachineDriver:
    """Builds a network and its items, then stands where the shell stands; time is a count of what was told."""

    def __init__(self, *schedulers: SchedulerState) -> None:
        """Drive a cook with these schedulers, by default one called ``FARM`` that takes anything."""
        self.schedulers = {each.name: each for each in schedulers or (SchedulerState(FARM, max_items=0),)}
        self.nodes: dict[str, NodeState] = {}
        self.now = 0.0
        self.waiting: list[ins.Instruction] = []
        self._state: CookState | None = None
        self._items = 0

    @property
    def state(self) -> CookState:
        """The machine; nodes that are added after it was first asked for are not part of the cook."""
        if self._state is None:
            self._state = CookState(self.nodes.values(), self.schedulers.values())
        return self._state

    # ------------------------------------------------------------------ building

    def node(
        self,
        name: str,
        *inputs: str,
        when: GenerateWhen = GenerateWhen.AllUpstreamGenerated,
        partitioner: bool = False,
        static: bool | None = None,
    ) -> NodeState:
        """Add a node; it is static when it waits for no cooked item, unless ``static`` says otherwise."""
        if static is None:
            static = when is GenerateWhen.AllUpstreamGenerated
        node = NodeState(Node(name, "test"), when, partitioner=partitioner, static=static)
        node.link(self.nodes[source] for source in inputs)
        self.nodes[name] = node
        return node

    def item(
        self,
        node: str,
        *dependencies: WorkItem,
        scheduler: str = FARM,
        traits: Trait = Trait.STATIC,
        priority: int = 0,
    ) -> WorkItem:
        """An item that exists before the cook; its node (added when there is none) makes no others."""
        state = self.nodes.get(node) or self.node(node)
        state.prepared = True
        made = self.new_item(node, *dependencies, scheduler=scheduler, traits=traits, priority=priority)
        state.node.items.append(made)
        for dependency in dependencies:
            dependency.dependents = [*(dependency.dependents or ()), made]
        return made

    def new_item(
        self,
        node: str,
        *dependencies: WorkItem,
        scheduler: str = FARM,
        traits: Trait = Trait.NONE,
        priority: int = 0,
    ) -> WorkItem:
        """An item to answer a ``Generate`` with."""
        self._items += 1
        made = WorkItem(self._items, self.nodes[node].node)
        made.dependencies = list(dependencies)
        made.scheduler = "" if traits & Trait.AUTOMATIC else scheduler
        made.traits = traits
        made.priority = priority
        return made

    def batch(
        self,
        node: str,
        *dependencies: Sequence[WorkItem],
        activation: BatchActivation = BatchActivation.First,
        scheduler: str = FARM,
        traits: Trait = Trait.STATIC,
    ) -> WorkItem:
        """A batch that exists before the cook, with a sub-item for each list of what that one waits for."""
        made = self.item(node, scheduler=scheduler, traits=traits)
        made.batch = Batch([], activation)
        for needed in dependencies:
            sub = self.item(node, *needed, scheduler=scheduler, traits=traits)
            sub.batch_parent = made
            made.batch.items.append(sub)
        return made

    def allow(self, node: str = "", **policy: Any) -> None:
        """Have a policy (its fields) from now on, for the items of one node or of all nodes there are."""
        if self.state.policies is None:
            self.state.be_patient(Policies())
        assert self.state.policies is not None  # noqa: S101 - just set
        for name in [node] if node else self.nodes:
            self.state.policies.by_node[name] = Policy(**policy)

    # ------------------------------------------------------------------ what comes out

    def take(self, kind: type[Order]) -> Order:
        """The first waiting instruction of this kind; ``AssertionError`` when there is none."""
        for position, order in enumerate(self.waiting):
            if isinstance(order, kind):
                del self.waiting[position]
                return order
        raise AssertionError(f"no {kind.__name__} among {self.waiting}")

    def take_all(self, kind: type[Order]) -> list[Order]:
        """All waiting instructions of this kind, in order."""
        found = [order for order in self.waiting if isinstance(order, kind)]
        self.waiting = [order for order in self.waiting if not isinstance(order, kind)]
        return found

    def offered(self, scheduler: str = FARM) -> list[WorkItem]:
        """The items of the ``HandOver`` that waits for this scheduler; none when there is no such."""
        for position, order in enumerate(self.waiting):
            if isinstance(order, ins.HandOver) and order.scheduler == scheduler:
                del self.waiting[position]
                return order.items
        return []

    # ------------------------------------------------------------------ what goes in

    def tell(self, *events: ev.Event) -> None:
        """Let the machine handle events and count its invariants again; nothing may wait to be taken."""
        if self.waiting:
            raise AssertionError(f"nobody took {self.waiting}")
        self.now += 1.0
        self.waiting = self.state.handle(*events)
        self.state.validate()

    def request(self) -> None:
        """Ask for the cook."""
        self.tell(ev.CookRequested(self.now))

    def go(self) -> None:
        """Answer the ``StaticReady`` that waits."""
        self.take(ins.StaticReady)
        self.tell(ev.Go(self.now))

    def begin(self) -> None:
        """Cook what exists: request, go, start every scheduler that is needed."""
        self.request()
        self.go()
        self.start()

    def start(self) -> None:
        """Answer every ``StartScheduler`` that waits."""
        starting = self.take_all(ins.StartScheduler)
        if starting:
            self.tell(*(ev.SchedulerStarted(order.scheduler, ok=True, at=self.now) for order in starting))

    def generated(self, order: ins.Generate, *items: WorkItem, more: bool = False) -> None:
        """Answer a ``Generate`` with items, or some of them."""
        self.tell(ev.ItemsGenerated(order.node, list(items), self.now, more=more))

    def said(self, item: WorkItem, *triggers: Trigger, attempt: int | None = None) -> None:
        """Tell notifications about an item, or what became of its hand-over, in one go."""
        self.tell(*(ev.ItemEvent(item, trigger, self.now, attempt) for trigger in triggers))

    def tick(self, scheduler: str = FARM, *, busy: bool = False, cancel: str = "") -> None:
        """Tell that ``onTick`` returned."""
        self.tell(ev.Ticked(scheduler, busy, self.now, cancel))

    def room(self, scheduler: str = FARM) -> None:
        """Tell that the scheduler asked for work."""
        self.tell(ev.TaskRequested(scheduler, self.now))

    def cancel(self, *items: WorkItem) -> None:
        """Cancel these items, or the whole cook when there are none."""
        self.tell(ev.CancelItems(list(items), self.now) if items else ev.CancelRequested(self.now))

    def stop(self) -> None:
        """Answer every ``StopScheduler`` that waits."""
        stopping = self.take_all(ins.StopScheduler)
        if stopping:
            self.tell(*(ev.SchedulerStopped(order.scheduler, self.now) for order in stopping))

    def end(self, scheduled: Sequence[str] = (FARM,)) -> str:
        """Stop the schedulers that are to be stopped, these and no others; answers the outcome of the finished cook."""
        stopping = self.take_all(ins.StopScheduler)
        assert sorted(order.scheduler for order in stopping) == sorted(scheduled)  # noqa: S101 - a test's own tool
        if stopping:
            self.tell(*(ev.SchedulerStopped(order.scheduler, self.now) for order in stopping))
        finish = self.take(ins.Finish)
        if self.waiting:
            raise AssertionError(f"nobody took {self.waiting}")
        return finish.outcome
