"""What lies between two items on an idle machine: ``python -m benchmarks.latency [--items N] [--pause MS]``.

One chain, cooked by ``topcook cook`` with the default durability, whose items write down the monotonic time at which
they begin and end: every other one a process, every other one a function in Topcook's own process. Each takes a while,
so that all is idle when it ends. From the end of a job to the beginning of the job that waits for it, and from a
function's end, which makes an item ready, to the beginning of that item's process (its ``main``: exec and the dynamic
loader count as well). The floor is a loop in Python that waits for a process and starts the next.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import suite
from benchmarks.workloads import TOPCOOK, compiled, network, run

#: What an in-process item does: wait as the program does, and write the same line.
FUNCTION = """
import time
began = time.monotonic()
time.sleep({pause} / 1e6)
with open({file!r}, "a") as stream:
    stream.write(f"{number} {{began:.7f}} {{time.monotonic():.7f}}\\n")
"""
MOST = suite.at_most(2.0)


def items(program: str, file: Path, count: int, pause: int, *, functions: bool) -> Iterator[dict[str, object]]:
    """A chain of items that wait ``pause`` microseconds; with ``functions``, every other one is a Python function."""
    for number in range(count):
        before = [f"item_{number - 1}"] if number else []
        if functions and number % 2 == 0:
            code = FUNCTION.format(pause=pause, file=str(file), number=number)
            yield {"name": f"item_{number}", "command": code, "inprocess": True, "dependencies": before}
        else:
            command = f"{program} {file} {number} {pause}"
            yield {"name": f"item_{number}", "command": command, "dependencies": before}


def gaps(file: Path) -> list[float]:
    """Seconds from the end of each item to the beginning of the next; the first few, while all warms up, left out."""
    lines = sorted(tuple(map(float, line.split())) for line in file.read_text().splitlines())
    found = [later[1] - sooner[2] for sooner, later in itertools.pairwise(lines)]
    return found[6:]


def cooked(program: str, count: int, pause: int, *, functions: bool) -> list[float]:
    """The gaps of a cook; of those behind and before functions, only the ones that lead to a process."""
    with tempfile.TemporaryDirectory(prefix="topcook-bench-") as name:
        folder, file = Path(name), Path(name, "stamps")
        path = network(folder, items(program, file, count, pause, functions=functions))
        run([*TOPCOOK, "cook", str(path), "--progress", "off"], folder)
        return gaps(file)[:: 2 if functions else 1]


def looped(program: str, count: int, pause: int) -> list[float]:
    """The gaps where a loop waits for each process and starts the next."""
    with tempfile.TemporaryDirectory(prefix="topcook-bench-") as name:
        file = Path(name, "stamps")
        for number in range(count):
            os.waitpid(os.posix_spawn(program, [program, str(file), str(number), str(pause)], os.environ), 0)
        return gaps(file)


def tables(*, quick: bool, count: int = 400, pause: int = 20_000) -> Iterator[suite.Table]:
    """Both gaps, of ``count`` items each."""
    table = suite.Table("Latency: from one item to the next, idle machine, default durability")
    program = compiled("stamp")
    if program is None:
        table.notes.append("there is no C compiler (cc): left out")
        yield table
        return
    if quick:
        count = min(count, 60)
    took = {
        "floor: a loop that waits and starts": (looped(program, count, pause), None),
        "item ready -> process started": (cooked(program, 2 * count, pause, functions=True), MOST),
        "job exit -> dependent started": (cooked(program, count, pause, functions=False), MOST),
    }
    for name, (found, target) in took.items():
        found.sort()
        far = found[int(len(found) * 0.95)] * 1000
        table.add(name, f"median of {len(found)}, 95 %: {far:.2f} ms", statistics.median(found) * 1000, "ms", target)
    yield table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=400, help="items in a chain (default 400)")
    parser.add_argument("--pause", type=float, default=20.0, help="milliseconds that an item takes (default 20)")
    settings = parser.parse_args()
    suite.show(tables(quick=False, count=settings.items, pause=int(settings.pause * 1000)))


if __name__ == "__main__":
    main()
