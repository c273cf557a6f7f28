"""Ending what a dead cook has left running, and telling its journal."""

from __future__ import annotations

from collections.abc import Iterable

from topcook.errors import CookRefusedError, RecorderError
from topcook.runtime.journal.amending import tell_journal
from topcook.runtime.keeper.adoption import keeper_lives
from topcook.runtime.keeper.leftover import Leftover, end_left, left_jobs, left_tokens
from topcook.runtime.statedir import cook_directory, journal_of

__all__ = ["end_dead", "end_dead_before"]


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
