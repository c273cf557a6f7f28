"""What author code prints: each scheduler's own log takes it, the terminal stays clean.

``sys.stdout`` and ``sys.stderr`` are replaced, while cooks run, by a router that looks at the writing thread.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

_sinks = threading.local()
_install_lock = threading.Lock()
_installed = 0


def speak_through(sink: Callable[[str], None] | None) -> None:
    """From now on what the calling thread prints goes to ``sink`` (``None``: where it always went)."""
    _sinks.sink = sink


class _Router(io.TextIOBase):
    """A text stream that writes to the calling thread's sink, else to the stream it stands in for."""

    def __init__(self, behind: TextIO) -> None:
        self._behind = behind

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._behind, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> Any:
        return self._behind.buffer

    def write(self, text: str) -> int:
        sink = getattr(_sinks, "sink", None)
        if sink is None:
            return self._behind.write(text)
        sink(text)
        return len(text)

    def flush(self) -> None:
        if getattr(_sinks, "sink", None) is None and not self._behind.closed:
            self._behind.flush()

    def isatty(self) -> bool:
        return getattr(_sinks, "sink", None) is None and self._behind.isatty()

    def fileno(self) -> int:
        return self._behind.fileno()

    def writable(self) -> bool:
        return True


class _LogHandler(logging.Handler):
    """Log records of a thread that speaks through a sink go there."""

    def emit(self, record: logging.LogRecord) -> None:
        sink = getattr(_sinks, "sink", None)
        if sink is not None:
            try:
                sink(self.format(record) + "\n")
            except Exception:  # noqa: BLE001 - formatting calls author code; logging's own rule is to carry on
                self.handleError(record)


_handler = _LogHandler()
_handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))


def install() -> None:
    """Put the routers in place; counted, ``uninstall`` takes them away after the last."""
    global _installed  # noqa: PLW0603 - sys.stdout is the process's, and so is the count of who needs it routed
    with _install_lock:
        _installed += 1
        if _installed == 1:
            sys.stdout = _Router(sys.stdout)
            sys.stderr = _Router(sys.stderr)
            logging.getLogger().addHandler(_handler)


def uninstall() -> None:
    """Undo one ``install``."""
    global _installed  # noqa: PLW0603 - see install
    with _install_lock:
        _installed -= 1
        if _installed == 0:
            logging.getLogger().removeHandler(_handler)
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if isinstance(stream, _Router):
                    setattr(sys, name, stream._behind)  # noqa: SLF001 - this module's own class
