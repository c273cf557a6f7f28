"""What a cook changes about the process around it, and puts back."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator

#: Below this many objects the collector costs nothing noticeable.
MANY = 1000


@contextlib.contextmanager
def home(hip: str) -> Iterator[None]:
    """Set ``$HIP`` in the process's own environment: scheduler files and in-process items read it there."""
    before = os.environ.get("HIP")
    os.environ["HIP"] = hip
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("HIP", None)
        else:
            os.environ["HIP"] = before


@contextlib.contextmanager
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
