"""The cyclic garbage collector, out of the way while many objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_at_rest", "set_aside", "take_in_again"]


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep the cyclic collector off while many objects are made: it would walk them all, again and again."""
    rest = gc.isenabled()
    if rest:
        gc.disable()
    try:
        yield
    finally:
        if rest:
            gc.enable()


def set_aside() -> None:
    """Have the collector look at nothing that is there now, until ``take_in_again``: it would walk it all for nothing.

    What is garbage already stays until then, too; so this is for the moment after something large was built that lives
    on for long.
    """
    gc.freeze()


def take_in_again() -> None:
    """What was set aside, by whomever, is the collector's again."""
    gc.unfreeze()
