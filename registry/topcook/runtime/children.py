"""Processes that a thread of ours has started and blocks on (Linux only: elsewhere nobody tells)."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def end_children(thread: int | None, spared: int | None, *, kill: bool) -> None:
    """End what this thread (by its native id) has started, with all below it; ``spared`` is a process to leave."""
    with contextlib.suppress(OSError, ValueError):
        text = Path(f"/proc/self/task/{thread}/children").read_text()
        for pid in map(int, text.split()):
            if pid != spared:
                _end_tree(pid, signal.SIGKILL if kill else signal.SIGTERM)


def _end_tree(pid: int, how: signal.Signals) -> None:
    """Send a signal to a process and everything below it, children first."""
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            _end_tree(int(child), how)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, how)
