"""Clusters that a cook starts on this machine: as they were asked for, and gone with it, however it goes."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_bench import MARK, cook_process, heirs, network, until_in
from dask_bench import until

from topcook.testkit.cookbench import CookBench
from topcook_dask.clusters import cluster_spec
from topcook_dask.connect import Connection, connect
from topcook_dask.settings import BadClusterError, ConnectError, Settings

Start = Callable[..., Connection]
SLEEP = "sh -c 'touch began_@pdg_index; exec sleep {mark}'"


@pytest.fixture
def start(mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start clusters; they are gone when the test is over."""
    monkeypatch.setenv(MARK, mark)
    connections = []

    def start(say: Callable[[str], None] = print, **parms: Any) -> Connection:
        connections.append(connect(Settings(**parms), logs=str(tmp_path / "logs"), say=say))
        return connections[-1]

    yield start
    for each in connections:
        each.close()
    until(lambda: not heirs(mark), "all its processes are gone")


def workers(connection: Connection) -> list[dict[str, Any]]:
    # A function in here goes over as it is: this module is none over there.
    def ask(dask_scheduler: Any) -> list[dict[str, Any]]:
        return [
            {"threads": each.nthreads, "memory": each.memory_limit, "resources": dict(each.resources)}
            for each in dask_scheduler.workers.values()
        ]

    return list(connection.client.run_on_scheduler(ask))


@pytest.mark.engine
def test_workers_are_as_they_were_asked_for(start: Start, mark: str) -> None:
    connection = start(count=2, threads=3, workermemory="300MB", workerresources="slots=2 gpu=0.5")
    assert connection.owned
    asked = {"threads": 3, "memory": 300_000_000, "resources": {"slots": 2.0, "gpu": 0.5}}
    assert workers(connection) == [asked, asked]
    assert connection.dashboard.startswith("http://127.0.0.1:")
    assert heirs(mark)
    connection.close()
    until(lambda: not heirs(mark), "they are gone")


@pytest.mark.engine
def test_a_started_cluster_can_be_encrypted(start: Start) -> None:
    connection = start(count=1, encrypt=True)
    address = connection.client.scheduler.address
    assert address.startswith("tls://")
    assert connection.client.submit(sum, (20, 22)).result(timeout=120) == 42
    with pytest.raises(ConnectError):
        connect(Settings(address=address, connecttimeout=1.0))


@pytest.mark.engine
def test_there_are_as_many_workers_as_there_is_work_for(start: Start, tmp_path: Path) -> None:
    connection = start(minimum=0, maximum=2, threads=1, idle=1.0)
    assert workers(connection) == []
    gate = str(tmp_path / "gate")

    def wait(_number: int) -> None:
        import os
        import time

        while not os.path.exists(gate):
            time.sleep(0.05)

    futures = connection.client.map(wait, range(8), pure=False)
    until(lambda: len(workers(connection)) == 2, "two have come")
    Path(gate).touch()
    connection.client.gather(futures)
    del futures
    until(lambda: workers(connection) == [], "they are released")
    assert connection.client.submit(sum, (20, 22)).result(timeout=120) == 42


