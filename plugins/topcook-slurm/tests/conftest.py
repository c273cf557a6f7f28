"""The plugin as pip installs it, and a real Slurm of two nodes to cook on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1]
# importlib mode puts nothing on the path: neither the plugin nor what its tests share.
sys.path[:0] = [str(PLUGIN / "src"), str(PLUGIN / "tests")]

from topcook.testkit.cookbench import CookBench  # noqa: E402 - what is under test is on the path now
from topcook.testkit.fixtures import (  # noqa: E402 - the same
    engine_tier,
    install_plugin,
    installed_bench,
    mark,
    own_state,
    skip_without,
)
from topcook_slurm.testcluster import TestCluster, missing_programs  # noqa: E402

#: Slurm starts a dozen jobs a second, on a machine that does nothing else.
TIMEOUT = 600
# Fixtures for all tests here.
__all__ = ["mark", "own_state"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The engine tier runs with CI=true, or when it is asked for."""
    engine_tier(config, items, PLUGIN, timeout=TIMEOUT)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The directory into which pip has installed the plugin: the interpreter's own stay as they are."""
    return install_plugin(PLUGIN, tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="session")
def slurm() -> Iterator[TestCluster]:
    skip_without(missing_programs(), "apt-get install slurm-wlm munge")
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
    with installed_bench(tmp_path, installed, monkeypatch, deadline=300.0) as bench:
        yield bench
