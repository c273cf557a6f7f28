"""Slots: candidates with the records that they gave, by what tells one candidate from another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from topcook.factory.records import Record, State, Tier
from topcook.lean import dataclass, field

if TYPE_CHECKING:
    from topcook.factory.sources import Candidate
    from topcook.factory.wire import ProbeReport

__all__ = ["Key", "Slot", "Slots", "by_key", "key_of", "not_probed", "precedence", "report_on"]

#: Tier, path and stem.
Key = tuple[Tier, str, str]


@dataclass(slots=True)
class Slot:
    """A candidate, and the records that it gave."""

    candidate: Candidate
    records: list[Record] = field(default_factory=list)


Slots = dict[Key, Slot]

#: The order of precedence of tiers; inside one, that of discovery.
_TIERS = {tier: at for at, tier in enumerate(Tier)}


def key_of(candidate: Candidate) -> Key:
    """What tells a candidate from all others."""
    return candidate.origin.tier, candidate.path, candidate.stem


def by_key(candidates: Iterable[Candidate]) -> dict[Key, Candidate]:
    """Each candidate once, the first of those that are the same."""
    found: dict[Key, Candidate] = {}
    for candidate in candidates:
        found.setdefault(key_of(candidate), candidate)
    return found


def precedence(item: tuple[Key, object]) -> int:
    """The place of an item of ``Slots`` by its tier."""
    return _TIERS[item[0][0]]


def report_on(records: list[Record]) -> ProbeReport:
    """A report that says what is known without a probe."""
    from topcook.factory.wire import ProbeReport, record_data

    return ProbeReport([record_data(record) for record in records])


def not_probed(candidate: Candidate) -> Record:
    """The record of a file that waits to be probed, with the names that its text suggests."""
    from topcook.factory.bundles import read_file
    from topcook.factory.probing.guess import guessed

    try:
        content = b"" if candidate.entry_point is not None else read_file(candidate.path)
    except OSError:
        content = b""
    return guessed(candidate, content, State.NOT_PROBED, [], "it is still being looked at")
