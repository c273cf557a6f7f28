"""Attempt tokens: what tells the attempts of an item apart, on a farm and in late reports."""

from __future__ import annotations


def attempt_token(cook: str, item: int, attempt: int) -> str:
    """The token of one attempt, unique over all cooks: ``<cook id>-<item id>-<attempt>``."""
    return f"{cook}-{item}-{attempt}"
