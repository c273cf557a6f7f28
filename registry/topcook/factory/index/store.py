"""The index: outcomes of probes by candidate, and the sources that they executed."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from topcook.factory.bundles import home_of
from topcook.factory.index.entries import Entry, Look, may_import, modules_of
from topcook.factory.index.rows import (
    AT_ENTRY,
    AT_RECORD,
    SELECTED,
    Place,
    Row,
    digest_of_row,
    entry_of_row,
    environment_number,
    is_plainly_same,
    keep,
    place_of,
    readable,
    record_of_row,
    version_of_rows,
)

if TYPE_CHECKING:
    import sqlite3

    from topcook.factory.index.database import Database
    from topcook.factory.records import Record
    from topcook.factory.sources import Candidate
    from topcook.factory.wire import ProbeReport

__all__ = ["Index"]

_FROM = (
    "FROM environment e JOIN candidate c ON c.environment = e.id JOIN record r ON r.candidate = c.id "
    "WHERE e.key = ? AND c.root IN"
)
_Groups = dict[Place, list[Row]]
_Stems = dict[str, frozenset[str]]
#: So few candidates are asked for by their paths.
_FEW = 50


def _marks(values: Sequence[bytes]) -> str:
    return ", ".join("?" * len(values))


class Index:
    """One index file, for one environment.

    It never raises: what cannot be read is not known, what cannot be written is not kept.
    """

    def __init__(self, database: Database, environment: str, *, shared: bool = False) -> None:
        """Use a database; ``environment`` is the key of all that outcomes hang on beside files.

        A ``shared`` one belongs to the one directory that it lies in, and to users who have other modules installed.
        """
        self.database = database
        self.shared = shared
        self.environment = environment
        self._lock = threading.Lock()
        self._fresh: list[tuple[Candidate, Entry, ProbeReport | None]] = []
        self._stems: dict[str, frozenset[str]] = {}

    @property
    def notes(self) -> list[str]:
        """Why the index could not be used as it should, for people."""
        return self.database.notes

    # Reading

    def recall(self, candidates: Sequence[Candidate], look: Look) -> dict[int, list[Record]]:
        """The records that are kept and still hold, by the ``id`` of their candidate."""
        places = {
            place_of(each, shared=self.shared): each for each in candidates if not each.refused and not each.disabled
        }
        nothing: tuple[_Groups, _Stems] = {}, {}
        groups, before = self.database.read(lambda connection: self._read(connection, places), nothing)
        found: dict[int, list[Record]] = {}
        for place, candidate in places.items():
            try:
                kept = self._kept(candidate, groups[place], look) if place in groups else None
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
                # A damaged file may give rows that never were written; what cannot be read is not known.
                kept = None
            if kept is not None:
                found[id(candidate)] = kept
        self._drop_newly_met(places.values(), found, before, look)
        return found

    def _read(self, connection: sqlite3.Connection, places: Collection[Place]) -> tuple[_Groups, _Stems]:
        roots = sorted({place[0] for place in places})
        query, wanted = f"SELECT {SELECTED} {_FROM} ({_marks(roots)})", roots
        if len(places) <= _FEW:
            # After a save one file is asked for, among thousands.
            paths = sorted({place[1] for place in places})
            query, wanted = f"{query} AND c.path IN ({_marks(paths)})", [*roots, *paths]
        rows = connection.execute(f"{query} ORDER BY r.rowid", (self.environment, *wanted))
        groups: _Groups = {}
        for row in rows:
            groups.setdefault(row[:AT_ENTRY], []).append(readable(row) if type(row[AT_RECORD]) is bytes else row)
        stems = connection.execute(
            "SELECT path, stems FROM environment e JOIN directory d ON d.environment = e.id WHERE e.key = ?",
            (self.environment,),
        )
        return groups, {os.fsdecode(path): frozenset(os.fsdecode(names).split("/")) for path, names in stems}

    def _kept(self, candidate: Candidate, group: list[Row], look: Look) -> list[Record] | None:
        if is_plainly_same(group[0], candidate):
            files: tuple[tuple[str, str], ...] = ((candidate.path, digest_of_row(group[0])),)
        else:
            if candidate.stamp is not None:
                look.knows(candidate.path, candidate.stamp)
            entry = entry_of_row(group[0], candidate)
            verified = look.verify(candidate, entry)
            if verified is None:
                return None
            if verified is not entry:
                self._fresh.append((candidate, verified, None))
            files = tuple((each.path, each.digest) for each in entry.files)
        rows = [row[AT_RECORD:] for row in group]
        version = version_of_rows(candidate, files, rows, self.fetch)
        return [record_of_row(row, candidate.origin, version) for row in rows]

    def _drop_newly_met(
        self, candidates: Iterable[Candidate], found: dict[int, list[Record]], before: _Stems, look: Look
    ) -> None:
        homes: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            if candidate.entry_point is None:
                homes.setdefault(home_of(candidate.path), []).append(candidate)
        for home, inside in homes.items():
            name = self._home_name(home, inside[0])
            stems, known = look.stems(home), before.get(name)
            if stems != known:
                self._stems[name] = stems
            new = stems - known if known is not None else None
            for candidate in inside if new else ():
                records = found.get(id(candidate))
                version = records[0].version if records else None
                if new and version is not None and may_import(version.files, new, self.fetch):
                    del found[id(candidate)]

    def _home_name(self, home: str, candidate: Candidate) -> str:
        return os.path.relpath(home, candidate.origin.root) if self.shared else home

    def fetch(self, _path: str, digest: str) -> bytes | None:
        """The bytes of a source; None when they are not kept."""
        from topcook.factory.bundles import content_hash

        row = self.database.read(
            lambda connection: connection.execute("SELECT content FROM source WHERE digest = ?", (digest,)).fetchone(),
            None,
        )
        content: bytes | None = row[0] if row is not None else None
        return content if content is not None and content_hash(content) == digest else None

    def get(self, key: str) -> bytes | None:
        """A small value that was put under a key."""
        row = self.database.read(
            lambda connection: connection.execute("SELECT value FROM blob WHERE key = ?", (key,)).fetchone(), None
        )
        return row[0] if row is not None else None

    # Writing

    def remember(self, candidate: Candidate, report: ProbeReport, look: Look) -> None:
        """Keep a report, which was made after ``look`` looked, with the next ``commit``."""
        from topcook.factory.index.entries import entry_of

        entry = entry_of(candidate, report, look)
        if self.shared:
            if entry.until:
                # What hung on one machine's moment is nothing that others should believe.
                return
            entry = entry._replace(modules=modules_of(report, look))
        with self._lock:
            self._fresh.append((candidate, entry, report))

    def commit(self) -> None:
        """Write down what was remembered."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
            stems, self._stems = self._stems, {}
        if not fresh and not stems:
            return

        def write(connection: sqlite3.Connection) -> None:
            number = environment_number(connection, self.environment)
            for candidate, entry, report in fresh:
                place = place_of(candidate, shared=self.shared)
                keep(connection, place, number, candidate.origin.root, entry, report)
            rows = [(number, os.fsencode(path), os.fsencode("/".join(sorted(names)))) for path, names in stems.items()]
            connection.executemany("INSERT OR REPLACE INTO directory VALUES (?, ?, ?)", rows)

        self.database.write(write)

    def forget(self) -> None:
        """Forget all outcomes of this environment."""
        self.database.write(
            lambda connection: connection.execute("DELETE FROM environment WHERE key = ?", (self.environment,))
        )

    def put(self, key: str, value: bytes) -> None:
        """Keep a small value under a key."""
        self.database.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO blob VALUES (?, ?)", (key, value))
        )
