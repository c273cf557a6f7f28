"""The plugin as pip installs it, and a real Dask of two workers to cook on."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1]
# importlib mode puts nothing on the path: neither the plugin nor what its tests share.
sys.path[:0] = [str(PLUGIN / "src"), str(PLUGIN / "tests")]

from topcook.testkit.cookbench import CookBench  # noqa: E402 - what is under test is on the path now
from topcook_dask.testcluster import TestCluster  # noqa: E402

TIMEOUT = 600


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The engine tier runs with CI=true, or when it is asked for."""
    closed = os.environ.get("CI") != "true" and "engine" not in str(config.getoption("markexpr", ""))
    for item in items:
        if PLUGIN in item.path.parents and item.get_closest_marker("engine"):
            if closed:
                how = "the engine tier: run with CI=true in the environment, or -m engine"
                item.add_marker(pytest.mark.skip(reason=how))
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's own index, configuration and cooks is read or written."""
    folder = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("TOPCOOK_INDEX", str(folder / "index.sqlite3"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(folder / "state"))
    monkeypatch.delenv("TOPCOOK_CONFIG", raising=False)


@pytest.fixture
def mark() -> str:
    """What tells this test's processes from all others."""
    return f"600.{uuid.uuid4().int % 10**12}"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The directory into which pip has installed the plugin: the interpreter's own stay as they are."""
    target = tmp_path_factory.mktemp("plugin")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--no-index", "--target", target, PLUGIN], check=True, timeout=300)
    return str(target)


@pytest.fixture(scope="session")
def dask() -> Iterator[TestCluster]:
    with TestCluster(workers=2, threads=2, resources="slots=2") as cluster:
        yield cluster


@pytest.fixture
def cluster(dask: TestCluster) -> Iterator[TestCluster]:
    """The cluster, whole and empty when the test is over, whatever it did to it."""
    yield dask
    dask.mend()


@pytest.fixture
def bench(tmp_path: Path, installed: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CookBench]:
    """A bench with the plugin."""
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setenv("PYTHONPATH", installed)
    monkeypatch.setattr("topcook.testkit.cookbench.DEADLINE", 180.0)
    bench = CookBench(tmp_path)
    yield bench
    bench.close()
