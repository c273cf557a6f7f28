"""What a command costs that has next to nothing to do: ``python -m benchmarks.startup [--rounds N]``.

Whole processes, from an index that knows all types already, in turn: a bare interpreter; ``topcook cook`` of one item
that does nothing in this process (journal on, as always), the same again, when it is found cooked, and of one job of
``/bin/true``; ``topcook list`` and ``--version``. Held against the bare interpreter of the same round.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import suite
from benchmarks.workloads import TOPCOOK, Spent, commands, independent, median, network, ratio, run, surroundings

NO_OP = """
[network]
name = "noop"
scheduler = "here"

[schedulers.here]
type = "inprocessscheduler"

[nodes.items]
type = "itemgraph"
[nodes.items.parms]
file = "$HIP/items.jsonl"
"""


def runs(home: Path) -> dict[str, Callable[[], Spent]]:
    """Each process by its name."""
    one, job = home / "one", home / "job"
    one.mkdir()
    job.mkdir()
    (one / "noop.toml").write_text(NO_OP, encoding="utf-8")
    (one / "items.jsonl").write_text('{"name": "nothing", "inprocess": true}\n', encoding="utf-8")
    network(job, commands(independent(1)))
    environment = {**surroundings(home), "XDG_CACHE_HOME": str(home / "cache"), "HOME": str(home)}

    def whole(folder: Path, *words: str) -> Callable[[], Spent]:
        return lambda: run(words, folder, environment)

    cook = [*TOPCOOK, "cook", "--progress", "off"]
    return {
        "python -c pass": whole(home, sys.executable, "-c", "pass"),
        "topcook cook, one no-op item": whole(one, *cook, "--cache", "off", "noop.toml"),
        "the same, found cooked": whole(one, *cook, "noop.toml"),
        "topcook cook, one job": whole(job, *cook, "--cache", "off", "bench.toml"),
        "topcook list": whole(home, *TOPCOOK, "list"),
        "topcook --version": whole(home, *TOPCOOK, "--version"),
    }


def tables(*, quick: bool, rounds: int = 20) -> Iterator[suite.Table]:
    """All of them, ``rounds`` times."""
    targets = {"topcook cook, one no-op item": suite.at_most(7)}
    table = suite.Table("Start-up: whole processes, warm index")
    spent: dict[str, list[Spent]] = {}
    with tempfile.TemporaryDirectory(prefix="topcook-bench-") as folder:
        processes = runs(Path(folder))
        for process in [*processes.values(), *processes.values()]:
            process()
        for _ in range(3 if quick else rounds):
            for name, process in processes.items():
                spent.setdefault(name, []).append(process())
    base = spent["python -c pass"]
    for name, found in spent.items():
        figures = f"{median(found) * 1000:6.1f} ms  {ratio(found, base, 'cpu'):5.1f} x its CPU"
        table.add(name, figures, ratio(found, base), "x python", targets.get(name))
    yield table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="rounds, of which the median counts (default 20)")
    suite.show(tables(quick=False, rounds=parser.parse_args().rounds))


if __name__ == "__main__":
    main()
