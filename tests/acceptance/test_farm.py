"""A cook on a farm is killed and goes on: jobs that run are taken up, ends that nobody heard are found."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.gate import lines
from tests.acceptance.queuefarm import EXAMPLE, HEAD, queue_farm
from tests.waiting import until
from topcook.testkit.processfarm import ProcessFarm

NETWORK = (
    HEAD
    + """\
[nodes.make]
type = "genericgenerator"
[nodes.make.parms]
itemcount = 6
command = "sh $HIP/job.sh make_@pdg_index"
[nodes.after]
type = "genericgenerator"
inputs = ["make"]
[nodes.after.parms]
command = "sh $HIP/job.sh after_@pdg_index"
"""
)
#: Says that it began, waits for its gate, tells an attribute, says that it is done.
JOB = (
    'echo $1 $PDG_ITEM_ATTEMPT >> began\nwhile [ ! -e "gate_$1" ] && [ ! -e gate ]; do sleep 0.02; done\n'
    "PDG_RPC_RETRIES=0 python3 $PDG_SCRIPTDIR/pdgcmd.py setStringAttrib who $1\necho $1 >> done\n"
)


@pytest.fixture
def farm(shell: Shell) -> Iterator[ProcessFarm]:
    with queue_farm(shell, NETWORK, JOB) as farm:
        yield farm


def test_a_cook_that_was_killed_takes_its_jobs_up_again_and_runs_none_twice(shell: Shell, farm: ProcessFarm) -> None:
    work = shell.folder / "work"
    for name in ("make_0", "make_1", "after_0"):
        (work / f"gate_{name}").touch()
    engine = shell.start("cook", "net.toml")
    until(lambda: len(lines(work / "done")) >= 2 and len(lines(work / "began")) >= 6)
    engine.send_signal(signal.SIGKILL)
    engine.wait(60)
    # One ends while nobody listens; what it tells, and that it ended, waits on disk.
    (work / "gate_make_2").touch()
    until(lambda: list(work.glob("pdgtemp/*/ends/*-3-1.json")))
    going_on = shell.start("cook", "net.toml", "--resume", "--report", "report.json")
    until(lambda: not list(work.glob("pdgtemp/*/ends/*-3-1.json")))
    (work / "gate").touch()
    out, err = going_on.communicate(timeout=120)
    assert going_on.returncode == 0, out + err
    # What was handed over, and had not reached the farm when the cook was killed, comes as its second attempt.
    began = Counter(line.split()[0] for line in lines(work / "began"))
    assert began == {f"{node}_{number}": 1 for node in ("make", "after") for number in range(6)}
    items = shell.report()["items"]
    assert {item["state"] for item in items} <= {"CookedSuccess", "CookedCache"}
    who = {attribute["value"][0] for item in items if (attribute := item["attributes"].get("who"))}
    assert who == {f"{node}_{number}" for node in ("make", "after") for number in range(6)}


def test_a_whole_network_is_one_job_of_the_farm(shell: Shell, farm: ProcessFarm) -> None:
    shell.write("net.toml", NETWORK.replace('"queue"', '"localscheduler"', 1))
    (shell.folder / "work" / "gate").touch()
    done = shell.run("submit", "net.toml", "--scheduler", "queue")
    (job,) = farm.jobs()
    assert done.stdout.strip().endswith(f"{job}.json")
    until(lambda: farm.jobs()[job]["phase"] not in {"queued", "running"})
    assert farm.jobs()[job]["phase"] == "succeeded", farm.jobs()
    assert Counter(lines(shell.folder / "work" / "done")) == {
        f"{n}_{i}": 1 for n in ("make", "after") for i in range(6)
    }


#: Does not come back from the hand-over of a second attempt, once.
STRUCK = """
    def onSchedule(self, work_item):
        import signal
        from topcook.author import attempt_token
        mark = os.path.join(os.environ["HIP"], "struck")
        if not attempt_token(self, work_item).endswith("-1") and not os.path.exists(mark):
            open(mark, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.keep(work_item)

    def keep(self, work_item):
"""


def test_the_job_of_an_attempt_that_failed_is_not_taken_for_that_of_the_next_one(
    shell: Shell, farm: ProcessFarm
) -> None:
    """Killed when the second attempt was written down, and the farm had not got it: what it has is the first."""
    source = EXAMPLE.read_text()
    assert "    def onSchedule(self, work_item):\n" in source
    shell.write("types/queuefarm.py", source.replace("    def onSchedule(self, work_item):\n", STRUCK.lstrip("\n")))
    shell.environment["HIP"] = str(shell.folder)
    shell.write(
        "net.toml",
        NETWORK.replace("itemcount = 6", "itemcount = 1\npdg_retries = 1").replace(
            "sh $HIP/job.sh make_@pdg_index", "sh -c 'echo x >> $HIP/runs; test $(wc -l < $HIP/runs) = 2'"
        ),
    )
    (shell.folder / "work" / "gate").touch()
    killed = shell.start("cook", "net.toml")
    assert killed.wait(120) == -signal.SIGKILL
    assert len(farm.jobs()) == 1
    report = shell.cook("net.toml", "--resume")
    assert {item["state"] for item in report["items"]} == {"CookedSuccess"}
    assert lines(shell.folder / "runs") == ["x", "x"]
