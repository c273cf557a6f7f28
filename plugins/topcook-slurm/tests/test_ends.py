"""What becomes of jobs on a real Slurm, with what it says of them: preempted, out of memory, held, and the like."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_bench import network, until

from topcook.testkit.cookbench import CookBench, Cooked
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

GATE = "sh -c 'touch began_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"
#: More than it may have, in a process that is not the first of its job.
GREEDY = "sh -c 'python3 -c \"import time; kept = bytearray(300 << 20); time.sleep(600)\"; exit $?'"
SETTINGS = {
    "PreemptType": "preempt/partition_prio",
    "PreemptMode": "REQUEUE",
    # Nodes look at memory once a second, and end what has too much.
    "JobAcctGatherType": "jobacct_gather/linux",
    "JobAcctGatherFrequency": "task=1",
    "JobAcctGatherParams": "OverMemoryKill",
    "DefMemPerCPU": "400",
    # Else it counts the processes of one group only, and the command has a session of its own.
    "ProctrackType": "proctrack/linuxproc",
}
PARTITIONS = (
    "PartitionName=spare Nodes=n[1-2] PriorityTier=1 PreemptMode=REQUEUE State=UP",
    "PartitionName=scrap Nodes=n[1-2] PriorityTier=1 PreemptMode=CANCEL State=UP",
    "PartitionName=urgent Nodes=n[1-2] PriorityTier=100 PreemptMode=OFF State=UP",
)
#: Of control groups with a limit on memory, that which containers have, too.
MEMORY_GROUPS = Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")


@pytest.fixture(scope="module")
def slurm() -> Iterator[TestCluster]:
    """A cluster that preempts, and that looks after memory."""
    with TestCluster(settings=SETTINGS, lines=PARTITIONS) as cluster:
        yield cluster


def said(cook: object) -> str:
    return "\n".join(each.text for each in cook.messages)  # type: ignore[attr-defined]


def by_hand(cluster: TestCluster, *options: str, command: str = "true") -> str:
    """The id of a job that nobody but the test has submitted."""
    words = ["sbatch", "--parsable", "--output=/dev/null", *options, f"--wrap={command}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def told_again(done: Cooked) -> set[str]:
    """The items of which the cook says that Slurm runs them again."""
    words = [line for line in done.messages.splitlines() if "Slurm runs " in line]
    return set(re.findall(r"(\w+) \(job \d+(?:_\d+)?\)", "\n".join(words)))


def test_jobs_that_are_preempted_run_again_or_have_failed(bench: CookBench, cluster: TestCluster) -> None:
    more = """job_parms.slurm_partition = "spare"
        job_parms.slurm_exclusive = 1
        [nodes.other]
        type = "genericgenerator"
        parms.command = "sh -c 'touch other; exec sleep 600'"
        job_parms.slurm_partition = "scrap"
        job_parms.slurm_exclusive = 1
    """
    context = bench.load(network("sh -c 'echo x >> began; while [ ! -e gate ]; do sleep 0.05; done'", more=more))
    cook = bench.start(context)
    until(lambda: (bench.folder / "began").exists() and (bench.folder / "other").exists(), "both run")
    by_hand(cluster, "--partition=urgent", "--exclusive", "--nodes=2")
    until(lambda: (bench.folder / "began").read_text() == "x\nx\n", "one runs again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert told_again(done) == {"work_1"}
    (item,), (other,) = done.items("work"), done.items("other")
    assert (item.state.name, item.attempt) == ("CookedSuccess", 1), done.messages
    assert (other.state.name, other.ran().messages[0][:10]) == ("CookedFail", "preempted "), done.messages


def test_a_job_that_takes_more_memory_than_it_may_has_failed_with_that(bench: CookBench, cluster: TestCluster) -> None:
    """Slurm itself only says that it was killed, and the reason in the job's output; of two in one array each has its own."""
    command = f"sh -c 'test @pdg_index -eq 0 || exit 3; {GREEDY[7:]}"
    context = bench.load(network(command, count=2, parms='slurm_memory = "100M"\n        slurm_collect = 1.0'))
    done = bench.finish(context, bench.start(context))
    whys = {item.index: item.ran().messages[0] for item in done.items("work")}
    assert whys[0].startswith("out of memory (n"), done.messages
    assert whys[1] == "exit status 3"


