"""Items on Dask: ``python -m benchmarks.farms.dask [--items N] [--rounds N]``.

Each round runs N times ``/bin/true`` by a plain ``client.map`` of ``subprocess.run``, then as items of a cook, on the
same workers: the seconds from the submission to the last result, and those of the whole ``topcook cook``, its start
included; once more as a program of its own, start and connection included, as the cook is one. The processor time is
that of all there is, Dask's processes too: on a machine that does other work it tells more than seconds do.

Then in Slurm: a plain array against a cook on Dask workers that it submits as jobs, the whole of it again: the start of
Dask and of its workers is in its seconds. How soon an end is known: the items write down when they end, the cook when
it heard of it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import suite
from benchmarks.farms import slurm
from benchmarks.farms.cooks import ENDED, ROOT, cooked, installed

sys.path.insert(0, str(ROOT / "plugins" / "topcook-dask" / "src"))

from topcook_dask.testcluster import TestCluster

#: Two jobs of two threads, on nodes of this machine.
INSIDE = """\
dask_cluster = "slurm"
dask_count = 2
dask_threads = 2
dask_workermemory = "500MB"
dask_host = "127.0.0.1"
"""
#: Slurm starts a dozen jobs a second, whatever their number: rates are compared.
ARRAY = 300


#: What somebody would write who runs the commands by Dask alone.
PROGRAM = """\
import subprocess, sys
from distributed import Client

def run(number):
    return subprocess.run(["/bin/true"], check=False).returncode

with Client(sys.argv[1]) as client:
    client.gather(client.map(run, range(int(sys.argv[2])), pure=False))
"""


def plain(cluster: TestCluster, count: int) -> tuple[float, float]:
    """Seconds for ``client.map``, connected before; those of all processors."""

    def run(_number: int) -> int:
        return subprocess.run(["/bin/true"], check=False).returncode

    with cluster.client() as client:
        began, before, own = time.perf_counter(), processor(cluster), time.process_time()
        client.gather(client.map(run, range(count), pure=False))
        took = time.perf_counter() - began
        return took, processor(cluster) - before + time.process_time() - own


def program(cluster: TestCluster, count: int) -> float:
    """Seconds for the same as a program of its own."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", PROGRAM, cluster.address, str(count)], check=True)
    return time.perf_counter() - began


def processor(cluster: TestCluster) -> float:
    """Seconds of processor time that Dask's processes and what they ran have taken."""
    ticks = 0
    for pid in cluster.pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def beside_dask(plugin: str, items: int, rounds: int) -> suite.Table:
    """A cook beside Dask alone, on two workers of two threads."""
    table = suite.Table(f"{items} times /bin/true on Dask, two workers of two threads, {rounds} rounds")
    alone, programs, ours, shares = [], [], [], []
    with TestCluster() as cluster:
        parms = f'dask_address = "{cluster.address}"'
        # A plugin that has just been installed is looked at once, by a process that loads Dask.
        cooked(plugin, "daskscheduler", 4, "/bin/true", parms)
        for _ in range(rounds):
            seconds, mine = plain(cluster, items)
            alone.append(seconds)
            before = processor(cluster)
            cook = cooked(plugin, "daskscheduler", items, "/bin/true", parms)
            ours.append(cook.seconds)
            shares.append((mine, processor(cluster) - before + cook.processor))
            programs.append(program(cluster, items))
        few = cooked(plugin, "daskscheduler", 40, ENDED, parms)
    ratio = statistics.median(one / other for one, other in zip(alone, ours, strict=True))
    table.add("client.map", f"{items / statistics.median(alone):.0f} items/s")
    table.add("topcook", f"{items / statistics.median(ours):.0f} items/s", ratio, "x plain", suite.at_least(0.7))
    whole = statistics.median(one / other for one, other in zip(programs, ours, strict=True))
    table.add("client.map, its start too", f"{items / statistics.median(programs):.0f} items/s")
    table.add("topcook", "beside that", whole, "x plain")
    each = [1000 * statistics.median(column) / items for column in zip(*shares, strict=True)]
    share = statistics.median(one / other for one, other in shares)
    table.add("processor time", f"an item: {each[0]:.1f} ms plain, {each[1]:.1f} topcook", share, "x plain")
    known = statistics.median(few.late) * 1000
    table.add("an end is known", "after (median of 40)", known, "ms", suite.at_most(50))
    table.add("the cook is over", "after its last item", few.tail, "s")
    return table


def inside_slurm(plugin: str, items: int, rounds: int) -> suite.Table:
    """A cook on Dask workers in Slurm, beside an array."""
    table = suite.Table(f"{items} times /bin/true on Dask workers inside Slurm, {rounds} rounds")
    alone, ours = [], []
    count = min(ARRAY, items)
    with slurm.TestCluster() as cluster:
        os.environ |= cluster.environment
        for _ in range(rounds):
            alone.append(count / slurm.plain(cluster, count))
            ours.append(items / cooked(plugin, "daskscheduler", items, "/bin/true", INSIDE).seconds)
    ratio = statistics.median(other / one for one, other in zip(alone, ours, strict=True))
    table.add(f"one plain array of {count}", f"{statistics.median(alone):.1f} items/s")
    figures = f"{statistics.median(ours):.0f} items/s"
    table.add("topcook, dask_cluster = slurm", figures, ratio, "x plain", suite.at_least(10))
    return table


def tables(*, quick: bool = False, items: int = 4000, rounds: int = 3) -> Iterator[suite.Table]:
    """Two tables; one where there is no Slurm."""
    items, rounds = (100, 1) if quick else (items, rounds)
    with tempfile.TemporaryDirectory() as folder:
        plugin = installed("topcook-dask", folder)
        yield beside_dask(plugin, items, rounds)
        if missing := slurm.missing_programs():
            print(f"no Slurm here ({missing[0]} is missing): apt-get install slurm-wlm munge")
            return
        yield inside_slurm(plugin, items, rounds)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.farms.dask", description=__doc__)
    parser.add_argument("--items", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    settings = parser.parse_args()
    suite.show(tables(items=settings.items, rounds=settings.rounds))


if __name__ == "__main__":
    main()
