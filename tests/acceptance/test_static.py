"""Static hand-over, decided on the command line."""

from __future__ import annotations

from typing import Any

FARM = """
import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onStartCook(self, static, cook_set):
        self.cookWarning("static is %s" % static)
        return True

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        for item in dependencies:
            self.onWorkItemSucceeded(item.id, -1, 0.0)


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 2, command = "true" }
"""


def test_the_command_line_decides_and_the_menu_says_why(shell: Any) -> None:
    shell.write("types/farm.py", FARM)
    network = shell.write("net.toml", NETWORK)
    types = {"PDG_TYPES_PATH": str(shell.folder / "types")}
    assert "static: yes" in shell.run("list", **types).stdout
    assert "yes, because its onScheduleStatic" in shell.run("list", "farm", **types).stdout
    assert "static is True" in shell.run("cook", network, **types).stderr
    assert "static is False" in shell.run("cook", network, "--no-static", "farm", **types).stderr
    both = shell.run("cook", network, "--no-static", "farm", "--static", "farm", status=2, **types).stderr
    assert '"farm" is named by --static and by --no-static' in both
    assert 'type "localscheduler" has no onScheduleStatic of its own' in (
        shell.run("cook", network, "--static", "localscheduler", status=2, **types).stderr
    )
    assert "fram" in shell.run("cook", network, "--no-static", "fram", status=2, **types).stderr
