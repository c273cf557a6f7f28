"""The terminal during a cook: ours alone. What else is written to it goes into a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

#: The file in the cook's log directory that takes what the programs print that callbacks start.
OUTPUT_LOG = "output.log"


class Terminal:
    """Our own way to standard output and standard error.

    While it is ``taken``, descriptors 1 and 2 of the process lead into a file, so that what a callback's ``os.system``
    prints neither tears the progress bar nor stands among JSON lines.
    """

    def __init__(self) -> None:
        """Lead to where the standard streams lead."""
        self.out: TextIO = sys.stdout
        self.err: TextIO = sys.stderr
        self._log = ""

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the terminal alone within this context."""
        saved = _duplicated()
        if saved is None:
            yield
            return
        handle, self._log = _new_log()
        _flush()
        for number in (1, 2):
            os.dup2(handle, number)
        os.close(handle)
        before = self.out, self.err
        self.out, self.err = _stream(saved[0], sys.stdout), _stream(saved[1], sys.stderr)
        try:
            yield
        finally:
            _flush()
            for stream in (self.out, self.err):
                with suppress(OSError):  # nobody reads any more
                    stream.flush()
            for number, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, number)
            for stream in (self.out, self.err):
                with suppress(OSError):
                    stream.close()
            self.out, self.err = before

    def keep(self, folder: str) -> str:
        """Bring what was caught into the cook's log directory; its path there, empty when nothing was."""
        path, self._log = self._log, ""
        if not path:
            return ""
        kept = ""
        with suppress(OSError):
            if os.path.getsize(path):
                kept = os.path.join(folder, OUTPUT_LOG) if os.path.isdir(folder) else path
        if kept == path:
            return path
        with suppress(OSError):
            if kept:
                import shutil

                shutil.copyfile(path, kept)
            os.unlink(path)
        return kept

    def forget(self) -> None:
        """Throw away what was caught."""
        path, self._log = self._log, ""
        if path:
            with suppress(OSError):
                os.unlink(path)

    def write(self, text: str) -> None:
        """Write to standard error; a terminal that has gone ends no cook."""
        with suppress(OSError, ValueError):
            self.err.write(text)
            self.err.flush()


def _new_log() -> tuple[int, str]:
    """A new file in the directory for temporary files: its descriptor and path."""
    path = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"topcook-{os.getpid()}-{os.urandom(4).hex()}.log")  # noqa: S108
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), path
    except OSError:
        # Looking for another directory costs a start more than all the rest of this module.
        import tempfile

        return tempfile.mkstemp(prefix="topcook-", suffix=".log")


def _duplicated() -> tuple[int, int] | None:
    """Copies of descriptors 1 and 2; ``None`` where there is nothing to be taken (closed, or a test's own streams)."""
    try:
        if (sys.stdout.fileno(), sys.stderr.fileno()) != (1, 2):
            return None
        return os.dup(1), os.dup(2)
    except (OSError, ValueError):
        return None


def _stream(descriptor: int, like: TextIO) -> TextIO:
    return open(descriptor, "w", encoding=like.encoding, errors="backslashreplace", buffering=1)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
