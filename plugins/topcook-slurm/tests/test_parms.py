"""Every parm of jobs, as a real Slurm has understood it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest
from slurm_bench import network, until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.options import JOB_PARMS, options
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

#: Each parm, a value, and what ``scontrol show job`` says of it then.
SHOWN = {
    "partition": ('"night"', "Partition=night"),
    "account": ('"show"', "Account=show"),
    "cpus": ("2", "CPUs/Task=2"),
    "memory": ('"100M"', "MinMemoryNode=100M"),
    "gres": ('"tape:1"', "TresPerNode=gres:tape:1"),
    "constraint": ('"fast"', "Features=fast"),
    "time": ('"7"', "TimeLimit=00:07:00"),
    "nice": ("9", "Nice=9"),
    "priority": ('"77"', "Priority=77"),
    "reservation": ('"shift"', "Reservation=shift"),
    "exclusive": ("1", "OverSubscribe=NO"),
    "nodelist": ('"n2"', "ReqNodeList=n2"),
    "exclude": ('"n1"', "ExcNodeList=n1"),
    "mailtype": ('"FAIL"', "MailType=FAIL"),
    "mailuser": ('"td@example.org"', "MailUser=td@example.org"),
    "requeue": ("0", "Requeue=0"),
    "extraargs": ('"--contiguous"', "Contiguous=1"),
}
#: What it does not show: without accounting there is no QOS, and the environment and the array are seen otherwise.
OTHERWISE = {"qos", "export", "simultaneous"}
COMMAND = "sh -c 'echo ${CANARY:-none} ${GIVEN:-none} > began_@pdg_index; while [ ! -e gate ]; do sleep 0.05; done'"


@pytest.fixture(scope="module")
def slurm() -> Iterator[TestCluster]:
    """A cluster that has what is asked for."""
    with TestCluster(
        settings={"GresTypes": "tape"},
        node="Gres=tape:2 Feature=fast",
        lines=["PartitionName=night Nodes=n[1-2] State=UP"],
        files={"gres.conf": "NodeName=n[1-2] Name=tape Count=2\n"},
    ) as cluster:
        yield cluster


@pytest.fixture
def reservation(cluster: TestCluster) -> Iterator[str]:
    """A reservation of a node, for as long as the test takes."""
    user = cluster.call("id", "-un").strip()
    words = ("ReservationName=shift", "StartTime=now", "Duration=600", f"Users={user}", "Nodes=n2")
    yield cluster.call("scontrol", "create", "reservation", *words)

    def gone() -> bool:
        with suppress(subprocess.CalledProcessError):
            cluster.call("scontrol", "delete", "ReservationName=shift")
        return "shift" not in cluster.call("scontrol", "show", "reservation")

    # While jobs of it end, it cannot be deleted.
    cluster.call("scancel", "--quiet", "--user", user)
    until(gone, "the reservation is deleted")


def test_every_parm_is_known_here() -> None:
    assert {*SHOWN, *OTHERWISE} == set(JOB_PARMS)


@pytest.mark.usefixtures("reservation")
def test_every_parm_reaches_slurm(bench: CookBench, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "sings")
    given = "\n        ".join(f"slurm_{name} = {value}" for name, (value, _) in SHOWN.items())
    more = (
        'slurm_export = "NONE"\n        slurm_simultaneous = 1\n        slurm_collect = 3.0\n        slurm_envmulti = 1'
    )
    more += '\n        slurm_envname1 = "GIVEN"\n        slurm_envvalue1 = "a b"'
    context = bench.load(network(COMMAND, count=2, parms=f"{given}\n        {more}"))
    cook = bench.start(context)
    until(lambda: (bench.folder / "began_0").exists() and (bench.folder / "began_0").read_text(), "one runs")
    jobs = cluster.call("scontrol", "--oneliner", "show", "job").splitlines()
    (bench.folder / "gate").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked", done.account
    (runs,) = [line.split() for line in jobs if "JobState=RUNNING" in line]
    assert {name: words in runs for name, (_, words) in SHOWN.items()} == dict.fromkeys(SHOWN, True)
    # Of the array one task at a time.
    assert any("ArrayTaskThrottle=1" in line for line in jobs)
    # Nothing of the environment here, and what the parms say.
    assert (bench.folder / "began_0").read_text() == "none a b\n"


def test_the_qos_reaches_slurm(cluster: TestCluster) -> None:
    words = ["sbatch", "-vv", "--hold", "--output=/dev/null", *options({**JOB_PARMS, "qos": "high"}), "--wrap=true"]
    done = subprocess.run(words, env=dict(os.environ), capture_output=True, text=True, check=True, timeout=60)
    assert ["qos", ":", "high"] in [line.removeprefix("sbatch: ").split() for line in done.stderr.splitlines()]


def test_the_status_address_is_made_as_the_parm_says(bench: CookBench, cluster: TestCluster) -> None:
    done = bench.cook(network("true", count=2, parms='slurm_statusurl = "https://portal/{job}?show"'))
    host = done.context.core.host("farm")
    assert done.outcome == "cooked", done.account
    said = {host.instance.getStatusURI(item) for item in done.items("work")}
    assert len(said) == 2
    assert {url.removeprefix("https://portal/").removesuffix("?show") for url in said} <= set(cluster.jobs())
