"""Workers as jobs of PBS, LSF and HTCondor: stand-ins of their commands, which really run what is submitted."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_bench import cook_process, heirs, until_in
from dask_bench import until
from distributed import Client, Event
from standin_engine import ENGINES, Job

from topcook.testkit.cookbench import CookBench
from topcook_dask.connect import Connection, connect
from topcook_dask.settings import ConnectError, Settings

pytestmark = pytest.mark.engine

#: By kind: what keeps a job waiting, what is said of it then; what is refused, and in which words.
WAITS: dict[str, tuple[dict[str, str], str]] = {
    "pbs": ({"queue": "down"}, "queued: Not Running: Queue not started."),
    "lsf": ({"queue": "down"}, "pend"),
    "htcondor": ({"directives": "Requirements = False"}, "idle"),
}
REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "pbs": ({"queue": "nosuch"}, "Unknown queue"),
    "lsf": ({"walltime": "02:00:00"}, "Bad RUNLIMIT specification"),
    "htcondor": ({"directives": "Requirements = ("}, "Parse error in expression"),
}


class StandIn:
    """The commands of one batch system, in a directory that goes before all others."""

    def __init__(self, kind: str, folder: Path) -> None:
        """They are there; no job is."""
        self.kind, self.folder = kind, folder
        program = Path(__file__).with_name("standin_engine.py")
        (folder / "bin").mkdir(parents=True)
        for command in ENGINES[kind].commands:
            path = folder / "bin" / command
            path.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {program} {folder} {command} "$@"\n')
            path.chmod(0o755)

    @property
    def asked(self) -> dict[str, Any]:
        """What a job of workers asks for."""
        asked: dict[str, Any] = {"cluster": self.kind, "threads": 2, "workermemory": "500MB", "host": "127.0.0.1"}
        return {**asked, "disk": "1MB"} if self.kind == "htcondor" else asked

    def jobs(self) -> dict[str, str]:
        """The state of each job that waits or runs."""
        found = {path.name: Job(path).state for path in self.folder.glob("jobs/*")}
        return {name: state for name, state in found.items() if state != "ended"}

    def close(self) -> None:
        """End all jobs."""
        for name in self.jobs():
            Job(self.folder / "jobs" / name).end()


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, StandIn]]:
    """All three: no command has the name of another's."""
    standins = {kind: StandIn(kind, tmp_path / "engines" / kind) for kind in ENGINES}
    places = [str(each.folder / "bin") for each in standins.values()]
    monkeypatch.setenv("PATH", os.pathsep.join([*places, os.environ["PATH"]]))
    yield standins
    for each in standins.values():
        each.close()


def held() -> Callable[[int], int]:
    """What a task does that ends when it is told to."""

    # Not of this module, which workers have not.
    def wait(_number: int) -> int:
        return 42 if Event("go").wait(120) else 0

    return wait


def test_workers_come_as_jobs_with_work_go_without_and_come_again(engines: dict[str, StandIn], tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        clients: dict[str, Client] = {}
        for kind, engine in engines.items():
            asked = Settings(**engine.asked, maximum=2, idle=1.0)
            connection = connect(asked, logs=str(tmp_path / f"my {kind} logs"))
            stack.callback(connection.close)
            clients[kind] = connection.client
        tasks = {kind: client.map(held(), range(8), pure=False) for kind, client in clients.items()}
        for kind, engine in engines.items():
            until(lambda engine=engine: [*engine.jobs().values()] == ["runs", "runs"], f"two jobs of {kind} run")
        for kind, client in clients.items():
            Event("go", client=client).set()
            # A worker that has what somebody wants is not released: nobody keeps these.
            assert client.gather(tasks.pop(kind)) == [42] * 8
        for kind, engine in engines.items():
            until(lambda engine=engine: not engine.jobs(), f"those of {kind} are released")
        for client in clients.values():
            assert client.submit(sum, (20, 22), pure=False).result(timeout=120) == 42
    until(lambda: not any(each.jobs() for each in engines.values()), "no job is left")
    for kind in engines:
        printed = [path.read_text() for path in (tmp_path / f"my {kind} logs").iterdir()]
        assert any("Worker" in text for text in printed), f"what workers print on {kind} lies where it was said"


@pytest.mark.parametrize("kind", ENGINES)
def test_what_an_engine_refuses_ends_the_start_with_its_words(
    engines: dict[str, StandIn], kind: str, tmp_path: Path
) -> None:
    refused, words = REFUSED[kind]
    with pytest.raises(ConnectError, match=words):
        connect(Settings(**engines[kind].asked, **refused), logs=str(tmp_path))


def test_jobs_whose_workers_do_not_come_are_named_with_each_engines_reason(
    engines: dict[str, StandIn], tmp_path: Path
) -> None:
    said: dict[str, list[str]] = {kind: [] for kind in engines}
    begun: dict[str, Connection] = {}
    with contextlib.ExitStack() as stack:
        for kind, engine in engines.items():
            waits, ends = WAITS[kind][0], {"prologue": "exit 3"}
            begun[kind] = connect(Settings(**engine.asked, **waits), logs=str(tmp_path))
            stack.callback(begun[kind].close)
            stack.callback(connect(Settings(**engine.asked, **ends), logs=str(tmp_path), say=said[kind].append).close)
        for kind in engines:
            until(lambda kind=kind: f"({WAITS[kind][1]})" in begun[kind].waits_for(), f"why it waits on {kind}")
            until(lambda kind=kind: "has ended before its worker came" in "".join(said[kind]), f"its end on {kind}")
    until(lambda: not any(each.jobs() for each in engines.values()), "no job is left")


def test_a_cook_on_all_three_that_is_killed_leaves_no_job(
    bench: CookBench, engines: dict[str, StandIn], mark: str
) -> None:
    text = '[network]\nname = "net"\n'
    for kind, engine in engines.items():
        parms = "".join(f"dask_{name} = {value!r}\n" for name, value in engine.asked.items())
        text += f'[schedulers.{kind}]\ntype = "daskscheduler"\n[schedulers.{kind}.parms]\n{parms}'
        text += f'[nodes.on{kind}]\ntype = "genericgenerator"\nscheduler = "{kind}"\n'
        text += f"parms.command = \"sh -c 'touch began_{kind}; exec sleep {mark}'\"\n"
    with cook_process(bench.folder, text, mark) as cook:
        until_in(cook, bench.folder, lambda: len(list(bench.folder.glob("began_*"))) == len(engines), "all items run")
        assert all(list(each.jobs().values()) == ["runs"] for each in engines.values())
        cook.send_signal(signal.SIGKILL)
        cook.wait(120)
        until(lambda: not any(each.jobs() for each in engines.values()), "no job is left")
        until(lambda: not heirs(mark), "no process is left")
