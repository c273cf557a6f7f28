"""For tests of what other threads and processes do: waiting by looking, and finding the processes that are left.

Nothing here sleeps for a time that is thought to be enough: a busy machine takes as long as it takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

__all__ = ["PATIENCE", "running", "until"]

T = TypeVar("T")
#: Seconds after which what must come has not come.
PATIENCE = 60.0


def until(is_so: Callable[[], T], what: str = "it", *, patience: float = PATIENCE, pause: float = 0.01) -> T:
    """What ``is_so`` answers as soon as that is true; fails, naming ``what``, when it is not within the patience."""
    deadline = time.monotonic() + patience
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"{what} did not come about"  # noqa: S101 - the failure of a test
        time.sleep(pause)
    return found


def running(mark: str) -> list[int]:
    """The ids of the living processes that have this text in their command line, on systems with ``/proc``.

    Take a text that no other test has: ``sleep 600.123456789``.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        # It ends while it is looked at.
        with suppress(OSError):
            lives = (path / "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
            if lives and mark.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found
