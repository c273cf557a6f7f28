"""The plugin as pip installs it, and a real Slurm of two nodes to cook on."""

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
from topcook_slurm.testcluster import TestCluster, missing_programs  # noqa: E402

#: Slurm starts a dozen jobs a second, on a machine that does nothing else.
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
def slurm() -> Iterator[TestCluster]:
    missing = missing_programs()
    if missing:
        assert os.environ.get("CI") != "true", f"CI has no {', '.join(missing)}: see NEEDS in .ci/run"
        pytest.skip(f"no {missing[0]} here: apt-get install slurm-wlm munge")
    with TestCluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(slurm: TestCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestCluster]:
    """The cluster, whole and empty when the test is over, whatever it did to it."""
    monkeypatch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
    yield slurm
    slurm.mend()


@pytest.fixture
def bench(tmp_path: Path, cluster: TestCluster, installed: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CookBench]:
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setenv("PYTHONPATH", installed)
    monkeypatch.setattr("topcook.testkit.cookbench.DEADLINE", 300.0)
    bench = CookBench(tmp_path)
    yield bench
    bench.close()
