"""Opening the door of a cook, and shutting it again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from topcook.runtime.alive import Process
from topcook.runtime.control.card import Card, remove_card, write_card
from topcook.runtime.control.desk import Desk
from topcook.runtime.control.door import Door
from topcook.runtime.statedir import cook_directory

if TYPE_CHECKING:
    from topcook.runtime.cook import Cook
    from topcook.runtime.journal.identity import Identity

__all__ = ["CookDoor"]


class CookDoor:
    """The door of one cook, and the card that says where it is."""

    def __init__(self, cook: Cook, identity: Identity) -> None:
        """Open it. Without one the cook goes on, having said so: it can be ended by a signal then."""
        self._cook_id = cook.cook_id
        card = Card(cook.cook_id, *_places(identity), time.time(), Process.own())
        self._door: Door | None = None
        try:
            # The card makes the directory; who looks before there is a door tries again.
            write_card(card)
            door = Door(cook_directory(cook.cook_id), Desk(cook).answer)
            door.open()
            self._door = door
            card.socket = door.path
            write_card(card)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            cook.link.message("info", "cook", f"topcook pause and cancel cannot reach this cook: {reason}")

    def close(self) -> None:
        """Nobody is let in any more, and nothing is left."""
        if self._door is not None:
            self._door.close()
        remove_card(self._cook_id)


def _places(identity: Identity) -> tuple[str, str, str]:
    return identity.network, identity.folder, identity.scheduler
