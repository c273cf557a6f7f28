"""The file of the index: SQLite behind a door that lets no error through.

Whatever goes wrong with the file, a start only takes longer, and ``notes`` says why.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from topcook.factory.index.place import not_ours, prepare

__all__ = ["Database", "described"]

T = TypeVar("T")

#: Seconds to wait for another process's lock; where locks hang (network homes), the price of each start.
PATIENCE = 0.25
_PRAGMAS = "PRAGMA page_size = 16384; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;"
#: Errors of the moment, and of what we gave: the file is as it was.
_NO_DAMAGE = (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.DataError)
_PLAIN = frozenset(b"/-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class Database:
    """One SQLite file, opened for each piece of work.

    ``sealed`` ones are never written to, and read without locks. ``schema`` makes the tables where there are none.
    """

    def __init__(self, path: str, schema: str, *, sealed: bool = False) -> None:
        """Use the file at ``path``, which need not exist."""
        self.path = path
        self.sealed = sealed
        self.notes: list[str] = []
        self._schema = schema
        self._open: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._shut = False

    def read(self, work: Callable[[sqlite3.Connection], T], default: T) -> T:
        """What ``work`` reads; ``default`` when the file is not there, or cannot be read."""
        with self._lock:
            if self._shut or not os.path.exists(self.path) or not self._believed():
                return default
            try:
                return work(self._connection())
            except (sqlite3.Error, OSError, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
                # Bytes that are no index may raise from the reading of their rows, too.
                self._trouble(error, "read")
                return default

    def write(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        """Let ``work`` write, all or nothing; False when it could not."""
        with self._lock:
            if self.sealed or not self._believed():
                return False
            self._shut = False
            try:
                self._close()
                prepare(self.path)
                with closing(sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)) as connection:
                    # What a power cut may damage is noticed, and made anew.
                    connection.executescript(_PRAGMAS)
                    connection.execute("BEGIN IMMEDIATE")
                    for statement in filter(str.strip, self._schema.split(";")):
                        connection.execute(statement)
                    work(connection)
                    connection.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self._trouble(error, "written")
                return False
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                # What SQLite does not take; the file itself is as it was.
                self._note(f'the index "{self.path}" could not be written: {error}')
                return False
            return True

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            flags = "mode=ro&immutable=1" if self.sealed else "mode=ro"
            uri = f"file:{_quoted(self.path)}?{flags}"
            # One thread at a time, behind the lock.
            self._open = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _believed(self) -> bool:
        if self.sealed:
            # Whoever opens a sealed index has asked already whether its directory is trusted.
            return True
        why = not_ours(self.path)
        if why:
            self._note(why)
        return not why

    def _trouble(self, error: Exception, doing: str) -> None:
        self._note(f'the index "{self.path}" could not be {doing}: {error}')
        try:
            self._close()
        except sqlite3.Error:
            self._open = None
        self._shut = True
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _NO_DAMAGE)
        if (damaged or not isinstance(error, sqlite3.Error | OSError)) and not self.sealed:
            self._set_aside()

    def _set_aside(self) -> None:
        """Move a damaged file out of the way; it is made anew with the next write."""
        try:
            os.replace(self.path, self.path + ".damaged")
        except OSError as error:
            self._note(f"the damaged index could not be set aside: {error}")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _quoted(path: str) -> str:
    """A path in a URI; the library's own function costs a start more than all the rest of the opening."""
    return "".join(chr(each) if each in _PLAIN else f"%{each:02X}" for each in os.fsencode(path))


def described(database: Database) -> dict[str, int]:
    """What is in an index, in numbers: environments, candidates, records and sources."""

    def count(table: str) -> int:
        def read(connection: sqlite3.Connection) -> int:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names

        return database.read(read, 0)

    return {table: count(table) for table in ("environment", "candidate", "record", "source")}
