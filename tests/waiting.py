"""Waiting for what other threads and processes do: by looking, for as long as a busy machine may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: Seconds after which what must come has not come.
PATIENCE = 60.0


def until(is_so: Callable[[], T], what: str = "it", *, patience: float = PATIENCE, pause: float = 0.01) -> T:
    """What ``is_so`` answers as soon as that is true; fails, naming ``what``, when it is not in time."""
    deadline = time.monotonic() + patience
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(pause)
    return found
