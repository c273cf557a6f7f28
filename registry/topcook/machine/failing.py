"""When items fail or take too long: other attempts, time-outs, what follows of a failure, and when enough is enough.

A failure is looked at before it is applied: the item's policy may let another attempt come, let its dependents cook
all the same, or count it as success. Each attempt has its number, so that what is still said of an older one changes
nothing. Time comes from outside: ``WakeAt`` asks for a ``Clock`` event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import instructions as ins
from topcook.machine.items import Items
from topcook.machine.phases import DONE_WELL, HELD, SETTLED, Phase, Trigger
from topcook.model.policy import OnFailure, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.machine import events as ev
    from topcook.machine.policies import Policies
    from topcook.model.workitem import WorkItem

#: Seconds beyond its grace after which an item that was asked to end counts as gone.
GIVEN_UP_AFTER = 30.0

_INSTEAD = {OnFailure.CONTINUE: Trigger.TOLERATED, OnFailure.SUCCESS: Trigger.FORGIVEN}
#: Ends that a job comes to when it is asked to end for taking too long.
_ENDED = frozenset({Trigger.FAIL, Trigger.CANCEL, Trigger.COOK_FAILED, Trigger.COOK_CANCELED})


class Failing(Items):
    """Failures and time-outs, on top of the items' steps."""

    def be_patient(self, policies: Policies) -> None:
        """Have policies from now on; until then every failure stands, and everything may take its time."""
        self.policies = policies

    # ------------------------------------------------------------------ failures

    def _failed_by(self, item: WorkItem, trigger: Trigger, at: float, exit_status: int | None = None) -> Trigger:
        """What becomes of a failure: the trigger to move the item by."""
        policies = self.policies
        if policies is None or self.stage != "cooking":
            return trigger
        policy = policies.of(item)
        instead = self._retried(item, policies, policy, exit_status) or _INSTEAD.get(policy.on_failure)
        if instead is None:
            if policy.on_failure is OnFailure.STOP:
                self.giving_up = f'"{item.name}" failed, and pdg_onfailure of its node is "stop"'
            return trigger
        self._ignore(item, trigger, at, "its policy follows")
        if instead is Trigger.TOLERATED:
            self._count_failure(item)
        return instead

    def _still(self, item: WorkItem, trigger: Trigger) -> Trigger:
        """What a failure of an earlier session is to those that depend on it; any other trigger as it is."""
        if trigger is not Trigger.FAILED_BEFORE or self.policies is None:
            return trigger
        if item.batch is not None or item.batch_parent is not None:
            return trigger
        instead = _INSTEAD.get(self.policies.of(item).on_failure, trigger)
        if instead is Trigger.TOLERATED:
            self._count_failure(item)
        return instead

    def _retried(self, item: WorkItem, policies: Policies, policy: Policy, exit_status: int | None) -> Trigger | None:
        parent = item.batch_parent
        if (parent or item).id in self._doomed:
            # The user has no more use for it.
            return None
        if parent is not None:
            # It comes again with its batch; whether that does is settled before the batch's own end.
            again = parent.phase == Phase.DELAYED or (parent.phase in HELD and policies.has_retry_left(parent))
            return Trigger.RETRIED if again and item.phase in HELD else None
        if item.batch is not None and all(sub.phase in SETTLED for sub in item.batch.items):
            return None
        if exit_status is not None and exit_status in policy.denied:
            self._delays[item.id] = policy.denied_delay
            return Trigger.RETRIED
        failures = policies.failures.get(item.id, 0) + 1
        if failures > policy.retries:
            return None
        policies.failures[item.id] = failures
        self._delays[item.id] = policy.delay_after(failures)
        return Trigger.RETRIED

    def _count_failure(self, item: WorkItem) -> None:
        if item.batch_parent is not None:
            return
        self.failed += 1
        if self.max_failures and self.failed >= self.max_failures and not self.giving_up:
            count = "1 item has" if self.failed == 1 else f"{self.failed} items have"
            self.giving_up = f"{count} failed, the last one is {item.name} (--max-failures {self.max_failures})"

    # ------------------------------------------------------------------ the next attempt

    def _put_off(self, item: WorkItem, at: float) -> None:
        """An attempt has ended badly, and there is to be another: keep what became of it, and wait."""
        item.ran().begin_again(item.attempt, item.scheduler)
        if item.batch_parent is not None:
            return
        for sub in item.batch.items if item.batch is not None else ():
            if sub.phase in HELD:
                # It comes again, and with it whatever of it is not done.
                self._note_reason(sub, f'its batch "{item.name}" failed before it was done')
                self.take_back(sub, Trigger.BATCH_FAILED, self.now)
        self.delayed[item.id] = item
        delay = self._delays.pop(item.id, 0.0)
        if delay > 0:
            self.timers.set(max(at, self.now) + delay, "again", item)
        else:
            self._again(item)

    def _again(self, item: WorkItem) -> None:
        """Let a delayed item be offered again, as soon as nobody is busy with its last attempt."""
        if item.phase != Phase.DELAYED:
            return
        if item.id in self.schedulers[item.scheduler].calls or item.id in self._ending:
            self._due.add(item.id)
            return
        self._due.discard(item.id)
        self.delayed.pop(item.id, None)
        self._forget_outputs(item)
        self.move(item, Trigger.AGAIN, self.now)
        if item.batch is None:
            self._wait_or_go_on(item)
            return
        item.batch.first = 0
        for sub in item.batch.items:
            if sub.phase == Phase.DELAYED:
                self._forget_outputs(sub)
                self.move(sub, Trigger.AGAIN, self.now)
                self._wait_or_go_on(sub)

    def note_outputs(self, item: WorkItem) -> None:
        """An item is handed over: keep what outputs it had before its first attempt."""
        if item.outputs and self.policies is not None:
            self._outputs_before.setdefault(item.id, list(item.outputs))

    def _forget_outputs(self, item: WorkItem) -> None:
        """What a failed attempt gave does not count any more; what was there before the first stays."""
        if item.outputs:
            item.outputs = self._outputs_before.get(item.id)

    def _wait_or_go_on(self, item: WorkItem) -> None:
        if item.pending == 0:
            self.move(item, Trigger.RELEASE, self.now)
        elif any(needed.phase in SETTLED and needed.phase not in DONE_WELL for needed in item.dependencies):
            # It was given away before what it depends on was done, and that has failed since.
            self.block(item)

    def _wake_if_due(self, item: WorkItem) -> None:
        if item.id in self._due:
            self._again(item)

    # ------------------------------------------------------------------ time

    def _watch(self, item: WorkItem, at: float) -> None:
        """An attempt has started: it may take as long as its policy says."""
        if self.policies is None or item.batch_parent is not None:
            return
        timeout = self.policies.of(item).timeout
        if timeout > 0:
            self.timers.set(at + timeout, "overdue", item)

    def on_clock(self, event: ev.Clock) -> None:
        """Time has passed."""
        self.now = event.at
        self.timers.told = None
        for what, item in self.timers.due(event.at):
            _DUE[what](self, item)

    def on_alive(self, event: ev.Alive) -> None:
        """A job shows that it is alive; once it has, it is expected to go on doing so.

        Its first sign may come before word of its start, which travels by another way.
        """
        item = event.item.batch_parent or event.item
        self.now = event.at
        if self.policies is None or item.phase not in HELD or event.attempt not in {None, item.attempt}:
            return
        period = self.policies.of(item).heartbeat
        if period > 0:
            known = self._alive.get(item.id)
            self._alive[item.id] = (item.attempt, event.at)
            if known is None or known[0] != item.attempt:
                self.timers.set(event.at + period, "silent", item)

    def _overdue(self, item: WorkItem) -> None:
        assert self.policies is not None  # noqa: S101 - timers are set by policies
        self._end(item, f"timed out after {self.policies.of(item).timeout:g} s")

    def _silent(self, item: WorkItem) -> None:
        assert self.policies is not None  # noqa: S101 - timers are set by policies
        period = self.policies.of(item).heartbeat
        last = self._alive[item.id][1]
        if item.phase not in HELD:
            del self._alive[item.id]
        elif item.phase != Phase.COOKING:
            # Before word of its start nothing can be ended.
            self.timers.set(self.now + period, "silent", item)
        elif self.now < last + period:
            self.timers.set(last + period, "silent", item)
        else:
            self._end(item, f"its job gave no sign of life for {period:g} s (pdg_heartbeattimeout)")

    def _end(self, item: WorkItem, reason: str) -> None:
        """Ask the scheduler to end what takes too long; it has failed when that was done, or takes too long too."""
        if item.phase != Phase.COOKING or item.id in self._ending or item.id in self._doomed:
            return
        scheduler = self.schedulers[item.scheduler]
        if scheduler.stage != "started":
            return
        assert self.policies is not None  # noqa: S101 - timers are set by policies
        grace = self.policies.of(item).grace
        self._ending[item.id] = reason
        self._ignore(item, Trigger.TIMED_OUT, self.now, "its job is asked to end")
        self._out.append(ins.CancelHeld(item.scheduler, [item], grace))
        self.timers.set(self.now + grace + GIVEN_UP_AFTER, "gone", item)

    def _gone(self, item: WorkItem) -> None:
        if item.phase in HELD and item.id in self._ending:
            self._note_reason(item, "its scheduler did not end its job, which may run on")
            self._time_out(item, self._ending[item.id], self.now)

    def _time_out(self, item: WorkItem, reason: str, at: float) -> None:
        self._note_reason(item, reason)
        self.take_back(item, Trigger.TIMED_OUT, at)

    def _read_end(self, event: ev.ItemEvent) -> None:
        """A job that was asked to end for taking too long has timed out, whatever its scheduler calls it."""
        item = event.item
        if event.trigger in _ENDED and item.phase in HELD and item.id not in self._doomed:
            event.trigger, event.reason = Trigger.TIMED_OUT, self._ending[item.id]

    def released(self, item: WorkItem, at: float) -> None:
        """``onCancelWorkItems`` returned for this item: what its scheduler held of it is gone."""
        doomed = item.id in self._doomed
        self._doomed.discard(item.id)
        reason = self._ending.pop(item.id, "")
        if item.phase not in HELD:
            self._wake_if_due(item)
        elif reason and not doomed:
            self._time_out(item, reason, at)
        else:
            self.take_back(item, Trigger.CANCEL_ORDER, at)


_DUE: dict[str, Callable[[Failing, WorkItem], None]] = {
    "again": Failing._again,  # noqa: SLF001 - the table of this class's own methods
    "overdue": Failing._overdue,  # noqa: SLF001
    "silent": Failing._silent,  # noqa: SLF001
    "gone": Failing._gone,  # noqa: SLF001
}
