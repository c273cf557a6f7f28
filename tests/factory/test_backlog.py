"""A start takes so long and no longer: what is not probed by then is listed, waited for by name, and found in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from topcook.errors import UnknownSchedulerError
from topcook.factory import Factory, Kind, State
from topcook.factory.probing import InProcessProber
from topcook.factory.probing.prober import Done
from topcook.factory.sources import Candidate

Drop = Callable[..., Path]


class Slow:
    """Probes what is not called slow at once, and the rest when it is let, in the background only."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked: list[list[str]] = []

    def probe(self, candidates: list[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        self.asked.append([each.stem for each in candidates])
        inner = InProcessProber(Factory([]).registry)
        slow = [each for each in candidates if each.stem.startswith("slow")]
        inner.probe([each for each in candidates if each not in slow], done)
        if deadline is not None:
            return slow
        assert self.let.wait(30)
        return inner.probe(slow, done)

    def close(self) -> None:
        """Nothing was started."""


@pytest.fixture
def slow() -> Iterator[Slow]:
    prober = Slow()
    yield prober
    prober.let.set()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: Slow) -> Callable[[], Factory]:
    monkeypatch.setattr("topcook.factory.scan.entry_points", lambda *_: ([], []))
    monkeypatch.setattr("topcook.factory.scan.builtin_types_dir", lambda: str(tmp_path / "no built-ins"))
    return lambda: Factory.scan({"PDG_TYPES_PATH": str(tmp_path / "types")}, prober=slow, quiet=False)  # type: ignore[arg-type]


def test_what_takes_too_long_is_listed_as_not_probed_under_its_likely_name(
    drop: Drop, start: Callable[[], Factory]
) -> None:
    drop("fast.py")
    drop("slow.py", name="renderfarm")
    factory = start()
    assert {record.name: record.state for record in factory.records} == {
        "fast": State.OK,
        "renderfarm": State.NOT_PROBED,
    }
    assert not next(record for record in factory.records if record.name == "renderfarm").usable
    assert factory.scheduler("fast").usable


def test_it_is_found_in_the_background(drop: Drop, start: Callable[[], Factory], slow: Slow) -> None:
    drop("slow.py")
    factory = start()
    assert not factory.settle(0.0)
    slow.let.set()
    assert factory.settle(30)
    assert [record.state for record in factory.records] == [State.OK]


def test_asking_for_its_name_waits_for_it(drop: Drop, start: Callable[[], Factory], slow: Slow) -> None:
    drop("slow.py", name="renderfarm")
    factory = start()
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.append(factory.scheduler("renderfarm").state.value))
    asking.start()
    slow.let.set()
    asking.join(30)
    assert found == ["ok"]


def test_a_name_that_goes_before_is_waited_for_and_one_that_comes_after_is_not(
    drop: Drop, start: Callable[[], Factory], slow: Slow
) -> None:
    drop("b.py", name="farm")
    drop("slow_after.py", name="farm")
    assert start().scheduler("farm").origin.path.endswith("b.py")
    drop("a/slow_before.py", name="farm")
    factory = start()
    threading.Timer(0.05, slow.let.set).start()
    assert factory.scheduler("farm").origin.path.endswith("slow_before.py")


def test_an_unknown_name_waits_for_all_because_any_of_them_may_give_it(
    drop: Drop, start: Callable[[], Factory], slow: Slow
) -> None:
    drop("slow.py", drop("slow.py").read_text(encoding="utf-8").replace('return "slow"', 'return "fa" + "rm"'))
    factory = start()
    slow.let.set()
    assert factory.scheduler("farm").name == "farm"
    with pytest.raises(UnknownSchedulerError):
        factory.scheduler("nobody")


def test_a_name_is_not_waited_for_without_end(
    drop: Drop, start: Callable[[], Factory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("topcook.factory.scan.NAME", 0.05)
    drop("slow.py")
    factory = start()
    with pytest.raises(UnknownSchedulerError, match="not probed"):
        factory.scheduler("slow")
    assert factory.find(Kind.NODE, "slow") is None


def test_a_prober_that_dies_in_the_background_leaves_nobody_waiting(
    drop: Drop, start: Callable[[], Factory], slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("slow.py")
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(slow.let, "wait", lambda _: False)
    factory = start()
    assert factory.settle(30)
    assert [record.state for record in factory.records] == [State.NOT_PROBED]
