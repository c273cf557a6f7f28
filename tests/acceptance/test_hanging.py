"""Author code that does not come back, as a person in front of it sees it."""

from __future__ import annotations

import signal
from typing import Any

HANGING = """
import pdg, time
from pdg.scheduler import PyScheduler
class Hanging(PyScheduler):
    @classmethod
    def templateName(cls): return "hanging"
    def onStart(self, *args):
        time.sleep(600)  # it hangs here
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded
def registerTypes(type_registry): type_registry.registerScheduler(Hanging)
"""
NETWORK = """
[nodes.work]
type = "genericgenerator"
parms.command = "true"
"""


def test_an_onstart_that_hangs_is_shown_with_its_line_and_can_be_interrupted(shell: Any) -> None:
    shell.write("types/hanging.py", HANGING)
    shell.environment |= {"PDG_TYPES_PATH": str(shell.folder / "types"), "TOPCOOK_WATCHDOG": "1"}
    arguments = ("--scheduler", "hanging", "--progress", "plain", "--report", "report.json")
    process = shell.start("cook", shell.network(NETWORK), *arguments)
    said = []
    for line in process.stderr:
        said.append(line)
        if "it hangs here" in line:
            break
    assert any('scheduler "pdg_hanging" has been in onStart for ' in line for line in said), said
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert (shell.folder / "report.json").exists()
