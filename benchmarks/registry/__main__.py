"""What finding schedulers costs: ``python -m benchmarks.registry [--files 10,100,1000,5000] [--rounds N]``.

Every figure is of a fresh process. Contenders take turns in every round, medians are printed, and the ratios are to the
plain importlib loop (warm: with its .pyc files) of the same run. A registry that is not installed is skipped, and it is
said so: ``pip install stevedore openassetio`` brings both.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.registry.corpus import write_distributions, write_files, write_stand_in

HERE = Path(__file__).parent
CONTENDERS = str(HERE / "contenders.py")
LIST = "from topcook.cli import main; main()"


@dataclass
class Sample:
    """One process: seconds from outside, seconds of finding inside, peak memory in MB."""

    whole: float
    inside: float
    peak: float


@dataclass
class Row:
    """One contender at one size, with its samples."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    def median(self, what: str) -> float:
        """The median of ``whole``, ``inside`` or ``peak``."""
        return statistics.median(getattr(sample, what) for sample in self.samples)


def run(command: list[str], environment: dict[str, str], expected: int | None) -> Sample:
    """Run one process to its end; ends the benchmark when it fails or finds another number than ``expected``."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, env=environment, stdout=told, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        text = told.read()
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}: {text[-400:]}")
    inside, found = (float(text.split()[0]), int(text.split()[1])) if expected is not None else (0.0, None)
    if found != expected:
        raise SystemExit(f"{command} found {found}, not {expected}")
    return Sample(seconds, inside, usage.ru_maxrss / 1024)


class Bench:
    """The directories of one size, and the processes over them."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.stand_in = write_stand_in(folder / "stand_in")
        self.files = {name: write_files(folder / name, count, name) for name in ("pdg", "pluggy", "openassetio")}
        # A young file is read again; these shall count as files that lay there before.
        self.rest()
        self.rounds = 0

    def rest(self) -> None:
        """Wait until no file is so young that its stamp proves nothing."""
        time.sleep(2.1)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a process: nothing of the caller's that could change what is found."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {"XDG_CACHE_HOME": str(self.folder / "cache"), "HOME": str(self.folder)} | more

    def contender(self, name: str, *, cold: bool = False) -> Sample:
        """Another registry, over files with its own tail; ``cold`` as at the first time, when the .pyc are written."""
        path = self.files.get(name, self.files["pdg"])
        if cold:
            shutil.rmtree(path / "__pycache__", ignore_errors=True)
        environment = self.environment(PYTHONPATH=str(self.stand_in))
        return run([sys.executable, CONTENDERS, name, str(path)], environment, self.count)

    def scan(self) -> Sample:
        """Topcook's factory alone, with what it knows already."""
        return run([sys.executable, CONTENDERS, "topcook", str(self.files["pdg"])], self._topcook(), self.count)

    def listing(self, *, cold: bool = False) -> Sample:
        """``topcook list`` as a person runs it; ``cold`` with an index that does not exist yet."""
        if cold:
            self.rounds += 1
            return run([sys.executable, "-c", LIST, "list"], self._topcook(f"cold{self.rounds}"), None)
        return run([sys.executable, "-c", LIST, "list"], self._topcook(), None)

    def listing_after_an_edit(self) -> Sample:
        """The same after one file of all was edited."""
        path = self.files["pdg"] / "bench_00000.py"
        path.write_text(path.read_text(encoding="utf-8") + f"# edit {self.rounds}\n", encoding="utf-8")
        self.rounds += 1
        return self.listing()

    def _topcook(self, index: str = "warm") -> dict[str, str]:
        return self.environment(
            PDG_TYPES_PATH=str(self.files["pdg"]), TOPCOOK_INDEX=str(self.folder / index / "index.sqlite3")
        )


def missing(module: str) -> bool:
    """Whether a peer is not installed."""
    return importlib.util.find_spec(module) is None


