"""Keep what others print away from the picture: warnings, and threads that end in an exception."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Strays"]


class Strays:
    """What was printed to descriptors 1 and 2 by others than the menu."""

    def __init__(self) -> None:
        """Nothing was."""
        self._caught = b""

    @contextmanager
    def kept_apart(self) -> Iterator[None]:
        """Catch both descriptors within this context, which is entered with the first picture shown already."""
        import tempfile

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
                self._caught += caught.read()

    def tell(self) -> None:
        """Print what was caught to standard error, when the picture is gone."""
        text, self._caught = self._caught.decode("utf-8", "replace"), b""
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
