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
        sink = getattr(_sinks, "sink", None)
        return self._behind.buffer if sink is None else _Bytes(sink)

    def write(self, text: str) -> int:
        sink = getattr(_sinks, "sink", None)
        if sink is None or not isinstance(text, str):
            # What is no text is refused there as it always was.
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


class _Bytes(io.RawIOBase):
    """``sys.stdout.buffer`` of a thread that speaks through a sink."""

    def __init__(self, sink: Callable[[str], None]) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raw = bytes(data)
        self._sink(raw.decode("utf-8", "backslashreplace"))
        return len(raw)


class _LogHandler(logging.Handler):
    """Log records of a thread that speaks through a sink go there."""

    def emit(self, record: logging.LogRecord) -> None:
        sink = getattr(_sinks, "sink", None)
        if sink is None:
            if logging.lastResort is not None and _is_alone(record):
                # With this handler in place logging no longer shows what nobody else takes: so do we.
                logging.lastResort.handle(record)
            return
        try:
            sink(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - formatting calls author code; logging's own rule is to carry on
            self.handleError(record)


def _is_alone(record: logging.LogRecord) -> bool:
    """Whether no other handler gets this record."""
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        if any(handler is not _handler for handler in logger.handlers):
            return False
        logger = logger.parent if logger.propagate else None
    return record.levelno >= logging.WARNING


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
