"""What cooking a finished network again costs: ``python -m benchmarks.recook [--items N] [--rounds N]``.

Ten thousand items, each with a declared output that is there: the first cook by functions in this process, the next
ones find all of it done. Whole processes, journal on; outputs are looked at, fingerprints compared.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import suite
from benchmarks.startup import NO_OP
from benchmarks.workloads import TOPCOOK, Spent, median, ratio, run, surroundings


def tables(*, quick: bool, count: int = 10_000, rounds: int = 5) -> Iterator[suite.Table]:
    """The first cook and the ones after it."""
    if quick:
        count, rounds = min(count, 2000), 1
    with tempfile.TemporaryDirectory(prefix="topcook-bench-") as home:
        folder = Path(home)
        (folder / "noop.toml").write_text(NO_OP, encoding="utf-8")
        with (folder / "items.jsonl").open("w", encoding="utf-8") as stream:
            for number in range(count):
                output = folder / f"{number}.txt"
                output.touch()
                row = {"name": f"item_{number}", "inprocess": True, "outputs": [str(output)]}
                stream.write(json.dumps(row) + "\n")
        environment = surroundings(folder)
        first: list[Spent] = []
        again: dict[str, list[Spent]] = {"mtime": [], "hash": []}
        cook = [*TOPCOOK, "cook", "noop.toml", "--progress", "off"]
        for _ in range(rounds):
            first.append(run([*cook, "--cache", "off"], folder, environment))
            for mode, spent in again.items():
                spent.append(run([*cook, "--cache", mode], folder, environment))
                if "all cached" not in (folder / "said").read_text(encoding="utf-8"):
                    raise AssertionError((folder / "said").read_text(encoding="utf-8"))
    table = suite.Table(f"A finished network of {count} items, cooked again")
    table.add("cooked, by functions that do nothing", f"{median(first):.2f} s")
    for mode, spent in again.items():
        figures = f"{median(spent):.2f} s  {median(spent) / count * 1e6:.0f} us an item"
        table.add(f"found cooked, --cache {mode}", figures, ratio(spent, first), "x first")
    yield table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recook", description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000, help="work items (default 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (default 5)")
    given = parser.parse_args()
    suite.show(tables(quick=False, count=given.items, rounds=given.rounds))


if __name__ == "__main__":
    main()