def test_a_command_that_the_kernel_kills_for_its_memory_has_failed_with_that(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control groups end the command only: the wrapper lives, and Slurm is asked."""
    if not MEMORY_GROUPS.exists():
        pytest.skip(
            f"no {MEMORY_GROUPS}: Slurm 22.05 limits memory by control groups of version 1 where there is no systemd"
        )
    groups = "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\nConstrainRAMSpace=yes\nAllowedRAMSpace=100\n"
    with TestCluster(settings={"TaskPlugin": "task/cgroup"}, files={"cgroup.conf": groups}) as cluster:
        monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
        done = bench.cook(network(GREEDY, parms='slurm_memory = "60M"'))
    (item,) = done.items("work")
    assert item.state.name == "CookedFail"
    assert item.ran().messages[0].startswith("out of memory (n"), done.messages


def test_a_job_whose_dependency_is_never_satisfied_has_failed_and_is_gone(
    bench: CookBench, cluster: TestCluster
) -> None:
    never = by_hand(cluster, command="false")
    until(lambda: cluster.jobs()[never] == "FAILED", "the other has failed")
    before = set(cluster.jobs())
    done = bench.cook(network("true", parms=f'slurm_extraargs = "--dependency=afterok:{never}"'))
    (item,) = done.items("work")
    assert item.state.name == "CookedFail"
    assert "never succeeds" in item.ran().messages[0]
    (job,) = set(cluster.jobs()) - before
    assert cluster.jobs()[job] not in {"PENDING", "RUNNING"}


def test_what_somebody_does_to_jobs_by_hand_is_told_and_waited_for(bench: CookBench, cluster: TestCluster) -> None:
    """One is suspended, one is queued again, one queued again and held: each goes on when it may, and ends once."""
    command = "sh -c 'echo $TOPCOOK_SLURM_JOB >> began_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"
    context = bench.load(network(command, count=3, parms="slurm_maxarray = 1"))
    cook = bench.start(context)
    began = [bench.folder / f"began_{number}" for number in range(3)]
    until(lambda: all(path.exists() and path.read_text().endswith("\n") for path in began), "all run")
    suspended, again, held = (path.read_text().strip() for path in began)
    cluster.call("scontrol", "suspend", suspended)
    cluster.call("scontrol", "requeue", again)
    cluster.call("scontrol", "requeuehold", held)
    until(lambda: f"scontrol resume {suspended} lets them go on" in said(cook), "what is suspended is told")
    until(lambda: f"scontrol release {held} lets them go on" in said(cook), "what is held is told")
    cluster.call("scontrol", "resume", suspended)
    cluster.call("scontrol", "release", held)
    until(lambda: [len(path.read_text().split()) for path in began] == [1, 2, 2], "both run again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert {(item.state.name, item.attempt) for item in done.items("work")} == {("CookedSuccess", 1)}, done.messages
    assert told_again(done) == {"work_2", "work_3"}


def test_a_job_that_runs_again_is_told_also_where_slurm_was_not_asked_meanwhile(
    bench: CookBench, cluster: TestCluster
) -> None:
    """Its report is all that the cook hears, and what the job leaves in the directory."""
    command = "sh -c 'echo $TOPCOOK_SLURM_JOB >> began_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"
    text = network(command, count=2, parms="slurm_collect = 1.0").replace("slurm_poll = 1.0", "slurm_poll = 600.0")
    context = bench.load(text)
    cook = bench.start(context)
    began = [bench.folder / f"began_{number}" for number in range(2)]
    until(lambda: all(path.exists() and path.read_text().endswith("\n") for path in began), "both run")
    cluster.call("scontrol", "requeue", began[1].read_text().strip())
    until(lambda: len(began[1].read_text().split()) == 2, "one runs again")
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    assert told_again(done) == {"work_2"}


def test_a_job_that_asks_for_more_than_there_is_is_told(bench: CookBench, cluster: TestCluster) -> None:
    """Slurm takes it: the partition might be given more. It waits until somebody cancels it."""
    context = bench.load(network("true", parms="slurm_cpus = 100"))
    cook = bench.start(context)
    until(lambda: "sinfo -l shows it" in said(cook), "it is told")
    cook.cancel("by the test")
    bench.finish(context, cook)
    assert not set(cluster.jobs().values()) & {"PENDING", "RUNNING"}


def test_a_node_without_its_python_is_told_in_the_shells_words(
    bench: CookBench, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDG_PYTHON", "/no/such/python")
    done = bench.cook(network("true"))
    (item,) = done.items("work")
    assert item.state.name == "CookedFail"
    assert "/no/such/python" in item.ran().messages[0], done.messages
