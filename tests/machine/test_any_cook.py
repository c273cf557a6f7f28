"""Any network, any schedulers, any reports: no cook loses an item, runs one twice, or fails to end.

The rules play the shell: hosts that perform their calls one after the other, jobs that report when and what they
like, and a user who ticks, pauses and cancels.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.machine.anynetwork import ANSWERS, DENIED, REPORTS, AnyNetwork, Host, is_covered, subs_of
from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.phases import DONE_BADLY, DONE_WELL, GIVEN_BACK, HELD, LOST, SETTLED
from topcook.model.policy import OnFailure
from topcook.model.workitem import WorkItem


class AnyCook(AnyNetwork):
    """One cook of a network that hypothesis makes up."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def make_network(self, seed: int) -> None:
        self.lay_out(seed)
        self.tell(ev.CookRequested(self.now))
        # Most cooks are met in the middle: there the rules have more to play with.
        self.the_shell_gets_on(self.lot.randint(0, 40))

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
            assert item.attempt == self.given[item.id], "what was given back was no attempt"
            if item.id in self.ended:
                assert item.phase == self.ended[item.id], "what has ended stays as it ended"
            elif item.phase in DONE_WELL or item.phase in DONE_BADLY:
                self.ended[item.id] = item.phase

    def obey(self, order: ins.Instruction) -> None:
        assert not self.outcome, "nothing is asked for after the end"
        if isinstance(order, ins.Generate):
            assert not self.state.cancel_reason, "a canceled cook makes nothing new"
            self.generating.append(order)
        elif isinstance(order, ins.WakeAt):
            self.wake = order.at
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
            jobs = [item for item in self.items if item.batch_parent is None]
            held = sum(item.phase in HELD and item.scheduler == host.state.name for item in jobs)
            assert held <= host.state.max_tasks
        for item in order.items:
            self.check_attempt(item)
            assert item.batch_parent is None, "a sub-item is never handed over apart from its batch"
            if item.batch is None or static:
                alive = [sub for sub in subs_of(item) if sub.phase in HELD] or [item]
                assert all(is_covered(needed, together) for each in alive for needed in each.dependencies)
            for each in [item, *(sub for sub in subs_of(item) if sub.phase in HELD)]:
                self.given[each.id] = each.attempt
                self.jobs.append((each, each.attempt))
                if each is not item:
                    # Like a static one, it was given away before what it waits for was done.
                    self.given_statically.add(each.id)
        self.given_statically |= together
        if self.state.resources is not None:
            self.check_resources()

    def check_attempt(self, item: WorkItem) -> None:
        """Whoever gets an item is the only one who has it: each attempt before has come to an end that was kept."""
        assert item.attempt == self.given[item.id] + 1, f"{item!r} is handed over twice"
        earlier = item.ran().attempts or []
        assert [each.number for each in earlier] == list(range(1, item.attempt))
        counted = self.state.policies.failures.get(item.id, 0) if self.state.policies is not None else 0
        assert counted <= self.policy_of(item).retries
        assert len(earlier) == counted or self.policy_of(item).denied

    def check_resources(self) -> None:
        used: Counter[str] = Counter()
        for item in self.items:
            if item.phase in HELD and item.batch_parent is None:
                used.update(dict(self.policy_of(item).needs))
        assert all(used[name] <= most for name, most in self.totals.items()), used

    # ------------------------------------------------------------------ what the shell does

    @precondition(lambda self: self.go_due)
    @rule()
    def the_user_goes_on(self) -> None:
        self.go_due = False
        self.tell(ev.Go(self.now))

    @rule(steps=st.integers(1, 8))
    def the_shell_gets_on(self, steps: int) -> None:
        """Most of the time a cook just goes on; the other rules come between."""
        for _ in range(steps):
            if self.go_due:
                self.the_user_goes_on()
            elif self.generating and self.once_in(2):
                self.a_node_answers()
            elif any(host.calls or host.batch for host in self.hosts.values()):
                self.a_host_performs_its_next_call()
            elif self.wake is not None and self.once_in(2):
                self.time_passes()
            elif self.jobs and self.once_in(2):
                self.a_job_ends_as_it_should()
            elif any(host.started for host in self.hosts.values()):
                self.a_scheduler_ticks(busy=False)

    @precondition(lambda self: self.generating)
    @rule()
    def a_node_answers(self) -> None:
        order = self.generating.popleft()
        if self.once_in(15):
            self.tell(ev.GenerationFailed(order.node, "it raised", self.now))
        else:
            self.tell(ev.ItemsGenerated(order.node, self.items_for(order), self.now, incomplete=self.once_in(20)))

    @precondition(lambda self: any(host.calls or host.batch for host in self.hosts.values()))
    @rule()
    def a_host_performs_its_next_call(self) -> None:
        host = self.lot.choice([host for host in self.hosts.values() if host.calls or host.batch])
        if host.batch:
            self.schedule(host, self.lot.choice(ANSWERS))
        else:
            self.perform(host, host.calls.popleft(), good=not self.once_in(20))

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
            assert call.grace is not None or all(item.phase in SETTLED for item in call.items), "it is out of play"
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
            for each in [item, *(sub for sub in subs_of(item) if sub.phase == Phase.HANDED_OVER)]:
                self.given[each.id] = item.attempt - 1
        self.tell(ev.ItemEvent(item, answer, self.now))

    @precondition(lambda self: any(host.started and not host.batch for host in self.hosts.values()))
    @rule(busy=st.booleans())
    def a_scheduler_ticks(self, busy: bool) -> None:
        ticking = [host for host in self.hosts.values() if host.started and not host.batch]
        if ticking:
            host = self.lot.choice(ticking)
            host.asked_since_tick = 0
            self.tell(ev.Ticked(host.state.name, busy, self.now))

    @rule()
    def a_scheduler_asks_for_work(self) -> None:
        self.tell(ev.TaskRequested(self.lot.choice(sorted(self.hosts)), self.now))

    # ------------------------------------------------------------------ what jobs and users do

    @precondition(lambda self: self.jobs)
    @rule()
    def a_job_ends_as_it_should(self) -> None:
        item, attempt = self.jobs.pop(self.lot.randrange(len(self.jobs)))
        end = Trigger.FAIL if self.once_in(3 if self.state.policies else 8) else Trigger.SUCCEED
        status = DENIED if self.once_in(4) else None
        self.tell(
            *(ev.ItemEvent(item, trigger, self.now, attempt, exit_status=status) for trigger in (Trigger.START, end))
        )

    @precondition(lambda self: self.jobs)
    @rule(triggers=st.lists(st.sampled_from(REPORTS), min_size=1, max_size=3), knows=st.booleans())
    def a_job_reports(self, triggers: list[Trigger], knows: bool) -> None:
        item, attempt = self.lot.choice(self.jobs)
        self.tell(*(ev.ItemEvent(item, trigger, self.now, attempt if knows else None) for trigger in triggers))

    @precondition(lambda self: self.wake is not None)
    @rule()
    def time_passes(self) -> None:
        assert self.wake is not None
        self.now, self.wake = max(self.now, self.wake), None
        self.tell(ev.Clock(self.now))

    @precondition(lambda self: self.jobs)
    @rule()
    def a_job_shows_that_it_is_alive(self) -> None:
        self.tell(ev.Alive(self.lot.choice(self.jobs)[0], self.now))

    @precondition(lambda self: self.totals)
    @rule()
    def a_licence_server_answers(self) -> None:
        # Never more than the checks above allow, and at the end as many as at first.
        name = self.lot.choice(sorted(self.totals))
        self.tell(ev.CapacitySet(name, self.lot.randint(0, self.totals[name]), self.now))

    @precondition(lambda self: self.items)
    @rule(trigger=st.sampled_from(REPORTS), attempt=st.none() | st.integers(-1, 4))
    def somebody_reports_anything(self, trigger: Trigger, attempt: int | None) -> None:
        self.tell(ev.ItemEvent(self.lot.choice(self.items), trigger, self.now, attempt))

    @precondition(lambda self: self.items)
    @rule(trigger=st.sampled_from(ANSWERS))
    def a_callback_of_an_earlier_cook_comes_back(self, trigger: Trigger) -> None:
        item = self.lot.choice(self.items)
        if not any(item.id in host.state.calls for host in self.hosts.values()):
            self.tell(ev.ItemEvent(item, trigger, self.now))

    @precondition(lambda self: self.items)
    @rule()
    def the_user_cancels_items(self) -> None:
        self.tell(ev.CancelItems(self.some(self.items, 2), self.now))

    @rule(paused=st.booleans())
    def the_user_pauses(self, paused: bool) -> None:
        self.tell(ev.PauseSet(paused))

    @rule()
    def the_user_cancels(self) -> None:
        if self.once_in(10):
            self.tell(ev.CancelRequested(self.now, "enough"))

    # ------------------------------------------------------------------ what must hold at the end

    @invariant()
    def a_finished_cook_has_settled_everything(self) -> None:
        if not self.outcome:
            return
        items = list(self.state.all_items())
        canceled = bool(self.state.cancel_reason) and not (self.state.start_failed or self.state.gave_up)
        assert (self.outcome == "canceled") == canceled
        for item in items:
            assert item.phase in SETTLED or (self.state.cancel_reason and item.phase == Phase.UNCOOKED)
            reasons = [*item.dependencies, *subs_of(item), *([item.batch_parent] if item.batch_parent else [])]
            if item.batch is not None:
                lenient = self.policy_of(item).on_failure in {OnFailure.CONTINUE, OnFailure.SUCCESS}
                assert lenient or item.phase not in DONE_WELL or all(sub.phase in DONE_WELL for sub in item.batch.items)
            hopeless = any(dep.phase in LOST for dep in (reasons if item.phase == Phase.BLOCKED else item.dependencies))
            if item.phase == Phase.BLOCKED:
                # A circle through a batch is told in words: the batch may go on once a link of it is blocked.
                circle = any("it waits for itself" in text for text in item.ran().messages)
                assert hopeless or circle, "what is blocked has a reason"
            elif hopeless and not self.state.cancel_reason:
                assert item.phase == Phase.CANCELED or item.id in self.given_statically
            assert item.phase != Phase.TOLERATED or self.policy_of(item).on_failure is OnFailure.CONTINUE
        if not canceled:
            well = all(item.phase in DONE_WELL and item.phase != Phase.TOLERATED for item in items)
            stalled = any(node.stalled for node in self.state.nodes.values())
            broken = stalled or self.state.start_failed or self.state.gave_up
            assert (self.outcome == "cooked") == (well and not broken)
        for host in self.hosts.values():
            assert host.stopped or not host.started

    def teardown(self) -> None:
        """Whatever happened so far: once callbacks return and jobs end, so does the cook."""
        if not self.hosts:
            return
        self.tell(ev.PauseSet(paused=False))
        self.tell(*(ev.CapacitySet(name, most, self.now) for name, most in self.totals.items()))
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
        if self.wake is not None:
            self.time_passes()
        held = [item for item in self.items if item.phase in {Phase.HANDED_OVER, Phase.COOKING}]
        self.tell(*(ev.ItemEvent(item, Trigger.SUCCEED, self.now, item.attempt) for item in held))


