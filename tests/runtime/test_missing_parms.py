"""What the console says when a callback stumbles over a parm that nobody set."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FARM = """
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    @classmethod
    def templateName(cls):
        return "parmfarm"

    def onStartCook(self, static, cook_set):
        self.pool = self["farm_pool"].evaluateString()
        return True

    def onSchedule(self, work_item):
        return None

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""

NETWORK = """
[network]
scheduler = "farm"
[schedulers.farm]
type = "parmfarm"
[nodes.one]
type = "genericgenerator"
[nodes.one.parms]
command = "true"
"""


def test_a_callback_that_stumbles_over_a_parm_nobody_set_names_the_parm_and_where_to_set_it(tmp_path: Path) -> None:
    (tmp_path / "farm.py").write_text(FARM)
    (tmp_path / "net.toml").write_text(NETWORK)
    command = [sys.executable, "-m", "topcook", "cook", "--progress", "off", "net.toml"]
    env = {"PDG_TYPES_PATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert 'self["farm_pool"] is None: it is neither declared nor set' in done.stderr
    assert "[schedulers.farm.parms] farm_pool = ..." in done.stderr
