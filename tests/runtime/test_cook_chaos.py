"""Whole cooks with a scheduler that does everything in any order: each ends, and every item with what was said first."""

from __future__ import annotations

import random

import pytest

from topcook.testkit.cookbench import CookBench

SCHEDULER = """
import random
import threading
import time
import pdg
from pdg.scheduler import PyScheduler


class Chaos(PyScheduler):
    def onStart(self):
        self.chance = random.Random(self["seed"].evaluateInt())
        self.setAcceptInProcess(self.chance.random() < 0.5)
        return True

    def onStartCook(self, static, cook_set):
        self.held, self.lock, self.over = [], threading.Lock(), False
        self.threads = [threading.Thread(target=self.work, args=(self.chance.random(),)) for _ in range(3)]
        for thread in self.threads:
            thread.start()
        return True

    def onStopCook(self, cancel):
        self.over = True
        for thread in self.threads:
            thread.join()
        return True

    def work(self, seed):
        chance = random.Random(seed)
        while not self.over:
            with self.lock:
                item = self.held.pop(chance.randrange(len(self.held))) if self.held else None
            if item is None:
                time.sleep(0.001)
            else:
                self.tell(chance, item)

    def tell(self, chance, item):
        for _ in range(chance.randrange(3)):
            self.onWorkItemStartCook(item, -1)
        if chance.random() < 0.1:
            self.onWorkItemFailed(item, -1)
        for _ in range(chance.randrange(1, 3)):
            self.onWorkItemSucceeded(item, -1, chance.random() - 0.1)
        if chance.random() < 0.2:
            self.onWorkItemCanceled(chance.randrange(200), -1)

    def onTick(self):
        return self.chance.choice([None, True, False, pdg.tickResult.SchedulerReady, pdg.tickResult.SchedulerBusy])

    def onSchedule(self, work_item):
        what = self.chance.choice(["held", "held", "now", "early", "Deferred", "FullDeferred", "CookSucceeded", "CookFailed", "wrong"])
        if what == "held":
            with self.lock:
                self.held.append(work_item.id)
            return self.chance.choice([None, True, pdg.scheduleResult.Succeeded])
        if what in ("now", "early"):
            self.tell(self.chance, work_item.id)
            return self.chance.choice([pdg.scheduleResult.Succeeded, pdg.scheduleResult.CookSucceeded, None])
        if what == "wrong":
            if self.chance.random() < 0.9:
                return pdg.scheduleResult.CookSucceeded
            raise RuntimeError("one of those days")
        if self.chance.random() < 0.2:
            self.requestTask()
        return getattr(pdg.scheduleResult, what)


def registerTypes(type_registry):
    type_registry.registerScheduler(Chaos, name="chaos")
"""
NETWORK = """
[network]
name = "chaos"
scheduler = "one"
[schedulers.one]
type = "chaos"
parms = { pdg_tickperiod = 0.01 }
[[schedulers.one.spare]]
name = "seed"
type = "Integer"
value = SEED
[schedulers.two]
type = "chaos"
parms = { pdg_tickperiod = 0.01, pdg_maxtasks = 3 }
[[schedulers.two.spare]]
name = "seed"
type = "Integer"
value = SEED
[nodes.a]
type = "genericgenerator"
parms.itemcount = 30
parms.command = "x"
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
scheduler = "two"
parms.command = "x"
[nodes.c]
type = "pythonprocessor"
inputs = ["b"]
parms.pdg_workitemgeneration = "dynamic"
parms.generate = "for up in upstream_items: item_holder.addWorkItem(parent=up, inProcess=True)"
[nodes.all]
type = "waitforall"
inputs = ["c"]
[nodes.end]
type = "genericgenerator"
inputs = ["all"]
parms.command = "x"
"""
FINAL = {"CookedSuccess", "CookedFail", "CookedCancel"}


@pytest.mark.parametrize("seed", range(20))
def test_a_cook_of_anything_ends(bench: CookBench, seed: int) -> None:
    bench.types("chaos", SCHEDULER)
    context = bench.load(NETWORK.replace("SEED", str(seed)))
    chance = random.Random(seed)
    cook = bench.start(context)
    how = ("nothing", "cancel", "items", "pause")[seed % 4]
    cook.wait(chance.random() * 0.3)
    if how == "cancel":
        cook.cancel()
    elif how == "items":
        items = context.core.items()
        cook.cancel_items(chance.sample(items, len(items) // 3))
    elif how == "pause":
        cook.pause(paused=True)
        cook.wait(0.05)
        cook.pause(paused=False)
    done = bench.finish(context, cook)
    states = {item.state.name for item in done.items()}
    if done.outcome == "canceled":
        assert states <= FINAL | {"Uncooked"}
    else:
        # What did not cook is held by something that failed.
        held = [item for item in done.items() if item.state.name not in FINAL]
        assert all(any(need.state.name != "CookedSuccess" for need in item.dependencies) for item in held)
        assert done.outcome == ("cooked" if states == {"CookedSuccess"} else "failed")
    assert done.out_of_order() == []
