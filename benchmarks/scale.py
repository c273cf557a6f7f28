"""How cooks grow: ``python -m benchmarks.scale [--items N] [--gathered N] [--nodes N]``.

Items by the ten thousand up to a million, in layers of a thousand, each with one dependency: seconds for each item in
every part of the cook. The layers are made by a node for each, and then by one node in one call; of more than 20,000
items the first cook while later ones are being made, or join. Once more without that, for the bytes that a waiting item
has resident, measured while the first item cooks.
Then the shapes in which something may turn out quadratic, each at two sizes: the time for each item must stay as it is.
Every measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import suite

if TYPE_CHECKING:
    from topcook.runtime.cook import Cook

#: How wide a layer is.
WIDTH = 1000
#: Partitions and fans: one node of ``count`` items, and one that waits for all of them.
GATHERED = """
[network]
name = "gathered"
scheduler = "here"
[schedulers.here]
type = "inprocessscheduler"
[schedulers.here.parms]
pdg_workingdir = "$HIP/work"
[nodes.items]
type = "nothing"
[nodes.items.parms]
count = {count}
[nodes.all]
type = "waitforall"
inputs = ["items"]
"""


def resident() -> int:
    """Bytes that this process has in memory."""
    with Path("/proc/self/statm").open(encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Moments:
    """An observer that notes when things happened, and how much was resident then."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.made = self.first = 0.0
        self.waiting = 0

    def cook_started(self) -> None:
        """The static items exist, and all of them wait."""
        self.made = time.perf_counter()
        self.waiting = resident()

    def items_changed(self, changes: list[Any]) -> None:
        """Something moved: the first that cooks is noted."""
        if not self.first and any(new.name == "Cooking" for _, _, new, _ in changes):
            self.first = time.perf_counter()


def measured(job: Cook, moments: Moments, count: int) -> dict[str, float]:
    """Cook it and tell what it took."""
    before, started = resident(), time.perf_counter()
    processor = time.process_time()
    job.run()
    ended = time.perf_counter()
    if job.outcome != "cooked":
        raise AssertionError(f"the cook is {job.outcome}: {[each.text for each in job.messages][:3]}")
    return {
        "making": (moments.made - started) / count * 1e6,
        "cooking": (ended - moments.made) / count * 1e6,
        "processor": (time.process_time() - processor) / count * 1e6,
        "bytes": (moments.waiting - before) / count,
        "first": moments.first - moments.made,
        "first_at_all": moments.first - started,
    }


