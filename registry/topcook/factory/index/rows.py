"""Records as rows of the index, and back: the columns that a listing needs, the rest as JSON for later."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from topcook.factory.index.entries import SETTLED, Entry, KeptFile
from topcook.factory.records import DETAILS, Kind, Origin, Record, State
from topcook.factory.sources import Stamp
from topcook.factory.versions import Fetch, Version

if TYPE_CHECKING:
    import sqlite3

    from topcook.factory.sources import Candidate
    from topcook.factory.wire import ProbeReport

__all__ = [
    "AT_ENTRY",
    "AT_RECORD",
    "SCHEMA",
    "SELECTED",
    "Place",
    "Row",
    "digest_of_row",
    "entry_of_row",
    "environment_number",
    "is_plainly_same",
    "keep",
    "place_of",
    "readable",
    "record_of_row",
    "version_of_rows",
]

Row = Sequence[Any]
#: Root, path below it, stem, and whether the file was named itself.
Place = tuple[bytes, bytes, bytes, bool]

_PLACE = ("root", "path", "stem", "named")
_ENTRY = ("checked_at", "size", "mtime", "ctime", "inode", "digest", "more")
_RECORD = (
    "name", "state", "kind", "label", "category", "reason", "line", "takes", "why", "aliases", "problems", "details"
)  # fmt: skip
#: Where the columns of the entry and of the record begin in a selected row.
AT_ENTRY = len(_PLACE)
AT_RECORD = len(_PLACE) + len(_ENTRY)
SELECTED = ", ".join([f"c.{name}" for name in (*_PLACE, *_ENTRY)] + [f"r.{name}" for name in _RECORD])
#: Environments that are kept, the last used ones; and for how many seconds a source that nothing needs any more.
_ENVIRONMENTS, _SOURCE_SECONDS = 8, 7 * 86400.0
# The inode is text: SQLite's integers are too small for some file systems'.
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS environment (id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, used_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS candidate (
    id INTEGER PRIMARY KEY, environment INTEGER NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    root BLOB NOT NULL, path BLOB NOT NULL, stem BLOB NOT NULL, named INTEGER NOT NULL,
    checked_at REAL NOT NULL, size INTEGER, mtime INTEGER, ctime INTEGER, inode TEXT, digest TEXT, more TEXT,
    UNIQUE (environment, root, path, stem, named)
);
CREATE TABLE IF NOT EXISTS record (
    candidate INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE, {", ".join(_RECORD)}
);
CREATE INDEX IF NOT EXISTS record_of ON record (candidate);
CREATE TABLE IF NOT EXISTS directory (
    environment INTEGER NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    path BLOB NOT NULL, stems BLOB NOT NULL, PRIMARY KEY (environment, path)
);
CREATE TABLE IF NOT EXISTS source (digest TEXT PRIMARY KEY, content BLOB NOT NULL, kept_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS blob (key TEXT PRIMARY KEY, value BLOB NOT NULL)
"""
#: The columns of a record that are text, in a row of its own.
_TEXTS = tuple(
    _RECORD.index(name) for name in ("name", "state", "kind", "label", "category", "reason", "why", "aliases")
)
_NOTHING = ""
#: The numbers that SQLite can keep.
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
_STATES = {state.value: state for state in State}
_KINDS = {kind.value: kind for kind in Kind}


def place_of(candidate: Candidate, *, shared: bool = False) -> Place:
    """What a candidate is found by: relative to its root, which a ``shared`` index lies in and does not name."""
    root = candidate.origin.root
    inside = candidate.path.startswith(root + os.sep)
    path = candidate.path[len(root) + 1 :] if inside else candidate.path
    return b"" if shared else os.fsencode(root), os.fsencode(path), os.fsencode(candidate.stem), candidate.named


