"""Seeing callbacks, and scheduler files that ask Houdini's ``hou``, from the command line."""

from __future__ import annotations

import re
from typing import Any

FARM = """
import hou
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class Farm(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    def onStart(self):
        try:
            hou.ui.displayMessage("hello")
        except AttributeError as error:
            self.cookWarning(str(error))
        return True

    def onSchedule(self, work_item):
        assert hou.applicationVersion()[0] >= 20 and hou.applicationVersionString().startswith("2")
        assert hou.node("/obj") is None and not hou.isUIAvailable() and not hasattr(hou, "qt")
        assert issubclass(hou.OperationFailed, hou.Error)
        print("hip", hou.hipFile.path(), hou.hipFile.basename(), hou.getenv("HIP"), hou.text.expandString("$HIP/x"))
        self.onWorkItemStartCook(work_item.id, -1)
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[nodes.a]
type = "genericgenerator"
parms = { command = "true" }
"""


def test_a_file_that_imports_hou_is_listed_as_that_and_cooks_with_the_stand_in(shell: Any) -> None:
    shell.write("types/farm.py", FARM)
    network = shell.write("net.toml", NETWORK)
    types = {"PDG_TYPES_PATH": str(shell.folder / "types")}
    listed = shell.run("list", **types).stdout
    assert "needs Houdini (import hou)" in listed
    assert "failed" not in listed
    refused = shell.run("cook", network, status=2, **types).stderr
    assert "needs Houdini (import hou)" in refused
    odd = shell.run("list", TOPCOOK_HOU="yes", **types).stderr
    assert 'TOPCOOK_HOU is "yes"' in odd
    shell.run("cook", network, TOPCOOK_HOU="stub", **types)
    (log,) = shell.folder.glob("**/scheduler_*farm*.log")
    here = str(shell.folder)
    assert f"hip {here}/untitled.hip untitled.hip {here} {here}/x" in log.read_text()
    assert '"hou.ui" needs Houdini' in log.read_text()


def test_check_takes_the_stand_in_for_hou_as_list_and_cook_do(shell: Any) -> None:
    path = shell.write("types/farm.py", FARM)
    assert "needs Houdini (import hou)" in shell.run("check", path, status=1).stdout
    assert ": ok, " in shell.run("check", path, TOPCOOK_HOU="stub").stdout
    template = """
    @classmethod
    def templateBody(cls):
        return '{"parameters": [{"name": "hall", "type": "String", "size": 1}]}'

    def onTick(self):
        self["hall"].evaluateString()
        self["crew"].evaluateInt()
"""
    declaring = shell.write("declaring.py", FARM.replace("\n\n\ndef registerTypes", template + "\n\ndef registerTypes"))
    parms = shell.run("check", "--parms", declaring, TOPCOOK_HOU="stub").stdout
    assert '"crew"' in parms
    assert '"hall"' not in parms
    odd = shell.run("check", path, status=1, TOPCOOK_HOU="yes")
    assert 'TOPCOOK_HOU is "yes"' in odd.stdout + odd.stderr


def test_callbacks_and_notifications_are_traced_into_the_schedulers_log(shell: Any) -> None:
    shell.write("types/farm.py", FARM)
    network = shell.write("net.toml", NETWORK)
    types = {"PDG_TYPES_PATH": str(shell.folder / "types"), "TOPCOOK_HOU": "stub"}
    done = shell.run("cook", network, "--trace-callbacks", **types)
    (log,) = shell.folder.glob("**/scheduler_*farm*.log")
    text = log.read_text()
    time = r"^trace \d\d:\d\d:\d\d\.\d\d\d "
    for line in (
        r"onStart\(\) -> True in \d+\.\d+ ms$",
        r"onStartCook\(False, \[.*\]\) -> True in",
        r"onTick\(\) -> .*SchedulerReady.* in",
        r"onSchedule\(.*a_1.*\) -> .*CookSucceeded.* in",
        r"notified start: item=1 index=-1 \[scheduler-pdg_farm\]$",
        r"onStopCook\(False\) -> True in",
    ):
        assert re.search(time + line, text, flags=re.MULTILINE), line
    assert "callbacks: " in done.stderr
    assert "trace" not in shell.run("cook", network, "--no-static", "farm", **types).stderr


def test_what_jobs_report_is_traced_too(shell: Any) -> None:
    network = shell.network(
        """
[nodes.a]
type = "genericgenerator"
parms = { command = '__PDG_PYTHON__ __PDG_SCRIPTDIR__/pdgcmd.py addOutputFile /etc/hostname' }
"""
    )
    shell.run("cook", network, "--trace-callbacks")
    (log,) = shell.folder.glob("**/scheduler_local.log")
    assert re.search(r"job reported outputs: item=1 index=-1 .*hostname.*\[", log.read_text())
