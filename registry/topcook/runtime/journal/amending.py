"""What is written into the journal of a cook that has no engine any more: what became of it from outside."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection

from topcook.errors import RecorderError
from topcook.model.states import FINAL, WorkItemState
from topcook.runtime.journal.schema import open_to_read
from topcook.runtime.tokens import attempt_token

__all__ = ["tell_journal"]

#: Items that were handed over and have no end: with their attempt, and the batch that they went along with.
_OPEN = (
    "SELECT step.item, step.attempt, item.batch FROM step JOIN item ON item.id = step.item "
    "WHERE step.number IN (SELECT max(number) FROM step GROUP BY item) AND step.state NOT IN "
    "(SELECT value FROM json_each(?))"
)
_END = (
    "UPDATE session SET outcome = ?, finished = ? WHERE number = (SELECT max(number) FROM session) "
    "AND (outcome IS NULL OR outcome = 'detached')"
)
_STEP = "INSERT INTO step (item, attempt, state, at) VALUES (?, ?, ?, ?)"
_MESSAGE = "INSERT INTO message (at, level, source, text) VALUES (?, ?, ?, ?)"


def tell_journal(path: str, cook: str, tokens: Collection[str], text: str, *, outcome: str) -> int:
    """Write down that these attempts were canceled, and with an ``outcome`` that the cook has ended; answers how many.

    Raises ``RecorderError`` when the journal cannot be written to.
    """
    ended, now = set(tokens), time.time()
    connection = open_to_read(path)
    try:
        connection.execute("PRAGMA query_only = OFF")
        connection.execute("BEGIN IMMEDIATE")
        open_items = connection.execute(_OPEN, (json.dumps([*map(int, FINAL)]),)).fetchall()
        gone = {item for item, attempt, _ in open_items if attempt_token(cook, item, attempt) in ended}
        rows = [
            (item, attempt, int(WorkItemState.CookedCancel), now)
            for item, attempt, batch in open_items
            if item in gone or batch in gone
        ]
        connection.executemany(_STEP, rows)
        connection.execute(_MESSAGE, (now, "warning", "cook", text))
        if outcome:
            connection.execute(_END, (outcome, now))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise RecorderError(f'what was ended could not be written to the journal "{path}": {error}') from error
    finally:
        connection.close()
    return len(rows)
