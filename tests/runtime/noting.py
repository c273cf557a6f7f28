"""A scheduler type of a test's own that notes which of its callbacks are called, and networks for it."""

from __future__ import annotations

import textwrap

from topcook.testkit.cookbench import CookBench

NOTE = """
import os
import subprocess
import sys
import threading
import time
import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler


def note(*words):
    with open("CALLS", "a") as stream:
        stream.write(" ".join(map(str, words)) + chr(10))


def registerTypes(type_registry):
    type_registry.registerScheduler(Mine, name="mine", label="Mine")


class Mine(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    def onStop(self):
        note("onStop")

    def onStopCook(self, cancel):
        note("onStopCook", cancel)
        return True

"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "mine"
parms = { pdg_tickperiod = 0.05 }
[nodes.work]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "echo @pdg_index"
[nodes.after]
type = "genericgenerator"
inputs = ["work"]
parms.command = "echo after"
"""
LOCAL = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
parms = { maxprocsmenu = 1, maxprocs = 2 }
[nodes.work]
type = "genericgenerator"
parms.itemcount = 6
parms.command = "echo $$ >> pids.txt; sleep 60; true"
"""


def scheduler(bench: CookBench, body: str, after: str = "") -> None:
    """A types file whose class ``Mine`` has these methods, too."""
    bench.types(
        "mine",
        NOTE.replace("CALLS", str(bench.folder / "calls.txt")) + textwrap.indent(textwrap.dedent(body), "    ") + after,
    )


def calls(bench: CookBench) -> list[str]:
    path = bench.folder / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []
