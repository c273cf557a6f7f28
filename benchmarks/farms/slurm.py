"""Items on a Slurm of two nodes: ``python -m benchmarks.farms.slurm [--items N] [--rounds N]``.

Each round runs N times ``/bin/true`` as one plain array of Slurm, then as items of a cook, on the same cluster: the
seconds from ``sbatch`` until Slurm knows no job that waits or runs, and those of the whole ``topcook cook``, its start
included. How soon an end is known: the items write down when they end, the cook when it heard of it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks import suite
from benchmarks.farms.cooks import ENDED, ROOT, cooked, installed

sys.path.insert(0, str(ROOT / "plugins" / "topcook-slurm" / "src"))

from topcook_slurm.testcluster import TestCluster, missing_programs


def plain(cluster: TestCluster, count: int) -> float:
    """Seconds for one array of Slurm."""
    began = time.perf_counter()
    words = ["sbatch", "--parsable", f"--array=0-{count - 1}", "--output=/dev/null", "--wrap=exec /bin/true"]
    job = cluster.call(*words).strip()
    while cluster.call("squeue", "--noheader", f"--jobs={job}", "--states=PD,R,CG", "--format=%i"):
        time.sleep(0.1)
    return time.perf_counter() - began


def tables(*, quick: bool = False, items: int = 500, rounds: int = 3) -> Iterator[suite.Table]:
    """One table; none where there is no Slurm."""
    if missing := missing_programs():
        print(f"no Slurm here ({missing[0]} is missing): apt-get install slurm-wlm munge")
        return
    items, rounds = (40, 1) if quick else (items, rounds)
    table = suite.Table(f"{items} times /bin/true on a Slurm of two nodes, {rounds} rounds")
    alone, ours = [], []
    with TestCluster() as cluster, tempfile.TemporaryDirectory() as folder:
        os.environ |= cluster.environment
        plugin = installed("topcook-slurm", folder)
        for _ in range(rounds):
            alone.append(plain(cluster, items))
            ours.append(cooked(plugin, "slurmscheduler", items, "/bin/true").seconds)
        late = cooked(plugin, "slurmscheduler", 40, ENDED).late
    ratio = statistics.median(one / other for one, other in zip(alone, ours, strict=True))
    table.add("one plain array", f"{items / statistics.median(alone):.1f} items/s")
    table.add(
        "topcook, arrays", f"{items / statistics.median(ours):.1f} items/s", ratio, "x plain", suite.at_least(0.9)
    )
    milliseconds = statistics.median(late) * 1000
    table.add("an end is known", "after (median of 40)", milliseconds, "ms", suite.at_most(50))
    yield table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.farms.slurm", description=__doc__)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    settings = parser.parse_args()
    suite.show(tables(items=settings.items, rounds=settings.rounds))


if __name__ == "__main__":
    main()
