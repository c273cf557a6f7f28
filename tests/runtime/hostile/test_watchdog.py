"""Author code that does not come back is named with its place; the rest of the cook goes on, and it can be canceled."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.waiting import until
from topcook.runtime import watch, watchdog
from topcook.runtime.api import GraphContext
from topcook.runtime.watchdog import Watchdog
from topcook.testkit.cookbench import CookBench

SCHEDULER = """
import os
import time
from pathlib import Path
import pdg
from pdg.scheduler import PyScheduler

FOLDER = Path("FOLDER_HERE")


def hang():
    (FOLDER / "hangs").touch()
    while not (FOLDER / "go").exists():
        time.sleep(0.01)  # it hangs here


class Hanging(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

METHODS_HERE

def registerTypes(type_registry):
    type_registry.registerScheduler(Hanging, name="hanging", label="Hanging")
"""
NETWORK = """
[network]
name = "net"
scheduler = "hanging"
[schedulers.hanging]
type = "hanging"
parms = { pdg_tickperiod = 0.05 }
[schedulers.other]
type = "inprocessscheduler"
[nodes.work]
type = "genericgenerator"
parms.command = "true"
[nodes.elsewhere]
type = "pythonscript"
scheduler = "other"
parms.script = "pass"
"""
HANGS = {
    "__init__": "    def __init__(self, scheduler, name):\n        hang()\n        super().__init__(scheduler, name)",
    "onStart": "    def onStart(self):\n        hang()\n        return True",
    "onStartCook": "    def onStartCook(self, static, cook_set):\n        hang()\n        return True",
    "onSetupCook": "    def onSetupCook(self):\n        hang()\n        return True",
    "onSchedule": "    def onSchedule(self, work_item):\n        hang()\n        return pdg.scheduleResult.CookSucceeded",
    "onTick": "    def onTick(self):\n        hang()\n        return pdg.tickResult.SchedulerReady",
    "onStopCook": "    def onStopCook(self, cancel):\n        hang()\n        return True",
}


def load(bench: CookBench, methods: str, network: str = NETWORK) -> GraphContext:
    text = SCHEDULER.replace("FOLDER_HERE", str(bench.folder)).replace("METHODS_HERE", methods)
    bench.types("hanging", text)
    context = bench.load(network)
    context.core.config = context.core.config._replace(watchdog=1)
    return context


def said(messages: list[Any]) -> str:
    return "\n".join(f"{each.level}: {each.source}: {each.text}" for each in list(messages))


@pytest.mark.parametrize("callback", [name for name in HANGS if name not in {"__init__", "onStart"}])
def test_a_callback_that_hangs_is_named_with_its_stack_and_others_cook_on(bench: CookBench, callback: str) -> None:
    context = load(bench, HANGS[callback])
    cook = bench.start(context)
    until(lambda: "has been in " in said(cook.messages))
    told = said(cook.messages)
    assert f'warning: hanging: scheduler "hanging" has been in {callback}' in told
    assert "time.sleep(0.01)  # it hangs here" in told
    until(lambda: all(item.state.name == "CookedSuccess" for item in context.core.network.nodes["elsewhere"].items))
    (bench.folder / "go").touch()
    done = bench.finish(context, cook)
    assert done.outcome == "cooked"
    assert f"has been in {callback}" in done.log("hanging")


@pytest.mark.parametrize("callback", ["__init__", "onStart"])
def test_an_instance_that_is_not_made_in_time_is_named_while_its_maker_waits(bench: CookBench, callback: str) -> None:
    context = load(bench, HANGS[callback])
    cook, told = context.prepare(()), []
    dog = Watchdog(context.core)

    def waiting() -> None:
        told.extend(dog.look())
        if told:
            (bench.folder / "go").touch()

    context.open_schedulers(cook, waiting)
    assert f'scheduler "hanging" has been in {callback} for ' in said(told)
    assert "# it hangs here" in said(told)
    cook.start()
    assert bench.finish(context, cook).outcome == "cooked"


def test_who_waits_for_an_instance_may_give_up(bench: CookBench) -> None:
    context = load(bench, HANGS["onStart"])
    cook = context.prepare(())

    def waiting() -> None:
        raise TimeoutError("enough")

    with pytest.raises(TimeoutError, match="enough"):
        context.open_schedulers(cook, waiting)
    (bench.folder / "go").touch()


def test_a_cook_whose_callback_hangs_can_be_canceled(bench: CookBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "GIVE_UP_AFTER", 1.0)
    context = load(bench, HANGS["onTick"])
    cook = bench.start(context)
    until(lambda: "has been in onTick" in said(cook.messages))
    cook.cancel()
    done = bench.finish(context, cook)
    assert done.outcome == "canceled"
    assert "gave up waiting for it to stop" in done.messages
    (bench.folder / "go").touch()


def test_a_node_that_hangs_while_it_makes_items_is_named(bench: CookBench) -> None:
    context = load(
        bench,
        "",
        NETWORK
        + f"""
[nodes.first]
type = "genericgenerator"
parms.command = "true"
[nodes.late]
type = "pythonprocessor"
inputs = ["first"]
parms.pdg_workitemgeneration = "dynamic"
parms.generate = "import time, pathlib\\nwhile not pathlib.Path('{bench.folder}/go').exists(): time.sleep(0.01)"
""",
    )
    cook = bench.start(context)
    until(lambda: 'node "late" has been in making its items for ' in said(cook.messages))
    assert "onGenerate" in said(cook.messages)
    (bench.folder / "go").touch()
    assert bench.finish(context, cook).outcome == "cooked"


def test_a_function_that_cooks_in_this_process_and_hangs_is_named_with_its_item(bench: CookBench) -> None:
    script = f"import time, pathlib\\nwhile not pathlib.Path('{bench.folder}/go').exists(): time.sleep(0.01)"
    context = load(bench, "", NETWORK.replace('parms.script = "pass"', f'parms.script = "{script}"'))
    cook = bench.start(context)
    until(lambda: 'scheduler "other" has been in the function of elsewhere_' in said(cook.messages))
    (bench.folder / "go").touch()
    assert bench.finish(context, cook).outcome == "cooked"


def test_a_callback_that_waits_for_a_process_of_its_own_is_named_with_that_and_without_a_stack(
    bench: CookBench,
) -> None:
    method = """
    def onSchedule(self, work_item):
        import subprocess
        subprocess.run(["/bin/sh", "-c", f"while [ ! -e {FOLDER}/go ]; do sleep 0.05; done"], check=True)
        return pdg.scheduleResult.CookSucceeded
"""
    context = load(bench, method)
    cook = bench.start(context)
    until(lambda: "it waits for what it has started: " in said(cook.messages))
    told = said(cook.messages)
    assert 'info: hanging: scheduler "hanging" has been in onSchedule for work_' in told
    assert "sh (" in told
    assert "subprocess.run" not in told
    (bench.folder / "go").touch()
    assert bench.finish(context, cook).outcome == "cooked"


def test_what_hangs_on_is_told_again_after_twice_the_time_only(bench: CookBench, monkeypatch: Any) -> None:
    context = load(bench, HANGS["onTick"])
    cook = bench.start(context)
    until((bench.folder / "hangs").exists)
    now = time.monotonic()
    dog = Watchdog(context.core)
    told = []
    for second in range(100):
        monkeypatch.setattr(watchdog, "time", SimpleNamespace(monotonic=lambda at=now + second: at))
        told += [second for _ in dog.look()]
    monkeypatch.undo()
    # After one second and then two, five, … : it looks four times a second at most, and each look is a second late.
    assert 4 <= len(told) <= 8
    assert all(later >= 2 * earlier for earlier, later in pairwise(told[1:]))
    (bench.folder / "go").touch()
    assert bench.finish(context, cook).outcome == "cooked"


@pytest.mark.parametrize("how", ["off", "debug"])
def test_nothing_is_said_where_it_is_off_or_somebody_debugs(bench: CookBench, how: str) -> None:
    context = load(bench, "")
    if how == "off":
        context.core.config = context.core.config._replace(watchdog=0)
    context.core.debug = how == "debug"
    dog = Watchdog(context.core)
    assert dog.timeout() is None
    assert dog.look() == []


def test_a_log_tells_what_the_terminal_told(bench: CookBench) -> None:
    context = load(bench, HANGS["onStartCook"])
    cook = bench.start(context)
    until(lambda: "has been in onStartCook" in said(cook.messages))
    (bench.folder / "go").touch()
    done = bench.finish(context, cook)
    assert "has been in onStartCook" in Path(context.core.host("hanging").log_path).read_text()
    assert done.outcome == "cooked"
