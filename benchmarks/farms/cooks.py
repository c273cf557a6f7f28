"""What the benchmarks of farms share: plugins as pip installs them, and whole cooks."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
#: An item that writes down when it ends.
ENDED = "sh -c 'date +%s.%N > ended_@pdg_index'"
_NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "{scheduler}"
[schedulers.farm.parms]
{parms}
[nodes.work]
type = "genericgenerator"
parms.itemcount = {count}
parms.command = '''{command}'''
"""


class Cooked(NamedTuple):
    """Seconds of a cook; until each end was known that an item wrote down; from the last of these to the cook's end.

    ``processor``: seconds of it that the cook itself took.
    """

    seconds: float
    late: list[float]
    tail: float
    processor: float


def installed(plugin: str, folder: str) -> str:
    """The plugin as pip installs it, in a directory."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    source = ROOT / "plugins" / plugin
    subprocess.run([*pip, "--no-build-isolation", "--no-index", "--target", folder, source], check=True)
    return folder


def cooked(plugin: str, scheduler: str, count: int, command: str, parms: str = "") -> Cooked:
    """A whole ``topcook cook``, its start included, of so many items."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = _NETWORK.format(scheduler=scheduler, parms=parms, count=count, command=command)
        (folder / "net.toml").write_text(text, encoding="utf-8")
        words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--progress", "off", "--report", "report.json"]
        environment = {**os.environ, "PYTHONPATH": plugin}
        began, before = time.perf_counter(), _of_children()
        subprocess.run(words, cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL)
        took, ended, processor = time.perf_counter() - began, time.time(), _of_children() - before
        items = json.loads((folder / "report.json").read_text(encoding="utf-8"))["items"]
        ends = {int(path.name.rpartition("_")[2]): float(path.read_text()) for path in folder.glob("ended_*")}
        late = [item["finished"] - ends[item["index"]] for item in items if item["index"] in ends]
        return Cooked(took, late, ended - max(ends.values(), default=ended), processor)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
