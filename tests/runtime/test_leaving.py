"""Letting go of a cook: what its schedulers say, what keeps it, and what is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.waiting import until
from topcook.runtime.cook import Cook
from topcook.testkit.cookbench import CookBench

#: Its items end when there is a gate; what it says when the cook would leave stands in ANSWER.
FARM = """
import os
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    def onStartCook(self, static, cook_set):
        self.has = []
        return True
    def onSchedule(self, item):
        self.has.append(item.id)
        return True
    def onTick(self):
        if os.path.exists(self.workingDir(True) + "/gate"):
            for each in self.has:
                self.onWorkItemSucceeded(each, -1, 0.0)
            self.has = []
        return True
    def onAdoptWorkItems(self, jobs):
        return []
    {more}

def registerTypes(registry):
    registry.registerScheduler(Farm)
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "Farm"
parms.pdg_tickperiod = 0.05
{parms}
[nodes.work]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "true"
"""
LEAVES = """
    def onLeaveWorkItems(self, items):
        return items
"""


def started(bench: CookBench, more: str, parms: str = "") -> Cook:
    bench.types("farm", FARM.replace("{more}", more.strip()))
    context = bench.load(NETWORK.format(parms=parms))
    cook = bench.start(context)
    cook.detach()
    return cook


def told(cook: Cook) -> str:
    return "\n".join(each.text for each in cook.messages)


def ended(bench: CookBench, cook: Cook) -> str:
    (bench.folder / "gate").touch()
    assert cook.wait(60)
    return cook.outcome


def test_a_scheduler_that_leaves_its_items_ends_the_cook_and_is_stopped_without_a_cancel(bench: CookBench) -> None:
    stopped = """
    def onStopCook(self, cancel):
        with open(self.workingDir(True) + "/stopped", "w") as stream:
            stream.write(str(cancel))
        return True
"""
    cook = started(bench, LEAVES + stopped)
    assert cook.wait(60)
    assert cook.outcome == "detached"
    assert (bench.folder / "stopped").read_text() == "False"
    assert [item.state.name for item in cook.state.all_items()] == ["Scheduled"] * 2


@pytest.mark.parametrize(
    ("more", "parms"),
    [
        pytest.param("pass", "", id="it does not say so"),
        pytest.param(LEAVES.replace("return items", "return items[:1]"), "", id="it leaves only some"),
        pytest.param(LEAVES, "parms.pdg_workitemdatasource = 1", id="its jobs ask for their data"),
        pytest.param(
            LEAVES + "    def onStart(self):\n        self.setSharedServerInfo('s', {'port': 1})\n        return True",
            "",
            id="it runs a server that they share",
        ),
    ],
)
def test_items_that_nobody_leaves_keep_the_cook_which_says_so(bench: CookBench, more: str, parms: str) -> None:
    cook = started(bench, more, parms)
    until(lambda: 'not let go yet:\n    scheduler "farm" needs the cook for ' in told(cook), "it is told")
    assert ended(bench, cook) == "cooked"


@pytest.mark.parametrize("answer", ["1 / 0", "return 7"])
def test_an_answer_that_is_none_leaves_nothing_and_is_told(bench: CookBench, answer: str) -> None:
    cook = started(bench, LEAVES.replace("return items", answer))
    until(lambda: "the cook is not let go before its items have ended" in told(cook), "it is told")
    assert ended(bench, cook) == "cooked"


def test_jobs_find_that_nobody_listens_and_the_server_is_gone(bench: CookBench) -> None:
    bench.types("farm", FARM.replace("{more}", LEAVES.strip()))
    cook = bench.start(bench.load(NETWORK.format(parms="")))
    host = cook.graph.host("farm")
    address = host.result_server.start(local_only=True, port_range=None)
    cook.detach()
    assert cook.wait(60)
    word = Path(host.directories.script_dir(local=True)) / ".pdg_result_server"
    assert word.read_text().strip() == "-"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=60)
