"""Cook trivial work and print what it costs: ``python -m benchmarks [--items N] [--rounds N]``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

SLOTS = 2
TRUE = "/bin/true"
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


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def spawn_loop(count: int) -> None:
    """Spawn ``count`` jobs, ``SLOTS`` at a time, and nothing else: the floor."""
    running = 0
    for _ in range(count):
        if running == SLOTS:
            os.waitpid(-1, 0)
            running -= 1
        os.posix_spawn(TRUE, [TRUE], {})
        running += 1
    for _ in range(running):
        os.waitpid(-1, 0)


def topcook(*arguments: str) -> None:
    """Run the command line of this interpreter's topcook; raises ``CalledProcessError`` with what it said."""
    done = subprocess.run(
        [sys.executable, "-c", "from topcook.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()


def independent(count: int) -> Iterable[dict[str, object]]:
    """Items that wait for nothing."""
    return ({"name": f"item_{index}", "command": TRUE} for index in range(count))


def chain(count: int) -> Iterable[dict[str, object]]:
    """Items of which each waits for the one before."""
    return (
        {"name": f"item_{index}", "command": TRUE, "dependencies": [f"item_{index - 1}"] if index else []}
        for index in range(count)
    )


def cook(items: Iterable[dict[str, object]]) -> float:
    """Seconds that a cook of ``items`` takes, from the command's start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
        network = Path(folder) / "bench.toml"
        network.write_text(NETWORK, encoding="utf-8")
        return timed(lambda: topcook("cook", str(network), "--progress", "off"))


def main() -> None:
    """Run every benchmark and print the best round of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--items", type=int, default=1000, help="work items in a graph (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (default 3)")
    settings = parser.parse_args()
    count, rounds = settings.items, settings.rounds

    print(f"{'':24}{'seconds':>10}{'items/s':>10}{'x floor':>10}")
    listing = min(timed(lambda: topcook("list")) for _ in range(rounds + 1))
    print(f"{'topcook list':24}{listing:10.3f}")
    floor = min(timed(lambda: spawn_loop(count)) for _ in range(rounds))
    print(f"{'floor: spawn and wait':24}{floor:10.3f}{count / floor:10.0f}{1:10.2f}")
    for name, graph in {"independent items": independent, "chain": chain}.items():
        seconds = min(cook(graph(count)) for _ in range(rounds))
        print(f"{name:24}{seconds:10.3f}{count / seconds:10.0f}{seconds / floor:10.2f}")


if __name__ == "__main__":
    main()
