"""The open descriptors of a worker: which ones it had, and its standard streams."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["Descriptors"]


class Descriptors:
    """What was open before the first file; ``private`` are the worker's own, out of the way at high numbers."""

    def __init__(self, private: tuple[int, ...]) -> None:
        self._output = os.dup(1)
        self.private = (*(each for each in private if each >= 0), self._output)
        self._identities = {each: _identity(each) for each in (0, 1, 2, *self.private)}
        self._open = _listed()
        self._streams: tuple[io.TextIOWrapper, ...] = ()
        self.fresh_streams()

    def intact(self) -> bool:
        """Whether the worker's own are still what they were."""
        return all(_identity(each) == self._identities[each] for each in self.private)

    def closed(self) -> list[str]:
        """Which of the standard three were closed or led elsewhere; they are as before then."""
        found = [each for each in (0, 1, 2) if _identity(each) != self._identities[each]]
        for each in found:
            if each == 0:
                nothing = os.open(os.devnull, os.O_RDONLY)
                os.dup2(nothing, 0)
                os.close(nothing) if nothing else None
            else:
                os.dup2(self._output, each)
        for each, stream in enumerate(self._streams):
            if stream.closed and each not in found:
                found.append(each)
        return [("stdin", "stdout", "stderr")[each] for each in sorted(found)]

    def left_open(self) -> bool:
        """Whether more is open than before."""
        return self._open is not None and bool((_listed() or set()) - self._open)

    def fresh_streams(self) -> None:
        """Give ``sys`` the three standard streams it began with, or new ones where they were closed."""
        if not self._streams or any(stream.closed for stream in self._streams):
            self._streams = (_stream(0, "r"), _stream(1, "w"), _stream(2, "w"))
        sys.stdin, sys.stdout, sys.stderr = self._streams
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = self._streams  # type: ignore[misc]
        for stream in self._streams[1:]:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue


def _stream(descriptor: int, mode: str) -> io.TextIOWrapper:
    stream = open(  # noqa: SIM115 - it lives as long as the worker
        descriptor, mode, encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1 if mode == "w" else -1
    )
    assert isinstance(stream, io.TextIOWrapper)  # noqa: S101 - what open gives for text
    return stream


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _listed() -> set[str] | None:
    for place in ("/proc/self/fd", "/dev/fd"):
        try:
            return set(os.listdir(place))
        except OSError:
            continue
    return None
