"""Ending a dead cook for who was only shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.runtime.journal.dead import end_dead
from topcook.runtime.journal.identity import Identity
from topcook.runtime.journal.lock import CookLock, read_pointer

if TYPE_CHECKING:
    from topcook.runtime.control.known import Seen
    from topcook.runtime.keeper.leftover import Leftover

__all__ = ["end_dead_of"]


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
