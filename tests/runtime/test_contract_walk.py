"""The contract table, row by row, in real cooks."""

from __future__ import annotations

import pytest

from topcook.contract.callbacks import CALLBACKS, Need
from topcook.factory.records import State
from topcook.testkit.cookbench import CookBench, Cooked

NETWORK = """
[network]
name = "net"
scheduler = "own"
[schedulers.own]
type = "own"
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 3, command = "true" }
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
parms = { command = "true" }
"""
HEAD = """
import os, threading, time
import pdg
from pdg.scheduler import PyScheduler
from pdg import scheduleResult, tickResult


class Own(PyScheduler):
"""
TAIL = """

def registerTypes(type_registry):
    type_registry.registerScheduler(Own)
"""


def cook(bench: CookBench, body: str, network: str = NETWORK) -> Cooked:
    bench.types("own", HEAD + body + TAIL)
    return bench.cook(network)


# ---------------------------------------------------------------------- a class of no base


STRANGER = """
import pdg


class Own:
    def __init__(self, scheduler, name):
        self.name = name

    @classmethod
    def templateName(cls):
        return "own"

    def onSchedule(self, work_item):
        print("schedules", work_item.name)
        return True

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        print(len(dependencies))

    def onStart(self):
        print("onStart")

    def onStop(self):
        print("onStop")

    def onStartCook(self, static, cook_set):
        return True

    def onStopCook(self, cancel):
        print("stopped", cancel)

    def workingDir(self, local):
        return ""

    def localizePath(self, path):
        return path

    def transferFile(self, file_path):
        return True

    def getLogURI(self, work_item):
        return "file:///none"

    def getStatusURI(self, work_item):
        return ""


def registerTypes(type_registry):
    type_registry.registerScheduler(Own)
"""


