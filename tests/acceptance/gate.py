"""Networks whose jobs wait at a gate, so that a cook can be killed in the middle of them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import Shell
from tests.waiting import until

NODES = """
[nodes.make]
type = "genericgenerator"
[nodes.make.parms]
itemcount = 6
command = "sh $HIP/job.sh make_@pdg_index"
[nodes.after]
type = "genericgenerator"
inputs = ["make"]
[nodes.after.parms]
command = "sh $HIP/job.sh after_@pdg_index"
"""
#: Says that it began, waits for the gate, says that it is done.
JOB = 'echo $1 $PDG_ITEM_ATTEMPT >> began\nwhile [ ! -e "gate_$1" ] && [ ! -e gate ]; do sleep 0.02; done\necho $1 >> done\n'


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def gated(shell: Shell) -> Path:
    """Write the network and its job; its working directory."""
    shell.write("job.sh", JOB)
    shell.network(NODES)
    (shell.folder / "work").mkdir()
    return shell.folder / "work"


def kill_in_the_middle(shell: Shell, work: Path, *options: str) -> subprocess.Popen[str]:
    """Two items done, two at work, when the engine is killed."""
    (work / "gate_make_0").touch()
    (work / "gate_make_1").touch()
    engine = shell.start("cook", "net.toml", *options)
    until(lambda: len(lines(work / "done")) == 2 and len(lines(work / "began")) == 4)
    # The ends are known to the journal when what they freed has begun.
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    return engine


def by_state(report: dict[str, Any]) -> Counter[str]:
    return Counter(item["state"] for item in report["items"])


def keeper_of(work: Path) -> int:
    """The process id of the keeper, from a job at work upwards."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if os.readlink(entry / "cwd") == str(work) and b"job.sh" in (entry / "cmdline").read_bytes():
                    return keeper_above(entry)
            except OSError:
                continue
    raise AssertionError("no job is at work")


def keeper_above(process: Path) -> int:
    while b"keeper/program/" not in (process / "cmdline").read_bytes():
        process = process.parent / (process / "stat").read_text().rpartition(")")[2].split()[1]
    return int(process.name)
