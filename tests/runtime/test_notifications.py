"""Notifications in every spelling, from any thread, early, repeated, late: what a real cook makes of them."""

from __future__ import annotations

import pytest

from topcook.testkit.cookbench import CookBench, Cooked

NETWORK = """
[network]
name = "net"
scheduler = "own"
[schedulers.own]
type = "own"
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 2, command = "true" }
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
parms = { command = "true" }
"""
HEAD = """
import threading
import pdg
from pdg import scheduleResult
from pdg.scheduler import PyScheduler


class Own(PyScheduler):
    held = ()

    def onSchedule(self, work_item):
        self.held += (work_item,)
        return scheduleResult.Succeeded

    def onStart(self):
        self["pdg_tickperiod"] = 0.02

    def onTick(self):
        held, self.held = self.held, ()
        for item in held:
            self.report(item, item.id, item.name)
"""
TAIL = """

def registerTypes(type_registry):
    type_registry.registerScheduler(Own)
"""


def cook(bench: CookBench, report: str, more: str = "") -> Cooked:
    bench.types("own", f"{HEAD}\n    def report(self, item, id, name):\n        {report}\n{more}{TAIL}")
    return bench.cook(NETWORK)


SUCCESSES = [
    "self.onWorkItemSucceeded(id, -1, 0.5)",
    "self.onWorkItemSucceeded(name, -1, 0.5)",
    "self.onWorkItemSucceeded(str(id), -1, 0.5)",
    "self.onWorkItemSucceeded(item, -1, 0.5)",
    "self.onWorkItemSucceeded(name.encode(), None, 0.5)",
    "self.onWorkItemSucceeded(id, index=-1, cook_duration=0.5)",
    "self.onWorkItemSucceeded(name=name, index=-1, cook_duration=0.5)",
    "self.onWorkItemSucceeded(item_name=name, index=-1, cook_duration=0)",
    "self.onWorkItemSucceeded(workitem_id=id, index=-1, cook_duration=-3.5)",
    "self.onWorkItemSucceeded(work_item_id=id, subindex=-1, duration=None)",
    "self.onWorkItemStartSucceeded(name, -1, 0.5)",
    "self.onWorkItemStartCook(name, -1); self.onWorkItemSucceeded(name, -1, 0.5)",
    "[self.onWorkItemStartCook(id, index=-1) for _ in range(5)]; self.onWorkItemSucceeded(id, -1, 1)",
    "[self.onWorkItemSucceeded(id, -1, 1) for _ in range(5)]; self.onWorkItemStartCook(id, -1)",
    "self.onWorkItemSucceeded(id, -1, 1); self.onWorkItemFailed(id, -1); self.onWorkItemCanceled(id, -1)",
    "self.onWorkItemSucceeded(99999, -1, 1); self.onWorkItemFailed('nobody_7', -1); self.onWorkItemSucceeded(id, -1, 1)",
    "threading.Thread(target=self.onWorkItemSucceeded, args=(id, -1, 0.5)).start()",
    "threading.Timer(0.02, self.onWorkItemSucceeded, [], dict(name=name, index=-1, cook_duration=1.0)).start()",
]


@pytest.mark.parametrize("report", SUCCESSES)
def test_a_success_in_any_spelling(bench: CookBench, report: str) -> None:
    cooked = cook(bench, report)
    assert cooked.outcome == "cooked", cooked.messages
    assert not cooked.out_of_order()
    for item in cooked.items():
        run = item.ran()
        assert run.finished is not None
        # No start was told: none is made up.
        assert run.started is None or run.started <= run.finished


@pytest.mark.parametrize(
    ("report", "state"),
    [
        ("self.onWorkItemFailed(id, -1)", "CookedFail"),
        ("self.onWorkItemFailed(name, index=-1)", "CookedFail"),
        ("self.onWorkItemFailed(name=name, index=-1)", "CookedFail"),
        ("self.onWorkItemCanceled(name, -1)", "CookedCancel"),
        ("self.onWorkItemCancelled(item_id=id, index=-1)", "CookedCancel"),
        ("self.onWorkItemFailed(id, -1); self.onWorkItemSucceeded(id, -1, 1)", "CookedFail"),
    ],
)
def test_a_bad_end_in_any_spelling(bench: CookBench, report: str, state: str) -> None:
    cooked = cook(bench, report)
    assert set(cooked.states("a").values()) == {state}
    assert set(cooked.states("b").values()) <= {"Waiting"}


