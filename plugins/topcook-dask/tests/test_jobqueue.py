"""Workers as jobs of a batch system: the script of each kind, and a real Slurm on which they come and go."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import dask_jobqueue
import pytest
from cluster_bench import cook_process, heirs, network, until_in
from dask_bench import until
from distributed import Security

from topcook.testkit.cookbench import CookBench
from topcook.testkit.fixtures import skip_without
from topcook_dask.batchjob import job_class
from topcook_dask.clusterhost import Jobs
from topcook_dask.clusters import cluster_spec
from topcook_dask.connect import connect
from topcook_dask.settings import BadClusterError, ConnectError, Settings

sys.path.append(str(Path(__file__).parents[2] / "topcook-slurm" / "src"))

from topcook_slurm.testcluster import TestCluster, missing_programs

#: What a job of workers takes on the cluster of the tests, and where the scheduler listens there.
ASKED: dict[str, Any] = {"cluster": "slurm", "threads": 2, "workermemory": "500MB", "host": "127.0.0.1"}
PARMS = """
        dask_cluster = "slurm"
        dask_threads = 2
        dask_workermemory = "500MB"
        dask_host = "127.0.0.1"
"""
SLEEP = "sh -c 'touch began_@pdg_index; exec sleep {mark}'"


@pytest.fixture(scope="module")
def machines() -> Iterator[TestCluster]:
    skip_without(missing_programs(), "apt-get install slurm-wlm munge")
    with TestCluster() as cluster:
        yield cluster


@pytest.fixture
def slurm(machines: TestCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestCluster]:
    """Slurm, whole and empty when the test is over."""
    monkeypatch.setenv("SLURM_CONF", machines.environment["SLURM_CONF"])
    yield machines
    machines.mend()


def alive(slurm: TestCluster) -> dict[str, str]:
    """The jobs that wait or run."""
    return {job: state for job, state in slurm.jobs().items() if state in {"PENDING", "RUNNING"}}


def script(security: Security | None = None, **parms: Any) -> str:
    """The script of a job, as it is submitted."""
    spec = cluster_spec(Settings(**parms), name="topcook net")
    options = {name: value for name, value in spec["options"].items() if name != "scheduler_options"}
    base = getattr(dask_jobqueue, spec["class"].rpartition(".")[2]).job_cls
    job = job_class(base, Jobs(parms["cluster"], "", lambda **_: None))
    return str(job("tcp://10.0.0.1:8786", name="w1", security=security, **options).job_script())


DIRECTIVES = {
    "slurm": """
        #SBATCH -J topcook_net
        #SBATCH -p render
        #SBATCH -A show
        #SBATCH -t 02:00:00
        #SBATCH --cpus-per-task=8
        #SBATCH --mem=8G
        #SBATCH --more
        """,
    "pbs": """
        #PBS -N topcook_net
        #PBS -q render
        #PBS -A show
        #PBS -l walltime=02:00:00
        #PBS -l select=1:ncpus=8:mem=7630MB
        #PBS --more
        """,
    "lsf": """
        #BSUB -J topcook_net
        #BSUB -q render
        #BSUB -P "show"
        #BSUB -W 02:00
        #BSUB -n 8
        #BSUB --more
        """,
    "sge": """
        #$ -N topcook_net
        #$ -q render
        #$ -P show
        #$ -l h_rt=02:00:00
        #$ --more
        """,
}


@pytest.mark.parametrize("kind", DIRECTIVES)
def test_a_job_of_a_batch_system_asks_for_what_was_said(kind: str) -> None:
    text = script(
        cluster=kind,
        threads=4,
        processes=2,
        workermemory="4GB",
        workerresources="slots=4 gpu=1",
        queue="render",
        account="show",
        walltime="02:00" if kind == "lsf" else "02:00:00",
        directives="--more\n",
        prologue="module load dask\nulimit -n 4096",
        scratch="/scratch/my dir",
        workerargs="--lifetime '1 h'",
        python="/opt/dask 3/bin/python",
        deathtimeout=90.0,
    )
    written = text.splitlines()
    assert {line.strip() for line in DIRECTIVES[kind].strip().splitlines()} <= set(written)
    assert written[written.index("module load dask") + 1] == "ulimit -n 4096"
    worker = written[-1] or written[-2]
    assert worker.startswith("'/opt/dask 3/bin/python' -m distributed.cli.dask_worker tcp://10.0.0.1:8786 --name w1 ")
    for words in (
        "--nthreads 4 ",
        "--nworkers 2 ",
        "--death-timeout 90 ",
        "--local-directory '/scratch/my dir' ",
        "--lifetime '1 h' ",
        "--resources 'slots=4 gpu=1'",
    ):
        assert words in worker + " "


def test_a_resource_of_many_digits_reaches_workers_as_it_was_said() -> None:
    text = script(cluster="slurm", threads=1, workermemory="1GB", workerresources="bytes=12345678901 share=0.5")
    assert "--resources 'bytes=12345678901 share=0.5'" in text


def test_a_job_of_htcondor_asks_for_what_was_said() -> None:
    text = script(
        cluster="htcondor", threads=4, workermemory="4GB", disk="1GB", directives="Rank = Memory", prologue="source env"
    )
    for line in (
        "batch_name = topcook_net",
        "MY.DaskWorkerCores = 4",
        "MY.DaskWorkerMemory = 4000000000",
        "MY.DaskWorkerDisk = 1000000000",
    ):
        assert line in text.splitlines()
    assert "Rank = Memory" in text.splitlines()
    assert "'source env; " in text
    assert "-m distributed.cli.dask_worker tcp://10.0.0.1:8786 --name w1 --nthreads 4 " in text


@pytest.mark.parametrize(
    ("kind", "label", "names"),
    [
        ("htcondor", "HTCondor", ("queue", "account", "walltime", "resourcespec")),
        ("slurm", "Slurm", ("resourcespec", "disk")),
        ("pbs", "PBS", ("disk",)),
        ("lsf", "LSF", ("resourcespec", "disk")),
        ("sge", "SGE", ("disk",)),
    ],
)
def test_what_a_batch_system_has_not_is_told(kind: str, label: str, names: tuple[str, ...]) -> None:
    for name in names:
        with pytest.raises(BadClusterError, match=f"dask_{name}: {label} has none"):
            cluster_spec(Settings(cluster=kind, **{name: "show"}))


def test_a_directive_that_is_none_of_htcondor_is_told() -> None:
    with pytest.raises(BadClusterError, match='dask_directives: "--more" is none of HTCondor'):
        cluster_spec(Settings(cluster="htcondor", directives="--more"))


def test_a_name_is_no_longer_than_older_pbs_takes_it() -> None:
    spec = cluster_spec(Settings(cluster="pbs"), name="topcook-a_long_name")
    assert spec["options"]["job_name"] == "topcook-a_long_"


@pytest.mark.parametrize("kind", DIRECTIVES)
def test_directories_with_a_space_are_one_word_for_engine_and_shell(kind: str, tmp_path: Path) -> None:
    logs = tmp_path / "my logs"
    security = Security(tls_ca_file="/my show/ca.pem", tls_worker_cert="cert.pem", tls_worker_key="key.pem")
    text = script(cluster=kind, threads=1, workermemory="1GB", logdir=str(logs), security=security)
    printed = [shlex.split(line)[2] for line in text.splitlines() if line.startswith("#") and " -o " in line]
    assert len(printed) == 1
    assert printed[0].startswith(f"{logs}/")
    assert "--tls-ca-file '/my show/ca.pem'" in text


@pytest.mark.parametrize("line", ["#PBS -l select=1:ncpus=2:mem=4gb", "#$ -l h_vmem=4G"])
def test_a_resource_list_stands_in_the_script_in_the_batch_systems_words(line: str) -> None:
    mark, _, words = line.split()
    kind = {"#PBS": "pbs", "#$": "sge"}[mark]
    assert line in script(cluster=kind, threads=1, workermemory="1GB", resourcespec=words).splitlines()


def test_what_is_blank_is_what_a_section_of_the_sites_own_configuration_says() -> None:
    site = {**dask.config.get("jobqueue.slurm"), "queue": "night", "walltime": "12:00:00"}
    with dask.config.set({"jobqueue.site": site}):
        text = script(cluster="slurm", threads=1, workermemory="1GB", jobqueueconfig="site", walltime="01:00:00")
    assert {"#SBATCH -p night", "#SBATCH -t 01:00:00"} <= set(text.splitlines())


def test_scheduler_and_workers_listen_where_it_is_said() -> None:
    asked: dict[str, Any] = {"cluster": "slurm", "threads": 1, "workermemory": "1GB"}
    assert "--interface ib0" in script(**asked, interface="ib0")
    options = cluster_spec(Settings(**asked, host="farm1", port=8786, dashboard=":8787"))["options"]
    assert options["scheduler_options"] == {"host": "farm1", "port": 8786, "dashboard_address": ":8787"}
    listen = {"host": "farm1", "scheduler_port": 8786, "dashboard_address": ":8787", "interface": "ib0"}
    local = cluster_spec(Settings(host="farm1", port=8786, dashboard=":8787", interface="ib0"))["options"]
    assert listen.items() <= local.items()


def test_an_amount_of_memory_that_is_none_is_told() -> None:
    with pytest.raises(BadClusterError, match='dask_workermemory: "lots" is no amount of memory'):
        cluster_spec(Settings(cluster="slurm", threads=1, workermemory="lots"))


def test_a_job_that_does_not_say_what_it_takes_is_refused_with_the_parms_that_say_it() -> None:
    with pytest.raises(ConnectError, match='dask_threads = 4 and dask_workermemory = "8GB"'):
        connect(Settings(cluster="pbs"))
    with pytest.raises(ConnectError, match='dask_disk = "1GB"'):
        connect(Settings(cluster="htcondor", threads=1, workermemory="1GB"))


@pytest.mark.engine
def test_items_cook_in_allocations_of_slurm_which_are_released(bench: CookBench, slurm: TestCluster, mark: str) -> None:
    text = network(PARMS + "dask_count = 2", "sh -c 'echo $SLURM_JOB_ID > ran_@pdg_index'", count=30)
    before = set(slurm.jobs())
    with cook_process(bench.folder, text, mark) as cook:
        assert cook.wait(180) == 0, (bench.folder / "out.txt").read_text()
    until(lambda: not alive(slurm), "no job is left")
    until(lambda: not heirs(mark), "no process is left")
    items = json.loads((bench.folder / "report.json").read_text())["items"]
    assert [item["state"] for item in items] == ["CookedSuccess"] * 30
    assert "lies on a disk of this machine" in (bench.folder / "out.txt").read_text(), "nodes may not see it"
    ran = {(bench.folder / f"ran_{index}").read_text().strip() for index in range(30)}
    assert ran
    assert ran <= set(slurm.jobs()) - before


@pytest.mark.engine
def test_what_slurm_refuses_ends_the_start_with_its_words(slurm: TestCluster, tmp_path: Path) -> None:
    with pytest.raises(ConnectError) as refused:
        connect(Settings(**ASKED, queue="nosuch"), logs=str(tmp_path))
    assert "dask_cluster is slurm) could not be started: " in str(refused.value)
    assert "Invalid partition name specified" in str(refused.value)
    assert str(tmp_path / "dask-cluster.log") in str(refused.value)


@pytest.mark.engine
def test_jobs_whose_workers_do_not_come_are_named_with_slurms_reason(slurm: TestCluster, tmp_path: Path) -> None:
    connection = connect(Settings(**ASKED, queue="down", count=2), logs=str(tmp_path))
    try:
        until(lambda: connection.waits_for().count("(pending partitiondown)") == 2, "the reason is told")
        assert connection.waits_for().startswith("workers have not come from slurm: ")
    finally:
        connection.close()
    assert not alive(slurm)


@pytest.mark.engine
def test_jobs_that_end_before_their_workers_come_are_told_and_not_sent_for_ever(
    slurm: TestCluster, tmp_path: Path
) -> None:
    said: list[str] = []
    connection = connect(Settings(**ASKED, prologue="exit 3"), logs=str(tmp_path), say=said.append)
    try:
        until(lambda: len(said) == 3, "three of them are told")
        assert f"has ended before its worker came: see {tmp_path}; another is submitted" in said[0]
        assert "no other is submitted for it" in said[2]
        until(lambda: "(ended)" in connection.waits_for(), "what is missing is named")
    finally:
        connection.close()


@pytest.mark.engine
def test_workers_are_released_when_there_is_nothing_to_do_and_come_again(slurm: TestCluster, tmp_path: Path) -> None:
    connection = connect(Settings(**ASKED, idle=1.0), logs=str(tmp_path))
    try:
        assert connection.client.submit(sum, (20, 22), pure=False).result(timeout=120) == 42
        until(lambda: not alive(slurm), "it is released")
        assert connection.client.submit(sum, (20, 22), pure=False).result(timeout=120) == 42
    finally:
        connection.close()


@pytest.mark.engine
def test_a_worker_whose_job_is_ended_is_replaced(
    slurm: TestCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Dask's own patience with a worker that is lost.
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "1s")
    connection = connect(Settings(**ASKED), logs=str(tmp_path))
    try:
        connection.client.wait_for_workers(1, timeout=60)
        (job,) = alive(slurm)
        slurm.call("scancel", job)
        until(lambda: alive(slurm).keys() - {job}, "another runs")
        assert connection.client.submit(sum, (20, 22)).result(timeout=120) == 42
    finally:
        connection.close()
    assert not alive(slurm)


@pytest.mark.engine
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("queue", ["farm", "down"])
def test_a_cook_that_is_ended_leaves_no_job(
    bench: CookBench, slurm: TestCluster, mark: str, by: signal.Signals, queue: str
) -> None:
    text = network(PARMS + f'dask_count = 2\n        dask_queue = "{queue}"', SLEEP.format(mark=mark), count=2)
    with cook_process(bench.folder, text, mark) as cook:
        if queue == "farm":
            until_in(cook, bench.folder, lambda: len(list(bench.folder.glob("began_*"))) == 2, "both run")
        else:
            until_in(cook, bench.folder, lambda: len(alive(slurm)) == 2, "both jobs wait")
        cook.send_signal(by)
        cook.wait(120)
        until(lambda: not alive(slurm), "no job is left")
        until(lambda: not heirs(mark), "no process is left")


@pytest.mark.engine
def test_a_job_that_starts_when_nobody_is_left_ends_by_itself(slurm: TestCluster, mark: str, tmp_path: Path) -> None:
    connection = connect(Settings(**ASKED, queue="down", deathtimeout=2.0), logs=str(tmp_path))
    (job,) = alive(slurm)
    # As when the machine of the cook is switched off: nobody is there who would cancel it.
    connection._cluster._process.kill()  # type: ignore[union-attr]
    connection.close()
    slurm.call("scontrol", "update", "PartitionName=down", "State=UP")
    try:
        until(lambda: job not in alive(slurm), "its worker has given up")
    finally:
        slurm.call("scontrol", "update", "PartitionName=down", "State=DOWN")
