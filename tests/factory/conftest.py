from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from topcook.factory import Factory

Drop = Callable[..., Path]
Scan = Callable[..., Factory]

SCHEDULER = """
import pdg
from pdg.scheduler import PyScheduler

class {cls}(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)

    @classmethod
    def templateName(cls):
        return "{name}"

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler({cls}, label="{label}")
"""


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """Writes a file into the types path ``types``; without text a good scheduler called as the file."""

    def write(file: str, text: str | None = None, /, folder: str = "types", **values: str) -> Path:
        path = tmp_path / folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        stem = path.parent.name if path.name == "__init__.py" else path.stem
        if text is None:
            text = SCHEDULER.format(**({"cls": "Farm", "name": stem, "label": stem.title()} | values))
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """A factory over the given folders of the test, ``types`` by default; no installed distributions."""
    monkeypatch.setattr("topcook.factory.scan.entry_points", lambda *_: ([], []))

    def make(*folders: str, builtins: bool = False, quiet: bool = True) -> Factory:
        path = ":".join(str(tmp_path / folder) for folder in folders or ("types",))
        with monkeypatch.context() as patch:
            if not builtins:
                patch.setattr("topcook.factory.scan.builtin_types_dir", lambda: str(tmp_path / "no built-ins"))
            return Factory.scan({"PDG_TYPES_PATH": path}, quiet=quiet)

    return make