def test_an_end_told_before_on_schedule_returns_counts_at_once_and_the_return_confirms_it(bench: CookBench) -> None:
    for said, state in (
        ("Succeeded(work_item.id, -1, 1)", "CookedSuccess"),
        ("Failed(work_item.name, -1)", "CookedFail"),
    ):
        for returned in ("scheduleResult.Succeeded", "None", "scheduleResult.Deferred"):
            bench.types(
                "own",
                f"""{HEAD}
    def onSchedule(self, work_item):
        self.onWorkItemStartCook(work_item.id, -1)
        self.onWorkItem{said}
        return {returned}
{TAIL}""",
            )
            cooked = bench.cook(NETWORK)
            assert set(cooked.states("a").values()) == {state}


FILES = [
    "self.onWorkItemFileResult(id, -1, '/x/a.png', 'file/image', 12)",
    "self.onWorkItemFileResult(name, -1, result='/x/a.png', tag='file/image', checksum=12)",
    "self.onWorkItemFileResult(name=name, index=-1, result='/x/a.png', tag='file/image', checksum=12)",
    "self.onWorkItemFileResult(item_name=name, subindex=-1, result_data='/x/a.png', result_data_tag='file/image', hash=12)",
    "self.onWorkItemAddOutput(id, -1, '/x/a.png', 'file/image', 12)",
    "self.onWorkItemAddOutput(id, -1, path='/x/a.png', tag='file/image', hash_code=12)",
    "self.onWorkItemAddOutputs(id, -1, ['/x/a.png'], ['file/image'], [12])",
    "self.onWorkItemAddOutputs(id, -1, ['/x/a.png'], 'file/image', 12)",
    "[self.onWorkItemFileResult(id, -1, '/x/a.png', 'file/image', 12) for _ in range(3)]",
]


@pytest.mark.parametrize("report", FILES)
def test_a_file_in_any_spelling_is_there_once(bench: CookBench, report: str) -> None:
    cooked = cook(bench, f"{report}; self.onWorkItemSucceeded(id, -1, 1)")
    assert cooked.outcome == "cooked", cooked.messages
    for item in cooked.items():
        (made,) = item.outputs or ()
        assert (made.path, made.tag, made.hash) == ("/x/a.png", "file/image", 12)


@pytest.mark.parametrize(
    ("report", "values"),
    [
        ("self.onWorkItemSetAttribute(name, 'n', [1, 2])", (1, 2)),
        ("self.onWorkItemSetAttribute(name, -1, 'n', [1, 2])", (1, 2)),
        ("self.onWorkItemSetAttribute(id, 'n', 'text')", ("text",)),
        ("self.onWorkItemSetStringAttrib(id, -1, 'n', 'a')", ("a",)),
        (
            "self.onWorkItemSetStringAttrib(workitem_id=id, index=-1, attribute_name='n', value='a', attrib_index=1)",
            ("", "a"),
        ),
        ("self.onWorkItemSetIntAttrib(id, -1, 'n', [3, 4])", (3, 4)),
        ("self.onWorkItemSetFloatAttrib(name, -1, 'n', 2.5, 0)", (2.5,)),
        ("self.onWorkItemSetDictAttrib(id, -1, 'n', {'a': 1})", ({"a": 1},)),
        ("self.onWorkItemSetPyObjectAttrib(id, -1, 'n', (1, 2))", ((1, 2),)),
    ],
)
def test_an_attribute_in_any_spelling_reaches_the_items_below(
    bench: CookBench, report: str, values: tuple[object]
) -> None:
    cooked = cook(bench, f"{report}; self.onWorkItemSucceeded(id, -1, 1)")
    assert cooked.outcome == "cooked", cooked.messages
    for item in cooked.items("a"):
        assert item.attributes is not None
        assert item.attributes["n"].values == values


def test_state_percent_and_log_are_kept(bench: CookBench) -> None:
    cooked = cook(
        bench,
        "self.onWorkItemSetCustomState(id, -1, 'on blade 7'); self.onWorkItemSetCookPercent(id, -1, 0.25); "
        "self.onWorkItemAppendLog(id, -1, 'one line', 2); self.onWorkItemInvalidateCache(id, -1); "
        "self.onWorkItemSucceeded(id, -1, 1)",
    )
    run = cooked.items()[0].ran()
    assert (run.custom_state, run.percent) == ("on blade 7", 0.25)
