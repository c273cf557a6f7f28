"""A file that is slow to execute, in workers: it comes late, and nobody else has to wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from topcook.factory import Factory
from topcook.factory.probing import WorkerPool
from topcook.factory.probing.prober import Done
from topcook.factory.records import Kind, Record, State
from topcook.factory.sources import Candidate
from topcook.factory.watching import LiveFactory

from .conftest import LONG, good

#: Put before a good text: its file is not over before the other file is there.
HELD = "import os, time\nwhile not os.path.exists({gate!r}):\n    time.sleep(0.01)\n"


class CountingPool(WorkerPool):
    """Workers, and how many calls have come back."""

    def __init__(self) -> None:
        super().__init__()
        self.back = 0

    def probe(self, candidates: Sequence[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        left = super().probe(candidates, done, deadline)
        self.back += 1
        return left


class Desk:
    """A types path with a good file in it, followed by a live registry that probes in workers."""

    def __init__(self, root: Path, live: LiveFactory, pool: CountingPool) -> None:
        self.root, self.live, self.pool = root, live, pool
        self.gate = root.parent / "gate"

    def save(self, name: str, version: int, before: str = "") -> None:
        (self.root / f"{name}.py").write_text(before + good(name, version), encoding="utf-8")

    def save_held(self, name: str, version: int) -> None:
        self.save(name, version, HELD.format(gate=str(self.gate)))

    def records(self, name: str) -> list[Record]:
        return [each for each in self.live.records() if each.name == name]

    def label(self, name: str) -> str:
        found = self.live.factory.find(Kind.SCHEDULER, name)
        return found.label if found is not None else ""

    def shows(self, name: str, version: int) -> bool:
        return self.live.wait(lambda: self.label(name) == f"{name} {version}", LONG)

    def waits(self, name: str) -> bool:
        """Whether the file comes to be one that is not probed yet."""
        return self.live.wait(lambda: [each.state for each in self.records(name)] == [State.NOT_PROBED], LONG)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("topcook.factory.scan.entry_points", lambda *_: ([], []))
    monkeypatch.setattr("topcook.factory.scan.builtin_types_dir", lambda: str(tmp_path / "no built-ins"))
    root = tmp_path / "types"
    root.mkdir()
    (root / "farm.py").write_text(good("farm"), encoding="utf-8")
    pool = CountingPool()
    live = LiveFactory(Factory.scan({"PDG_TYPES_PATH": str(root)}, prober=pool), poll=1000.0)
    with live:
        yield Desk(root, live, pool)
    pool.close()


def test_a_good_file_does_not_wait_for_a_slow_one_that_was_saved_before(desk: Desk) -> None:
    desk.save("slow", 1, "import time\ntime.sleep(4)\n")
    saved = time.monotonic()
    assert not desk.live.wait(lambda: desk.label("slow") != "", 0.3)
    desk.save("other", 1)
    assert desk.shows("other", 1)
    assert time.monotonic() - saved < 3.0
    assert desk.label("slow") == ""
    assert desk.shows("slow", 1)


def test_a_good_file_does_not_wait_for_a_slow_one_that_was_saved_with_it(desk: Desk) -> None:
    desk.save_held("slow", 1)
    desk.save("other", 1)
    assert desk.shows("other", 1)
    assert desk.shows("farm", 1)
    desk.gate.touch()
    assert desk.shows("slow", 1)


def test_a_file_never_seen_is_told_of_as_not_probed_until_it_is(desk: Desk) -> None:
    told: list[tuple[str, State]] = []
    desk.live.subscribe(
        lambda change: told.extend(
            (what, each.state) for what in ("added", "changed", "failed") for each in getattr(change, what)
        )
    )
    desk.save_held("slow", 1)
    assert desk.waits("slow")
    [row] = [row for row in desk.live.rows("schedulers", show_all=True) if row.name == "slow"]
    assert row.look == "not probed"
    desk.gate.touch()
    assert desk.shows("slow", 1)
    assert desk.live.wait(lambda: len(told) == 2, LONG)
    assert told == [("changed", State.NOT_PROBED), ("added", State.OK)]


def test_the_last_good_version_serves_until_the_slow_one_arrives(desk: Desk) -> None:
    desk.save_held("farm", 2)
    desk.save("other", 1)
    assert desk.shows("other", 1)
    assert desk.label("farm") == "farm 1"
    desk.save("other", 2)
    assert desk.shows("other", 2), "nobody waits for what is being probed, however often it is looked at"
    assert desk.label("farm") == "farm 1"
    desk.gate.touch()
    assert desk.shows("farm", 2)


def test_a_later_save_supersedes_the_one_that_is_being_probed(desk: Desk) -> None:
    desk.save_held("slow", 1)
    assert desk.waits("slow")
    desk.save("slow", 2)
    assert desk.shows("slow", 2)
    back = desk.pool.back
    desk.gate.touch()
    assert desk.live.wait(lambda: desk.pool.back > back, LONG)
    desk.save("other", 1)
    assert desk.shows("other", 1)
    assert desk.label("slow") == "slow 2"


def test_a_file_removed_while_it_is_probed_stays_gone(desk: Desk) -> None:
    desk.save_held("slow", 1)
    assert desk.waits("slow")
    (desk.root / "slow.py").unlink()
    assert desk.live.wait(lambda: not desk.records("slow"), LONG)
    back = desk.pool.back
    desk.gate.touch()
    assert desk.live.wait(lambda: desk.pool.back > back, LONG)
    desk.save("other", 1)
    assert desk.shows("other", 1)
    assert not desk.records("slow")


def test_a_helper_saved_while_its_importer_is_probed_is_not_missed(desk: Desk) -> None:
    (desk.root / "helper.py").write_text("LABEL = 'slow 1'\n", encoding="utf-8")
    text = good("slow").replace('label="slow 1"', "label=helper.LABEL")
    held = "import helper\n" + HELD.format(gate=str(desk.gate)) + text
    (desk.root / "slow.py").write_text(held, encoding="utf-8")
    assert desk.waits("slow")
    (desk.root / "helper.py").write_text("LABEL = 'slow 7'\n", encoding="utf-8")
    desk.save("other", 1)
    assert desk.shows("other", 1)
    desk.gate.touch()
    assert desk.shows("slow", 7)


def test_a_probe_that_is_over_late_takes_nothing_from_the_one_that_follows_it(desk: Desk) -> None:
    began, over = threading.Event(), threading.Event()
    probe = desk.pool.probe

    def lingering(candidates: Sequence[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        """The first probe of the file comes back only when the second has begun, which ends only after that."""
        ours = [each.stem for each in candidates] == ["slow"]
        if ours and desk.gate.exists():
            began.set()
            assert over.wait(LONG)
        left = probe(candidates, done, deadline)
        if ours and not began.is_set():
            assert began.wait(LONG)
            threading.Timer(0.1, over.set).start()
        return left

    desk.pool.probe = lingering  # type: ignore[method-assign]
    (desk.root / "helper.py").write_text("LABEL = 'slow 1'\n", encoding="utf-8")
    text = good("slow").replace('label="slow 1"', "label=helper.LABEL")
    (desk.root / "slow.py").write_text("import helper\n" + HELD.format(gate=str(desk.gate)) + text, encoding="utf-8")
    assert desk.waits("slow")
    (desk.root / "helper.py").write_text("LABEL = 'slow 7'\n", encoding="utf-8")
    desk.save("other", 1)
    assert desk.shows("other", 1)
    desk.gate.touch()
    assert desk.shows("slow", 7)


def test_closing_does_not_wait_for_a_slow_file(desk: Desk) -> None:
    desk.save_held("slow", 1)
    assert desk.waits("slow")
    started = time.monotonic()
    desk.live.close()
    desk.pool.close()
    assert time.monotonic() - started < 2.0
    assert desk.records("slow")[0].state is State.NOT_PROBED
    assert ended(lambda each: each.name.startswith("topcook-probe"))


def ended(ours: Callable[[threading.Thread], bool]) -> bool:
    """Whether the threads come to an end."""
    for each in [each for each in threading.enumerate() if ours(each)]:
        each.join(LONG)
        if each.is_alive():
            return False
    return True
