"""Rows for a journal, gathered and written many at a time.

A statement takes the interpreter's lock from the cook thread for a moment each time it runs, and threads that cook
items take it gladly: so one statement writes many rows. Rows of one shape leave out the columns that they never fill.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

#: How many rows one statement writes. SQLite allowed 999 values in one for long.
TOGETHER = 32
_MOST = (1 << 63) - 1


class Table:
    """Rows that wait to be written into some columns of a table."""

    __slots__ = ("_many", "_one", "add", "rows")

    def __init__(self, name: str, columns: str, *, replace: bool = False) -> None:
        """``columns`` are their names, separated by commas; ``replace``: a row may be there already."""
        #: Those that wait.
        self.rows: list[tuple[Any, ...]] = []
        #: Add one row, its values in the order of the columns.
        self.add = self.rows.append
        row = f"({', '.join('?' * (columns.count(',') + 1))})"
        self._one = f"INSERT {'OR REPLACE ' if replace else ''}INTO {name} ({columns}) VALUES {row}"  # noqa: S608 - our own names
        self._many = f"{self._one}{f', {row}' * (TOGETHER - 1)}"

    def write(self, connection: sqlite3.Connection) -> None:
        """Write them, in the order in which they were added; raises what SQLite raises.

        That is UnicodeEncodeError and OverflowError, too, for what ``spell_out`` makes writable.
        """
        rows = self.rows
        whole = len(rows) - len(rows) % TOGETHER
        for place in range(0, whole, TOGETHER):
            connection.execute(self._many, tuple(chain.from_iterable(rows[place : place + TOGETHER])))
        if whole < len(rows):
            connection.executemany(self._one, rows[whole:])

    def spell_out(self) -> None:
        """Make values of the rows that SQLite cannot keep such that it can.

        A text that is no UTF-8, as names of files may be, has escapes then, which in JSON are what it was. A number
        that no column takes is the greatest or least one.
        """
        self.rows[:] = [tuple(map(_spelled_out, row)) for row in self.rows]


def _spelled_out(value: Any) -> Any:
    if type(value) is str:
        return value.encode("utf-8", "backslashreplace").decode()
    return max(-_MOST - 1, min(value, _MOST)) if type(value) is int else value