def entry_of_row(row: Row, candidate: Candidate) -> Entry:
    """What the outcome in a row hangs on. Raises ValueError or TypeError for what is no row."""
    checked_at, size, mtime, ctime, inode, digest, more = row[len(_PLACE) : AT_RECORD]
    own = KeptFile(candidate.path, digest, Stamp(size, mtime, ctime, int(inode)) if size is not None else None)
    if not more:
        return Entry(checked_at, (own,))
    import json

    root, data = candidate.origin.root, json.loads(more)
    files = tuple(KeptFile(_joined(root, path), digest, _stamp(stamp)) for path, digest, stamp in data["files"])
    watched = tuple(KeptFile(path, digest, _stamp(stamp)) for path, digest, stamp in data["watched"])
    modules = tuple((name, there) for name, there in data["modules"])
    first = (own,) if digest is not None else ()
    return Entry(checked_at, (*first, *files), watched, tuple(data["missing"]), data["until"], modules)


def is_plainly_same(row: Row, candidate: Candidate) -> bool:
    """Whether the stamp of a single file that hangs on nothing else proves it the same: ``Look.verify`` for most."""
    checked_at, size, mtime, ctime, inode, _digest, more = row[AT_ENTRY:AT_RECORD]
    if more or candidate.is_package or candidate.stamp is None or size is None:
        return False
    same = candidate.stamp == (size, mtime, ctime, int(inode))
    return same and bool(checked_at > max(mtime, ctime) / 1e9 + SETTLED)


def digest_of_row(row: Row) -> str:
    """The fingerprint of the candidate's own file."""
    return str(row[AT_RECORD - 2])


def _stamp(data: Sequence[int] | None) -> Stamp | None:
    return Stamp(*data) if data is not None else None


def _joined(root: str, path: str) -> str:
    return os.path.join(root, path)


def _below(root: str, path: str) -> str:
    return path[len(root) + 1 :] if path.startswith(root + os.sep) else path


def _more_of(entry: Entry, root: str) -> str | None:
    """All of an entry that most have not: helpers, missing modules, and the like."""
    if len(entry.files) == 1 and not (entry.watched or entry.missing or entry.until or entry.modules):
        return None
    import json

    data = {
        "files": [(_below(root, path), digest, stamp) for path, digest, stamp in entry.files[1:]],
        "watched": entry.watched,
        "missing": entry.missing,
        "until": entry.until,
        "modules": entry.modules,
    }
    return json.dumps(data)


def environment_number(connection: sqlite3.Connection, key: str) -> int:
    """The row of an environment, made if there is none; those that were not used for longest go."""
    import time

    connection.execute(
        "INSERT INTO environment (key, used_at) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET used_at = excluded.used_at",
        (key, time.time()),
    )
    number: int = connection.execute("SELECT id FROM environment WHERE key = ?", (key,)).fetchone()[0]
    old = connection.execute(
        "DELETE FROM environment WHERE id NOT IN (SELECT id FROM environment ORDER BY used_at DESC LIMIT ?)",
        (_ENVIRONMENTS,),
    )
    if old.rowcount:
        forget_sources(connection, time.time() - _SOURCE_SECONDS)
    return number


def forget_sources(connection: sqlite3.Connection, before: float) -> None:
    """Drop sources that were kept before a time, and that no candidate's own file is."""
    # A cook in progress may still load a version that was replaced meanwhile, and helpers are named in JSON only.
    connection.execute(
        "DELETE FROM source WHERE kept_at < ? "
        "AND digest NOT IN (SELECT digest FROM candidate WHERE digest IS NOT NULL) "
        "AND NOT EXISTS (SELECT 1 FROM candidate WHERE instr(more, source.digest))",
        (before,),
    )


