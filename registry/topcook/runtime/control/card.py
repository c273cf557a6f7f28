"""The card of a running cook: who cooks what, and where its door is. It lies in the cook's directory of the state."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from topcook.lean import dataclass, names
from topcook.runtime.alive import Process
from topcook.runtime.statedir import cook_directory

__all__ = ["Card", "read_card", "remove_card", "write_card"]

_VERSION = 1
_NAME = "control.json"
#: Bytes of a card that are read; ours are much smaller.
_LARGEST = 1 << 16


@dataclass(slots=True)
class Card:
    """``network`` is the path of the file, ``folder`` the working directory, ``started`` seconds since the epoch.

    ``socket`` is the path of the door, empty where there is none.
    """

    cook: str
    network: str
    folder: str
    scheduler: str
    started: float
    process: Process
    socket: str = ""


def write_card(card: Card) -> None:
    """Leave it for others, readable by the owner only; raises ``OSError``."""
    folder = cook_directory(card.cook)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, _NAME)
    draft = f"{path}.{os.getpid()}.part"
    facts = {
        "version": _VERSION,
        **{name: getattr(card, name) for name in names(Card)},
        "process": card.process.facts(),
    }
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump(facts, stream)
    os.replace(draft, path)


def read_card(cook: str) -> Card | None:
    """The card that a cook has left; ``None`` when there is none, or nothing that could be one."""
    try:
        with open(os.path.join(cook_directory(cook), _NAME), encoding="utf-8") as stream:
            said: dict[str, Any] = json.loads(stream.read(_LARGEST))
        if said.pop("version") != _VERSION:
            return None
        process = Process.read(said.pop("process"))
        started = float(said.pop("started"))
        card = Card(**{name: str(text) for name, text in said.items()}, started=started, process=process)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return card if card.cook == cook else None


def remove_card(cook: str) -> None:
    """The cook is over; its directory goes, too, when nothing else is in it."""
    folder = cook_directory(cook)
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, _NAME))
    with contextlib.suppress(OSError):
        os.rmdir(folder)
