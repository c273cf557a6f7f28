"""Networks of item graphs, and processes that cook them: what the benchmarks share."""

from __future__ import annotations

import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

SLOTS = 2
TRUE = "/bin/true"
LAYERS = 100
HERE = Path(__file__).parent
#: The command line of this interpreter's topcook, with the path that its script has: without the working directory.
TOPCOOK = (sys.executable, "-P", "-c", "from topcook.cli import main; main()")
NETWORK = """
[network]
name = "bench"
scheduler = "local"

[schedulers.local]
type = "localscheduler"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
maxprocsmenu = 1
maxprocs = {slots}

[nodes.items]
type = "itemgraph"
[nodes.items.parms]
file = "$HIP/items.jsonl"
"""

#: For each item, the items it waits for.
Graph = Iterable[list[int]]


class Spent(NamedTuple):
    """Seconds that something took, and of processor time (its children included; 0: not known)."""

    wall: float
    cpu: float


#: Runs in an empty directory.
Run = Callable[[Path], Spent]


def independent(count: int) -> Graph:
    """Items that wait for nothing."""
    return ([] for _ in range(count))


def chain(count: int) -> Graph:
    """Items of which each waits for the one before."""
    return ([index - 1] if index else [] for index in range(count))


def layers(count: int) -> Graph:
    """``LAYERS`` layers, whose items wait for three of the layer before."""
    width = max(1, count // LAYERS)
    for index in range(count):
        start = (index // width - 1) * width
        yield sorted({start + (index + step) % width for step in (0, 1, 7)}) if start >= 0 else []


def commands(graph: Graph, command: str = TRUE) -> Iterator[dict[str, object]]:
    """The graph as rows of an item graph file, each with this command."""
    for index, needs in enumerate(graph):
        yield {"name": f"item_{index}", "command": command, "dependencies": [f"item_{each}" for each in needs]}


def network(folder: Path, rows: Iterable[dict[str, object]], slots: int = SLOTS) -> Path:
    """A network file in ``folder`` that cooks these items with the local scheduler."""
    with (folder / "items.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    path = folder / "bench.toml"
    path.write_text(NETWORK.format(slots=slots), encoding="utf-8")
    return path


def surroundings(folder: Path) -> dict[str, str]:
    """An environment in which what is kept between runs lies in ``folder``, and what is compiled once stays so."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "TOPCOOK_"))}
    environment |= {"XDG_STATE_HOME": str(folder / "state")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def run(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> Spent:
    """Run a command there; raises ``CalledProcessError`` with what it said."""
    said = folder / "said"
    environment = environment or surroundings(folder)
    with said.open("w") as stream:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.write(said.read_text(errors="replace"))
        raise subprocess.CalledProcessError(process.returncode, command)
    return Spent(wall, usage.ru_utime + usage.ru_stime)


def topcook(graph: Sequence[list[int]], *arguments: str) -> Run:
    """``topcook cook`` of a graph of ``/bin/true``."""

    def cook(folder: Path) -> Spent:
        path = network(folder, commands(graph))
        return run([*TOPCOOK, "cook", str(path), "--progress", "off", *arguments], folder)

    return cook


@functools.cache
def compiled(name: str) -> str | None:
    """The path of ``NAME.c`` compiled, once for this process; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = Path(tempfile.mkdtemp(prefix="topcook-bench-")) / name
    subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / f"{name}.c")], check=True)
    return str(program)


def measured(rows: dict[str, Run], rounds: int) -> dict[str, list[Spent]]:
    """Every row once in every round, each in an empty directory."""
    spent: dict[str, list[Spent]] = {name: [] for name in rows}
    # Everything is deleted at the end only: ext4 is slow to give out the numbers of files that have just gone.
    with tempfile.TemporaryDirectory(prefix="topcook-bench-") as home:
        warm = Path(home, "warm")
        warm.mkdir()
        topcook([[]])(warm)
        for turn in range(rounds):
            for place, (name, row) in enumerate(rows.items()):
                folder = Path(home, f"{turn}-{place}")
                folder.mkdir()
                spent[name].append(row(folder))
    return spent


def ratio(spent: Sequence[Spent], base: Sequence[Spent], what: str = "wall") -> float:
    """The median of the ratios, round by round."""
    pairs = zip(spent, base, strict=True)
    return statistics.median(getattr(mine, what) / (getattr(theirs, what) or 1.0) for mine, theirs in pairs)


def median(spent: Iterable[Spent], what: str = "wall") -> float:
    """The median of ``wall`` or ``cpu``."""
    return statistics.median(getattr(each, what) for each in spent)