def keep(
    connection: sqlite3.Connection, found: Place, environment: int, root: str, entry: Entry, report: ProbeReport | None
) -> None:
    """Write what is known of the candidate of a place below ``root``.

    Without a report only that it was found the same at ``entry.checked_at``.
    """
    own = entry.files[0] if entry.files else KeptFile("", "", None)
    stamp = own.stamp
    numbers: tuple[Any, ...] = (None,) * 4
    # A file of the year 2300 is compared by its content.
    if stamp is not None and all(_LEAST <= each <= _MOST for each in stamp[:3]):
        numbers = (stamp.size, stamp.mtime_ns, stamp.ctime_ns, str(stamp.inode))
    digest = own.digest if entry.files else None
    values = (entry.checked_at, *numbers, digest, _more_of(entry, root))
    place = (environment, *found)
    where = "environment = ? AND root = ? AND path = ? AND stem = ? AND named = ?"
    if report is None:
        sets = ", ".join(f"{name} = ?" for name in _ENTRY)
        connection.execute(f"UPDATE candidate SET {sets} WHERE {where}", (*values, *place))  # noqa: S608 - our own names
        return
    connection.execute(f"DELETE FROM candidate WHERE {where}", place)  # noqa: S608 - our own names
    names = ("environment", *_PLACE, *_ENTRY)
    marks = ", ".join("?" * len(names))
    made = connection.execute(
        f"INSERT INTO candidate ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - our own names
        (*place, *values),
    )
    marks = ", ".join("?" * (len(_RECORD) + 1))
    rows = [(made.lastrowid, *row_of_record(each)) for each in report.records]
    connection.executemany(f"INSERT INTO record VALUES ({marks})", rows)  # noqa: S608 - our own names
    sources = [(each.digest, each.content, entry.checked_at) for each in report.files]
    connection.executemany("INSERT OR REPLACE INTO source VALUES (?, ?, ?)", sources)


def row_of_record(data: dict[str, Any]) -> tuple[Any, ...]:
    """The row of a record as ``wire.record_data`` gives it."""
    import json

    takes, why = data["static"]
    row: tuple[Any, ...] = (
        data["name"],
        data["state"],
        data["kind"],
        data["label"],
        data["category"],
        data["reason"],
        data["line"],
        int(takes),
        why,
        "\n".join(data["aliases"]),
        len(data["problems"]),
        json.dumps({name: data[name] for name in DETAILS}, default=str).encode(),
    )
    try:
        "".join(row[at] for at in _TEXTS).encode()
    except UnicodeEncodeError:
        # Bytes of a file name that are no text, and what else no UTF-8 can say: as bytes, all of them.
        return tuple(each.encode("utf-8", "surrogatepass") if at in _TEXTS else each for at, each in enumerate(row))
    return row


def readable(row: Row) -> Row:
    """A selected row whose texts were kept as bytes, with its texts. Raises ValueError for other bytes."""
    record = row[AT_RECORD:]
    texts = [each.decode("utf-8", "surrogatepass") if at in _TEXTS else each for at, each in enumerate(record)]
    return (*row[:AT_RECORD], *texts)


def record_of_row(row: Row, origin: Origin, version: Version) -> Record:
    """The record of a row; its details stay JSON until they are asked for.

    Raises KeyError, TypeError or ValueError for what is no row.
    """
    record = Record.__new__(Record)
    (
        record.name, state, kind, record.label, record.category, record.reason, record.line, takes, why, aliases,
        problems, record.raw,
    ) = row  # fmt: skip
    # Bytes that were damaged may still be a row, of anything; only texts can be joined.
    _NOTHING.join((record.name, record.label, record.category, record.reason, why, aliases))
    if record.line is not None:
        record.line = int(record.line)
    record.state, record.kind = _STATES[state], _KINDS[kind]
    record.static = (bool(takes), why)
    record.aliases = tuple(aliases.split("\n")) if aliases else ()
    if not problems:
        record.problems = []
    record.origin, record.version = origin, version
    record.shadows, record.shadowed_by, record.type_object, record.edit = [], None, None, None
    return record


def version_of_rows(
    candidate: Candidate, files: Sequence[tuple[str, str]], rows: Sequence[Row], fetch: Fetch
) -> Version:
    """The version that the records of a candidate share."""
    names = frozenset((row[2], row[0].lower()) for row in rows)
    return Version(candidate.origin.path, candidate.stem, tuple(files), names, fetch)