def test_a_class_of_no_base_with_all_required_and_defaulted_rows_cooks(bench: CookBench) -> None:
    rows = [row.name for row in CALLBACKS if row.need is not Need.OPTIONAL]
    assert all(f"def {name}(" in STRANGER for name in rows)
    # It cannot report, so what it takes has to end at once.
    bench.types(
        "own",
        STRANGER.replace(
            "return True\n\n    def onScheduleStatic",
            "return pdg.scheduleResult.CookSucceeded\n\n    def onScheduleStatic",
        ),
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked", cooked.messages
    log = cooked.log("own")
    assert log.count("schedules") == 6
    assert "stopped False" in log


@pytest.mark.parametrize("row", [row.name for row in CALLBACKS if row.need is not Need.OPTIONAL])
def test_a_class_of_no_base_must_bring_every_required_and_defaulted_row(bench: CookBench, row: str) -> None:
    bench.types("own", STRANGER.replace(f"def {row}(", f"def other_{row}("))
    (record,) = [each for each in bench.factory().records if each.name == "own"]
    assert record.state is State.INVALID
    assert row in record.why_not()


# ---------------------------------------------------------------------- what onSchedule may return


@pytest.mark.parametrize(
    ("answer", "states", "why"),
    [
        ("scheduleResult.CookSucceeded", "CookedSuccess", ""),
        ("scheduleResult.CookFailed", "CookedFail", "onSchedule returned CookFailed"),
        ("scheduleResult.CookCanceled", "CookedCancel", ""),
        ("scheduleResult.Failed", "CookedFail", "onSchedule returned Failed"),
        ("False", "CookedFail", "onSchedule returned Failed"),
        ("'yes'", "CookedFail", "found str, expected pdg.scheduleResult"),
        ("1.5", "CookedFail", "found float, expected pdg.scheduleResult"),
    ],
)
def test_what_on_schedule_returns_at_once(bench: CookBench, answer: str, states: str, why: str) -> None:
    cooked = cook(bench, f"    def onSchedule(self, work_item):\n        return {answer}\n")
    assert set(cooked.states("a").values()) == {states}
    assert why in cooked.why(cooked.items("a")[0].name)


@pytest.mark.parametrize("answer", ["scheduleResult.Succeeded", "True", "None"])
def test_an_accepted_item_waits_for_its_report(bench: CookBench, answer: str) -> None:
    cooked = cook(
        bench,
        f"""
    held = ()

    def onSchedule(self, work_item):
        self.held += (work_item.id,)
        return {answer}

    def onTick(self):
        for item in self.held:
            self.onWorkItemSucceeded(item, -1, 0.1)
        self.held = ()
""",
    )
    assert cooked.outcome == "cooked"
    assert not cooked.out_of_order()


@pytest.mark.parametrize("answer", ["Deferred", "FullDeferred"])
@pytest.mark.parametrize(
    ("period", "release"),
    [
        # by the next tick alone
        (0.02, "pass"),
        # a tick comes once an hour: by the end of another item, told by another thread
        (3600, "self.onWorkItemSucceeded(work_item.id, -1, 0.1)"),
        # by asking
        (3600, "self.onWorkItemSucceeded(work_item.id, -1, 0.1); self.requestTask()"),
    ],
)
def test_deferred_items_are_offered_again(bench: CookBench, answer: str, period: float, release: str) -> None:
    cooked = cook(
        bench,
        f"""
    taken, offers = None, 0

    def onStartCook(self, static, cook_set):
        self["pdg_tickperiod"] = {period}
        return True

    def onSchedule(self, work_item):
        self.offers += 1
        if self.taken is not None:
            return scheduleResult.{answer}
        self.taken = work_item
        if {period} > 1:
            threading.Timer(0.05, self.free, [work_item]).start()
        return scheduleResult.Succeeded

    def free(self, work_item):
        self.taken = None
        {release}

    def onTick(self):
        work_item, self.taken = self.taken, None
        if work_item is not None:
            self.onWorkItemSucceeded(work_item.id, -1, 0.1)
        return tickResult.SchedulerReady
""",
    )
    assert cooked.outcome == "cooked"
    instance = cooked.context.core.scheduler_object("own")
    assert instance.offers > 6
    if answer == "FullDeferred":
        assert instance.offers <= 12


# ---------------------------------------------------------------------- limits and ticks


def test_max_items_and_max_tasks_hold_also_when_set_during_the_cook(bench: CookBench) -> None:
    cooked = cook(
        bench,
        """
    held, most, between = (), 0, 0
    most_between = 0

    def onStartCook(self, static, cook_set):
        self["pdg_maxitems"] = 2
        self["pdg_tickperiod"] = 0.02
        return True

    def onSchedule(self, work_item):
        self.held += (work_item.id,)
        self.between += 1
        self.most = max(self.most, len(self.held))
        self.most_between = max(self.most_between, self.between)
        return None

    def onTick(self):
        self.between = 0
        if self.held:
            print("max tasks", self["pdg_maxtasks"].evaluateInt())
            self["pdg_usemaxtasks"] = 1
            self["pdg_maxtasks"] = 1
        for item in self.held:
            self.onWorkItemSucceeded(item, -1, 0.1)
        self.held = ()
""",
        NETWORK.replace("itemcount = 3", "itemcount = 8"),
    )
    assert cooked.outcome == "cooked"
    instance = cooked.context.core.scheduler_object("own")
    assert (instance.most, instance.most_between) == (2, 2)
    assert "max tasks 1" in cooked.log("own")


def test_the_first_tick_comes_before_the_first_item_and_the_period_may_change(bench: CookBench) -> None:
    cooked = cook(
        bench,
        """
    ticks = 0

    def onTick(self):
        self.ticks += 1
        self["pdg_tickperiod"] = 0.01
        graph = self.dependencyGraph(False)
        print("tick", self.ticks, [len(part) for part in graph])
        if self.ticks == 20:
            for item in self.kept:
                self.onWorkItemSucceeded(item, -1, 0)
        return tickResult.SchedulerReady

    def onSchedule(self, work_item):
        if work_item.node.name == "b":
            return scheduleResult.CookSucceeded
        self.__dict__.setdefault("kept", []).append(work_item.id)
        print("offered")
        return scheduleResult.Succeeded
""",
    )
    assert cooked.outcome == "cooked"
    log = cooked.log("own")
    assert log.index("tick 1 ") < log.index("offered")
    # Every item is there before any was scheduled, leaves included.
    assert "tick 1 [6, 6, 3]" in log
    assert cooked.cook.finished - cooked.cook.started < 5


def test_a_busy_scheduler_is_offered_nothing_until_it_is_ready(bench: CookBench) -> None:
    cooked = cook(
        bench,
        """
    ticks = 0

    def onStart(self):
        self["pdg_tickperiod"] = 0.02

    def onTick(self):
        self.ticks += 1
        return tickResult.SchedulerBusy if self.ticks < 4 else tickResult.SchedulerReady

    def onSchedule(self, work_item):
        print("offered after", self.ticks)
        return scheduleResult.CookSucceeded
""",
    )
    assert cooked.outcome == "cooked"
    assert min(int(line.split()[2]) for line in cooked.log("own").splitlines() if "offered" in line) >= 4


def test_a_tick_may_cancel_the_cook_with_its_recorded_error(bench: CookBench) -> None:
    cooked = cook(
        bench,
        """
    def onTick(self):
        self.cookError("licence server is gone")
        return tickResult.SchedulerCancelCook

    def onSchedule(self, work_item):
        return scheduleResult.Succeeded

    def onStopCook(self, cancel):
        print("stopped", cancel)
""",
    )
    assert cooked.outcome == "canceled"
    assert "licence server is gone" in cooked.messages
    assert "canceled the cook" in cooked.cook.state.cancel_reason
    assert "licence server is gone" in cooked.cook.state.cancel_reason
    assert "stopped True" in cooked.log("own")


# ---------------------------------------------------------------------- starting and refusing


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("self.cookError('no farm today'); return False", "no farm today"),
        ("raise RuntimeError('farm is shut')", "farm is shut"),
        ("raise pdg.CookError('farm is shut')", "farm is shut"),
        ("return 'started'", "found str, expected bool"),
    ],
)
@pytest.mark.parametrize("callback", ["onStartCook(self, static, cook_set)", "onSetupCook(self)"])
def test_a_start_that_fails_ends_the_cook_and_keeps_what_was_said(
    bench: CookBench, callback: str, body: str, words: str
) -> None:
    cooked = cook(
        bench,
        f"""
    def {callback}:
        {body}

    def onSchedule(self, work_item):
        print("offered")
        return scheduleResult.CookSucceeded
""",
    )
    assert cooked.outcome in {"failed", "canceled"}
    assert words in cooked.messages
    assert "offered" not in cooked.log("own")


