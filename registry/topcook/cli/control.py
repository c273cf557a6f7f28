"""What the commands share that tell a running cook something: finding it, asking it, and saying why that cannot be."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

from topcook.errors import CookRefusedError

if TYPE_CHECKING:
    from topcook.runtime.control.known import Seen

#: Seconds for a cook that has just begun to open its door.
_OPENING = 15.0


class UnheardError(CookRefusedError):
    """A cook lives, and cannot be told anything."""


def found(text: str) -> Seen:
    """The cook that is meant; raises ``CookRefusedError`` when there is none, or it is another machine's."""
    from topcook.runtime.control.known import find_seen
    from topcook.runtime.control.naming import cook_named, elsewhere_text

    cook = cook_named(text, running=True)
    seen = find_seen(cook)
    if seen is None:
        raise CookRefusedError(f"cook {cook} has ended, and left nothing\n    the cooks that there are: topcook cooks")
    if seen.is_running and seen.process is not None and not seen.is_here:
        raise CookRefusedError(elsewhere_text(cook, seen.process))
    return seen


def said(seen: Seen) -> str:
    """In words, that a cook does not run."""
    words = {"dead": "it is dead", "died": "it died, and another cook of its network followed"}
    return words.get(seen.state, f"it has ended: {seen.state}")


def short(seen: Seen) -> str:
    """As much of a cook's id as has to be typed."""
    from topcook.runtime.control.naming import short_id
    from topcook.runtime.statedir import cook_ids

    return short_id(seen.cook, cook_ids())


def tell(seen: Seen, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of a running cook; raises ``CookRefusedError`` when it does not answer, or refuses.

    A cook that is stopped (Ctrl-Z) hears it when it goes on.
    """
    from topcook.runtime.control.card import read_card
    from topcook.runtime.control.knock import NobodyAnswersError, ask

    until = time.monotonic() + _OPENING
    while True:
        card = read_card(seen.cook)
        try:
            if card is not None and card.socket:
                answer = ask(card, request)
                break
            why = "it has no door (yet)"
        except NobodyAnswersError as error:
            why = str(error)
        if not _lives(seen):
            raise CookRefusedError(f"cook {seen.cook} has ended meanwhile")
        if time.monotonic() > until:
            raise UnheardError(_unheard(seen, why))
        time.sleep(0.05)
    if "error" in answer:
        raise CookRefusedError(f"cook {seen.cook}: {answer['error']}")
    return answer


def _lives(seen: Seen) -> bool:
    return seen.process is not None and seen.process.is_alive()


def _unheard(seen: Seen, why: str) -> str:
    pid = seen.process.pid if seen.process is not None else 0
    return f"cook {seen.cook} cannot be told: {why}\n    to end it: kill {pid}"


def wake(seen: Seen) -> bool:
    """Let a cook go on that is stopped; whether it was."""
    if seen.state != "stopped" or seen.process is None or not seen.process.is_alive():
        return False
    os.kill(seen.process.pid, signal.SIGCONT)
    return True