def print_table(title: str, rows: list[Row], floor: Row, *, inside: bool = True) -> None:
    """Print a table of medians; without ``inside`` only what was timed from outside."""
    print(f"\n{title}")
    print(
        f"  {'':34}{'whole s':>9}{'x floor':>9}" + (f"{'finding s':>11}{'x floor':>9}" if inside else "") + f"{'MB':>7}"
    )
    for row in rows:
        whole = f"{row.median('whole'):9.3f}{row.median('whole') / floor.median('whole'):9.2f}"
        within = f"{row.median('inside'):11.3f}{row.median('inside') / floor.median('inside'):9.2f}"
        shown = within if row.median("inside") else " " * 20
        print(f"  {row.name:34}{whole}{shown if inside else ''}{row.median('peak'):7.1f}")


def measure_files(count: int, rounds: int, cold_rounds: int) -> None:
    """Measure ``count`` files, known already and seen for the first time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder), count)
        peers = [name for name in ("pluggy", "openassetio") if not missing(name)]
        warm = Row("plain importlib loop, warm")
        scan, listing = Row("topcook: find and verify"), Row("topcook list, nothing changed")
        edited = Row("topcook list, one file edited")
        others = {name: Row(name) for name in peers}
        for name in ("plain", *peers):
            bench.contender(name)  # writes the .pyc files
        bench.listing()  # writes the index
        for _ in range(rounds):
            warm.samples.append(bench.contender("plain"))
            scan.samples.append(bench.scan())
            listing.samples.append(bench.listing())
            for name, row in others.items():
                row.samples.append(bench.contender(name))
        for _ in range(rounds):
            edited.samples.append(bench.listing_after_an_edit())
        print_table(f"{count} files, known already", [warm, scan, listing, edited, *others.values()], warm)
        cold, first = Row("plain importlib loop, cold"), Row("topcook list, first time")
        for _ in range(cold_rounds):
            cold.samples.append(bench.contender("plain", cold=True))
            first.samples.append(bench.listing(cold=True))
        print_table(f"{count} files, seen for the first time", [cold, first], cold, inside=False)


def measure_entry_points(count: int, rounds: int) -> None:
    """Measure ``count`` installed distributions."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        stand_in = write_stand_in(root / "stand_in")
        plain = write_distributions(root / "plain", count, "bench.types", "pdg")
        ours = write_distributions(root / "ours", count, "pdg.types", "pdg")
        theirs = write_distributions(root / "theirs", count, "bench.types", "stevedore")
        base = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        base |= {"HOME": folder, "XDG_CACHE_HOME": str(root / "cache"), "TOPCOOK_INDEX": str(root / "index.sqlite3")}
        command = [sys.executable, CONTENDERS]
        python = {
            "entry_points": base | {"PYTHONPATH": os.pathsep.join([str(plain), str(stand_in)])},
            "stevedore": base | {"PYTHONPATH": os.pathsep.join([str(theirs), str(stand_in)])},
            "topcook": base | {"PYTHONPATH": str(ours)},
        }
        rows = {"entry_points": Row("importlib.metadata, load each")}
        if not missing("stevedore"):
            rows["stevedore"] = Row("stevedore")
        listing = Row("topcook list, nothing changed")
        time.sleep(2.1)
        for name in rows:
            run([*command, name, "-"], python[name], count)
        run([sys.executable, "-c", LIST, "list"], python["topcook"], None)
        for _ in range(rounds):
            for name, row in rows.items():
                row.samples.append(run([*command, name, "-"], python[name], count))
            listing.samples.append(run([sys.executable, "-c", LIST, "list"], python["topcook"], None))
        print_table(f"{count} installed distributions, known already", [*rows.values(), listing], rows["entry_points"])


def main() -> None:
    """Measure every size and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry", description=__doc__)
    parser.add_argument("--files", default="10,100,1000,5000", help="numbers of files (default 10,100,1000,5000)")
    parser.add_argument("--entry-points", type=int, default=200, help="number of distributions (default 200)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of warm starts (default 5)")
    parser.add_argument("--cold-rounds", type=int, default=2, help="rounds of cold starts (default 2)")
    settings = parser.parse_args()
    for name in ("stevedore", "openassetio"):
        if missing(name):
            print(f"{name} is not installed, and skipped: {sys.executable} -m pip install {name}")
    for count in filter(None, map(int, settings.files.split(","))):
        measure_files(count, settings.rounds, settings.cold_rounds)
    if settings.entry_points:
        measure_entry_points(settings.entry_points, settings.rounds)


if __name__ == "__main__":
    main()
