"""Keep what types files print while they are executed away from our own output.

A file may print at import, or start a command that does. `topcook list --json` must stay JSON.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["captured_output"]


class _Stream(io.TextIOBase):
    """Stands for a standard stream while files are executed, and leads to the real one afterwards.

    A file may keep it: ``logging.StreamHandler()`` at import holds the ``sys.stderr`` of that moment.
    """

    def __init__(self, name: str, sink: TextIO) -> None:
        self._name = name
        self._sink: TextIO | None = sink

    def release(self) -> None:
        """Lead to whatever the standard stream is from now on."""
        self._sink = None

    def _target(self) -> TextIO | None:
        if self._sink is not None:
            return self._sink
        current: object = getattr(sys, self._name)
        name = f"__{self._name}__" if current is self else self._name
        target: TextIO | None = getattr(sys, name)
        return target

    def write(self, text: str) -> int:
        """Write to where it leads now; a closed or missing stream swallows it."""
        target = self._target()
        return target.write(text) if target is not None else len(text)

    def flush(self) -> None:
        """Flush where it leads now."""
        target = self._target()
        if target is not None:
            target.flush()

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """Whether it leads to a terminal now."""
        target = self._target()
        return self._sink is None and target is not None and target.isatty()

    def fileno(self) -> int:
        """The descriptor of where it leads now."""
        target = self._target()
        if target is None:
            raise io.UnsupportedOperation("fileno")
        return target.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """UTF-8 while captured, then the real stream's."""
        return getattr(self._target(), "encoding", None) or "utf-8"


@contextmanager
def captured_output(*, descriptors: bool = True) -> Iterator[None]:
    """Send both standard streams, and the descriptors 1 and 2, nowhere.

    Without ``descriptors`` only the streams: the descriptors belong to all threads and to whatever they start.
    """
    with open(os.devnull, "w", encoding="utf-8", errors="backslashreplace") as sink:
        streams = (_Stream("stdout", sink), _Stream("stderr", sink))
        before = (sys.stdout, sys.stderr)
        saved = _redirect(sink.fileno()) if descriptors else {}
        sys.stdout, sys.stderr = streams
        try:
            yield
        finally:
            for stream in streams:
                stream.release()
            if sys.stdout is streams[0]:
                sys.stdout = before[0]
            if sys.stderr is streams[1]:
                sys.stderr = before[1]
            sink.flush()
            for descriptor, copy in saved.items():
                os.dup2(copy, descriptor)
                os.close(copy)


def _redirect(sink: int) -> dict[int, int]:
    """Let descriptors 1 and 2 lead to ``sink``; returns a copy of each, without those that are closed."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    saved: dict[int, int] = {}
    for descriptor in (1, 2):
        try:
            saved[descriptor] = os.dup(descriptor)
        except OSError:
            continue
        os.dup2(sink, descriptor)
    return saved
