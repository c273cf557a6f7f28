"""Looking at the types path once more, executing only what has changed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from topcook.factory.bundles import read_bundle
from topcook.factory.probe import probe
from topcook.factory.quiet import captured_output
from topcook.factory.records import Record, State, Tier
from topcook.factory.sources import Candidate, classified

if TYPE_CHECKING:
    from topcook.factory.scan import Factory

Known = dict[tuple[Tier, str, str], tuple[str, list[Record]]]


def found_again(factory: Factory, known: Known) -> list[Record]:
    """The records of the types path as it is now, those of the running program before them."""
    records = [record for record in factory.records if record.origin.tier is Tier.PROGRAM]
    with captured_output():
        for candidate in factory._all_candidates():  # noqa: SLF001
            records += _records(factory, candidate, known)
    return records


def _records(factory: Factory, candidate: Candidate, known: Known) -> list[Record]:
    candidate.skipped = None
    if classified(candidate).settled:
        return [candidate.record()]
    key = (candidate.origin.tier, candidate.path, candidate.stem)
    try:
        digest = read_bundle(candidate.path).digest if candidate.entry_point is None else candidate.origin.version
    except OSError:
        digest = ""
    if key not in known or known[key][0] != digest:
        known[key] = digest, probe(candidate, factory.registry, factory._hook)  # noqa: SLF001
    return known[key][1]


def take_over(factory: Factory, records: list[Record]) -> None:
    """Let these records hold."""
    factory.records = [copy.copy(each) if each.state is State.SHADOWED else each for each in records]
    factory._resolve()  # noqa: SLF001
