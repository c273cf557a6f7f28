"""The last resort: the program is about to end, and no process of the cook may be left behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from topcook.runtime.api import GraphContext
from topcook.testkit.cookbench import CookBench

HEAD = """
import subprocess
import pdg
from pdg.scheduler import PyScheduler


class Mine(PyScheduler):
    def onSchedule(self, work_item):
        # As many files do: started here, asked for its end in onTick, forgotten at the end.
        self.processes = [*getattr(self, "processes", []), subprocess.Popen(["sh", "-c", "sleep 600; true"])]
        print("pid", self.processes[-1].pid, flush=True)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for process in self.processes if len(getattr(self, "processes", [])) == 2 else ():
            self.onWorkItemFailed(f"a_{self.processes.index(process) + 1}") if process.poll() else None
        return pdg.tickResult.SchedulerReady


def registerTypes(type_registry):
    type_registry.registerScheduler(Mine, name="mine")
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "mine"
parms = { pdg_tickperiod = 0.05 }
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 2, command = "true" }
"""


def _pids(context: GraphContext) -> int:
    log = Path(context.core.host("farm").log_path)
    return log.read_text().count("pid ") if log.exists() else 0


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="only Linux tells who started what")
def test_a_kill_ends_what_a_scheduler_has_started_itself(bench: CookBench) -> None:
    bench.types("mine", HEAD)
    context = bench.load(NETWORK)
    cook = bench.start(context)
    deadline = time.monotonic() + 20
    while _pids(context) != 2 and time.monotonic() < deadline:
        cook.wait(0.02)
    cook.kill()
    # Both items end as failed only because their processes have.
    cooked = bench.finish(context, cook)
    assert set(cooked.states().values()) == {"CookedFail"}, cooked.messages
    for word in [line.split()[1] for line in cooked.log("farm").splitlines() if line.startswith("pid ")]:
        with pytest.raises(ProcessLookupError):
            os.kill(int(word), 0)


@pytest.mark.skipif(sys.platform == "win32", reason="cooking needs a keeper")
def test_an_environment_that_is_printed_shows_no_secret_of_the_session(bench: CookBench) -> None:
    body = """
    def onSchedule(self, work_item):
        print(self.addCommonJobEnvVars({}, work_item))
        return pdg.scheduleResult.CookSucceeded


"""
    bench.types("mine", HEAD.replace("\n\ndef registerTypes", body + "def registerTypes", 1))
    context = bench.load(NETWORK)
    cooked = bench.cook(context)
    assert cooked.outcome == "cooked", cooked.messages
    assert "'PDG_RESULT_SECRET': '***'" in cooked.log("farm")
    assert context.core.secret not in cooked.log("farm")
