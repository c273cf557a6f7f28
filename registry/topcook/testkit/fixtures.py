"""For pytest, in the tests of a scheduler or of a plugin that brings one: fixtures, and what a ``conftest.py`` needs.

``pytest_plugins = ["topcook.testkit.fixtures"]`` in a test file, or in the ``conftest.py`` at the top, takes all
fixtures; elsewhere they are imported. It needs pytest, which Topcook does not bring.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from topcook.testkit.cookbench import CookBench

__all__ = ["engine_tier", "install_plugin", "installed_bench", "mark", "own_state", "skip_without"]

#: Seconds for pip.
_PATIENCE = 300


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's own index, configuration and cooks is read or written, in processes neither."""
    folder = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("TOPCOOK_INDEX", str(folder / "index.sqlite3"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(folder / "state"))
    monkeypatch.delenv("TOPCOOK_CONFIG", raising=False)


@pytest.fixture
def mark() -> str:
    """What tells this test's processes from all others: ``sleep MARK``, to be looked for by ``waiting.running``."""
    return f"600.{uuid.uuid4().int % 10**12}"


def install_plugin(distribution: Path, target: Path) -> str:
    """Have pip install the distribution in that directory into ``target``, and return that.

    What it needs has to be there already, its build backend too. Raises ``CalledProcessError``.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    words = [*pip, "--no-build-isolation", "--no-index", "--target", str(target), str(distribution)]
    subprocess.run(words, check=True, timeout=_PATIENCE)
    return str(target)


@contextmanager
def installed_bench(
    folder: Path, installed: str, monkeypatch: pytest.MonkeyPatch, *, deadline: float
) -> Iterator[CookBench]:
    """A bench whose cooks, and their processes, find what was installed there; each may take ``deadline`` seconds."""
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setenv("PYTHONPATH", installed)
    bench = CookBench(folder, deadline)
    try:
        yield bench
    finally:
        bench.close()


def skip_without(missing: Sequence[str], install: str) -> None:
    """Skip the test where programs of its engine are missing; ``install`` is how to get them. In CI it fails."""
    if missing:
        how = f"no {', '.join(missing)} here: {install}"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{how}; CI has to have them")
        pytest.skip(how)


def engine_tier(config: pytest.Config, items: Sequence[pytest.Item], below: Path, *, timeout: float) -> None:
    """Skip tests marked ``engine`` unless ``CI=true`` is in the environment, or ``-m engine`` asks for them.

    Of ``items`` those count that are ``below`` a directory. ``timeout`` is seconds for each, unless it says itself, for
    the plugin pytest-timeout. To be called in ``pytest_collection_modifyitems``.
    """
    closed = os.environ.get("CI") != "true" and "engine" not in str(config.getoption("markexpr", ""))
    for item in items:
        if below in item.path.parents and item.get_closest_marker("engine"):
            if closed:
                how = "the engine tier: run with CI=true in the environment, or -m engine"
                item.add_marker(pytest.mark.skip(reason=how))
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(timeout))
