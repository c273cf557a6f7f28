"""What the menu keeps of a type: a row of the listing, and who it is when its file changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from topcook.factory import Kind, MenuRow, Record

__all__ = ["Entry", "Key", "entries_of", "recent_key"]

#: Who an entry is: tier and path of its file, its name, and a number where one file gives one name twice.
Key = tuple[str, str, str, int]

#: Looks of records that serve this process, yet could not be created by the one that is told their name.
_NOT_NOW = frozenset({"edit broken", "not probed"})


class Entry(NamedTuple):
    """A type as the menu shows it."""

    key: Key
    row: MenuRow

    @property
    def record(self) -> Record:
        """What the factory knows of it."""
        return self.row.record

    @property
    def look(self) -> str:
        """Its state: a key of ``GLYPHS``."""
        return self.row.look

    @property
    def choosable(self) -> bool:
        """Whether a network that names it could cook."""
        return self.record.usable and self.look not in _NOT_NOW

    @property
    def broken(self) -> bool:
        """Whether it sorts behind all that can be chosen; what was not looked at yet may turn out well."""
        return not self.choosable and self.look != "not probed"

    @property
    def path(self) -> str:
        """The file."""
        return self.record.origin.path

    @property
    def line(self) -> int:
        """Where an editor should open the file: at the first problem, else at the class."""
        first = next((each.line for each in self.record.problems if each.line and each.path == self.path), None)
        return first or self.record.line or 1


def entries_of(rows: Iterable[MenuRow]) -> list[Entry]:
    """The entries of a listing, in its order."""
    seen: Counter[tuple[str, str, str]] = Counter()
    entries = []
    for row in rows:
        who = (row.record.origin.tier.value, row.record.origin.path, row.name)
        entries.append(Entry((*who, seen[who]), row))
        seen[who] += 1
    return entries


def recent_key(record: Record) -> str:
    """What the list of recent choices calls a type."""
    kind = Kind.NODE if record.kind in {Kind.NODE, Kind.WORK_ITEM} else Kind.SCHEDULER
    return f"{kind.value}:{record.name.lower()}"