@pytest.mark.engine
def test_a_cluster_ends_with_the_process_that_holds_it(start: Start, mark: str) -> None:
    said: list[str] = []
    connection = start(said.append, count=2)
    (holder,) = [pid for pid in heirs(mark) if b"clusterhost" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(holder, signal.SIGKILL)
    until(lambda: not heirs(mark), "its workers are gone, too")
    until(lambda: said, "it is told")
    assert said == ["the cluster on local: the process that holds it has ended with status -9"]
    assert said[0].partition(": ")[2] in connection.waits_for()


@pytest.mark.engine
def test_what_keeps_a_cluster_from_starting_is_told(start: Start) -> None:
    with pytest.raises(ConnectError, match=r"dask_cluster is local\) could not be started: .*\n    its log is "):
        start(host="192.0.2.1")


@pytest.mark.engine
def test_a_cook_without_a_cluster_has_one_of_its_own(bench: CookBench, mark: str) -> None:
    with cook_process(bench.folder, network("", "true", count=20), mark) as cook:
        assert cook.wait(180) == 0, (bench.folder / "out.txt").read_text()
        until(lambda: not heirs(mark), "its cluster is gone, too")
    items = json.loads((bench.folder / "report.json").read_text())["items"]
    assert [item["state"] for item in items] == ["CookedSuccess"] * 20
    assert "lies on a disk of this machine" not in (bench.folder / "out.txt").read_text()


@pytest.mark.engine
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_cook_that_is_ended(bench: CookBench, mark: str, by: signal.Signals) -> None:
    text = network("dask_count = 2", SLEEP.format(mark=mark), count=2)
    with cook_process(bench.folder, text, mark) as cook:
        until_in(cook, bench.folder, lambda: len(list(bench.folder.glob("began_*"))) == 2, "both run")
        cook.send_signal(by)
        cook.wait(120)
        until(lambda: not heirs(mark), "nothing is left")


@pytest.mark.engine
def test_a_cook_that_died_with_its_cluster_goes_on_with_another_one(bench: CookBench, mark: str) -> None:
    """What had ended stays so, what ran is ended and runs again."""
    wait = "while [ ! -e gate ]; do sleep 0.05; done"
    command = f"sh -c 'echo x >> began_@pdg_index; [ @pdg_index -eq 0 ] || {wait}; echo x >> done_@pdg_index'"
    text = network("dask_count = 2\n        dask_threads = 1", command, count=4)
    folder = bench.folder
    with cook_process(folder, text, mark) as cook:
        until_in(cook, folder, lambda: " cooked in " in (folder / "out.txt").read_text(), "one has ended")
        until_in(cook, folder, lambda: len(list(folder.glob("began_*"))) == 3, "two others run")
        ran = [path for path in folder.glob("began_*") if path.name != "began_0"]
        cook.kill()
        cook.wait()
        # Room for all that is left: which of them begin first is Dask's own affair.
        more = text.replace("dask_count = 2", "dask_count = 3")
        # Before all of the old cluster has ended: nobody waits for that.
        with cook_process(folder, more, f"{mark}9", "--resume") as again:
            until_in(again, folder, lambda: all(path.read_text() == "x\nx\n" for path in ran), "what ran runs again")
            until(lambda: not heirs(mark), "nothing is left of the old cluster")
            (folder / "gate").touch()
            assert again.wait(180) == 0, (folder / "out.txt").read_text()
    assert (folder / "began_0").read_text().split() == ["x"]
    assert [(folder / f"done_{index}").read_text().split() for index in range(4)] == [["x"]] * 4
    states = {item["state"] for item in json.loads((folder / "report.json").read_text())["items"]}
    assert states <= {"CookedSuccess", "CookedCache"}


@pytest.mark.engine
def test_workers_are_released_while_a_cook_waits_for_others_and_come_again(bench: CookBench, mark: str) -> None:
    parms = "dask_maximum = 2\n        dask_threads = 1\n        dask_idle = 0.5"
    more = """
        [nodes.gate]
        type = "genericgenerator"
        inputs = ["work"]
        scheduler = "localscheduler"
        parms.command = "sh -c 'while [ ! -e gate ]; do sleep 0.05; done'"
        [nodes.later]
        type = "genericgenerator"
        inputs = ["gate"]
        parms.command = "sh -c 'echo $PPID > worker_later_@pdg_index'"
    """
    folder = bench.folder
    text = network(parms, "sh -c 'echo $PPID > worker_@pdg_index'", count=4, more=more)
    with cook_process(folder, text, mark) as cook:
        until_in(
            cook, folder, lambda: (folder / "out.txt").read_text().count(" cooked in ") == 4, "the first have ended"
        )
        first = {int(path.read_text()) for path in folder.glob("worker_*")}
        until_in(cook, folder, lambda: not first & set(heirs(mark)), "the workers that ran them are released")
        (folder / "gate").touch()
        assert cook.wait(180) == 0, (folder / "out.txt").read_text()
    assert not first & {int(path.read_text()) for path in folder.glob("worker_later_*")}


def test_a_cluster_that_nobody_knows_is_told_with_those_there_are() -> None:
    with pytest.raises(BadClusterError) as refused:
        cluster_spec(Settings(cluster="cloud"))
    assert str(refused.value) == ('dask_cluster: there is no "cloud"\n    one of local, slurm, pbs, lsf, sge, htcondor')


def test_more_at_least_than_at_most_is_refused() -> None:
    with pytest.raises(BadClusterError, match="dask_minimum is 3, more than dask_maximum, which is 2"):
        cluster_spec(Settings(minimum=3, maximum=2))


def test_what_is_no_resource_of_a_worker_is_told() -> None:
    with pytest.raises(BadClusterError, match='dask_workerresources: "gpu" is no resource'):
        cluster_spec(Settings(workerresources="slots=1 gpu"))


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(BadClusterError) as refused:
        cluster_spec(Settings(cluster="slurm"))
    assert 'pip install "topcook-dask[jobqueue]"' in str(refused.value)


def test_a_local_cluster_is_what_dask_makes_of_it_where_nothing_is_said() -> None:
    spec = cluster_spec(Settings())
    assert spec["class"] == "distributed.LocalCluster"
    assert spec["options"]["n_workers"] is None
