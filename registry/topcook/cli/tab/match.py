"""How well a type fits what was typed: the beginning of a word, then initials, then letters in order."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Fit", "fit"]

#: Words of a label or name, and their parts: a part begins at a capital ("myFarm") and where digits do.
_WORD = re.compile(r"[^\W_]+")
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
    whole = typed.strip().casefold()
    if whole in {label.casefold(), name.casefold()}:
        return Fit(EXACT, 0)
    worst = Fit(EXACT, 0)
    for part in whole.split():
        found = [_fit(part, text) for text in (label, name)]
        fits = [each for each in found if each is not None]
        if not fits and any(word.startswith(part) for word in _words(category)):
            fits = [Fit(CATEGORY, 0)]
        if not fits:
            return None
        worst = max(worst, min(fits))
    return worst


def _fit(part: str, text: str) -> Fit | None:
    for number, word in enumerate(_words(text)):
        if word.startswith(part):
            return Fit(WORD, number)
    if len(part) > 1 and (at := _initials(text).find(part)) >= 0:
        return Fit(INITIALS, at)
    gaps = _gaps(part, text.casefold())
    # A beginning that runs over a word's end ("local_s") is no word's, yet as good as letters in order get.
    return None if gaps is None else Fit(LETTERS, gaps)


@lru_cache(maxsize=32768)
def _words(text: str) -> tuple[str, ...]:
    words = [(found.start(), -found.end()) for pattern in (_WORD, _PART) for found in pattern.finditer(text)]
    return tuple(text[start:-end].casefold() for start, end in dict.fromkeys(sorted(words)))


@lru_cache(maxsize=32768)
def _initials(text: str) -> str:
    return "".join(part[0] for part in _PART.findall(text)).casefold()


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
    return 100 + (end - start + 1 - len(part)) * 10 + start
