"""What the cook is told of tasks that wait: once for each reason, and not what goes by."""

from __future__ import annotations

from topcook.author.farm import FarmPhase, FarmState
from topcook_dask.reasons import Reasons
from topcook_dask.schedulerside import NO_WORKER


class Bench:
    """What was said, and when to look again, at a time that the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.looks: list[float] = []
        self.reasons = Reasons(self.said.append, self.looks.append, lambda: self.now)

    def note(self, *reasons: str, owned: bool = False, starting: str = "") -> list[str]:
        self.said.clear()
        self.looks.clear()
        states = [FarmState(FarmPhase.QUEUED, reason) for reason in reasons]
        self.reasons.note(states, owned=owned, starting=starting)
        return list(self.said)


def test_a_reason_is_told_once_and_again_when_it_comes_back() -> None:
    bench = Bench()
    assert bench.note("no GPU", "no GPU", "") == ["2 tasks wait on Dask: no GPU"]
    assert bench.note("no GPU") == []
    assert bench.note("") == []
    assert bench.note("no GPU") == ["1 task waits on Dask: no GPU"]


def test_what_runs_or_has_failed_waits_for_nothing() -> None:
    bench = Bench()
    states = [FarmState(FarmPhase.RUNNING, "on w1"), FarmState(FarmPhase.FAILED, "no GPU")]
    bench.reasons.note(states, owned=False, starting="")
    assert bench.said == []


def test_the_workers_of_a_cluster_that_was_started_have_time_to_come() -> None:
    bench = Bench()
    assert bench.note(NO_WORKER, owned=True) == []
    (soon,) = bench.looks
    bench.now += soon
    assert bench.note(NO_WORKER, owned=True) == [f"1 task waits on Dask: {NO_WORKER}"]
    # They came, went with the work, and are wanted again.
    assert bench.note("", owned=True) == []
    assert bench.note(NO_WORKER, owned=True) == []
    assert bench.looks == [soon]


def test_what_keeps_workers_from_coming_is_told_at_once() -> None:
    bench = Bench()
    said = bench.note(NO_WORKER, owned=True, starting="workers have not come from slurm: 12 (pending)")
    assert said == [f"1 task waits on Dask: {NO_WORKER}\n    workers have not come from slurm: 12 (pending)"]


def test_a_cluster_that_runs_without_workers_is_told_at_once() -> None:
    assert Bench().note(NO_WORKER) == [f"1 task waits on Dask: {NO_WORKER}"]
