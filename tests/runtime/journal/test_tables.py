"""Rows that are written many at a time are all there, in their order."""

from __future__ import annotations

import json
import sqlite3

import pytest

from topcook.runtime.journal.tables import TOGETHER, Table


@pytest.fixture
def connection() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("CREATE TABLE thing (number INTEGER PRIMARY KEY, item INTEGER UNIQUE, text TEXT, other TEXT)")
    return made


@pytest.mark.parametrize("count", [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER, 3 * TOGETHER + 7])
def test_all_rows_are_written_in_the_order_in_which_they_were_added(connection: sqlite3.Connection, count: int) -> None:
    table = Table("thing", "item, text")
    rows = [(number * 7 % 1009, f"'{number}'; --") for number in range(count)]
    for row in rows:
        table.add(row)
    assert bool(table.rows) is (count > 0)
    table.write(connection)
    table.rows.clear()
    table.write(connection)
    assert connection.execute("SELECT item, text, other FROM thing ORDER BY number").fetchall() == [
        (*row, None) for row in rows
    ]


def test_a_row_that_is_there_is_replaced_where_that_was_asked_for_and_an_error_else(
    connection: sqlite3.Connection,
) -> None:
    for replace in (True, False):
        table = Table("thing", "item, text", replace=replace)
        for number in range(2 * TOGETHER):
            table.add((number, str(replace)))
        if replace:
            table.write(connection)
            table.rows.clear()
        else:
            with pytest.raises(sqlite3.IntegrityError):
                table.write(connection)
    assert set(connection.execute("SELECT text FROM thing")) == {("True",)}


def test_what_no_column_takes_can_be_written_once_it_is_spelled_out(connection: sqlite3.Connection) -> None:
    table = Table("thing", "item, text")
    table.add((1, json.dumps(["caf\udce9 ü"], ensure_ascii=False)))
    table.add((2, None))
    with pytest.raises(UnicodeEncodeError):
        table.write(connection)
    connection.execute("DELETE FROM thing")
    table.add((1 << 70, "large"))
    table.add((-(1 << 70), "small"))
    table.spell_out()
    table.write(connection)
    rows = connection.execute("SELECT item, text FROM thing ORDER BY number").fetchall()
    assert json.loads(rows[0][1]) == ["caf\udce9 ü"]
    assert rows[1:] == [(2, None), ((1 << 63) - 1, "large"), (-(1 << 63), "small")]
