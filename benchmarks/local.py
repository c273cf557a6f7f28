"""Local jobs of ``/bin/true``: ``python -m benchmarks.local [--items N] [--rounds N] [--tables NAME,...]``.

Each row is a whole process, from its start to its end, in a directory of its own. In every round all rows of a table
run one after the other; what is printed is the median of a row's time, and of its ratio to the floor of the same round,
for wall time and for processor time. The floor is a loop in C that does nothing but start processes, each with a
session and a log file of its own, and wait for them (``floor.c``; in Python where there is no ``cc``). make writes each
command's output to a file of its own by a redirection, for which it needs a shell; "make, no logs" does without.
"""

from __future__ import annotations

import argparse
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
GIB = 1 << 30
HERE = Path(__file__).parent
NETWORK = f"""
[network]
name = "bench"
scheduler = "local"

[schedulers.local]
type = "localscheduler"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
maxprocsmenu = 1
maxprocs = {SLOTS}

[nodes.items]
type = "itemgraph"
[nodes.items.parms]
file = "$HIP/items.jsonl"
"""
#: Runs the command line with so many bytes in memory, and writes how long that took, without the filling, to a file.
LADEN = """
import sys, time
told, ballast, arguments = sys.argv[1], b"x" * int(sys.argv[2]), sys.argv[3:]
from topcook.cli import main
sys.argv = ["topcook", *arguments]
began = time.perf_counter()
try:
    main()
finally:
    open(told, "w").write(str(time.perf_counter() - began))
"""
#: The floor where no C compiler is.
PYTHON_FLOOR = f"""
import os, sys
count, slots, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
running = 0
flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
for index in range(count):
    if running == slots:
        os.waitpid(-1, 0)
        running -= 1
    log = (os.POSIX_SPAWN_OPEN, 1, folder + "/%d.log" % index, flags, 0o644)
    os.posix_spawn("{TRUE}", ["{TRUE}"], os.environ, file_actions=[log, (os.POSIX_SPAWN_DUP2, 1, 2)], setsid=True)
    running += 1
while running:
    os.waitpid(-1, 0)
    running -= 1
"""

#: For each item, the items it waits for.
Graph = Iterable[list[int]]


class Spent(NamedTuple):
    """Seconds that something took, and of processor time (its children included; 0: not known)."""

    wall: float
    cpu: float


#: Runs in an empty directory.
Row = Callable[[Path], Spent]


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


def run(command: Sequence[str], folder: Path) -> Spent:
    """Run a command there; raises ``CalledProcessError`` with what it said."""
    said = folder / "said"
    # Journals go with the rest; and what is compiled once stays compiled.
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
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


@functools.cache
def floor_command() -> tuple[str, ...]:
    """The floor, compiled once."""
    compiler = shutil.which("cc")
    if compiler is None:
        return (sys.executable, "-I", "-S", "-c", PYTHON_FLOOR)
    program = Path(tempfile.mkdtemp(prefix="topcook-floor-")) / "floor"
    subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / "floor.c")], check=True)
    return (str(program),)


def floor(count: int, slots: int) -> Row:
    """The floor: ``slots`` at a time."""
    return lambda folder: run([*floor_command(), str(count), str(slots), str(folder)], folder)


def make(graph: Sequence[list[int]], *, logs: bool) -> Row:
    """GNU make over the same graph."""

    def row(folder: Path) -> Spent:
        (folder / "log").mkdir()
        command = f"{TRUE} >log/$@ 2>&1" if logs else TRUE
        names = " ".join(map(str, range(len(graph))))
        waits = "".join(f"{index}: {' '.join(map(str, needs))}\n" for index, needs in enumerate(graph) if needs)
        text = f"all: {names}\n.PHONY: all {names}\n{waits}{names}:\n\t@{command}\n"
        (folder / "Makefile").write_text(text)
        return run(["make", "-s", f"-j{SLOTS}"], folder)

    return row


def ninja(graph: Sequence[list[int]]) -> Row:
    """Ninja over the same graph; it keeps the output of each command by itself."""

    def row(folder: Path) -> Spent:
        builds = (
            f"build j{index}: run {' '.join(f'j{each}' for each in needs)}\n" for index, needs in enumerate(graph)
        )
        (folder / "build.ninja").write_text(f"rule run\n command = {TRUE}\n" + "".join(builds))
        return run(["ninja", "--quiet", f"-j{SLOTS}"], folder)

    return row


