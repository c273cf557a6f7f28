"""Ending what a dead cook has left running, and telling its journal."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from topcook.errors import CookRefusedError, RecorderError
from topcook.model.states import FINAL, WorkItemState
from topcook.runtime.journal.identity import Identity
from topcook.runtime.journal.lock import CookLock, read_pointer
from topcook.runtime.journal.schema import open_to_read
from topcook.runtime.keeper.adoption import keeper_lives
from topcook.runtime.keeper.leftover import Leftover, end_left, left_jobs, left_tokens
from topcook.runtime.statedir import cook_directory, journal_of
from topcook.runtime.tokens import attempt_token

if TYPE_CHECKING:
    from topcook.runtime.control.known import Seen

__all__ = ["end_dead", "end_dead_before", "end_dead_of", "tell_journal"]

#: Items that were handed over and have no end: with their attempt, and the batch that they went along with.
_OPEN = (
    "SELECT step.item, step.attempt, item.batch FROM step JOIN item ON item.id = step.item "
    "WHERE step.number IN (SELECT max(number) FROM step GROUP BY item) AND step.state NOT IN "
    "(SELECT value FROM json_each(?))"
)
_END = (
    "UPDATE session SET outcome = ?, finished = ? WHERE number = (SELECT max(number) FROM session) AND outcome IS NULL"
)
_STEP = "INSERT INTO step (item, attempt, state, at) VALUES (?, ?, ?, ?)"
_MESSAGE = "INSERT INTO message (at, level, source, text) VALUES (?, ?, ?, ?)"


def end_dead(cook: str, why: str, *, outcome: str = "") -> Leftover:
    """End all that a dead cook left running here; its journal says of these items that they were canceled.

    With an ``outcome`` it says, too, that the cook has ended so.

    Invariant: who calls this holds the cook's lock, or knows otherwise that no engine goes on with it.
    """
    left = end_left(cook_directory(cook), cook)
    journal = journal_of(cook)
    if journal and (left.tokens or outcome):
        text = f"{why}; of its jobs that were left, {len(left.tokens)} were ended"
        try:
            tell_journal(journal, cook, left.tokens, text, outcome=outcome)
        except RecorderError as error:
            return left._replace(untold=str(error))
    return left


def end_dead_of(seen: Seen, why: str) -> Leftover:
    """``end_dead`` for who was only shown the cook: it holds its lock meanwhile, so that nobody goes on with it.

    Raises ``CookRefusedError`` when somebody does.
    """
    identity = Identity(seen.network, seen.scheduler, seen.folder)
    said = read_pointer(identity.pointer) if seen.network else None
    if said is None or said["cook"] != seen.cook:
        # Where another cook has followed, nobody goes on with this one without saying so.
        return end_dead(seen.cook, why, outcome="canceled" if seen.journal else "")
    lock = CookLock(identity, seen.cook, seen.journal)
    lock.take()
    try:
        return end_dead(seen.cook, why, outcome="canceled" if seen.journal else "")
    finally:
        lock.release("canceled")


def end_dead_before(cooks: Iterable[str]) -> list[str]:
    """End what dead cooks left running, before another one of their identity begins; what to tell people.

    Raises ``CookRefusedError`` when something of it does not go: two attempts of an item must never overlap.
    """
    told = []
    marked: dict[str, set[int]] | None = None
    for cook in cooks:
        marked = left_jobs() if marked is None else marked
        folder = cook_directory(cook)
        # A keeper that lives may be about to start what its engine asked for in its last moment.
        if not left_tokens(folder, cook, marked) and not keeper_lives(folder):
            continue
        left = end_dead(cook, "another cook of this network began")
        if left.survivors:
            numbers = " ".join(map(str, left.survivors))
            raise CookRefusedError(
                f"cook {cook} of this network died, and what it left running cannot be ended: process {numbers}\n"
                f"    nothing was run beside it; end it yourself: kill -9 {numbers}"
            )
        if left.untold:
            told.append(f"its journal does not know that its jobs were ended: {left.untold}")
        if left.tokens:
            jobs = "a job" if len(left.tokens) == 1 else f"{len(left.tokens)} jobs"
            told.append(f"ended {jobs} that cook {cook}, which died, had left running; to take such up: --resume")
    return told


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
