"""What the menu asks of a terminal, and which one it gets."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Terminal", "open_terminal"]


class Terminal(Protocol):
    """A keyboard and a screen. ``raw`` gives keys one by one, and puts back everything when it is left."""

    def raw(self) -> AbstractContextManager[None]:
        """Take keyboard and screen, within this context."""

    def read(self, timeout: float | None) -> bytes | None:
        """What was typed; empty when ``wake`` was called, time is up or the size changed; ``None`` at the end."""

    def write(self, text: str) -> None:
        """Show."""

    def wake(self) -> None:
        """Let ``read`` return; from any thread."""

    def size(self) -> tuple[int, int]:
        """Columns and lines."""

    def suspend(self) -> bool:
        """Stop the process as Ctrl-Z does, outside ``raw``, until it is continued; False where nobody could do that."""

    def run(self, command: list[str]) -> int:
        """Run a program on this terminal, outside ``raw``; its exit status. Raises OSError."""

    def ask(self, question: str) -> str | None:
        """Show a question and read a line, outside ``raw``; ``None`` at the end of input."""

    def close(self) -> None:
        """Give up what was opened."""


def open_terminal() -> Terminal | None:
    """The terminal that the user sits at, wherever standard output leads; ``None`` where there is none.

    One of the standard streams must be a terminal: a process that runs in the background of a session has that
    session's terminal, too, but nobody looks at it for this.
    """
    if not any(_is_terminal(stream) for stream in (sys.stdin, sys.stderr)):
        return None
    try:
        if os.name == "nt":
            from topcook.cli.tab.windows import WindowsTerminal

            return WindowsTerminal()
        from topcook.cli.tab.posix import PosixTerminal

        return PosixTerminal()
    except (ImportError, OSError):
        # A Python built without termios has no way to ask for single keys.
        return None


def _is_terminal(stream: object) -> bool:
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        return False
