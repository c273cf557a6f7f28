"""A program of somebody's own that cooks with ``import pdg``, and is interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.acceptance.conftest import Shell
from tests.waiting import until

TYPES = """
import time
from pathlib import Path
import pdg
from pdg.scheduler import PyScheduler

class Slow(PyScheduler):
    def onSchedule(self, work_item):
        Path("begun").touch()
        return pdg.scheduleResult.Succeeded
    def onStopCook(self, cancel):
        # Its farm takes its time.
        time.sleep(0.5)
        Path("stopped").write_text(str(cancel))
        return True

def registerTypes(type_registry):
    type_registry.registerScheduler(Slow, name="slow", label="Slow")
"""
PROGRAM = """
import pdg
context = pdg.GraphContext("mine")
context.addScheduler("slow", "far")
context.addNode("genericgenerator", "work")
context.setParameter("work", "command", "true")
context.setScheduler("work", "far")
try:
    context.cook(True)
except KeyboardInterrupt:
    print("interrupted")
    context.close()
    from pathlib import Path
    # What close waited for.
    print(Path("stopped").exists())
"""


def test_after_ctrl_c_close_waits_until_the_scheduler_has_stopped(shell: Shell) -> None:
    shell.write("types/slow.py", TYPES)
    shell.write("program.py", PROGRAM)
    process = subprocess.Popen(
        [sys.executable, "program.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shell.folder,
        env=shell.environment | {"PDG_TYPES_PATH": str(shell.folder / "types")},
    )
    shell.started.append(process)
    until(lambda: (shell.folder / "begun").exists() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert out == "interrupted\nTrue\n", out + err
    assert (shell.folder / "stopped").read_text() == "True"
