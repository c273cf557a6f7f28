"""The terminal on Linux and macOS."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

__all__ = ["PosixTerminal"]

#: Brackets around pasted text, so that it cannot press keys.
_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
#: Cursor shown, lines wrapped, plain text: whatever we were doing when we had to leave.
_SANE = "\x1b[?25h\x1b[?7h\x1b[m"
_ENDING = (signal.SIGTERM, signal.SIGHUP)


class PosixTerminal:
    """Reads from standard input and draws on standard error, or on /dev/tty for the one that is no terminal."""

    def __init__(self) -> None:
        """Raises OSError where there is no terminal to be had."""
        self._opened: list[int] = []
        self._keyboard = self._standard(0, os.O_RDONLY)
        self._screen = self._standard(2, os.O_WRONLY)
        self._woken, self._waker = os.pipe()
        self._opened += [self._woken, self._waker]
        for descriptor in (self._woken, self._waker):
            os.set_blocking(descriptor, False)

    def _standard(self, number: int, mode: int) -> int:
        # A copy of our own: standard error is led elsewhere while the menu is shown.
        descriptor = os.dup(number) if os.isatty(number) else os.open("/dev/tty", mode | os.O_NOCTTY)
        self._opened.append(descriptor)
        return descriptor

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Take keyboard and screen; signals that end the process give both back first."""
        before = termios.tcgetattr(self._keyboard)
        handlers = {each: signal.signal(each, _leave) for each in _ENDING if signal.getsignal(each) != signal.SIG_IGN}
        handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._resized)
        try:
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, _raw(before))
            self.write(_PASTE_ON)
            yield
        finally:
            # A terminal that has gone takes nothing back.
            with suppress(OSError):
                self.write(_PASTE_OFF + _SANE)
            with suppress(termios.error):
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, before)
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _resized(self, _number: int, _frame: FrameType | None) -> None:
        self.wake()

    def read(self, timeout: float | None) -> bytes | None:
        """What was typed; empty when woken or after ``timeout`` seconds; ``None`` when the terminal has gone."""
        ready, _, _ = select.select([self._keyboard, self._woken], [], [], timeout)
        if self._woken in ready:
            with suppress(BlockingIOError):
                os.read(self._woken, 4096)
        if self._keyboard not in ready:
            return b""
        try:
            return os.read(self._keyboard, 4096) or None
        except OSError:
            return None

    def write(self, text: str) -> None:
        """Show; a terminal that is set non-blocking by somebody else is waited for."""
        data = memoryview(text.encode("utf-8", "replace"))
        while data:
            try:
                data = data[os.write(self._screen, data) :]
            except BlockingIOError:
                select.select([], [self._screen], [])

    def wake(self) -> None:
        """Let ``read`` return."""
        # A full pipe wakes as well; a closed one belongs to a menu that has ended.
        with suppress(OSError):
            os.write(self._waker, b".")

    def size(self) -> tuple[int, int]:
        """Columns and lines; what is usual where the terminal does not know."""
        try:
            found = os.get_terminal_size(self._screen)
        except OSError:
            return 80, 24
        return found.columns or 80, found.lines or 24

    def suspend(self) -> bool:
        """Stop our process group, as the terminal would have on Ctrl-Z.

        Only where a shell made the group for us. Within ``$(topcook tab)`` the group is the shell's own, and the shell
        would wait for us for ever.
        """
        group = os.getpgrp()
        if os.getpgid(os.getppid()) == group:
            return False
        os.killpg(group, signal.SIGTSTP)
        return True

    def run(self, command: list[str]) -> int:
        """Run a program on this terminal."""
        import subprocess

        keyboard, screen = self._keyboard, self._screen
        return subprocess.run(command, stdin=keyboard, stdout=screen, stderr=screen, check=False).returncode

    def ask(self, question: str) -> str | None:
        """Show a question and read a line; ``None`` at the end of input."""
        self.write(question)
        line = b""
        while not line.endswith(b"\n"):
            # A terminal gives a line at a time; several pieces make a long one.
            piece = os.read(self._keyboard, 4096)
            if not piece:
                return None
            line += piece
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def close(self) -> None:
        """Close what was opened."""
        for descriptor in self._opened:
            with suppress(OSError):
                os.close(descriptor)


def _raw(before: list[Any]) -> list[Any]:
    """Keys one by one and unseen, Ctrl-C and Ctrl-Z among them; what we print keeps its line ends."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = before
    iflag &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.ISTRIP)
    lflag &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    characters = [*characters]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, characters]


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
