"""Any cook that has a past: whatever is found out about its items, and whichever of their jobs are taken up, it ends."""

from __future__ import annotations

from collections import deque

import pytest

from tests.machine.anynetwork import ANSWERS, REPORTS, subs_of
from tests.machine.test_any_cook import AnyCook
from topcook.machine import Phase, Trigger
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.nodes import NodeState
from topcook.machine.phases import DONE_WELL, HELD, LOST, SETTLED
from topcook.model.workitem import Trait, WorkItem


class AnyRecall(AnyCook):
    """A cook whose items are looked up; who looks answers anything that a journal may say."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: deque[ins.Recall | ins.Adopt] = deque()
        self.taken_up = False

    def check_resources(self) -> None:
        # A job that was taken up has what it has, whether there is enough of it or not.
        if not self.taken_up:
            super().check_resources()

    def tell(self, *events: ev.Event) -> None:
        self.state.remembers = True
        super().tell(*events)

    def obey(self, order: ins.Instruction) -> None:
        if isinstance(order, ins.Recall | ins.Adopt):
            self.asked.append(order)
        else:
            super().obey(order)

    def make_item(self, node: NodeState, dependencies: list[WorkItem], priority: int) -> WorkItem:
        made = super().make_item(node, dependencies, priority)
        if not made.traits & Trait.AUTOMATIC and self.once_in(2):
            self.had(made, 1)
        return made

    def had(self, item: WorkItem, attempt: int) -> None:
        item.attempt = self.given[item.id] = attempt

    def batched(self, node: NodeState, made: list[WorkItem], priority: int) -> list[WorkItem]:
        whole = super().batched(node, made, priority)
        for item in whole:
            if item.batch is not None:
                item.batch.apart = self.once_in(2)
                for sub in item.batch.items:
                    self.had(sub, item.attempt)
                if item.attempt and self.once_in(2):
                    item.batch.begun = self.some(item.batch.items, len(item.batch.items))
        return whole

    def check_attempt(self, item: WorkItem) -> None:
        assert item.attempt == self.given[item.id] + 1, f"{item!r} is handed over twice"
        assert item.batch is None or item.batch.begun is None, "a job that may still run was not looked for"

    # ------------------------------------------------------------------ who looks

    def the_shell_gets_on(self, steps: int) -> None:
        for _ in range(steps):
            if self.asked and self.once_in(2):
                self.somebody_has_looked()
            else:
                super().the_shell_gets_on(1)

    def somebody_has_looked(self) -> None:
        order = self.asked.popleft()
        if isinstance(order, ins.Recall):
            cut = self.lot.randint(0, len(order.items))
            for some in (order.items[:cut], order.items[cut:]):
                # Sub-items that go with a batch that was found failed go whatever they wait for.
                self.given_statically |= {sub.id for item in some for sub in subs_of(item)}
                if some:
                    self.tell(ev.Recalled([(item, self.verdict(item), "") for item in some], self.now))
            return
        rows = [(item, self.once_in(2)) for item in order.items]
        taken = [item for item, kept in rows if kept and item.phase == Phase.CHECKING]
        self.taken_up = self.taken_up or bool(taken)
        self.tell(ev.Adopted(order.scheduler, rows, self.now))
        for item in taken:
            for each in [item, *(sub for sub in subs_of(item) if sub.phase in HELD)]:
                self.jobs.append((each, each.attempt))
                # Its dependents were promised nothing: it was given away in an earlier session.
                self.given_statically.add(each.id)

    def verdict(self, item: WorkItem) -> Trigger:
        if item.traits & Trait.AUTOMATIC:
            return self.lot.choice([Trigger.FOUND, Trigger.COMPLETE])
        subs = subs_of(item)
        if subs and item.batch is not None and item.batch.apart:
            if all(sub.phase in DONE_WELL for sub in subs):
                return Trigger.FOUND
            if all(sub.phase in SETTLED for sub in subs):
                return Trigger.FAILED_BEFORE
            may = [Trigger.FRESH]
        else:
            may = [Trigger.FRESH, Trigger.FAILED_BEFORE]
            if not any(sub.phase in LOST for sub in subs):
                may.append(Trigger.FOUND)
        begun = item.batch is None or item.batch.begun is not None
        if item.attempt and item.batch_parent is None and begun:
            may.append(Trigger.ADOPT)
        return self.lot.choice(may)

    def one_round_in_order(self) -> None:
        while self.asked:
            self.somebody_has_looked()
        super().one_round_in_order()


def cook_by_lot(seed: int) -> None:
    """Drawn by lot, and reproduced by its seed."""
    cook = AnyRecall()
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
            cook.the_user_pauses(lot.random() < 0.3)
        elif kind == 7:
            cook.the_user_cancels()
        elif kind == 8 and cook.wake is not None:
            cook.time_passes()
        else:
            cook.the_shell_gets_on(lot.randint(1, 4))
    cook.teardown()


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_any_cook_that_has_a_past_ends_rightly(start: int) -> None:
    for seed in range(start, start + 50):
        cook_by_lot(seed)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
def test_many_cooks_that_have_a_past_end_rightly() -> None:
    for seed in range(1000, 4000):
        cook_by_lot(seed)
