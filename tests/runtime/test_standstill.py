"""A cook in which nothing moves says what it waits for."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from tests.waiting import until
from topcook.runtime.api import GraphContext
from topcook.runtime.control.desk import Desk
from topcook.testkit.cookbench import CookBench

#: Takes what it is given and does nothing with it, until a file says so.
SCHEDULER = """
from pathlib import Path
import pdg
from pdg.scheduler import PyScheduler
from topcook.author.farm import waits_for

FOLDER = Path("FOLDER_HERE")

class Slow(PyScheduler):
    def onStartCook(self, static, cook_set):
        self.held = []
        return True

    def onSchedule(self, work_item):
        if not (FOLDER / "go").exists() and ANSWER is not None:
            return ANSWER
        self.held.append(work_item.id)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        WORDS
        if (FOLDER / "go").exists():
            for item in self.held:
                self.onWorkItemSucceeded(item, -1, 0.1)
            self.held = []
        return pdg.tickResult.SchedulerReady

    def onCancelWorkItems(self, work_items, node):
        self.held = []

def registerTypes(type_registry):
    type_registry.registerScheduler(Slow, name="slow", label="Slow")
"""
NETWORK = """
[network]
name = "net"
scheduler = "far"
[schedulers.far]
type = "slow"
parms = { pdg_tickperiod = 0.05 }
[nodes.work]
type = "genericgenerator"
parms.command = "true"
parms.itemcount = 5
"""


def load(bench: CookBench, words: str = "pass", answer: str = "None", patience: int = 1) -> GraphContext:
    text = SCHEDULER.replace("FOLDER_HERE", str(bench.folder)).replace("WORDS", words).replace("ANSWER", answer)
    bench.types("slow", text)
    context = bench.load(NETWORK)
    context.core.config = context.core.config._replace(watchdog=patience)
    return context


def said(cook: Any) -> list[str]:
    return [each.text for each in list(cook.messages) if "nothing has moved" in each.text]


@pytest.mark.parametrize(
    ("words", "answer", "told"),
    [
        ("waits_for(self, 'a licence of nuke')", "None", "waits for a licence of nuke"),
        ("pass", "None", "has taken 5 work items (A, B, C and 2 more), and none of them has begun"),
        (
            "pass",
            "pdg.scheduleResult.FullDeferred",
            "does not take 5 work items (A, B, C and 2 more), though nothing else stands in the way",
        ),
        (
            "[self.onWorkItemSetCustomState(i, -1, 'queued') for i in self.held]",
            "None",
            "has taken 5 work items (A: queued, B: queued, C: queued and 2 more)",
        ),
    ],
)
def test_it_says_why_nothing_begins_and_cooks_on(bench: CookBench, words: str, answer: str, told: str) -> None:
    context = load(bench, words, answer)
    cook = bench.start(context)
    until(lambda: context.core.network.nodes["work"].items)
    names = dict(zip("ABC", (item.name for item in context.core.network.nodes["work"].items), strict=False))
    expected = re.sub(r"\b[ABC]\b", lambda found: names[found[0]], told)
    # On a busy machine it may have stood still before its scheduler came to that.
    until(lambda: any(f's: scheduler "far" {expected}' in text for text in said(cook)), expected)
    assert said(cook)[0].startswith("nothing has moved for ")
    (bench.folder / "go").touch()
    assert bench.finish(context, cook).outcome == "cooked"


def test_while_it_lasts_it_is_told_more_and_more_seldom(bench: CookBench) -> None:
    context = load(bench, "waits_for(self, 'x')")
    cook = bench.start(context)
    until(lambda: len(said(cook)) >= 3)
    seconds = [float(text.split(" for ")[1].split(" s:")[0]) for text in said(cook)]
    assert all(later >= 1.5 * earlier for earlier, later in pairwise(seconds)), seconds
    (bench.folder / "go").touch()
    bench.finish(context, cook)


def test_items_that_cook_are_no_standstill(bench: CookBench) -> None:
    context = load(bench, "[self.onWorkItemStartCook(i, -1) for i in self.held]")
    cook = bench.start(context)
    until(lambda: {item.state.name for item in context.core.network.nodes["work"].items} == {"Cooking"})
    # What it says of the time before, on a busy machine, is none of this.
    before, looked = len(said(cook)), cook._standstill._next
    until(lambda: cook._standstill._next >= looked + 1.5)
    assert len(said(cook)) == before
    (bench.folder / "go").touch()
    bench.finish(context, cook)


def test_who_asks_is_told_without_waiting_for_a_standstill(bench: CookBench) -> None:
    context = load(bench, "waits_for(self, 'a licence' if self.held else '')", patience=0)
    cook = bench.start(context)
    answer = until(lambda: Desk(cook).answer({"ask": "status"})["waits"])
    assert answer == {"far": "a licence"}
    (bench.folder / "go").touch()
    assert bench.finish(context, cook).outcome == "cooked"
    assert Desk(cook).answer({"ask": "status"})["waits"] == {}
    assert said(cook) == []
