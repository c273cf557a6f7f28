"""Workers as jobs of Grid Engine: a real one, on which they come and go."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_bench import MARK, cook_process, heirs, network, until_in
from dask_bench import until
from gridengine import GridEngine, missing_programs

from topcook.testkit.cookbench import CookBench
from topcook.testkit.fixtures import skip_without
from topcook_dask.connect import connect
from topcook_dask.settings import ConnectError, Settings

pytestmark = pytest.mark.engine

#: What a job of workers takes on the cluster of the tests, and where the scheduler listens there.
ASKED: dict[str, Any] = {"cluster": "sge", "threads": 2, "workermemory": "500MB", "host": "127.0.0.1"}
PARMS = """
        dask_cluster = "sge"
        dask_threads = 2
        dask_workermemory = "500MB"
        dask_host = "127.0.0.1"
        dask_directives = "-v {name}={mark}"
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[GridEngine]:
    skip_without(missing_programs(), "apt-get install gridengine-master gridengine-exec")
    with GridEngine() as engine:
        yield engine


@pytest.fixture
def engine(machine: GridEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[GridEngine]:
    """Grid Engine, whole and empty when the test is over."""
    for name, value in machine.environment.items():
        monkeypatch.setenv(name, value)
    yield machine
    machine.mend()


def parms(mark: str, more: str = "") -> str:
    return PARMS.format(name=MARK, mark=mark) + "".join(f"        {line.strip()}\n" for line in more.splitlines())


def test_items_cook_in_jobs_of_grid_engine_which_come_with_work_and_go(
    bench: CookBench, engine: GridEngine, mark: str
) -> None:
    # Directives are read by words.
    folder = bench.folder / "my show"
    folder.mkdir()
    text = network(parms(mark, "dask_maximum = 2"), "sh -c 'echo $JOB_ID > ran_@pdg_index'", count=30)
    with cook_process(folder, text, mark) as cook:
        assert cook.wait(180) == 0, (folder / "out.txt").read_text()
        until(lambda: not engine.jobs(), "no job is left")
        until(lambda: not heirs(mark), "no process is left")
    items = json.loads((folder / "report.json").read_text())["items"]
    assert [item["state"] for item in items] == ["CookedSuccess"] * 30
    ran = {(folder / f"ran_{index}").read_text().strip() for index in range(30)}
    assert all(job.isdigit() for job in ran), "each has run in a job of Grid Engine"
    printed = [path for path in folder.glob("**/logs/topcook-farm.o*") if "Worker" in path.read_text()]
    assert {path.suffix.removeprefix(".o") for path in printed} >= ran, "what workers print lies in the cook's logs"


def test_what_grid_engine_refuses_ends_the_start_with_its_words(engine: GridEngine, tmp_path: Path) -> None:
    with pytest.raises(ConnectError) as refused:
        connect(Settings(**ASKED, queue="nosuch"), logs=str(tmp_path))
    assert "dask_cluster is sge) could not be started: " in str(refused.value)
    assert 'job requests unknown queue "nosuch"' in str(refused.value)


def test_jobs_whose_workers_do_not_come_are_named_with_grid_engines_reason(engine: GridEngine, tmp_path: Path) -> None:
    said: list[str] = []
    asked = {
        "waits": {"queue": "down"},
        "fails": {"queue": "farm", "directives": "-wd /nosuch"},
        "ends": {"queue": "farm", "prologue": "exit 3"},
    }
    begun = {
        name: connect(Settings(**ASKED, **each), logs=str(tmp_path), say=said.append) for name, each in asked.items()
    }
    try:
        until(lambda: 'waiting: queue instance "down@localhost" dropped' in begun["waits"].waits_for(), "why it waits")
        until(lambda: "can't chdir to /nosuch" in begun["fails"].waits_for(), "what failed")
        until(lambda: any("has ended before its worker came: see" in each for each in said), "that it has ended")
    finally:
        for connection in begun.values():
            connection.close()
    until(lambda: not engine.jobs(), "no job is left")


def test_who_asks_a_cook_is_told_of_the_workers_that_do_not_come(
    bench: CookBench, engine: GridEngine, mark: str
) -> None:
    context = bench.load(network(parms(mark, 'dask_maximum = 1\ndask_queue = "down"'), "true", count=2))
    cook = bench.start(context)
    until(lambda: "workers have not come from sge: " in cook.link.waiting.get("farm", ""), "it says what it waits for")
    cook.cancel("by the test")
    assert bench.finish(context, cook).outcome == "canceled"
    until(lambda: not engine.jobs(), "no job is left")


def test_a_worker_whose_job_is_ended_is_replaced_and_released_when_there_is_nothing_to_do(
    engine: GridEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Dask's own patience with a worker that is lost.
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "1s")
    connection = connect(Settings(**ASKED, idle=3.0), logs=str(tmp_path))
    try:
        assert connection.client.submit(sum, (20, 22), pure=False).result(timeout=120) == 42
        engine.end_jobs()
        until(lambda: not engine.jobs(), "it has gone, and idle ones are released")
        assert connection.client.submit(sum, (20, 22), pure=False).result(timeout=120) == 42
        until(lambda: not engine.jobs(), "it is released")
    finally:
        connection.close()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_a_cook_that_is_ended_leaves_no_job_that_runs_and_none_that_waits(
    bench: CookBench, engine: GridEngine, mark: str, by: signal.Signals
) -> None:
    more = 'dask_count = 2\n dask_queue = "one"'
    text = network(parms(mark, more), f"sh -c 'touch began_@pdg_index; exec sleep {mark}'", count=2)
    with cook_process(bench.folder, text, mark) as cook:
        until_in(cook, bench.folder, lambda: len(list(bench.folder.glob("began_*"))) == 2, "both items run in one job")
        until_in(cook, bench.folder, lambda: sorted(engine.jobs().values()) == ["qw", "r"], "the other job waits")
        cook.send_signal(by)
        cook.wait(120)
        until(lambda: not engine.jobs(), "no job is left")
        until(lambda: not heirs(mark), "no process is left")
