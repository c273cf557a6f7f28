"""The example's scheduler and its farm of processes, for what a person sees of a farm."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.conftest import Shell
from topcook.testkit.processfarm import ProcessFarm

__all__ = ["EXAMPLE", "HEAD", "queue_farm"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "farm_plugin" / "types" / "queuefarm.py"
#: The head of a network that cooks there; it ends in the scheduler's parms.
HEAD = """
[network]
name = "net"
scheduler = "queue"
[schedulers.queue]
type = "queuefarm"
[schedulers.queue.parms]
pdg_workingdir = "$HIP/work"
queue_poll = 0.2
"""


@contextmanager
def queue_farm(shell: Shell, network: str, job: str) -> Iterator[ProcessFarm]:
    """The farm, with the network as ``net.toml`` and the text of ``job.sh`` in the shell's folder."""
    shutil.copytree(EXAMPLE.parent, shell.folder / "types", ignore=shutil.ignore_patterns("__pycache__"))
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    shell.write("job.sh", job)
    shell.write("net.toml", network)
    (shell.folder / "work").mkdir()
    with ProcessFarm(shell.folder / "farm") as farm:
        yield farm
