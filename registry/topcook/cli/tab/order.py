"""Keep lines where they are while what they show changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from topcook.cli.tab.entries import Entry, Key

__all__ = ["settled", "successors"]


def successors(old: Iterable[Key], new: Iterable[Key]) -> dict[Key, Key]:
    """Who takes the place of an entry that is gone: one of the same file that is new, in the order of both.

    A file that breaks loses the name its type had, and gets it back when it is mended.
    """
    before, after = list(old), list(new)
    known, kept = set(before), set(after)
    fresh: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for key in after:
        if key not in known:
            fresh[key[:2]].append(key)
    return {key: fresh[key[:2]].pop(0) for key in before if key not in kept and fresh.get(key[:2])}


def settled(shown: Sequence[Key], wanted: Sequence[Entry]) -> list[Entry]:
    """The wanted entries with those that were shown in the order they had; each other one behind its neighbour."""
    if not shown:
        return list(wanted)
    by_key = {entry.key: entry for entry in wanted}
    stay = [key for key in shown if key in by_key]
    staying = set(stay)
    behind: dict[Key | None, list[Entry]] = defaultdict(list)
    neighbour: Key | None = None
    for entry in wanted:
        if entry.key in staying:
            neighbour = entry.key
        else:
            behind[neighbour].append(entry)
    order = [*behind[None]]
    for key in stay:
        order += [by_key[key], *behind[key]]
    return order
