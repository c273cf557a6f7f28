"""Policies, resources and time of one cook: read for its nodes and items, and told to the machine."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from topcook.errors import ProblemsError
from topcook.lean import replace
from topcook.machine import events as ev
from topcook.machine.policies import Policies
from topcook.machine.resources import SLOTS
from topcook.model.policy import USUAL, Policy
from topcook.runtime.policy import needs_evaluation, own_values, policy_of, raw_values, unknown_cache_mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.errors import Problem
    from topcook.machine import CookState
    from topcook.machine import instructions as ins
    from topcook.machine.events import Event
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink
    from topcook.runtime.observers import Observers

#: How often who knows is asked how many of a resource are to be had, in seconds.
ASK_EVERY = 10.0
#: How often a callback that blocks on a job that is to end is looked at, in seconds.
LOOK_EVERY = 0.25


class Limits:
    """What limits one cook; all but ``close`` is called on the cook thread."""

    def __init__(self, graph: Graph, link: CookLink, state: CookState, nodes: Iterable[Node]) -> None:
        """Read the nodes' parms; raises ``ProblemsError`` with every mistake."""
        network = graph.network
        self._graph, self._link, self._state = graph, link, state
        self._resources = network.resources
        self._policies = Policies()
        self._wake: float | None = None
        #: The nodes that have expressions: each item has values of its own.
        self._late = {node.name for node in nodes if any(map(needs_evaluation, raw_values(node).values()))}
        #: By the id of an item that is to end: its scheduler, itself, its attempt, and when to kill what blocks on it.
        self._urged: dict[int, tuple[str, WorkItem, int, float]] = {}
        self._over = threading.Event()
        problems: list[Problem] = []
        for node in nodes:
            policy, found = policy_of(raw_values(node), None, graph, self._resources)
            problems += [problem for _, problem in (*found, *unknown_cache_mode(node))]
            if policy != USUAL:
                self._policies.by_node[node.name] = self._timed(policy)
        if problems:
            raise ProblemsError(problems)
        state.max_failures = network.max_failures
        totals = {**self._resources, **({SLOTS: network.slots} if network.slots else {})}
        if totals:
            state.policies = self._policies
            state.limit(totals)
        self._be_patient()

    def _timed(self, policy: Policy) -> Policy:
        """Who sits in a debugger is not hurried."""
        return replace(policy, timeout=0.0, heartbeat=0.0) if self._graph.debug else policy

    def _be_patient(self) -> None:
        if self._state.policies is None and (self._policies.by_node or self._policies.by_item):
            self._state.be_patient(self._policies)

    # ------------------------------------------------------------------ items

    def read(self, items: Iterable[WorkItem]) -> None:
        """Give items a policy of their own where their attributes, or expressions, say so; raises ``ProblemsError``."""
        problems: list[Problem] = []
        late = self._late
        for item in items if late else [item for item in items if item.attributes]:
            own = own_values(item) if item.attributes else {}
            if not own and item.node.name not in late:
                continue
            policy, found = policy_of({**raw_values(item.node), **own}, item, self._graph, self._resources)
            problems += [problem for _, problem in found]
            self._policies.by_item[item.id] = self._timed(policy)
        if problems:
            raise ProblemsError(problems)
        self._be_patient()

    # ------------------------------------------------------------------ time

    def wake_at(self, order: ins.WakeAt) -> None:
        """The machine wants to be told when it is so late."""
        self._wake = order.at

    def ended(self, order: ins.CancelHeld) -> None:
        """Items are being ended because they took too long: a callback may block on the very job."""
        if order.grace is not None and not self._graph.debug:
            kill_at = time.monotonic() + order.grace
            for item in order.items:
                self._urged[item.id] = (order.scheduler, item, item.attempt, kill_at)

    def timeout(self, other: float | None) -> float | None:
        """How long the loop may sleep; ``other`` is what else it has to look at."""
        ends = [other] if other is not None else []
        if self._wake is not None:
            ends.append(max(0.0, self._wake - self._link.clock.now()))
        if self._urged:
            ends.append(LOOK_EVERY)
        return min(ends, default=None)

    def look(self) -> list[Event]:
        """What the time has brought."""
        if self._urged:
            self._urge()
        if self._wake is None:
            return []
        now = self._link.clock.now()
        if now < self._wake:
            return []
        self._wake = None
        return [ev.Clock(now)]

    def _urge(self) -> None:
        """End what a callback has started and blocks on, so that its scheduler hears of the cancel at all."""
        for number, (name, item, attempt, kill_at) in list(self._urged.items()):
            host = self._graph.host(name)
            busy = host.busy_with
            if item.attempt != attempt or busy is None or busy[1] is not item:
                del self._urged[number]
            else:
                host.end_children(kill=time.monotonic() >= kill_at)

    # ------------------------------------------------------------------ how many there are

    def begin(self, observers: Observers) -> None:
        """Ask those who know how many of each resource are to be had, now and again, on a thread of its own.

        Observers that do not come back are named.
        """
        observers.watch(0 if self._graph.debug else self._graph.config.watchdog, self._over)
        if self._resources and observers.manager.hook.resource_count.get_hookimpls():
            threading.Thread(target=self._ask, args=(observers,), name="topcook-resources", daemon=True).start()

    def close(self) -> None:
        """Nobody is asked any more."""
        self._over.set()

    def _ask(self, observers: Observers) -> None:
        known = dict(self._resources)
        while not self._over.is_set():
            for name, most in self._resources.items():
                told = observers.ask_count(name)
                count = most if told is None else max(0, min(most, told))
                if count != known[name]:
                    known[name] = count
                    self._link.inbox.post(ev.CapacitySet(name, count, self._link.clock.now()))
            self._over.wait(ASK_EVERY)
