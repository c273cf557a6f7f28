from __future__ import annotations

import os
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from topcook.factory.probing import WorkerPool
from topcook.factory.records import Origin, Tier
from topcook.factory.sources import Candidate
from topcook.factory.wire import ProbeReport

Make = Callable[..., Candidate]
Probe = Callable[..., dict[str, ProbeReport]]

GOOD = """
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    @classmethod
    def templateName(cls):
        return "{name}"

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="{name}")
"""


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Writes a scheduler file, ``head`` before its class, and gives its candidate."""

    def write(name: str, head: str = "", *, folder: Path | None = None, text: str | None = None) -> Candidate:
        path = (folder or tmp_path_factory.mktemp("types")) / f"{name}.py"
        whole = textwrap.dedent(head) + GOOD.format(name=name) if text is None else text
        path.write_text(whole, encoding="utf-8", errors="surrogateescape")
        return Candidate(Origin(Tier.PATH, str(path), str(path.parent)), str(path), name, skipped="")

    return write


def collect(pool: WorkerPool, *candidates: Candidate) -> dict[str, ProbeReport]:
    reports: dict[str, ProbeReport] = {}

    def done(candidate: Candidate, report: ProbeReport) -> None:
        assert candidate.stem not in reports, "each candidate is reported once"
        reports[candidate.stem] = report

    assert pool.probe(candidates, done, time.monotonic() + 60) == []
    assert set(reports) == {each.stem for each in candidates}
    return reports


@pytest.fixture
def probe(token: str) -> Iterator[Probe]:
    """Probes candidates in a pool of the test's own, with a limit of two seconds a file."""
    pools: list[WorkerPool] = []

    def run(*candidates: Candidate, pool: WorkerPool | None = None, limit: float = 2.0) -> dict[str, ProbeReport]:
        if pool is None:
            pool = WorkerPool(limit=limit)
            pools.append(pool)
        return collect(pool, *candidates)

    yield run
    for pool in pools:
        pool.close()
    assert alive(token) == []


def alive(token: str) -> list[str]:
    """What was started, directly or not, by a process that has the token in its environment, and still runs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if f"PROBE_TEST={token}".encode() in environment and int(pid) != os.getpid():
            found.append(f"{pid} {command!r}")
    return found


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """A word in the environment of all that this test starts, which nobody else has."""
    word = uuid.uuid4().hex
    monkeypatch.setenv("PROBE_TEST", word)
    return word


@pytest.fixture
def still_alive() -> Callable[[str], list[str]]:
    return alive


@pytest.fixture(scope="session")
def gone() -> Callable[[str], bool]:
    """Whether all with the token are gone, within a minute."""

    def wait(word: str) -> bool:
        end = time.monotonic() + 60
        while alive(word):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    return wait
