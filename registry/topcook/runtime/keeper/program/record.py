"""The keeper's own file: what started and what ended, written before anybody is told.

Lines of ASCII, fields parted by one blank::

    keeper 1 <pid> <boot clock> <boot id>
    start <token> <pid> <boot clock just before the start> <monotonic clock>
    exit <token> <status, - when it never ran or was canceled> <monotonic clock> <max RSS in bytes> <CPU seconds>

A start without an exit is a job that ran when the keeper died.
"""

from __future__ import annotations

import os
import time

VERSION = 1


def boot_clock() -> float:
    """Seconds since the machine started, by the clock that dates processes; 0 where there is none."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else 0.0


def boot_id() -> str:
    """What names this start of the machine, ``-`` where nothing does."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "-"


class Record:
    """Appends lines, all that gathered since the last write in one."""

    def __init__(self, path: str) -> None:
        """Open (or go on with) the file; only its owner may read it."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # An earlier keeper may have been killed in the middle of a line.
        begin = "\n" if os.fstat(self._file).st_size else ""
        self._lines: list[str] = [f"{begin}keeper {VERSION} {os.getpid()} {boot_clock():.6f} {boot_id()}\n"]
        self._rest = b""

    def started(self, token: str, pid: int, boot: float, at: float) -> None:
        """A job started."""
        self._lines.append(f"start {token} {pid} {boot:.6f} {at:.6f}\n")

    def ended(self, token: str, status: int | None, at: float, max_rss: int, cpu: float) -> None:
        """A job ended; it never ran, or was canceled, where ``status`` is None."""
        told = "-" if status is None else status
        self._lines.append(f"exit {token} {told} {at:.6f} {max_rss} {cpu:.6f}\n")

    def flush(self) -> bool:
        """Write what gathered; False while the disk refuses it (it is kept, and tried again with the next)."""
        if not self._lines and not self._rest:
            return True
        text = self._rest + "".join(self._lines).encode("ascii")
        self._lines.clear()
        try:
            written = os.write(self._file, text)
        except OSError:
            written = 0
        self._rest = text[written:]
        return not self._rest
