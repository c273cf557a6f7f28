"""Sizes of memory as people write them."""

from __future__ import annotations

import math
import re

from topcook.lean import pattern

__all__ = ["memory_size"]

_SIZE = pattern(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?)?", re.IGNORECASE)
_POWERS = {"k": 10, "m": 20, "g": 30, "t": 40}
_MEBI = 1 << 20


def memory_size(text: str | float) -> int:
    """Bytes from ``2G``, ``512 MiB``, or a number of MiB; empty is 0, no limit. Raises ValueError."""
    text = str(text).strip()
    if not text:
        return 0
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f'must be a size such as "2G", "512M", or a number of MiB, found "{text}"')
    number, unit = float(match[1]), match[2]
    return math.ceil(number * (1 << _POWERS[unit.lower()] if unit else _MEBI))
