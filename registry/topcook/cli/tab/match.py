"""How well a type fits what was typed: the beginning of a word, then initials, then letters in order."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Fit", "fit"]

#: Parts of a label or name, for its initials: runs of letters or digits, and again at a capital ("myFarm").
_PART = re.compile(r"[^\W\d_][^\W\d_A-Z]*|\d+")

EXACT, WORD, INITIALS, LETTERS, CATEGORY = range(5)


class Fit(NamedTuple):
    """Smaller is better: the kind of fit, and within a kind how far off."""

    kind: int
    off: int


def fit(typed: str, label: str, name: str, category: str = "") -> Fit | None:
    """How a type fits; of several words each must fit, and the worst counts. ``None``: it does not.

    The category fits by the beginning of its words only, and less well than anything in label or name.
    """
    whole = typed.strip().lower()
    if whole in {_lower(label), _lower(name)}:
        return Fit(EXACT, 0)
    worst = Fit(EXACT, 0)
    for part in whole.split():
        found = [each for text in (label, name) if (each := _fit(part, text)) is not None]
        if not found and (place := _word(part, category)) is not None:
            found = [Fit(CATEGORY, place)]
        if not found:
            return None
        worst = max(worst, min(found))
    return worst


def _fit(part: str, text: str) -> Fit | None:
    word = _word(part, text)
    if word is not None:
        return Fit(WORD, word)
    if len(part) > 1 and (at := _initials(text).find(part)) >= 0:
        return Fit(INITIALS, at)
    gaps = _gaps(part, _lower(text))
    return None if gaps is None else Fit(LETTERS, gaps)


def _word(part: str, text: str) -> int | None:
    """How many words stand before the first that begins with ``part``; ``None`` where none does."""
    lower = _lower(text)
    at = lower.find(part)
    while at > 0 and not _begins_word(text, lower, at):
        at = lower.find(part, at + 1)
    return None if at < 0 else sum(not each.isalnum() for each in lower[:at])


def _begins_word(text: str, lower: str, at: int) -> bool:
    if not lower[at - 1].isalnum():
        return True
    # A few letters become two in lower case: then places in one text are none in the other.
    return len(text) == len(lower) and (text[at].isupper() or text[at].isdigit() is not text[at - 1].isdigit())


@lru_cache(maxsize=32768)
def _lower(text: str) -> str:
    return text.lower()


@lru_cache(maxsize=32768)
def _initials(text: str) -> str:
    return "".join(part[0] for part in _PART.findall(text)).lower()


def _gaps(part: str, text: str) -> int | None:
    """How many other characters lie between the letters of ``part`` in ``text``, and a little for a late start."""
    at = text.find(part)
    if at >= 0:
        return at
    start = end = -1
    for char in part:
        end = text.find(char, end + 1)
        if end < 0:
            return None
        start = end if start < 0 else start
    # Letters in a row beat letters with others between them, wherever they stand.
    return 100 + (end - start + 1 - len(part)) * 10 + start
