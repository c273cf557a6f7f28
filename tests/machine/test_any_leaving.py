"""Any cook that is to be let go, at any moment: it is when its farms have all that is left, or it ends as ever."""

from __future__ import annotations

import pytest

from tests.machine.anynetwork import REPORTS, Host
from tests.machine.test_any_cook import AnyCook
from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.phases import HELD, IN_PLAY, Phase
from topcook.model.workitem import Trait


class AnyLeaving(AnyCook):
    """Some hosts leave all that they have, some nothing, some what they like; each answers in its own time."""

    def leaves(self, host: Host) -> float:
        """The part of its items that a host leaves, the same throughout."""
        return (0.0, 0.5, 1.0, 1.0)[sum(map(ord, host.state.name)) % 4]

    def lay_out(self, seed: int) -> None:
        super().lay_out(seed)
        #: The attempts that hosts have said they leave, by item.
        self.left: dict[int, int] = {}
        self.was_let_go = False

    def tell(self, *events: ev.Event) -> None:
        super().tell(*events)
        if self.state.let_go and not self.was_let_go:
            self.was_let_go = True
            self.farms_have_what_is_left()

    def farms_have_what_is_left(self) -> None:
        for item in self.items:
            if item.phase not in IN_PLAY or item.batch_parent is not None or item.traits & Trait.AUTOMATIC:
                continue
            if item.phase in HELD:
                assert item.phase != Phase.HANDING_OVER
                assert self.left.get(item.id) == item.attempt, "its scheduler has said that it goes on"
            else:
                assert self.state.leaving_now, "no farm has it"
        assert not self.generating

    def obey(self, order: ins.Instruction) -> None:
        if isinstance(order, ins.SayKept):
            assert self.state.leaving
            assert order.words
        else:
            if isinstance(order, ins.AskLeave):
                assert self.state.leaving
                assert all(item.phase in {Phase.HANDED_OVER, Phase.COOKING} for item in order.items)
            super().obey(order)

    def perform(self, host: Host, call: ins.Instruction, *, good: bool) -> None:
        if not isinstance(call, ins.AskLeave):
            super().perform(host, call, good=good)
            return
        part = self.leaves(host)
        mine = [item for item in call.items if self.lot.random() < part] if good else []
        self.left.update((item.id, item.attempt) for item in mine)
        self.tell(ev.LeaveAnswered(host.state.name, frozenset(item.id for item in mine), self.now))

    def a_finished_cook_has_settled_everything(self) -> None:
        if self.outcome == "detached":
            assert self.was_let_go
            assert all(host.stopped or not host.started for host in self.hosts.values())
        else:
            super().a_finished_cook_has_settled_everything()


def leave_by_lot(seed: int) -> str:
    """A cook that is to be let go at some moment; answers how it ended."""
    cook = AnyLeaving()
    cook.make_network(seed)
    lot = cook.lot
    lets_go = lot.randrange(60)
    for step in range(lot.randint(20, 120)):
        if step == lets_go:
            cook.tell(ev.DetachRequested(cook.now, lot.random() < 0.4))
        kind = lot.randrange(20)
        if kind == 0 and cook.items:
            cook.the_user_cancels_items()
        elif kind == 1 and cook.items:
            cook.somebody_reports_anything(lot.choice(REPORTS), lot.choice([None, 0, 1, 2]))
        elif kind in {2, 3} and cook.jobs:
            cook.a_job_reports(lot.choices(REPORTS, k=lot.randint(1, 3)), lot.random() < 0.5)
        elif kind == 4:
            cook.a_scheduler_ticks(lot.random() < 0.3)
        elif kind == 5:
            cook.the_user_pauses(lot.random() < 0.3)
        elif kind == 6 and lot.random() < 0.1:
            cook.the_user_cancels()
        elif kind == 7 and cook.wake is not None:
            cook.time_passes()
        else:
            cook.the_shell_gets_on(lot.randint(1, 3))
    cook.teardown()
    return cook.outcome


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_any_cook_that_is_to_be_let_go_ends_rightly(start: int) -> None:
    ends = [leave_by_lot(seed) for seed in range(start, start + 50)]
    # Both happen, or the lot has nothing to say.
    assert "detached" in ends
    assert "cooked" in ends or "failed" in ends


@pytest.mark.fuzz
@pytest.mark.timeout(900)
def test_many_cooks_that_are_to_be_let_go_end_rightly() -> None:
    for seed in range(1000, 5000):
        leave_by_lot(seed)
