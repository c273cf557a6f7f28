"""A job for tests of farms that does not end when it is told to; whether it is there still, the next attempt tells.

An item of it needs ``pdg_timeout``, ``pdg_timeoutgrace`` and several ``pdg_retries``: on a busy machine an attempt may
take too long before it has done anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["met_by", "stubborn_job"]

_SCRIPT = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if not os.path.exists("stubborn"):
    with open("stubborn.new", "w") as stream:
        stream.write(str(os.getpid()))
    os.rename("stubborn.new", "stubborn")
    time.sleep(600)
with open("stubborn") as stream:
    there = os.path.exists("/proc/" + stream.read())
with open("met", "a") as stream:
    stream.write("both\\n" if there else "alone\\n")
"""


def stubborn_job(folder: Path) -> str:
    """The command of such a job, for a cook in this folder and one item; on systems with ``/proc``."""
    script = folder / "stubborn.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    return f"{sys.executable} {script}"


def met_by(folder: Path) -> set[str]:
    """What later attempts have found: ``alone``, or ``both`` where the stubborn one was there still."""
    return set((folder / "met").read_text(encoding="utf-8").split())