def topcook(graph: Sequence[list[int]], *arguments: str, laden: int = -1) -> Row:
    """``topcook cook``; with ``laden``, in a process that holds so many bytes, timed without filling them."""

    def row(folder: Path) -> Spent:
        with (folder / "items.jsonl").open("w") as stream:
            for index, needs in enumerate(graph):
                item = {"name": f"item_{index}", "command": TRUE, "dependencies": [f"item_{each}" for each in needs]}
                stream.write(json.dumps(item) + "\n")
        network = folder / "bench.toml"
        network.write_text(NETWORK)
        cook = ["cook", str(network), "--progress", "off", *arguments]
        if laden < 0:
            return run([sys.executable, "-c", "from topcook.cli import main; main()", *cook], folder)
        told = folder / "told"
        run([sys.executable, "-c", LADEN, str(told), str(laden), *cook], folder)
        return Spent(float(told.read_text()), 0.0)

    return row


def measured(rows: dict[str, Row], rounds: int) -> dict[str, list[Spent]]:
    """Every row once in every round."""
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


def lines(title: str, count: int, spent: dict[str, list[Spent]]) -> Iterator[str]:
    """A table; the first row is what the others are held against."""
    base = next(iter(spent.values()))
    yield f"{title:34}{'seconds':>9}{'jobs/s':>9}{'x floor':>9}{'x its CPU':>11}"
    for name, found in spent.items():
        wall = statistics.median(each.wall for each in found)
        cpu = f"{ratio(found, base, 'cpu'):11.2f}" if found[0].cpu else " " * 11
        yield f"{name:34}{wall:9.2f}{count / wall:9.0f}{ratio(found, base):9.2f}{cpu}"


def peers(graph: Sequence[list[int]]) -> tuple[dict[str, Row], list[str]]:
    """GNU make and ninja as far as they are installed, and what is to be said of those that are not."""
    found: dict[str, Row] = {}
    if shutil.which("make"):
        found |= {
            f"make -j{SLOTS}, a log each": make(graph, logs=True),
            f"make -j{SLOTS}, no logs": make(graph, logs=False),
        }
    if shutil.which("ninja"):
        found[f"ninja -j{SLOTS}"] = ninja(graph)
    return found, [f"{name} is not installed: left out" for name in ("make", "ninja") if not shutil.which(name)]


def table_independent(count: int, rounds: int) -> Iterator[str]:
    """Independent jobs, and layers of them."""
    flat, deep = list(independent(count)), list(layers(count))
    others, missing = peers(flat)
    rows = {f"floor, {SLOTS} at a time": floor(count, SLOTS), **others, "topcook": topcook(flat)}
    rows["topcook, --durability power"] = topcook(flat, "--durability", "power")
    rows[f"topcook, {LAYERS} layers"] = topcook(deep)
    spent = measured(rows, rounds)
    yield from lines(f"{count} independent jobs", count, spent)
    yield from missing
    for name in others:
        yield f"topcook is {ratio(spent[name], spent['topcook']):.2f} as fast as {name}"
    in_layers = ratio(spent[f"topcook, {LAYERS} layers"], spent["topcook"])
    yield f"topcook takes {in_layers:.2f} x as long in layers"


def table_chain(count: int, rounds: int) -> Iterator[str]:
    """A chain: what one hop costs, from the end of a job to that of the next."""
    graph = list(chain(count))
    others, missing = peers(graph)
    rows = {
        "floor, one at a time": floor(count, 1),
        **others,
        "topcook": topcook(graph),
        "topcook, one job": topcook([[]]),
    }
    spent = measured(rows, rounds)
    single = spent.pop("topcook, one job")
    yield from lines(f"a chain of {count}", count, spent)
    yield from missing
    hops = [
        Spent(whole.wall - one.wall, whole.cpu - one.cpu) for whole, one in zip(spent["topcook"], single, strict=True)
    ]
    base = spent["floor, one at a time"]
    per_hop = statistics.median(hop.wall for hop in hops) / count * 1000
    yield f"topcook without start and end: {ratio(hops, base):.2f} x floor per hop, {per_hop:.2f} ms"


def table_parent(count: int, rounds: int) -> Iterator[str]:
    """The same from a process that has much in memory."""
    graph = list(independent(count))
    spent = measured(
        {"a small process": topcook(graph, laden=0), "one of 2 GiB": topcook(graph, laden=2 * GIB)}, rounds
    )
    small, large = spent.values()
    yield f"{count} independent jobs from one of 2 GiB: {ratio(large, small):.2f} x as long as from a small process"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local", description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000, help="independent jobs (default 10000)")
    parser.add_argument("--chain", type=int, default=1000, help="jobs in the chain (default 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (default 5)")
    parser.add_argument("--tables", default="independent,chain,parent", help="which (default independent,chain,parent)")
    settings = parser.parse_args()
    tables = {
        "independent": functools.partial(table_independent, settings.items),
        "chain": functools.partial(table_chain, settings.chain),
        "parent": functools.partial(table_parent, settings.items),
    }
    for name in settings.tables.split(","):
        for line in tables[name](settings.rounds):
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
