"""Knocking at the door of a cook: one request, one answer."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from topcook.runtime.control.card import Card

__all__ = ["NobodyAnswersError", "ask"]

#: Seconds to wait for an answer.
PATIENCE = 10.0
_LARGEST = 1 << 20


class NobodyAnswersError(Exception):
    """The door is shut, or behind it everything stands still."""


def ask(card: Card, request: dict[str, Any], patience: float = PATIENCE) -> dict[str, Any]:
    """The answer of a cook to a request as ``Desk`` takes it; raises ``NobodyAnswersError``."""
    until = time.monotonic() + patience
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience)
            connection.connect(card.socket)
            connection.sendall(json.dumps(request).encode() + b"\n")
            heard = b""
            while b"\n" not in heard and len(heard) < _LARGEST:
                connection.settimeout(max(0.01, until - time.monotonic()))
                more = connection.recv(1 << 16)
                if not more:
                    raise NobodyAnswersError(f"cook {card.cook} hung up")
                heard += more
        answer = json.loads(heard)
    except (OSError, ValueError) as error:
        raise NobodyAnswersError(f"cook {card.cook} does not answer: {error}") from error
    if not isinstance(answer, dict):
        raise NobodyAnswersError(f"cook {card.cook} answers what is none")
    return answer
