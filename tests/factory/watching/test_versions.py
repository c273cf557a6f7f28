"""Versions side by side: which text a traceback quotes, what is kept, and what it costs."""

from __future__ import annotations

import gc
import sys
import traceback
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from topcook.factory import Factory
from topcook.factory.imports import PREFIX
from topcook.factory.probing import InProcessProber, WorkerPool
from topcook.factory.records import Kind, Record
from topcook.factory.watching import LiveFactory
from topcook.runtime.faults import full_text

MakeDesk = Callable[..., Any]

RAISES = """
import helper
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    @classmethod
    def templateName(cls):
        return "farm"

    def onSchedule(self, work_item):
        raise RuntimeError(helper.WORD + "{version}")  # text of {version}

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="farm {version}")
"""


@pytest.fixture(params=["in this process", "in workers"])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A live registry over ``types``; looked at when a test says so."""
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "helper.py").write_text("WORD = 'version '\n")
    factory = Factory.scan({"PDG_TYPES_PATH": str(tmp_path / "types")})
    pool = WorkerPool() if request.param == "in workers" else InProcessProber(factory.registry)
    made = LiveFactory(Factory.scan({"PDG_TYPES_PATH": str(tmp_path / "types")}, prober=pool), poll=1000.0)
    made.look()
    yield made
    made.close()
    pool.close()


def save(tmp_path: Path, live: LiveFactory, version: int) -> Record:
    (tmp_path / "types" / "farm.py").write_text(RAISES.format(version=version), encoding="utf-8")
    live.look()
    record = live.factory.find(Kind.SCHEDULER, "farm")
    assert record is not None
    assert record.label == f"farm {version}"
    return record


def raised(cls: type) -> BaseException:
    try:
        cls.onSchedule(None, None)  # type: ignore[attr-defined]
    except RuntimeError as error:
        return error
    raise AssertionError("it raises")


def test_a_traceback_of_a_version_that_is_held_quotes_the_text_that_ran(tmp_path: Path, live: LiveFactory) -> None:
    first = live.factory.load(save(tmp_path, live, 1))
    held = live.factory.snapshot()
    second = live.factory.load(save(tmp_path, live, 2))
    assert "# text of 1" in full_text(raised(first))
    assert "# text of 2" in full_text(raised(second))
    assert "# text of 1" in full_text(raised(first))
    assert held.find(Kind.SCHEDULER, "farm") is not None


def test_versions_that_nobody_holds_are_dropped(tmp_path: Path, live: LiveFactory) -> None:
    def private() -> set[str]:
        return {name for name in sys.modules if name.startswith(f"{PREFIX}farm")}

    before = private()
    for version in range(1, 20):
        live.factory.load(save(tmp_path, live, version))
    gc.collect()
    assert len(private() - before) <= 2


def test_a_version_that_a_snapshot_holds_stays_and_gives_the_very_same_class(tmp_path: Path, live: LiveFactory) -> None:
    record = save(tmp_path, live, 1)
    first = live.factory.load(record)
    snapshot = live.factory.snapshot()
    for version in range(2, 6):
        live.factory.load(save(tmp_path, live, version))
    gc.collect()
    assert snapshot.load(snapshot.scheduler("farm")) is first
    assert sys.modules[first.__module__].Farm is first


def test_a_hundred_reloads_keep_less_than_thirty_kilobytes_each(tmp_path: Path, live: LiveFactory) -> None:
    for version in range(10):
        live.factory.load(save(tmp_path, live, version))
    gc.collect()
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        for version in range(10, 110):
            live.factory.load(save(tmp_path, live, version))
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert grown / 100 < 3_000, f"{grown / 100:.0f} bytes for each"


def test_what_python_itself_prints_of_an_error_is_of_the_latest_version_at_least(
    tmp_path: Path, live: LiveFactory
) -> None:
    cls = live.factory.load(save(tmp_path, live, 7))
    assert "# text of 7" in "".join(traceback.format_exception(raised(cls)))
