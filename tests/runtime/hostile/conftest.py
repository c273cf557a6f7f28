"""A keeper with real processes, and the means to make a machine hostile."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from topcook.author import LocalJob
from topcook.contract.host import JobEnd
from topcook.runtime.keeper.client import KeeperPool, KeeperProcess

PATIENCE = 60.0
BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class Told:
    """A job and what the keeper said of it."""

    def __init__(self, directory: Path, token: str, argv: list[str], /, **fields: object) -> None:
        self._ended = threading.Event()
        self._end = JobEnd(None, 0.0)
        self.started = threading.Event()
        self.pid = 0
        self.log = directory / "logs" / f"{token}.log"
        self.job = LocalJob(
            token, argv, BASE, str(directory), str(self.log), on_start=self._on_start, on_end=self._on_end
        )
        for name, value in fields.items():
            setattr(self.job, name, value)

    def _on_start(self, pid: int, _at: float) -> None:
        self.pid = pid
        self.started.set()

    def _on_end(self, end: JobEnd) -> None:
        self._end = end
        self._ended.set()

    def end(self) -> JobEnd:
        assert self._ended.wait(PATIENCE), "the job did not end"
        return self._end


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[KeeperProcess]:
    problems: list[str] = []
    made = KeeperProcess(str(tmp_path / "keeper"), on_error=problems.append)
    yield made
    made.pool("local").cancel_all(grace=0)
    made.close()
    assert not problems


Run = Callable[..., Told]


@pytest.fixture
def run(keeper: KeeperProcess, tmp_path: Path) -> Run:
    pool: KeeperPool = keeper.pool("local")
    cook, count = secrets.token_hex(4), 0

    def start(*argv: str, **fields: object) -> Told:
        nonlocal count
        count += 1
        told = Told(tmp_path, f"{cook}-{count}-1", list(argv), **fields)
        pool.start(told.job)
        return told

    return start
