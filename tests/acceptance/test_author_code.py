"""Author code in a cook from the command line: what it prints, what it raises, how it is debugged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

FARM = """
import os
import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    @classmethod
    def templateName(cls):
        return "farm"

    def onStart(self):
        print("starting up")
        {on_start}
        return True

    def onStop(self):
        print("shutting down")
        return True

    def onSchedule(self, work_item):
        print("printed for", work_item.name)
        os.system("echo from a program")
        {on_schedule}
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="My Farm")
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[nodes.gen]
type = "genericgenerator"
[nodes.gen.parms]
itemcount = 2
command = "true"
"""


def farm(shell: Any, *, on_start: str = "pass", on_schedule: str = "pass") -> dict[str, str]:
    shell.write("types/farm.py", FARM.format(on_start=on_start, on_schedule=on_schedule))
    shell.write("net.toml", NETWORK)
    return {"PDG_TYPES_PATH": str(shell.folder / "types")}


def logs(shell: Any) -> dict[str, str]:
    return {path.name: path.read_text() for path in Path(shell.folder).rglob("logs/*.log")}


def test_what_callbacks_and_their_programs_print_stays_out_of_the_progress(shell: Any) -> None:
    done = shell.run("cook", "net.toml", "--progress", "json", **farm(shell))
    assert "printed for" not in done.stdout + done.stderr
    assert "from a program" not in done.stdout + done.stderr
    found = logs(shell)
    said = found["scheduler_pdg_farm.log"].splitlines()
    assert said == ["starting up", "printed for gen_1", "printed for gen_2", "shutting down"]
    assert found["output.log"] == "from a program\n" * 2


def test_a_callback_that_raises_is_told_once_with_its_line(shell: Any) -> None:
    done = shell.run("cook", "net.toml", status=1, **farm(shell, on_schedule='raise ValueError("the farm is shut")'))
    assert done.stderr.count("error: ") == 1
    assert "onSchedule raised ValueError: the farm is shut" in done.stderr
    line = (
        (shell.folder / "types" / "farm.py")
        .read_text()
        .splitlines()
        .index('        raise ValueError("the farm is shut")')
    )
    assert f"types/farm.py:{line + 1}" in done.stderr
    assert "failed: 0 of 2 items cooked, 2 failed" in done.stdout


def test_a_scheduler_that_does_not_start_ends_the_cook_and_the_report_says_so(shell: Any) -> None:
    report = shell.cook("net.toml", status=1, **farm(shell, on_start='raise OSError("no licence")'))
    assert report["state"] == "failed"
    assert "no licence" in report["messages"][0]


def test_a_breakpoint_in_a_callback_can_be_used_with_debug(shell: Any) -> None:
    variables = farm(shell, on_schedule="breakpoint()")
    done = subprocess.run(
        [sys.executable, "-m", "topcook", "cook", "net.toml", "--debug"],
        input="work_item.name\nc\nc\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=shell.folder,
        env=shell.environment | variables,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(Pdb) 'gen_1'" in done.stdout
    assert "from a program" in done.stdout


def test_the_menu_shows_a_broken_scheduler_in_place_and_cook_says_why_it_cannot_be_used(shell: Any) -> None:
    variables = farm(shell)
    shell.write("types/farm.py", "import pdg\nclass Farm(pdg.PyScheduler:\n    pass\ndef registerTypes(r): pass\n")
    listed = shell.run("list", "--types", "schedulers", **variables)
    row = next(line for line in listed.stdout.splitlines() if "farm" in line)
    assert "failed" in row
    assert "l.2 SyntaxError" in row
    done = shell.run("cook", "net.toml", status=2, **variables)
    assert 'scheduler "farm" cannot be used' in done.stderr
    assert "types/farm.py:2" in done.stderr
    checked = shell.run("check", "types/farm.py", status=1)
    assert "types/farm.py:2:" in checked.stdout
    assert "class Farm(pdg.PyScheduler:" in checked.stdout
    assert "^" in checked.stdout
