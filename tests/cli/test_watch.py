"""``topcook watch`` as a process of its own: lines while files are saved."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

GOOD = """
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    @classmethod
    def templateName(cls):
        return "myfarm"

    def onSchedule(self, work_item):
        return {version}

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="My Farm {version}")
"""


class Watching:
    """The command, and its lines as they come."""

    def __init__(self, types: Path, *args: str) -> None:
        self.types = types
        environ = os.environ | {"PDG_TYPES_PATH": str(types), "COLUMNS": "100"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "topcook", "watch", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def line(self) -> str:
        return self._lines.get(timeout=60)

    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.line())
        return found

    def save(self, text: str) -> None:
        (self.types / "myfarm.py").write_text(text, encoding="utf-8")

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "myfarm.py").write_text(GOOD.format(version=1), encoding="utf-8")
    made: list[Watching] = []

    def make(*args: str) -> Watching:
        made.append(Watching(tmp_path / "types", *args))
        return made[-1]

    yield make
    for each in made:
        each.process.kill()
        each.process.communicate()


def test_json_lines_tell_each_step_of_a_type(watch: Callable[..., Watching]) -> None:
    watching = watch("--json")
    start = watching.facts()
    assert start["event"] == "start"
    assert start["places"][0] == {"path": str(watching.types), "kind": "events", "seconds": 10.0, "why": None}
    watching.save(GOOD.format(version=2))
    changed = watching.facts()
    assert (changed["event"], changed["name"], changed["label"]) == ("changed", "myfarm", "My Farm 2")
    watching.save("def x(:\n# registerTypes =")
    failed = watching.facts()
    assert (failed["event"], failed["look"], failed["label"]) == ("failed", "edit broken", "My Farm 2")
    assert (failed["problems"][0]["code"], failed["problems"][0]["line"]) == ("syntax-error", 1)
    watching.save(GOOD.format(version=3))
    assert watching.facts()["event"] == "mended"
    (watching.types / "myfarm.py").unlink()
    removed = watching.facts()
    assert (removed["event"], removed["name"]) == ("removed", "myfarm")
    assert watching.interrupt() == 130


def test_people_read_what_happened_with_the_problem_below(watch: Callable[..., Watching]) -> None:
    watching = watch()
    assert "watching 3 places" in watching.line()
    watching.save("def x(:\n# registerTypes =")
    assert "failed   myfarm  edit broken, serving the version of " in watching.line()
    below = [watching.line() for _ in range(2)]
    assert any("SyntaxError" in line for line in below)
    assert watching.interrupt() == 130


def test_only_the_names_that_were_asked_for_are_told_of(watch: Callable[..., Watching]) -> None:
    watching = watch("other", "--json")
    watching.facts()
    watching.save(GOOD.format(version=2))
    (watching.types / "other.py").write_text(GOOD.format(version=5).replace("myfarm", "other"), encoding="utf-8")
    told = watching.facts()
    while told["state"] == "not probed":
        # A busy machine tells first that there is a file.
        told = watching.facts()
    assert (told["event"], told["name"]) == ("added", "other")
