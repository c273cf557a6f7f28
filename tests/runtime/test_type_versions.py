"""Types that are edited, broken and removed while graph contexts cook with them."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from topcook.factory import Factory
from topcook.factory.watching import LiveFactory
from topcook.runtime.api import CookOptions, GraphContext
from topcook.runtime.report import report_parts
from topcook.runtime.statedir import cook_directory
from topcook.runtime.usedtypes import UsedTypes

LONG = 20.0

FARM = """
import os
import pdg
import farmhelper
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    @classmethod
    def templateName(cls):
        return "farm"

    def onSchedule(self, work_item):
        with open(os.path.join({log!r}, "log"), "a") as stream:
            stream.write("{version} " + farmhelper.WORD + "\\n")
        wait = os.path.join({log!r}, "wait")
        while os.path.exists(wait):
            pass
        return pdg.scheduleResult.CookSucceeded

    def onStop(self):
        with open(os.path.join({log!r}, "log"), "a") as stream:
            stream.write("{version} stops\\n")

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="Farm {version}")
"""


class Studio:
    """A types path with one farm on it, a live registry over it, and contexts that cook with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "types").mkdir()
        self.file = root / "types" / "farm.py"
        self.helper("one")
        self.save(1)
        self.live = LiveFactory(Factory.scan({"PDG_TYPES_PATH": str(root / "types")}), poll=1000.0)
        self.live.start()
        self.contexts: list[GraphContext] = []

    def helper(self, word: str) -> None:
        (self.root / "types" / "farmhelper.py").write_text(f"WORD = '{word}'\n", encoding="utf-8")

    def save(self, version: int) -> None:
        self.file.write_text(FARM.format(version=version, log=str(self.root)), encoding="utf-8")

    def has(self, version: int) -> bool:
        return self.live.wait(lambda: any(each.label == f"Farm {version}" for each in self.live.records()), LONG)

    def context(self) -> GraphContext:
        context = GraphContext("made", hip=str(self.root), factory=self.live.factory)
        self.contexts.append(context)
        context.addScheduler("farm", "mine")
        context.setDefaultScheduler("mine")
        context.addNode("genericgenerator", "make", itemcount=1, command="true")
        return context

    def log(self) -> list[str]:
        path = self.root / "log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def logs(self, line: str) -> bool:
        return wait_for(lambda: line in self.log())

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.live.close()


def wait_for(condition: Callable[[], bool]) -> bool:
    end, pause = time.monotonic() + LONG, threading.Event()
    while not condition():
        if time.monotonic() > end:
            return False
        pause.wait(0.01)
    return True


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path / "state"))
    made = Studio(tmp_path)
    yield made
    (tmp_path / "wait").unlink(missing_ok=True)
    made.close()


def test_a_context_that_cooks_twice_keeps_its_instance_and_a_new_instance_is_of_the_new_version(studio: Studio) -> None:
    context = studio.context()
    assert context.cook()
    studio.save(2)
    assert studio.has(2)
    assert context.cook()
    assert studio.log() == ["1 one", "1 one"]
    context.addScheduler("farm", "other")
    context.setDefaultScheduler("other")
    assert context.cook()
    assert studio.log() == ["1 one", "1 one", "2 one"]


def test_a_cook_that_is_under_way_keeps_its_version_and_says_so_once(studio: Studio) -> None:
    (studio.root / "wait").touch()
    context = studio.context()
    assert context.cook(CookOptions(blocking=False))
    assert studio.logs("1 one")
    cook = context.core.cook
    assert cook is not None
    kept = Path(cook_directory(cook.cook_id), "types")
    [folder] = kept.iterdir()
    assert sorted(each.name for each in folder.iterdir()) == ["farm.py", "farmhelper.py", "version.json"]
    assert (folder / "farm.py").read_bytes() == studio.file.read_bytes()
    assert json.loads((folder / "version.json").read_text())["content_hash"] == folder.name
    studio.save(2)
    assert wait_for(lambda: any("farm.py was edited" in each.text for each in cook.messages))
    (studio.root / "wait").unlink()
    assert wait_for(lambda: context.core.cook is None)
    told = [each.text for each in cook.messages if each.source == "types"]
    assert len(told) == 1
    assert "this cook keeps" in told[0]
    assert not kept.exists()


def test_names_that_a_cook_looks_up_late_are_those_of_its_beginning(studio: Studio) -> None:
    (studio.root / "wait").touch()
    context = studio.context()
    assert context.cook(CookOptions(blocking=False))
    assert studio.logs("1 one")
    studio.helper("two")
    studio.save(2)
    assert studio.has(2)
    record = context.core.types.scheduler("farm")
    assert record.label == "Farm 1"
    assert context.core.types.load(record) is context.core.host("mine").cls
    (studio.root / "wait").unlink()
    assert wait_for(lambda: context.core.cook is None)
    assert context.core.types.scheduler("farm").label == "Farm 2"


def test_the_report_says_which_version_of_each_type_cooked(studio: Studio) -> None:
    context = studio.context()
    cooks: list[Any] = []
    before = context.core.begin_cook

    def begin(cook: Any) -> None:
        cooks.append(cook)
        before(cook)

    context.core.begin_cook = begin  # type: ignore[method-assign]
    assert context.cook()
    served = context.core.host("mine").record.content_hash
    studio.save(2)
    assert studio.has(2)
    report = json.loads("".join(report_parts(cooks[0])))
    rows = {row["name"]: row for row in report["types"]}
    assert set(rows) == {"farm", "genericgenerator"}
    assert rows["farm"]["content_hash"] == served
    assert rows["farm"]["path"] == str(studio.file)
    assert report["schedulers"]["mine"]["version"] == served


def test_an_instance_of_a_type_that_is_gone_is_stopped_once_no_cook_holds_it(studio: Studio) -> None:
    (studio.root / "wait").touch()
    context = studio.context()
    assert context.cook(CookOptions(blocking=False))
    assert studio.logs("1 one")
    studio.file.unlink()
    assert studio.live.wait(lambda: not any(each.name == "farm" for each in studio.live.records()), LONG)
    assert "1 stops" not in studio.log()
    (studio.root / "wait").unlink()
    assert studio.logs("1 stops")


def test_an_instance_nobody_cooks_with_is_stopped_when_its_type_goes(studio: Studio) -> None:
    context = studio.context()
    assert context.cook()
    studio.file.unlink()
    assert studio.logs("1 stops")


def test_a_broken_edit_leaves_what_cooks_in_peace(studio: Studio) -> None:
    context = studio.context()
    studio.file.write_text("(", encoding="utf-8")
    assert studio.live.wait(lambda: any(each.edit is not None for each in studio.live.records()), LONG)
    assert context.cook()
    assert studio.log() == ["1 one"]


def test_a_copy_that_cannot_be_kept_is_said_and_the_cook_goes_on(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no directory").write_text("")
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path / "no directory"))
    said: list[str] = []
    used = UsedTypes("cook", said.append)
    used.use(studio.live.factory.scheduler("farm"))
    used.close()
    assert said[0].startswith('no copy of "farm" is kept in ')


def test_a_context_that_is_gone_is_told_nothing_and_holds_nothing(studio: Studio) -> None:
    before = len(studio.live.factory.followers)
    studio.context().close()
    assert len(studio.live.factory.followers) == before + 1
    studio.contexts.clear()
    gc.collect()
    assert len(studio.live.factory.followers) == before
