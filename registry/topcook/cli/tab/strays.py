"""Keep what others print away from the picture: warnings, and threads that end in an exception."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["kept_apart"]


@contextmanager
def kept_apart() -> Iterator[None]:
    """Catch descriptors 1 and 2 within this context; what was caught goes to standard error behind it."""
    with tempfile.TemporaryFile() as caught:
        _flush()
        saved = [os.dup(number) for number in (1, 2)]
        try:
            for number in (1, 2):
                os.dup2(caught.fileno(), number)
            yield
        finally:
            _flush()
            for number, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, number)
                os.close(copy)
            caught.seek(0)
            with suppress(OSError):
                sys.stderr.write(caught.read().decode("utf-8", "replace"))
                sys.stderr.flush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
