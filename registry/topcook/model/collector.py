"""The cyclic garbage collector, out of the way while many objects are made."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_at_rest", "one_command", "program_is_loaded", "seldom_collected", "set_aside", "take_in_again"]

#: How many new objects make the collector look, while a cook is under way; Python's own number is 700.
SELDOM = 10_000
#: The same for a process that is one command: about as many as it loads.
AS_LOADED = 50_000


class _Seldom:
    """How many ask for it, and what the threshold was before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked = 0
        self.before = 0


_seldom = _Seldom()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have the cyclic collector look less often: most of what a cook makes is gone before it would have been found.

    May be asked for by several threads at once; when the last is done the collector is as it was.
    """
    with _seldom.lock:
        if not _seldom.asked:
            _seldom.before, *others = gc.get_threshold()
            # 0 is off, by somebody else's decision.
            if 0 < _seldom.before < SELDOM:
                gc.set_threshold(SELDOM, *others)
        _seldom.asked += 1
    try:
        yield
    finally:
        with _seldom.lock:
            _seldom.asked -= 1
            _, *others = gc.get_threshold()
            if not _seldom.asked and 0 < _seldom.before < SELDOM:
                gc.set_threshold(_seldom.before, *others)


class collector_at_rest:  # noqa: N801 - used as the functions beside it are
    """Keep the cyclic collector off while many objects are made: it would walk them all, again and again."""

    __slots__ = ("_rest",)

    def __enter__(self) -> None:
        """Switch it off, where it is on."""
        self._rest = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        """Switch it on again, where it was."""
        if self._rest:
            gc.enable()


class _Process:
    """Whether the process is one command of ours, and whether something is set aside that is to be taken in again."""

    def __init__(self) -> None:
        self.ours = False
        self.aside = False


_process = _Process()


def one_command() -> None:
    """This process is one command and belongs to nobody else: nearly all it makes at first lives to its end."""
    _process.ours = True
    threshold, *others = gc.get_threshold()
    if 0 < threshold < AS_LOADED:
        gc.set_threshold(AS_LOADED, *others)


def program_is_loaded() -> None:
    """What there is now is the program: a process that is one command need not walk it again, not even as it ends."""
    if _process.ours:
        gc.freeze()


def set_aside() -> None:
    """Have the collector look at nothing that is there now, until ``take_in_again``: it would walk it all for nothing.

    What is garbage already stays until then, too; so this is for the moment after something large was built that lives
    on for long.
    """
    _process.aside = True
    gc.freeze()


def take_in_again() -> None:
    """What was set aside, by whomever, is the collector's again."""
    if _process.aside:
        _process.aside = False
        gc.unfreeze()