def test_setup_comes_between_start_and_the_first_item_and_may_return_nothing(bench: CookBench) -> None:
    cooked = cook(
        bench,
        """
    def onStartCook(self, static, cook_set):
        print("start", static, cook_set[0].scheduler.name)

    def onSetupCook(self):
        print("setup", os.path.isdir(self.tempDir(True)))

    def onSchedule(self, work_item):
        print("offered")
        return scheduleResult.CookSucceeded
""",
    )
    assert cooked.outcome == "cooked"
    lines = cooked.log("own").splitlines()
    assert lines[:3] == ["start False own", "setup True", "offered"]


@pytest.mark.parametrize("answer", ["pdg.acceptResult.Reject", "False"])
def test_an_item_that_its_scheduler_does_not_accept_fails_and_says_so(bench: CookBench, answer: str) -> None:
    cooked = cook(
        bench,
        f"""
    def onAcceptWorkItem(self, work_item):
        return {answer} if work_item.index == 1 else None

    def onSchedule(self, work_item):
        print("offered", work_item.index)
        return scheduleResult.CookSucceeded
""",
    )
    assert cooked.outcome == "failed"
    rejected = next(item for item in cooked.items("a") if item.index == 1)
    assert rejected.state.name == "CookedFail"
    assert 'scheduler "own" does not accept it: onAcceptWorkItem returned Reject' in cooked.why(rejected.name)
    assert [item.state.name for item in cooked.items("b") if item.dependencies == [rejected]] == ["Waiting"]
    assert "offered 1" not in cooked.log("own")


@pytest.mark.parametrize("answer", ["pdg.acceptResult.Accept", "pdg.acceptResult.Default", "True", "None"])
def test_an_accepted_item_goes_its_way(bench: CookBench, answer: str) -> None:
    cooked = cook(
        bench,
        f"""
    def onAcceptWorkItem(self, work_item):
        return {answer}

    def onSchedule(self, work_item):
        return scheduleResult.CookSucceeded
""",
    )
    assert cooked.outcome == "cooked"


def test_single_items_are_canceled_through_their_scheduler_or_without_it(bench: CookBench) -> None:
    for extra in (
        "",
        (
            "    def onCancelWorkItems(self, work_items, node):\n"
            "        print('cancel', [item.index for item in work_items], node.name)\n"
        ),
    ):
        bench.types(
            "own",
            HEAD
            + extra
            + """
    def onSchedule(self, work_item):
        if work_item.index == 1:
            item = self.context.graph.workItemById(work_item.id)
            self.context.core.cook.cancel_items([item.record])
            return scheduleResult.Succeeded
        return scheduleResult.CookSucceeded
"""
            + TAIL,
        )
        cooked = bench.cook(NETWORK)
        assert [item.state.name for item in cooked.items("a")] == ["CookedSuccess", "CookedCancel", "CookedSuccess"]
        assert not extra or "cancel [1] a" in cooked.log("own")
