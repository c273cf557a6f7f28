"""The plugin as pip installs it, and a real Dask of two workers to cook on."""

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
)
from topcook_dask.testcluster import TestCluster  # noqa: E402

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
    with installed_bench(tmp_path, installed, monkeypatch, deadline=180.0) as bench:
        yield bench
