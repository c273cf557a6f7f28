"""Cook ids and attempt tokens: what tells cooks, and the attempts of an item, apart on a farm and in late reports."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from topcook.machine.phases import Phase

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem

_NOT_GIVEN = frozenset({Phase.UNCOOKED, Phase.WAITING, Phase.READY})


def new_cook_id() -> str:
    """A cook id that sorts by time, to the millisecond, and is unique on a farm: ``20261121-215930-0429f3a``."""
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    return f"{stamp}-{int(now % 1 * 1000):03d}{os.urandom(2).hex()}"


def attempt_of(item: WorkItem) -> int:
    """The number of the item's present attempt, or of its next one while nobody was given it."""
    return item.attempt + (item.phase in _NOT_GIVEN)


def attempt_token(cook: str, item: int, attempt: int) -> str:
    """The token of one attempt, unique over all cooks: ``<cook id>-<item id>-<attempt>``."""
    return f"{cook}-{item}-{attempt}"
