"""What a job reported, as text and back: kept while it is on its way through its scheduler's own event methods."""

from __future__ import annotations

import json
from typing import Any

from topcook.contract.secrets import redact
from topcook.model.attributes import AttribType
from topcook.model.notification import Kind, Notification
from topcook.runtime.journal.values import LostError, encode, from_plain, to_plain

__all__ = ["report_from_text", "report_to_text"]

#: Where the payload of an attribute has its type.
_TYPE = 1


def report_to_text(said: Notification, attempt: int) -> str:
    """A report on an item at its attempt, as JSON; ``null`` for one that no text can carry, or that holds a secret."""
    payload = list(said.payload)
    if said.kind is Kind.ATTRIBUTE:
        payload[_TYPE] = int(payload[_TYPE])
    try:
        row = [said.kind.value, said.index, said.attempt or attempt, said.job_id, to_plain(payload)]
        text = encode(row)
        # A lone surrogate is no text that could be written down.
        text.encode()
    except (LostError, UnicodeError, ValueError):
        return "null"
    return text if redact(text) == text else "null"


def report_from_text(text: str, item: int) -> Notification | None:
    """The report again; ``None`` for one that was lost."""
    row: Any = json.loads(text)
    if row is None:
        return None
    kind, index, attempt, job_id, plain = Kind(row[0]), row[1], row[2], row[3], from_plain(row[4])
    if kind is Kind.ATTRIBUTE:
        plain[_TYPE] = AttribType(plain[_TYPE])
    return Notification(kind, item, index, tuple(plain), job_id=job_id, attempt=attempt)
