"""What cooking a finished network again costs: ``python -m benchmarks.recook [--items N] [--rounds N]``.

Ten thousand items, each with a declared output that is there: the first cook by functions in this process, the next
ones find all of it done. Whole processes, journal on; outputs are looked at, fingerprints compared. Then as many items
that are jobs, beside make and ninja that find all of theirs up to date.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import suite
from benchmarks.startup import NO_OP
from benchmarks.workloads import TOPCOOK, Spent, median, network, ratio, run, surroundings

#: What makes one file.
_TOUCH = shutil.which("touch") or "/usr/bin/touch"


def tables(*, quick: bool, count: int = 10_000, rounds: int = 5) -> Iterator[suite.Table]:
    """The first cook and the ones after it; what make and ninja take for as much."""
    if quick:
        count, rounds = min(count, 2000), 1
    yield first_and_again(count, rounds)
    yield beside_others(count, rounds)


def first_and_again(count: int, rounds: int) -> suite.Table:
    """Items that are functions."""
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
    return table


def beside_others(count: int, rounds: int) -> suite.Table:
    """Items that are jobs, with a file each; all of them in turn, each looks at files of its own."""
    makers = {"make, all up to date": _make, "ninja, no work to do": _ninja, "topcook, all CookedCache": _topcook}
    made = suite.Table(f"Nothing changed: {count} items with a file each")
    spent: dict[str, list[Spent]] = {}
    with tempfile.TemporaryDirectory(prefix="topcook-bench-") as home:
        again: dict[str, Callable[[], Spent]] = {}
        for place, (name, maker) in enumerate(makers.items()):
            folder = Path(home, str(place))
            (folder / "out").mkdir(parents=True)
            prepared = maker(folder, count)
            if prepared is None:
                made.notes.append(f"{name.partition(',')[0]} is not installed: left out")
                continue
            again[name], spent[name] = prepared, []
            prepared()
        for _ in range(rounds):
            for name, once_more in again.items():
                spent[name].append(once_more())
    base = next(iter(spent.values()))
    for name, found in spent.items():
        figures = f"{median(found):.2f} s  {median(found, 'cpu'):.2f} s CPU  {count / median(found):7.0f} items/s"
        made.add(name, figures, ratio(found, base), "x")
    return made


def _make(folder: Path, count: int) -> Callable[[], Spent] | None:
    if shutil.which("make") is None:
        return None
    targets = [f"out/{index}" for index in range(count)]
    rules = "".join(f"{target}:\n\t@{_TOUCH} {target}\n" for target in targets)
    (folder / "Makefile").write_text(f"all: {' '.join(targets)}\n{rules}", encoding="utf-8")
    return lambda: run(["make", "-s", "-j2"], folder)


def _ninja(folder: Path, count: int) -> Callable[[], Spent] | None:
    if shutil.which("ninja") is None:
        return None
    builds = "".join(f"build out/{index}: touch\n" for index in range(count))
    (folder / "build.ninja").write_text(f"rule touch\n  command = {_TOUCH} $out\n{builds}", encoding="utf-8")
    return lambda: run(["ninja", "--quiet", "-j2"], folder)


def _topcook(folder: Path, count: int) -> Callable[[], Spent]:
    rows: list[dict[str, object]] = []
    for index in range(count):
        path = f"{folder}/out/{index}"
        rows.append({"name": f"item_{index}", "command": f"{_TOUCH} {path}", "outputs": [path]})
    file = str(network(folder, rows))
    return lambda: run([*TOPCOOK, "cook", file, "--progress", "off"], folder)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recook", description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000, help="work items (default 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (default 5)")
    given = parser.parse_args()
    suite.show(tables(quick=False, count=given.items, rounds=given.rounds))


if __name__ == "__main__":
    main()
