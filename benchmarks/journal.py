"""What the journal costs: ``python -m benchmarks.journal [--items N] [--rounds N]``.

Items are handed over and ended, alone, in tens and in hundreds a commit: processor time and wall time an event, for
both durabilities. The floor is SQLite itself: the same number of rows of the same width in the same number of
transactions, in the same round.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import suite
from topcook.testkit.journaldesk import JournalDesk

SIZES = (1, 10, 100)


def journaled(folder: Path, items: int, size: int, *, power: bool) -> None:
    """Hand over and end ``items`` items, ``size`` a commit: two events each, and the item itself."""
    desk = JournalDesk(folder / "journal.sqlite", power=power)
    for _ in range(items // size):
        group = [desk.item() for _ in range(size)]
        desk.hand_over(*group)
        desk.end(*group)
    desk.journal.close("cooked")


def bare(folder: Path, items: int, size: int, *, power: bool) -> None:
    """As many rows in as many transactions, by SQLite alone."""
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if power else 'NORMAL'}")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, key TEXT, node INTEGER)")
    connection.execute(
        "CREATE TABLE step (number INTEGER PRIMARY KEY, item INTEGER, state INTEGER, at REAL, token TEXT)"
    )
    step = "INSERT INTO step (item, state, at, token) VALUES (?, ?, ?, ?)"
    for start in range(0, items, size):
        group = range(start, start + size)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO item VALUES (?, ?, ?)", [(each, f"make_{each}", 1) for each in group])
        connection.executemany(step, [(each, 4, 12.0, f"cook-1-{each}-1") for each in group])
        connection.execute("COMMIT")
        connection.execute("BEGIN")
        connection.executemany(step, [(each, 6, 12.0, None) for each in group])
        connection.execute("COMMIT")
    connection.close()


def took(run: Callable[..., None], items: int, size: int, *, power: bool) -> tuple[float, float]:
    """Wall and processor microseconds an event."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        run(Path(folder), items, size, power=power)
        events = 2 * items / 1e6
        return (time.perf_counter() - wall) / events, (time.process_time() - cpu) / events


def tables(*, quick: bool, count: int = 5000, rounds: int = 5) -> Iterator[suite.Table]:
    """Both durabilities, alone, in tens and in hundreds a commit."""
    if quick:
        count, rounds = min(count, 500), 1
    table = suite.Table(f"Journal: microseconds an event (two an item), against bare SQLite; medians of {rounds}")
    for power in (False, True):
        for size in SIZES:
            items = count // (10 if power and size == 1 else 1)
            ours, floor = [], []
            for _ in range(rounds):
                ours.append(took(journaled, items, size, power=power))
                floor.append(took(bare, items, size, power=power))
            wall, cpu = (statistics.median(each) for each in zip(*ours, strict=True))
            bare_wall, bare_cpu = (statistics.median(each) for each in zip(*floor, strict=True))
            name = f"{'power' if power else 'process'}, {size} a commit"
            figures = f"{wall:6.1f} ({cpu:5.1f} CPU)   bare {bare_wall:6.1f} ({bare_cpu:5.1f} CPU)"
            table.add(name, figures, wall / bare_wall, "x bare")
    yield table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journal", description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    suite.show(tables(quick=False, count=given.items, rounds=given.rounds))


if __name__ == "__main__":
    main()
