"""In-process items that do nothing: ``python -m benchmarks.engine [--items N] [--rounds N] [--profile]``.

Each goes through the whole of Topcook: its node makes it, the machine releases it, the in-process scheduler's threads
call its node, what they say comes back through the inbox, states and events are told. Beside it, in the same rounds,
the same graph by Dask's threaded scheduler (``pip install dask``, left out where it is not there) and by a
``ThreadPoolExecutor`` that is handed what becomes ready. Times are from the empty graph to the last end, the making of
items, or of Dask's graph, included. The report is timed by itself.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import importlib.util
import pstats
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import suite
from benchmarks.machine import Graph, independent, layered
from topcook.factory.scan import Factory
from topcook.runtime.journal import Journal
from topcook.runtime.netfile import load_network
from topcook.runtime.observers import hookimpl
from topcook.runtime.report import write_report

if TYPE_CHECKING:
    from topcook.runtime.api import GraphContext
    from topcook.runtime.cook import Cook

WORKERS = 2
#: A node that makes the items of ``benchmarks.machine``'s graphs and cooks them by doing nothing.
TYPE = """
import json
import pdg
from pdg.processor import PyProcessor


class Nothing(PyProcessor):
    @classmethod
    def templateName(cls):
        return "nothing"

    @classmethod
    def templateBody(cls):
        parms = [{"name": name, "type": "Integer", "value": value} for name, value in
                 (("count", 1), ("layers", 1), ("each", 3), ("attributes", 0))]
        return json.dumps({"name": "nothing", "parameters": parms})

    def onGenerate(self, item_holder, upstream_items, generation_type):
        count, layers, each, attributes = (
            self[name].evaluateInt() for name in ("count", "layers", "each", "attributes")
        )
        width = max(1, count // layers)
        steps = (0, 1, 7)[:each]
        add, link = item_holder.addWorkItem, item_holder.addDependency
        if upstream_items:
            for each in upstream_items:
                add(parent=each, inProcess=True)
            return pdg.result.Success
        before = []
        for layer in range(layers):
            row = []
            for index in range(width):
                item = add(inProcess=True)
                for number in range(attributes):
                    item.setIntAttrib(f"number{number}", index)
                for step in steps if before else ():
                    link(item, before[(index + step) % width])
                row.append(item)
            before = row
        return pdg.result.Success

    def onCookTask(self, work_item):
        return pdg.result.Success


def registerTypes(type_registry):
    type_registry.registerNode(Nothing, pdg.nodeType.Processor)
"""
NETWORK = """
[network]
name = "bench"
scheduler = "here"

[schedulers.here]
type = "inprocessscheduler"
[schedulers.here.parms]
maxthreads = {workers}
pdg_workingdir = "$HIP/work"

[nodes.items]
type = "nothing"
[nodes.items.parms]
count = {count}
layers = {layers}
each = {each}
attributes = {attributes}
"""


class Timed:
    """One cook by Topcook: seconds of the making, of the cooking, of the report, and of the processor for the two."""

    def __init__(self, generating: float, cooking: float, reporting: float, processor: float) -> None:
        """Keep the four."""
        self.generating = generating
        self.cooking = cooking
        self.reporting = reporting
        self.processor = processor

    @property
    def total(self) -> float:
        """Seconds from the empty graph to the last end."""
        return self.generating + self.cooking


class Watch:
    """An observer that notes when the items are there."""

    def __init__(self) -> None:
        """Nothing is there yet."""
        self.made = 0.0

    @hookimpl
    def cook_started(self) -> None:
        """The static items exist."""
        self.made = time.perf_counter()


def network(folder: Path, count: int, layers: int, each: int = 3, attributes: int = 0) -> GraphContext:
    """A network with one node of that many items."""
    types = folder / "types"
    types.mkdir(exist_ok=True)
    (types / "nothing.py").write_text(TYPE, encoding="utf-8")
    path = folder / "bench.toml"
    path.write_text(
        NETWORK.format(workers=WORKERS, count=count, layers=layers, each=each, attributes=attributes), encoding="utf-8"
    )
    return load_network(path, factory=Factory.scan({"PDG_TYPES_PATH": str(types)}))


def cook(count: int, layers: int, *, journal: bool = False, run: Callable[[Cook], object] | None = None) -> Timed:
    """Cook that many items and time it; with ``journal`` it is kept on the disk. ``run`` cooks instead of ``run()``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = network(folder, count, layers)
        watch = Watch()
        context.observe(watch)
        recorder = Journal(str(folder / "journal"), "bench", "bench", find=context.core.item) if journal else None
        job = context.prepare(recorder=recorder, cook_id="bench" if journal else "")
        context.open_schedulers(job)
        gc.collect()
        processor, started = time.process_time(), time.perf_counter()
        (run or type(job).run)(job)
        ended, processor = time.perf_counter(), time.process_time() - processor
        if job.outcome != "cooked":
            raise AssertionError(f"the cook is {job.outcome}: {[each.text for each in job.messages][:3]}")
        write_report(job, str(folder / "report.json"))
        reported = time.perf_counter()
        context.close()
        return Timed(watch.made - started, ended - watch.made, reported - ended, processor)


def nothing(*_: object) -> None:
    """What each item does."""


def by_dask(graph: Graph) -> float:
    """Seconds that Dask's threaded scheduler takes, its graph's making included."""
    import dask.threaded

    started = time.perf_counter()
    tasks = {index: (nothing, *needs) for index, needs in enumerate(graph)}
    tasks["all"] = (nothing, list(range(len(graph))))  # type: ignore[index]
    dask.threaded.get(tasks, "all", num_workers=WORKERS)
    return time.perf_counter() - started


def by_pool(graph: Graph) -> float:
    """Seconds that a ``ThreadPoolExecutor`` takes that is handed each item when what it waits for is done."""
    started = time.perf_counter()
    dependents: Graph = [[] for _ in graph]
    pending = [len(needs) for needs in graph]
    for index, needs in enumerate(graph):
        for need in needs:
            dependents[need].append(index)
    lock, over = threading.Lock(), threading.Event()
    left = len(graph)

    with ThreadPoolExecutor(WORKERS) as pool:

        def submit(index: int) -> None:
            pool.submit(nothing).add_done_callback(lambda future: ended(index, future))

        def ended(index: int, future: Future[None]) -> None:
            nonlocal left
            future.result()
            ready = []
            with lock:
                left -= 1
                for each in dependents[index]:
                    pending[each] -= 1
                    if not pending[each]:
                        ready.append(each)
                if not left:
                    over.set()
            for each in ready:
                submit(each)

        for index, needs in enumerate(graph):
            if not needs:
                submit(index)
        over.wait()
    return time.perf_counter() - started


def profiled(count: int, layers: int) -> None:
    """Print where the cook thread's time goes."""
    profile = cProfile.Profile()
    cook(count, layers, run=lambda job: profile.runcall(job.run))
    pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def table(title: str, layers: int, graph: Graph, count: int, rounds: int) -> suite.Table:
    """One graph by all of them in turn, ``rounds`` times."""
    dask = importlib.util.find_spec("dask") is not None
    plain: list[Timed] = []
    kept: list[Timed] = []
    pool: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        plain.append(cook(count, layers))
        pool.append(by_pool(graph))
        kept.append(cook(count, layers, journal=True))
        if dask:
            theirs.append(by_dask(graph))
    made = suite.Table(f"In-process items that do nothing: {count} {title}")
    made.add("ThreadPoolExecutor", _rate(count, pool))
    if dask:
        made.add("dask.threaded", _rate(count, theirs))
    for name, runs, goals in (("topcook", plain, (2.0, 6.0)), ("topcook, journal on disk", kept, (None, 3.0))):
        totals = [each.total for each in runs]
        used = statistics.median(each.processor for each in runs) / count * 1e6
        made.add(name, f"{_rate(count, totals)}  {used:.1f} us CPU")
        for other, times, goal in (("pool", pool, goals[0]), ("dask", theirs, goals[1])):
            if times:
                ratio = statistics.median(other / own for other, own in zip(times, totals, strict=True))
                made.add("", "", ratio, f"x {other}", None if goal is None else suite.at_least(goal))
        parts = [statistics.median(getattr(each, part) for each in runs) for part in _PARTS]
        made.add("", ", ".join(f"{part} {value:.2f} s" for part, value in zip(_PARTS, parts, strict=True)))
    if not dask:
        made.notes.append('dask is not installed: left out (pip install "topcook[bench]", or dask)')
    return made


def tables(*, quick: bool, count: int = 100_000, rounds: int = 3) -> Iterator[suite.Table]:
    """Independent items, and layers of them."""
    if quick:
        count, rounds = min(count, 10_000), 1
    yield table("independent", 1, independent(count), count, rounds)
    yield table("in 100 layers", 100, layered(count), count, rounds)


def main() -> None:
    """Run all of them in turn, as often as asked, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="work items in a graph (default 100000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (default 3)")
    parser.add_argument("--profile", action="store_true", help="print where the cook thread's time goes instead")
    settings = parser.parse_args()
    if settings.profile:
        profiled(settings.items, 100)
        return
    suite.show(tables(quick=False, count=settings.items, rounds=settings.rounds))


def _rate(count: int, seconds: list[float]) -> str:
    median = statistics.median(seconds)
    return f"{median:.2f} s  {count / median:7,.0f} items/s"


_PARTS = ("generating", "cooking", "reporting")

if __name__ == "__main__":
    main()
