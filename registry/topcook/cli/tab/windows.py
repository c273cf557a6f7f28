"""The terminal on Windows: keys by msvcrt, pictures by the console's own understanding of escape sequences."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["WindowsTerminal"]

#: What msvcrt gives behind "\x00" or "\xe0", as a terminal elsewhere would send it.
_SPECIAL = {
    "H": "\x1b[A",
    "P": "\x1b[B",
    "M": "\x1b[C",
    "K": "\x1b[D",
    "G": "\x1b[H",
    "O": "\x1b[F",
    "I": "\x1b[5~",
    "Q": "\x1b[6~",
    "S": "\x1b[3~",
    "\x0f": "\x1b[Z",
    # Alt with e, p, y.
    "\x12": "\x1be",
    "\x19": "\x1bp",
    "\x15": "\x1by",
}
#: How often the keyboard is asked; a console has nothing to wait on together with our own wake-up.
_EVERY = 0.02
_ERROR_HANDLE, _VIRTUAL_TERMINAL = -12, 0x0004


class WindowsTerminal:
    """Reads the console's keys and draws on standard error, or on the console where that leads elsewhere."""

    def __init__(self) -> None:
        """Raises OSError where there is no console."""
        # A copy of our own: standard error is led elsewhere while the menu is shown.
        place = os.dup(2) if sys.stderr.isatty() else "CONOUT$"
        self._screen = open(place, "w", encoding="utf-8")  # noqa: SIM115 - open to the end
        self._woken = threading.Event()
        self._known = self.size()

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Let the console understand escape sequences; msvcrt's keys are raw as they are."""
        before = _console_mode()
        _set_console_mode(before | _VIRTUAL_TERMINAL)
        try:
            yield
        finally:
            self.write("\x1b[?25h\x1b[?7h\x1b[m")
            _set_console_mode(before)

    def read(self, timeout: float | None) -> bytes | None:
        """What was typed; empty when woken, after ``timeout`` seconds, or when the size has changed."""
        import msvcrt

        end = None if timeout is None else time.monotonic() + timeout
        while end is None or time.monotonic() < end:
            typed = ""
            while msvcrt.kbhit():  # type: ignore[attr-defined, unused-ignore]
                typed += self._key()
            if typed:
                return typed.encode("utf-8", "replace")
            if self._woken.wait(_EVERY):
                self._woken.clear()
                return b""
            if self.size() != self._known:
                self._known = self.size()
                return b""
        return b""

    def _key(self) -> str:
        import msvcrt

        key: str = msvcrt.getwch()  # type: ignore[attr-defined, unused-ignore]
        return _SPECIAL.get(msvcrt.getwch(), "") if key in {"\x00", "\xe0"} else key  # type: ignore[attr-defined, unused-ignore]

    def write(self, text: str) -> None:
        """Show."""
        self._screen.write(text)
        self._screen.flush()

    def wake(self) -> None:
        """Let ``read`` return."""
        self._woken.set()

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            found = os.get_terminal_size(self._screen.fileno())
        except (OSError, ValueError):
            return 80, 24
        return found.columns, found.lines

    def suspend(self) -> bool:
        """Windows has no such thing."""
        return False

    def run(self, command: list[str]) -> int:
        """Run a program on this console."""
        import subprocess

        return subprocess.run(command, stdout=self._screen, stderr=self._screen, check=False).returncode

    def ask(self, question: str) -> str | None:
        """Show a question and read a line; ``None`` at the end of input."""
        self.write(question)
        with open("CONIN$", encoding="utf-8", errors="replace") as keyboard:
            line = keyboard.readline()
        return line.rstrip("\r\n") if line else None

    def close(self) -> None:
        """Close what was opened."""
        self._screen.close()


def _console_mode() -> int:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
    mode = ctypes.c_ulong()
    kernel.GetConsoleMode(kernel.GetStdHandle(_ERROR_HANDLE), ctypes.byref(mode))
    return mode.value


def _set_console_mode(mode: int) -> None:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
    kernel.SetConsoleMode(kernel.GetStdHandle(_ERROR_HANDLE), mode)
