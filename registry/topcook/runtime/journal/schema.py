"""What a journal's file looks like, how it is opened, and how an older one is brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping

from topcook.errors import RecorderError
from topcook.runtime.statedir import cook_directory

#: "topc" as a number: it tells a journal from any other SQLite file.
APPLICATION = 0x746F7063
VERSION = 1
#: Seconds to wait for somebody who reads.
PATIENCE = 30.0

TABLES = """
CREATE TABLE session (
    number INTEGER PRIMARY KEY, cook TEXT NOT NULL, network TEXT NOT NULL, facts TEXT NOT NULL,
    started REAL NOT NULL, finished REAL, outcome TEXT);
CREATE TABLE name (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE item (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, key TEXT NOT NULL, node INTEGER NOT NULL, place INTEGER NOT NULL,
    name TEXT, label TEXT, scheduler INTEGER, frame REAL, batch INTEGER, needs BLOB);
CREATE TABLE step (
    number INTEGER PRIMARY KEY, item INTEGER NOT NULL, attempt INTEGER NOT NULL, state INTEGER NOT NULL,
    at REAL NOT NULL, started REAL, duration REAL, exit INTEGER, scheduler INTEGER, token TEXT);
CREATE TABLE fact (number INTEGER PRIMARY KEY, item INTEGER NOT NULL, kind INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE message (number INTEGER PRIMARY KEY, at REAL NOT NULL, level TEXT, source TEXT, text TEXT);
"""

Migration = Callable[[sqlite3.Connection], object]
#: What brings a journal of a version to the next one.
MIGRATIONS: dict[int, Migration] = {}


def create(path: str, *, power: bool, network_disk: bool) -> sqlite3.Connection:
    """Make a journal, or open one to be continued; raises ``RecorderError`` with the reason and what to type."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if not os.path.exists(path):
            # SQLite gives what it writes beside the file the same rights. Invariant: never where a connection of this
            # process may have it open: closing any descriptor of a file drops all locks that the process has on it.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise RecorderError(_cannot(path, error)) from error
    try:
        _settle(connection, power=power, network_disk=network_disk)
        _bring_up(connection, path)
        connection.execute(f"PRAGMA synchronous = {'FULL' if power or network_disk else 'NORMAL'}")
    except sqlite3.Error as error:
        connection.close()
        raise RecorderError(_cannot(path, error)) from error
    except RecorderError:
        connection.close()
        raise
    return connection


def _cannot(path: str, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    # Whoever puts only the journal elsewhere would hear of the keeper of local jobs next.
    ours = os.path.abspath(path).startswith(os.path.join(os.path.dirname(cook_directory("")), ""))
    return (
        f'the journal "{path}" cannot be written: {reason}\n'
        "    put it elsewhere: --journal DIR; or cook without one, and without --resume later: --no-journal"
        + ("\n    local jobs need that directory, too; for another one set TOPCOOK_STATE_DIR=DIR" if ours else "")
    )


def _settle(connection: sqlite3.Connection, *, power: bool, network_disk: bool) -> None:
    if network_disk:
        # WAL needs memory that all readers share. Locked once for all: each lock is a round trip to the server.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        return
    if not power:
        # An empty journal that a power cut takes is no loss, and the disk need not be waited for.
        connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = WAL")
    # A checkpoint waits for the disk, and the cook with it: seldom is better than short.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")


def _bring_up(connection: sqlite3.Connection, path: str) -> None:
    if version_of(connection, path) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    # Somebody else may have done it just now.
    version = version_of(connection, path)
    if version is None:
        for statement in filter(str.strip, TABLES.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
    else:
        migrate(connection, version, MIGRATIONS)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def migrate(connection: sqlite3.Connection, version: int, steps: Mapping[int, Migration], goal: int = VERSION) -> None:
    """Bring an open journal from ``version`` to ``goal``, one version after the other."""
    for each in range(version, goal):
        steps[each](connection)


def version_of(connection: sqlite3.Connection, path: str) -> int | None:
    """The version of an open journal, ``None`` while it is empty; raises ``RecorderError`` for what is none of ours."""
    # All of it at one moment: it may be in the making.
    alone = not connection.in_transaction
    if alone:
        connection.execute("BEGIN")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if alone:
        connection.execute("COMMIT")
    if not application and not tables:
        return None
    if application != APPLICATION:
        raise RecorderError(
            f'"{path}" is a database, but no journal of a cook\n    name another directory: --journal DIR'
        )
    if version > VERSION:
        raise RecorderError(
            f'the journal "{path}" was written by a newer Topcook: it is of version {version}, known is {VERSION}\n'
            "    take it up with that one, or cook anew without --resume"
        )
    missing = next((each for each in range(version, VERSION) if each not in MIGRATIONS), None)
    if missing is not None:
        raise RecorderError(
            f'the journal "{path}" is of version {version}, which this Topcook does not read any more\n'
            "    cook anew without --resume"
        )
    return version


def open_to_read(path: str) -> sqlite3.Connection:
    """Open a journal that may be in use, or was left by a crash; raises ``RecorderError``.

    What a crash left half done is put right by SQLite as it opens, so a journal is not opened read-only.
    """
    if not os.path.isfile(path):
        raise RecorderError(f'there is no journal "{path}"')
    if not os.path.getsize(path):
        return _empty(path)
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode=rw",
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,
            # Who reads sees to it that one thread does at a time.
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise RecorderError(f'the journal "{path}" cannot be read: {error}') from error
    try:
        connection.execute("PRAGMA query_only = ON")
        version = version_of(connection, path)
        if version is None:
            connection.close()
            return _empty(path)
        if version < VERSION:
            connection.execute("PRAGMA query_only = OFF")
            _bring_up(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise RecorderError(f'the journal "{path}" cannot be read: {error}') from error
    except RecorderError:
        connection.close()
        raise
    return connection


def _empty(path: str) -> sqlite3.Connection:
    """What is in a journal whose cook was killed before it wrote anything, or is about to: nobody gets in its way."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _bring_up(connection, path)
    return connection


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(os.fsencode(os.path.abspath(path)))
