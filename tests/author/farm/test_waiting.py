"""Items that were handed over before their time: when they may begin, and what their jobs have to write."""

from __future__ import annotations

import pytest

from topcook.testkit.cookbench import CookBench

TYPE = """
import pdg
from pdg.scheduler import PyScheduler
from topcook.author.farm.waiting import declared_outputs, jobs_at_once, may_begin


class Waits(PyScheduler):
    staticCook = True

    def onStartCook(self, static, cook_set):
        self.left = []
        print("at once:", jobs_at_once(self))
        self.setWorkingDir(self.workingDir(True), "/there")
        return True

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookFailed

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        self.left = list(dependencies)

    def onTick(self):
        for item in [each for each in self.left if may_begin(each)]:
            self.left.remove(item)
            print("begins", item.name, *declared_outputs(self, item))
            self.onWorkItemStartCook(item.id, -1)
            (self.onWorkItemFailed if item.name == "a_1" else self.onWorkItemSucceeded)(item.id, -1)
        return pdg.tickResult.SchedulerReady


def registerTypes(type_registry):
    type_registry.registerScheduler(Waits)
"""
NETWORK = """
[network]
scheduler = "farm"
[schedulers.farm]
type = "waits"
parms = { pdg_tickperiod = 0.02, pdg_checkexpectedoutputs = CHECK, topcook_static = 1 }
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 2, command = "true", pdg_onfailure = "continue" }
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
[nodes.b.parms]
framesperbatch = 2
sequential = 1
command = "true"
outputs = [{ path = "$HIP/b.@pdg_index" }, { path = "/dev/null" }]
[nodes.all]
type = "waitforall"
inputs = ["b"]
[nodes.c]
type = "genericgenerator"
inputs = ["all"]
parms = { command = "true" }
"""


@pytest.mark.parametrize("checks", [True, False])
def test_items_may_begin_when_all_they_wait_for_is_done_or_holds_nothing_up(bench: CookBench, checks: bool) -> None:
    bench.types("waits", TYPE)
    for number in range(2):
        (bench.folder / f"b.{number}").touch()
    cooked = bench.cook(NETWORK.replace("CHECK", str(int(checks))))
    begun = [line.split()[1:] for line in cooked.log("farm").splitlines() if line.startswith("begins")]
    assert [name.partition("_")[0] for name, *_ in begun] == ["a", "a", "b", "c"], cooked.messages
    # Each as the farm sees it; what lies elsewhere is called nobody knows what there.
    assert begun[2][1:] == (["/there/b.0", "/there/b.1"] if checks else [])
    assert set(cooked.states("c").values()) == {"CookedSuccess"}


@pytest.mark.parametrize(
    ("parms", "limit"),
    [
        ("", 0),
        ("pdg_maxtasks = 3", 3),
        ("pdg_maxtasks = 3, pdg_usemaxtasks = 1", 3),
        ("pdg_maxtasks = 3, pdg_usemaxtasks = 0", 0),
        ("pdg_maxtasks = -1", 0),
    ],
)
def test_how_many_jobs_may_run_at_a_time_is_what_the_cook_would_hold_to(
    bench: CookBench, parms: str, limit: int
) -> None:
    bench.types("waits", TYPE)
    more = f"topcook_static = 1, {parms}" if parms else "topcook_static = 1"
    cooked = bench.cook(NETWORK.replace("CHECK", "0").replace("topcook_static = 1", more))
    assert f"at once: {limit}\n" in cooked.log("farm"), cooked.messages
