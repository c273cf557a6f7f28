"""Items on a Slurm of two nodes: ``python -m benchmarks.farms.slurm [--items N] [--rounds N]``.

Each round runs N times ``/bin/true`` as one plain array of Slurm, then as items of a cook, on the same cluster: the
seconds from ``sbatch`` until Slurm knows no job that waits or runs, and those of the whole ``topcook cook``, its start
included. How soon an end is known: the items write down when they end, the cook when it heard of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugins" / "topcook-slurm"
sys.path.insert(0, str(PLUGIN / "src"))

from benchmarks import suite  # noqa: E402 - as above
from topcook_slurm.testcluster import TestCluster, missing_programs  # noqa: E402 - it is on the path now

NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "slurmscheduler"
[nodes.work]
type = "genericgenerator"
parms.itemcount = {count}
parms.command = '''{command}'''
"""
ENDED = "sh -c 'date +%s.%N > ended_@pdg_index'"


def installed(folder: str) -> str:
    """The plugin as pip installs it, in a directory."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--no-index", "--target", folder, PLUGIN], check=True)
    return folder


def plain(cluster: TestCluster, count: int) -> float:
    """Seconds for one array of Slurm."""
    began = time.perf_counter()
    words = ["sbatch", "--parsable", f"--array=0-{count - 1}", "--output=/dev/null", "--wrap=exec /bin/true"]
    job = cluster.call(*words).strip()
    while cluster.call("squeue", "--noheader", f"--jobs={job}", "--states=PD,R,CG", "--format=%i"):
        time.sleep(0.1)
    return time.perf_counter() - began


def cooked(plugin: str, count: int, command: str) -> tuple[float, list[float]]:
    """Seconds for a cook, and for each item that wrote it down, how long after its end that was known."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "net.toml").write_text(NETWORK.format(count=count, command=command), encoding="utf-8")
        words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--progress", "off", "--report", "report.json"]
        environment = {**os.environ, "PYTHONPATH": plugin}
        began = time.perf_counter()
        subprocess.run(words, cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL)
        took = time.perf_counter() - began
        items = json.loads((folder / "report.json").read_text(encoding="utf-8"))["items"]
        ends = {int(path.name.rpartition("_")[2]): float(path.read_text()) for path in folder.glob("ended_*")}
        return took, [item["finished"] - ends[item["index"]] for item in items if item["index"] in ends]


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
        plugin = installed(folder)
        for _ in range(rounds):
            alone.append(plain(cluster, items))
            ours.append(cooked(plugin, items, "/bin/true")[0])
        _, late = cooked(plugin, 40, ENDED)
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
