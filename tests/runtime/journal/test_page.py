"""The page about the journal says what the code does."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from topcook.runtime.journal import schema
from topcook.runtime.journal.facts import Fact

PAGE = (Path(__file__).parents[3] / "docs" / "journal.md").read_text(encoding="utf-8")


def test_every_table_and_column_is_in_the_page_in_its_order() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema.TABLES)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    section = PAGE.partition("## The file")[2].partition("| `kind` |")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", section, flags=re.MULTILINE))
    assert list(rows) == tables
    for table in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        assert [word for word in re.findall(r"`(\w+)`", rows[table]) if word in columns] == columns, table
    connection.close()


def test_every_kind_of_fact_is_in_the_page() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([^|]*) \|", PAGE, flags=re.MULTILINE))
    assert [int(number) for number in rows] == [int(fact) for fact in Fact]
    assert [name.replace("URIs", "uris").replace(" ", "_").upper() for name in rows.values()] == [
        fact.name for fact in Fact
    ]


def test_version_and_mark_are_in_the_page() -> None:
    assert f"now {schema.VERSION}." in PAGE
    assert f"0x{schema.APPLICATION:X}" in PAGE
