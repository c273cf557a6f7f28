"""How soon the TAB menu stands: ``python -m benchmarks.tab [--files N] [--rounds N] [--against PYTHON]``.

The whole process in a pseudo-terminal, from its start to the end of its first picture, beside a bare interpreter and
``topcook list`` measured in the same rounds. ``--against`` names an interpreter that has textual, prompt_toolkit and
blessed, whose mere imports are measured, too.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TYPE = """\
import pdg


class Farm(pdg.scheduler.PyScheduler):
    '''Cooks nothing.'''

    @classmethod
    def templateName(cls):
        return "{name}"

    def onSchedule(self, work_item):
        return pdg.scheduleResult.Succeeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="Farm {name}")
"""
#: What the picture ends with: the cursor is shown in the line of input.
PAINTED = b"\x1b[?25h"
TOOLKITS = {
    "import textual": "from textual.app import App; from textual.widgets import Input, OptionList",
    "import prompt_toolkit": "from prompt_toolkit.application import Application",
    "import blessed": "import blessed",
}


def first_picture(env: dict[str, str]) -> float:
    """Seconds from the start of ``topcook tab`` to its first picture."""
    master, slave = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "topcook", "tab"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=env,
        start_new_session=True,
    )
    seen = b""
    while PAINTED not in seen:
        if not select.select([master], [], [], 60)[0] or process.poll() is not None:
            raise RuntimeError(seen)
        seen += os.read(master, 65536)
    took = time.perf_counter() - started
    os.write(master, b"\x07")
    while process.poll() is None:
        if select.select([master], [], [], 0.01)[0]:
            os.read(master, 65536)
    os.close(master)
    os.close(slave)
    return took


def whole(env: dict[str, str], *command: str) -> Callable[[], float]:
    """What measures a process from start to end."""

    def run() -> float:
        started = time.perf_counter()
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return time.perf_counter() - started

    return run


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tab", description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="types files on the path (default 1000)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--against", default="", metavar="PYTHON", help="an interpreter with toolkits to compare")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        types = Path(folder, "types")
        types.mkdir()
        for number in range(settings.files):
            (types / f"farm{number:04}.py").write_text(TYPE.format(name=f"farm{number:04}"), encoding="utf-8")
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "TOPCOOK_"))}
        env |= {"HOME": folder, "XDG_CACHE_HOME": folder, "PDG_TYPES_PATH": str(types), "TERM": "xterm-256color"}
        env |= {"TOPCOOK_STATE_DIR": folder}
        runs: dict[str, Callable[[], float]] = {
            "python -c pass": whole(env, sys.executable, "-c", "pass"),
            "topcook list": whole(env, sys.executable, "-m", "topcook", "list"),
            "topcook tab, first picture": lambda: first_picture(env),
        }
        if settings.against:
            runs |= {name: whole(env, settings.against, "-c", code) for name, code in TOOLKITS.items()}
        runs["topcook list"]()
        took: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(settings.rounds):
            for name, run in runs.items():
                took[name].append(run())
    print(f"{settings.files} types files{'':10}{'median ms':>12}{'best ms':>10}")
    for name, times in took.items():
        print(f"{name:28}{statistics.median(times) * 1000:12.0f}{min(times) * 1000:10.0f}")


if __name__ == "__main__":
    main()
