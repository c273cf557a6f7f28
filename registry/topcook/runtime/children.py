"""Processes that a thread of ours has started and blocks on (Linux only: elsewhere nobody tells)."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def children_of(native_id: int | None) -> list[str]:
    """What this thread has started and not yet waited for: ``name (pid)`` each."""
    with contextlib.suppress(OSError, ValueError):
        pids = Path(f"/proc/self/task/{native_id}/children").read_text().split()
        return [f"{Path(f'/proc/{pid}/comm').read_text().strip()} ({pid})" for pid in pids]
    return []


def end_children(native_id: int | None, *, spare: int | None, how: str) -> None:
    """Send TERM or KILL (``how``) to all that this thread has started; ``spare`` is a process to leave alone."""
    number = signal.Signals[f"SIG{how}"]
    with contextlib.suppress(OSError, ValueError):
        text = Path(f"/proc/self/task/{native_id}/children").read_text()
        for pid in map(int, text.split()):
            if pid != spare:
                _end_tree(pid, number)


def _end_tree(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and everything below it, children first."""
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            _end_tree(int(child), number)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
