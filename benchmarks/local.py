"""Local jobs of ``/bin/true``: ``python -m benchmarks.local [--items N] [--rounds N] [--tables NAME,...]``.

Each row is a whole process, from its start to its end, in a directory of its own. In every round all rows of a table
run one after the other; what is printed is the median of a row's time, and of its ratio to the floor of the same round,
for wall time and for processor time. The floor is a loop in C that does nothing but start processes, each with a
session and a log file of its own, and wait for them (``floor.c``; in Python where there is no ``cc``). make writes each
command's output to a file of its own by a redirection, for which it needs a shell; "make, no logs" does without.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import suite
from benchmarks.workloads import (
    LAYERS,
    SLOTS,
    TRUE,
    Run,
    Spent,
    chain,
    commands,
    compiled,
    independent,
    layers,
    measured,
    median,
    network,
    ratio,
    run,
    topcook,
)

GIB = 1 << 30
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


def floor(count: int, slots: int) -> Run:
    """The floor: ``slots`` at a time."""
    program = compiled("floor")
    command = [program] if program else [sys.executable, "-I", "-S", "-c", PYTHON_FLOOR]
    return lambda folder: run([*command, str(count), str(slots), str(folder)], folder)


def make(graph: Sequence[list[int]], *, logs: bool) -> Run:
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


def ninja(graph: Sequence[list[int]]) -> Run:
    """Ninja over the same graph; it keeps the output of each command by itself."""

    def row(folder: Path) -> Spent:
        builds = (
            f"build j{index}: run {' '.join(f'j{each}' for each in needs)}\n" for index, needs in enumerate(graph)
        )
        (folder / "build.ninja").write_text(f"rule run\n command = {TRUE}\n" + "".join(builds))
        return run(["ninja", "--quiet", f"-j{SLOTS}"], folder)

    return row


def from_laden(graph: Sequence[list[int]], laden: int) -> Run:
    """``topcook cook`` in a process that holds so many bytes, timed without filling them."""

    def row(folder: Path) -> Spent:
        told = folder / "told"
        cook = ["cook", str(network(folder, commands(graph))), "--progress", "off"]
        run([sys.executable, "-c", LADEN, str(told), str(laden), *cook], folder)
        return Spent(float(told.read_text()), 0.0)

    return row


def peers(graph: Sequence[list[int]]) -> tuple[dict[str, Run], list[str]]:
    """GNU make and ninja as far as they are installed, and what is to be said of those that are not."""
    found: dict[str, Run] = {}
    if shutil.which("make"):
        found |= {
            f"make -j{SLOTS}, a log each": make(graph, logs=True),
            f"make -j{SLOTS}, no logs": make(graph, logs=False),
        }
    if shutil.which("ninja"):
        found[f"ninja -j{SLOTS}"] = ninja(graph)
    return found, [f"{name} is not installed: left out" for name in ("make", "ninja") if not shutil.which(name)]


def table(title: str, count: int, spent: dict[str, list[Spent]], targets: dict[str, suite.Target]) -> suite.Table:
    """A table; the first row is what the others are held against."""
    made = suite.Table(title)
    base = next(iter(spent.values()))
    for name, found in spent.items():
        wall = median(found)
        figures = f"{wall:.2f} s  {count / wall:6.0f} jobs/s  {ratio(found, base, 'cpu'):.2f} x its CPU"
        made.add(name, figures, ratio(found, base), "x floor", targets.get(name))
    return made


def table_independent(count: int, rounds: int) -> suite.Table:
    """Independent jobs, and layers of them."""
    flat, deep = list(independent(count)), list(layers(count))
    others, missing = peers(flat)
    rows = {f"floor, {SLOTS} at a time": floor(count, SLOTS), **others, "topcook": topcook(flat)}
    rows["topcook, --durability power"] = topcook(flat, "--durability", "power")
    in_layers = f"topcook, {LAYERS} layers"
    rows[in_layers] = topcook(deep)
    spent = measured(rows, rounds)
    made = table(f"{count} independent jobs", count, spent, {"topcook": suite.at_most(1.7)})
    bounds = {f"make -j{SLOTS}, a log each": 0.65, f"ninja -j{SLOTS}": 1.5}
    for name in others:
        target = suite.at_least(bounds[name]) if name in bounds else None
        made.add(f"topcook against {name}", "", ratio(spent[name], spent["topcook"]), "as fast", target)
    longer = ratio(spent[in_layers], spent["topcook"])
    made.add("topcook in layers", "", longer, "x independent", suite.at_most(1.1))
    made.notes += missing
    return made


def table_chain(count: int, rounds: int) -> suite.Table:
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
    made = table(f"a chain of {count}", count, spent, {})
    hops = [
        Spent(whole.wall - one.wall, whole.cpu - one.cpu) for whole, one in zip(spent["topcook"], single, strict=True)
    ]
    per_hop = median(hops) / count * 1000
    times = ratio(hops, spent["floor, one at a time"])
    target = suite.at_most(1.8)
    made.add("topcook, a hop (without start and end)", f"{per_hop:.2f} ms", times, "x floor", target)
    made.notes += missing
    return made


def table_parent(count: int, rounds: int) -> suite.Table:
    """The same from a process that has much in memory."""
    graph = list(independent(count))
    spent = measured({"from a small process": from_laden(graph, 0), "from 2 GiB": from_laden(graph, 2 * GIB)}, rounds)
    small, large = spent.values()
    made = suite.Table(f"{count} independent jobs from a parent of 2 GiB")
    made.add("from a small process", f"{median(small):.2f} s")
    target = suite.at_most(1.3)
    made.add("from one of 2 GiB", f"{median(large):.2f} s", ratio(large, small), "x small", target)
    return made


TABLES: dict[str, Callable[[int, int], suite.Table]] = {
    "independent": table_independent,
    "chain": table_chain,
    "parent": table_parent,
}


def tables(*, quick: bool) -> Iterator[suite.Table]:
    """All of them; with ``quick`` small, and one round."""
    yield table_independent(2000 if quick else 10_000, 1 if quick else 3)
    yield table_chain(200 if quick else 1000, 1 if quick else 3)
    yield table_parent(1000 if quick else 10_000, 1 if quick else 2)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local", description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000, help="independent jobs (default 10000)")
    parser.add_argument("--chain", type=int, default=1000, help="jobs in the chain (default 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (default 5)")
    parser.add_argument("--tables", default=",".join(TABLES), help="which (default independent,chain,parent)")
    settings = parser.parse_args()
    counts = {"chain": settings.chain}
    names = settings.tables.split(",")
    suite.show(TABLES[name](counts.get(name, settings.items), settings.rounds) for name in names)


if __name__ == "__main__":
    main()