def child(shape: str, count: int, attributes: int) -> None:
    """Measure one shape in this process and print what came out."""
    from benchmarks.engine import TYPE, network
    from topcook.factory.scan import Factory
    from topcook.runtime import cook as cooking
    from topcook.runtime.netfile import load_network
    from topcook.runtime.observers import hookimpl

    hookimpl(Moments.cook_started)
    hookimpl(Moments.items_changed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shape in {"layers", "waiting"}:
            context = network(folder, count, max(1, count // WIDTH), each=1, attributes=attributes)
        else:
            (folder / "types").mkdir()
            (folder / "types" / "nothing.py").write_text(TYPE, encoding="utf-8")
            text = NETWORKS[shape](count)
            (folder / "net.toml").write_text(text, encoding="utf-8")
            context = load_network(folder / "net.toml", factory=Factory.scan({"PDG_TYPES_PATH": str(folder / "types")}))
        if shape == "waiting":
            # All of them are to be there when the first one cooks.
            cooking.EARLY_FROM = count + 1
        moments = Moments()
        context.observe(moments)
        job = context.prepare()
        context.open_schedulers(job)
        print(json.dumps(measured(job, moments, count)))
        context.close()


def chain_of_nodes(count: int, kind: str = "null", width: int = 1) -> str:
    """A network of so many nodes of a type, each behind the one before, with so many items each."""
    head = GATHERED.format(count=1).partition("[nodes.items]")[0]
    nodes = [f'[nodes.n0]\ntype = "nothing"\nparms.count = {width}\n']
    nodes += [f'[nodes.n{number}]\ntype = "{kind}"\ninputs = ["n{number - 1}"]\n' for number in range(1, count)]
    return head + "".join(nodes)


NETWORKS: dict[str, Callable[[int], str]] = {
    "gathered": lambda count: GATHERED.format(count=count),
    "nodes": chain_of_nodes,
    "levels": lambda count: chain_of_nodes(max(1, count // WIDTH), "nothing", WIDTH),
}


def measure(shape: str, count: int, attributes: int = 0) -> dict[str, float]:
    """The same in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.scale", "--child", shape, str(count), str(attributes)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    found: dict[str, float] = json.loads(done.stdout)
    return found


def row(table: suite.Table, title: str, count: int, found: dict[str, float], base: float, most: float) -> float:
    """Add a row, held against ``most`` times ``base``; answers with the processor's microseconds for each item."""
    used = found["processor"]
    figures = f"{used:6.1f} us CPU  making {found['making']:6.1f}  cooking {found['cooking']:6.1f}"
    target = suite.at_most(most) if base and most else None
    table.add(f"{count:,} {title}", figures, used / (base or used), "x first", target)
    return used


def growing(most: int) -> suite.Table:
    """Layers of a thousand, by the ten thousand up to ``most`` items."""
    table = suite.Table("Scale: layers of 1,000 items, one dependency each, a process for each row")
    for title, shape in (("items, a node for each layer", "levels"), ("items, layers of one node", "layers")):
        base = 0.0
        for count in (each for each in (10_000, 100_000, 1_000_000) if each <= most):
            found = measure(shape, count)
            used = row(table, title, count, found, base, 1.3)
            base = base or used
            table.add("", "from the cook's start to the first item's", found["first_at_all"], "s", suite.at_most(3))
    for count in (each for each in (10_000, 100_000, 1_000_000) if each <= most):
        found = measure("waiting", count)
        row(table, "items, begun when all are made", count, found, 0.0, 0.0)
        table.add("", "resident for a waiting item", found["bytes"], "bytes", suite.at_most(600))
    found = measure("waiting", min(most, 100_000), 3)
    row(table, "items, three attributes each", min(most, 100_000), found, 0.0, 0.0)
    table.add("", "resident for a waiting item", found["bytes"], "bytes", suite.at_most(1200))
    return table


def shapes(gathered: int, nodes: int) -> suite.Table:
    """What may turn out quadratic, at two sizes each."""
    table = suite.Table("Scale: time for each item (node) at five times the size")
    for title, shape, most in (
        ("items behind which one waits", "gathered", gathered),
        ("nodes in a row", "nodes", nodes),
        ("items in one partition", "gathered", 5 * gathered),
    ):
        base = row(table, title, most // 5, measure(shape, most // 5), 0.0, 0.0)
        row(table, title, most, measure(shape, most), base, 1.5)
    return table


def tables(
    *, quick: bool, most: int = 1_000_000, gathered: int = 100_000, nodes: int = 10_000
) -> Iterator[suite.Table]:
    """Growth, and what may be quadratic."""
    if quick:
        most, gathered, nodes = 10_000, 10_000, 500
    yield growing(most)
    yield shapes(gathered, nodes)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000, help="the most items in layers (default 1000000)")
    parser.add_argument("--gathered", type=int, default=100_000, help="items that one waits for (default 100000)")
    parser.add_argument("--nodes", type=int, default=10_000, help="nodes in a row (default 10000)")
    parser.add_argument("--child", nargs=3, metavar=("SHAPE", "COUNT", "ATTRIBUTES"), help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.child:
        child(settings.child[0], int(settings.child[1]), int(settings.child[2]))
        return
    suite.show(tables(quick=False, most=settings.items, gathered=settings.gathered, nodes=settings.nodes))


if __name__ == "__main__":
    main()
