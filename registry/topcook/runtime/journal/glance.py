"""A glance at a journal: its last session and how many items are in which state, without reading it all."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import Any
from urllib.parse import quote

from topcook.lean import dataclass
from topcook.model.states import WorkItemState
from topcook.runtime.journal.facts import Fact
from topcook.runtime.journal.schema import APPLICATION

__all__ = ["Away", "Glance", "count_items", "glance", "is_journal", "jobs_away"]

#: Seconds to wait for who writes: on a network disk a cook holds its journal locked until its end.
_PATIENCE = 0.3


@dataclass(slots=True)
class Glance:
    """The last session of a cook; ``outcome`` is empty when it was killed, or still runs."""

    network: str
    facts: dict[str, Any]
    started: float
    finished: float | None
    outcome: str


@dataclass(slots=True)
class Away:
    """A job of an item without an end: its token, its scheduler, and what that one calls it.

    ``ended``: it has ended since, as a file of its wrapper says.
    """

    token: str
    scheduler: str
    job: str
    ended: bool = False


def glance(path: str) -> Glance | None:
    """The last session in the journal at ``path``; ``None`` where it cannot be read now."""
    rows = _read(path, "SELECT network, facts, started, finished, outcome FROM session ORDER BY number DESC LIMIT 1")
    if not rows:
        return None
    network, facts, started, finished, outcome = rows[0]
    try:
        known = json.loads(facts)
    except ValueError:
        return None
    return Glance(network, known if isinstance(known, dict) else {}, started, finished, outcome or "")


def is_journal(path: str) -> bool:
    """Whether a file is a database, as a journal is; a network file is text."""
    try:
        with open(path, "rb") as stream:
            return stream.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def count_items(path: str) -> dict[str, int]:
    """How many items are in which state, by the state's name; empty where that cannot be read now."""
    rows = _read(
        path,
        "SELECT state, count(*) FROM (SELECT item.id, step.state AS state, max(step.number) FROM item "
        "LEFT JOIN step ON step.item = item.id GROUP BY item.id) GROUP BY state",
    )
    found: dict[str, int] = {}
    for state, number in rows:
        name = WorkItemState(state if state is not None else WorkItemState.Waiting).name
        found[name] = found.get(name, 0) + number
    return found


def jobs_away(path: str) -> list[Away]:
    """The jobs that schedulers had names of their own for, of items that nobody said the end of."""
    rows = _read(
        path,
        "WITH last AS (SELECT item, state, max(number) FROM step GROUP BY item), "
        "given AS (SELECT item, token, scheduler, max(number) FROM step WHERE token IS NOT NULL GROUP BY item), "
        "job AS (SELECT item, body, max(number) FROM fact WHERE kind = ? GROUP BY item) "
        "SELECT given.token, name.text, job.body FROM last JOIN given USING (item) JOIN job USING (item) "
        "LEFT JOIN name ON name.number = given.scheduler WHERE last.state IN (?, ?) ORDER BY item",
        (int(Fact.JOB), int(WorkItemState.Scheduled), int(WorkItemState.Cooking)),
    )
    return [Away(token, scheduler or "", job) for token, scheduler, job in rows if job]


def _read(path: str, statement: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
    if not os.path.isfile(path):
        return []
    try:
        # What a crash left half done is put right as it is opened, so not read-only.
        uri = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only = ON")
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
                return []
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()
    except sqlite3.Error:
        return []
