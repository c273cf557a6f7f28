"""Look at files and distributions by themselves, as ``topcook check`` does: freshly, without an index.

Everything is executed by a prober, by probe workers unless another is given; nothing in this process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from topcook.errors import Problem
from topcook.factory.records import Record, Tier
from topcook.factory.sources import Candidate, Rules, candidates_in, classified, entry_points
from topcook.factory.trust import trust_of
from topcook.factory.typespath import TypesEntry
from topcook.lean import dataclass, field

if TYPE_CHECKING:
    from topcook.config import Config
    from topcook.factory.probing import Prober
    from topcook.factory.wire import ProbeReport

__all__ = [
    "Examined",
    "bringer_of",
    "candidates_of",
    "distribution_candidates",
    "examine",
    "installed_names",
    "trust_problems",
]


@dataclass(slots=True)
class Examined:
    """What was found out about a candidate; ``contents`` are the bytes that were executed, by path."""

    candidate: Candidate
    records: list[Record] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """All problems of all records, each once, in the order of their places."""
        found = dict.fromkeys(problem for record in self.records for problem in record.problems)
        return sorted(found, key=lambda each: (each.path or "", each.line or 0, each.column or 0))


def candidates_of(path: str) -> list[Candidate]:
    """The candidates of a file, of a directory, or of the package that a directory is."""
    init = os.path.join(path, "__init__.py")
    return candidates_in(_entry(init if os.path.isfile(init) else path))


def distribution_candidates(name: str) -> list[Candidate]:
    """The entry points of an installed distribution, whose name may be written as pip lets one; empty without any."""
    found, _ = entry_points()
    return [each for each in found if _plain(each.origin.distribution) == _plain(name)]


def installed_names() -> list[str]:
    """The distributions that bring types."""
    return list(dict.fromkeys(each.origin.distribution for each in entry_points()[0]))


def bringer_of(name: str) -> str:
    """The distribution that has an entry point of this name, which is mostly its type's; empty without any."""
    return next((each.origin.distribution for each in entry_points()[0] if each.stem == name), "")


def trust_problems(path: str, config: Config) -> list[Problem]:
    """What strict trust has against a file, or the files of a directory: for these, nothing is a mere warning."""
    trust = trust_of(config, [])
    strict = Rules(type(trust)(trust.owners, strict=True, checked=trust.checked))
    problems = [each for candidate in candidates_in(_entry(path), strict) for each in candidate.refused]
    return list(dict.fromkeys(problems))


def examine(candidates: Sequence[Candidate], prober: Prober | None = None) -> list[Examined]:
    """Probe candidates, side by side; the answers stand in the order of the candidates."""
    found = {id(each): Examined(each) for each in candidates}
    settled = [each for each in candidates if classified(each).settled]
    for candidate in settled:
        found[id(candidate)].records = [candidate.record()]
    rest = [each for each in candidates if not each.settled]
    if rest:
        _probe(rest, found, prober)
    return list(found.values())


def _probe(candidates: Sequence[Candidate], found: dict[int, Examined], prober: Prober | None) -> None:
    from topcook.factory.probing import WorkerPool
    from topcook.factory.wire import records_of

    def done(candidate: Candidate, report: ProbeReport) -> None:
        examined = found[id(candidate)]
        examined.records = records_of(report, candidate.origin, candidate.stem)
        examined.contents = {each.path: each.content for each in report.files}

    pool = prober or WorkerPool()
    try:
        pool.probe(candidates, done)
    finally:
        if prober is None:
            pool.close()


def _entry(path: str) -> TypesEntry:
    return TypesEntry(os.path.abspath(path), Tier.PATH, "the command line")


def _plain(name: str) -> str:
    """A distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
