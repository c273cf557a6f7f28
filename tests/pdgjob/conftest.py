"""A job: a script directory as a cook makes it, the job's environment, and a real server that records."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pdgjob import _link, _report
from tests.pdgjob.wrapperfarm import DEADLINE, Farm
from topcook.runtime.resultserver import ResultServerThread
from topcook.testkit.sink import RecordingSink

SOURCE = Path(_link.__file__).parent


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins as a process that has reported nothing, outside of any job."""
    for name in [name for name in os.environ if name.startswith("PDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(_link, "_links", {})
    monkeypatch.setattr(_link, "_failures", 0)
    monkeypatch.setattr(_report, "_server", "")
    monkeypatch.setattr(_report, "_delegate", None)
    yield
    for link in _link._links.values():
        link.close()


@pytest.fixture
def sink() -> Iterator[RecordingSink]:
    sink = RecordingSink()
    yield sink
    sink.close()


@pytest.fixture
def server(sink: RecordingSink) -> Iterator[ResultServerThread]:
    server = ResultServerThread(sink, "sesame", log=lambda _: None)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def job(server: ResultServerThread, tmp_path: Path) -> dict[str, str]:
    """The PDG variables of a job."""
    return {
        "PDG_RESULT_SERVER": server.address,
        "PDG_RESULT_SECRET": "sesame",
        "PDG_ITEM_NAME": "render_7",
        "PDG_ITEM_ID": "7",
        "PDG_ITEM_ATTEMPT": "2",
        "PDG_DIR": str(tmp_path),
        "PDG_TEMP": str(tmp_path / "pdgtemp"),
        "PDG_SCRIPTDIR": str(tmp_path / "pdgtemp" / "scripts"),
        "PDG_RPC_MAX_BACKOFF": "0.01",
    }


@pytest.fixture
def in_job(job: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This process is the job."""
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    return job


@pytest.fixture
def script_dir(tmp_path: Path) -> Path:
    """A script directory as a cook makes it."""
    folder = tmp_path / "pdgtemp" / "scripts"
    package = folder / "pdgjob"
    package.mkdir(parents=True)
    for path in SOURCE.glob("*.py"):
        shutil.copy(path, package)
        if not path.name.startswith("_"):
            shutil.copy(path, folder)
    shutil.copy(SOURCE / "pdgcmd", folder)
    return folder


@pytest.fixture
def run_job(job: dict[str, str], script_dir: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a Python as a job of a farm would: nothing of ours in its environment but the PDG variables."""

    def run(*words: str, python: str = sys.executable, **changes: str | None) -> subprocess.CompletedProcess[str]:
        environment: dict[str, Any] = {"PATH": os.environ["PATH"], **job, **changes}
        return subprocess.run(
            [python, *words],
            env={name: value for name, value in environment.items() if value is not None},
            cwd=script_dir.parent,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def farm(tmp_path: Path, script_dir: Path, job: dict[str, str]) -> Iterator[Farm]:
    """A farm, of which nothing is left after the test."""
    farm = Farm(tmp_path, script_dir, job)
    yield farm
    for process in farm.started:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)
        if process.stdout is not None:
            process.stdout.close()
    farm.gone()
