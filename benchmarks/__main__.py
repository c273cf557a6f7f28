"""All benchmarks that have a target: ``python -m benchmarks [--quick] [--only TABLE[,TABLE...]]``.

Each table is measured in one run, what is compared taking turns, and medians are printed: ratios, each with its
target and whether it is met. Peers that are not installed are left out, and it is said so. All of it takes about
twenty minutes, ``--quick`` (small, one round: for whether it runs, not for what it says) two.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import suite

#: Name of the table, in the order of printing; ``benchmarks.NAME.tables`` gives it.
NAMES = ("local", "latency", "startup", "reports", "engine", "scale", "recook", "journal")


def machine() -> str:
    """What was measured with."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    versions = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    versions += [f"{name} {_version_of(name)}" for name in ("make", "ninja") if shutil.which(name)]
    for package in ("dask", "topcook"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, load {load}\n"
        f"{', '.join(versions)}\n"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if os.path.exists(path) else []


def _version_of(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return said.partition("\n")[0].rpartition(" ")[2]


def main() -> None:
    """Print every table, or those that are asked for, and how many targets are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, one round each")
    parser.add_argument("--only", default="", metavar="TABLES", help=f"some of {','.join(NAMES)}")
    settings = parser.parse_args()
    wanted = settings.only.split(",") if settings.only else list(NAMES)
    if unknown := [name for name in wanted if name not in NAMES]:
        parser.error(f"there is no table {unknown[0]!r}; there are: {', '.join(NAMES)}")
    # What is compiled once shall stay so: interpreters that compile all they import would be measured otherwise.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print(machine())
    started, shown = time.perf_counter(), []
    for name in wanted:
        shown += suite.show(importlib.import_module(f"benchmarks.{name}").tables(quick=settings.quick))
    verdicts = [row.verdict for table in shown for row in table.rows if row.verdict]
    met = verdicts.count("ok")
    print(f"{met} of {len(verdicts)} targets met, in {(time.perf_counter() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
