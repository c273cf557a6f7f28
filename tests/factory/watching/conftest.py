from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from topcook.factory import Factory
from topcook.factory.records import Kind, Record
from topcook.factory.watching import LiveFactory

#: Longer than any save takes to be seen; what waits for it waits in vain.
LONG = 30.0

GOOD = """
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    VERSION = {version!r}

    @classmethod
    def templateName(cls):
        return "{name}"

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="{name} {version}")
"""


def good(name: str, version: object = 1) -> str:
    return textwrap.dedent(GOOD.format(name=name, version=version))


class Desk:
    """An author at work: a types path in a temporary directory, and a live registry that follows it."""

    def __init__(self, root: Path, live: LiveFactory) -> None:
        self.root = root
        self.live = live

    @staticmethod
    def text(name: str, version: object = 1) -> str:
        """A good file of the type."""
        return good(name, version)

    def file(self, name: str) -> Path:
        return self.root / f"{name}.py"

    def record(self, name: str) -> Record | None:
        return self.live.factory.find(Kind.SCHEDULER, name)

    def label(self, name: str) -> str:
        found = self.record(name)
        return found.label if found is not None else ""

    def shows(self, name: str, version: object) -> bool:
        """Whether that version, unbroken, comes to serve."""

        def serves() -> bool:
            found = self.record(name)
            return found is not None and found.edit is None and found.label == f"{name} {version}"

        return self.live.wait(serves, LONG)

    def loses(self, name: str) -> bool:
        """Whether the type comes to be gone."""
        return self.live.wait(lambda: self.record(name) is None, LONG)

    def breaks(self, name: str) -> bool:
        """Whether it comes to be said that the file is broken, while a version serves."""
        return self.live.wait(lambda: (found := self.record(name)) is not None and found.edit is not None, LONG)


MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeDesk]:
    """Makes a desk over a directory with good files in it: ``desk(farm=1)``. Nothing is polled unless asked for."""
    monkeypatch.setattr("topcook.factory.scan.entry_points", lambda *_: ([], []))
    monkeypatch.setattr("topcook.factory.scan.builtin_types_dir", lambda: str(tmp_path / "no built-ins"))
    made: list[LiveFactory] = []

    def make(entry: str = "types", *, poll: float = 1000.0, **versions: object) -> Desk:
        root = tmp_path / entry
        if versions:
            root.mkdir(parents=True, exist_ok=True)
        for name, version in versions.items():
            (root / f"{name}.py").write_text(good(name, version), encoding="utf-8")
        live = LiveFactory(Factory.scan({"PDG_TYPES_PATH": str(root)}), poll=poll)
        live.start()
        made.append(live)
        return Desk(root, live)

    yield make
    for live in made:
        live.close()
