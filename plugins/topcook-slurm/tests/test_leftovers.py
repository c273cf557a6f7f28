"""Jobs of items that have ended, which Slurm has all the same."""

from __future__ import annotations

import pytest
from slurm_bench import network, until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.leftovers import Leftovers
from topcook_slurm.states import SlurmJob
from topcook_slurm.testcluster import TestCluster


def known(**states: str) -> dict[str, SlurmJob]:
    return {f"7_{number[1:]}": SlurmJob(f"7_{number[1:]}", frozenset({state})) for number, state in states.items()}


def test_what_is_queued_again_is_canceled_at_once_and_what_runs_when_it_does_the_next_time() -> None:
    leftovers = Leftovers()
    jobs = known(_0="PENDING", _1="RUNNING", _2="COMPLETED", _3="RUNNING", _4="PENDING")
    ended = ["7_0", "7_1", "7_2", "7_9"]
    assert leftovers.look(jobs, ended) == ["7_0"]
    assert leftovers.look(jobs, ended) == ["7_0", "7_1"]
    assert leftovers.look(known(_0="CANCELLED", _1="COMPLETING"), ended) == ["7_1"]
    assert leftovers.look(known(_0="CANCELLED", _1="CANCELLED"), ended) == []


def test_a_job_that_runs_a_moment_longer_than_its_report_is_left_alone() -> None:
    leftovers = Leftovers()
    assert leftovers.look(known(_0="RUNNING"), ["7_0"]) == []
    assert leftovers.look(known(_0="COMPLETED"), ["7_0"]) == []
    assert leftovers.look(known(_0="RUNNING"), ["7_0"]) == []


@pytest.mark.engine
def test_a_job_that_slurm_queues_again_after_its_item_ended_does_not_run_again(
    bench: CookBench, cluster: TestCluster
) -> None:
    command = "sh -c 'echo x >> ran_@pdg_index; while [ @pdg_index -gt 0 ] && [ ! -e gate ]; do sleep 0.05; done'"
    before = set(cluster.jobs())
    context = bench.load(network(command, count=2))
    cook = bench.start(context)
    until(lambda: "CookedSuccess" in {item.state.name for item in cook.state.all_items()}, "one has ended")

    def ended() -> list[str]:
        return [job for job, state in cluster.jobs().items() if state == "COMPLETED" and job not in before]

    (job,) = until(ended, "Slurm knows it")
    # Held, so that it does not begin before anybody has looked.
    cluster.call("scontrol", "requeuehold", job)
    until(lambda: cluster.jobs().get(job) not in {"PENDING", "REQUEUED", "SPECIAL_EXIT"}, "it is canceled")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert (bench.folder / "ran_0").read_text() == "x\n"
