"""Jobs that somebody deletes on a farm while the cook goes on, and those that never got there, in what a person sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.queuefarm import HEAD, queue_farm
from tests.waiting import until
from topcook.testkit.processfarm import ProcessFarm

NETWORK = (
    HEAD
    + """\
pdg_tickperiod = 0.1
[nodes.make]
type = "genericgenerator"
parms.itemcount = 3
parms.command = "sh $HIP/job.sh @pdg_index"
[nodes.after]
type = "genericgenerator"
inputs = ["make"]
parms.command = "true"
"""
)
#: The first waits for nothing.
JOB = 'touch "$HIP/began_$1"; while [ "$1" != 0 ] && [ ! -e "$HIP/gate" ]; do sleep 0.05; done\n'


@pytest.fixture
def farm(shell: Shell) -> Iterator[ProcessFarm]:
    with queue_farm(shell, NETWORK, f"HIP={shell.folder}\n{JOB}") as farm:
        yield farm


def test_items_whose_jobs_somebody_deleted_are_in_the_summary_with_the_reason(shell: Shell, farm: ProcessFarm) -> None:
    # Where there is a bar nothing else tells of them.
    cook = shell.start("cook", "net.toml", "--progress", "off")
    until(lambda: len(list(shell.folder.glob("began_*"))) == 3)
    until(lambda: len([job for job, said in farm.jobs().items() if said["phase"] == "running"]) == 2)
    running = [job for job, said in farm.jobs().items() if said["phase"] == "running"]
    farm.cancel(running)
    out, err = cook.communicate(timeout=120)
    assert cook.returncode == 1, err
    assert "2 blocked, 2 canceled" in out
    assert "make_2, make_3: canceled: deleted\n" in out, out


def test_no_log_is_named_of_a_job_that_never_wrote_one(shell: Shell, farm: ProcessFarm) -> None:
    shell.write(
        "net.toml", NETWORK.replace('"sh $HIP/job.sh @pdg_index"', '"sh $HIP/job.sh @pdg_index"\nfiles = ["no"]')
    )
    done = shell.run("cook", "net.toml", "--report", "report.json", status=1)
    assert all(item["log_uri"] for item in shell.report()["items"] if item["state"] == "CookedFail")
    assert "3 failed" in done.stdout
    assert "log:" not in done.stdout
    assert '"make_1" has no log' in shell.run("logs", "net.toml", "make_1", status=2).stderr