def cook_by_lot(seed: int) -> AnyCook:
    """A cook whose rules are drawn by lot as well; reproduced by its seed."""
    cook = AnyCook()
    cook.make_network(seed)
    lot = cook.lot
    for _ in range(lot.randint(5, 150)):
        kind = lot.randrange(25)
        if kind == 0 and cook.items:
            cook.the_user_cancels_items()
        elif kind == 1 and cook.items:
            cook.somebody_reports_anything(lot.choice(REPORTS), lot.choice([None, 0, 1, 2]))
        elif kind in {2, 3} and cook.jobs:
            cook.a_job_reports(lot.choices(REPORTS, k=lot.randint(1, 3)), lot.random() < 0.5)
        elif kind == 4 and cook.items:
            cook.a_callback_of_an_earlier_cook_comes_back(lot.choice(ANSWERS))
        elif kind == 5:
            cook.a_scheduler_ticks(lot.random() < 0.3)
        elif kind == 6:
            cook.a_scheduler_asks_for_work()
        elif kind == 7:
            cook.the_user_pauses(lot.random() < 0.3)
        elif kind == 8:
            cook.the_user_cancels()
        elif kind == 9 and cook.jobs:
            cook.a_job_shows_that_it_is_alive()
        elif kind == 10 and cook.wake is not None:
            cook.time_passes()
        elif kind == 11 and cook.totals:
            cook.a_licence_server_answers()
        else:
            cook.the_shell_gets_on(lot.randint(1, 4))
    cook.teardown()
    return cook


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_any_cook_by_lot_ends_rightly(start: int) -> None:
    for seed in range(start, start + 50):
        cook_by_lot(seed)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
def test_many_cooks_by_lot_end_rightly() -> None:
    for seed in range(1000, 5000):
        cook_by_lot(seed)


QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

TestAnyCook = AnyCook.TestCase
TestAnyCook.settings = settings(max_examples=60, stateful_step_count=50, **QUIET)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
class TestManyCooks(AnyCook.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(max_examples=400, stateful_step_count=100, **QUIET)
