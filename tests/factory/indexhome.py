"""A types directory with an index of its own, and scans that tell what they had to execute."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from topcook.factory import Factory, Record
from topcook.factory.index import Index
from topcook.factory.index.database import Database
from topcook.factory.index.rows import SCHEMA
from topcook.factory.probing import InProcessProber
from topcook.factory.probing.prober import Done
from topcook.factory.sources import Candidate


class Counting:
    """Executes in this process as a worker would, and says which files it was given."""

    def __init__(self) -> None:
        self.probed: list[str] = []
        self.delay = threading.Event()

    def probe(self, candidates: list[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        del deadline

        def stripped(candidate: Candidate, report: object) -> None:
            self.probed.append(candidate.stem)
            report.live = []  # type: ignore[attr-defined]
            done(candidate, report)  # type: ignore[arg-type]

        return InProcessProber(Factory([]).registry).probe(candidates, stripped)

    def close(self) -> None:
        """Nothing was started."""


class Home:
    """A types directory and an index of its own; each scan is that of a new process as far as files can tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "cache" / "index.sqlite3"
        self.environment = "here"
        self.notes: list[str] = []
        self.probed: list[str] = []

    def index(self) -> Index:
        return Index(Database(str(self.path), SCHEMA), self.environment)

    def scan(self, *, index: Index | None = None) -> Factory:
        prober, index = Counting(), index or self.index()
        factory = Factory([], prober=prober, index=index)
        factory.add_path(str(self.folder / "types"))
        self.notes, self.probed = index.notes, sorted(prober.probed)
        return factory


def long_ago(*paths: Path) -> None:
    """Let files look settled, as they are two seconds later; ctime cannot be set, so the clock of a look is."""
    for path in paths:
        os.utime(path, (1e9, 1e9))


def told(factory: Factory) -> list[tuple[object, ...]]:
    """All that records say, but how long things took."""
    return [
        (
            each.name, each.state, each.kind, each.label, each.category, each.reason, each.line, each.static, each.aliases,
            each.parms, each.callbacks, each.problems, each.content_hash, each.node_type, str(each.origin), each.about,
            each.parm_category, [other.origin for other in each.shadows],
        )
        for each in factory.records
    ]  # fmt: skip


def only(factory: Factory) -> Record:
    (record,) = factory.records
    return record
