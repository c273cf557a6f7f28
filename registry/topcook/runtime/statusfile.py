"""A cook's status as a small JSON file that is kept up to date: what a submitted job's status URI answers.

``{version, network, cook, state, pid, host, counts, waits, reason, started, updated, finished, report}``; ``state`` is
submitted, starting, cooking or paused, then as in the report; ``waits`` is by scheduler what its items wait for;
``reason`` says why a cook was refused, or broke.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from topcook.runtime.standstill import words_of
from topcook.runtime.summary import counts, end_state

if TYPE_CHECKING:
    from types import TracebackType

    from topcook.runtime.cook import Cook

VERSION = 1
#: Seconds between two writes: somebody looks, nobody measures by it.
PERIOD = 1.0


class StatusFile:
    """Writes one status file; what it cannot write it leaves, for a cook must not fail of that.

    As a context it tells at its end what has kept the cook from its own: who waits on another machine sees no process.
    """

    def __init__(self, path: str, network: str, report: str | None = None) -> None:
        """A cook of the file ``network`` is about to start; until it is read it goes by the file's name."""
        self._path = os.path.abspath(path)
        now = time.time()
        self._said: dict[str, Any] = {
            "version": VERSION,
            "network": Path(network).stem,
            "cook": "",
            "state": "starting",
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "counts": {},
            "waits": {},
            "reason": "",
            "started": now,
            "updated": now,
            "finished": None,
            "report": os.path.abspath(report) if report and report != "-" else "",
        }
        self._due = 0.0
        self._write()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Tell of a cook that was not told to have ended that it did, and why."""
        said = self._said
        if isinstance(error, Exception):
            said["reason"] = str(error) or type(error).__name__
        if said["finished"] is None:
            said["state"] = "refused" if said["state"] == "starting" else "failed"
            said["finished"] = time.time()
        self._write()

    def update(self, cook: Cook) -> None:
        """Tell how far it is, if that was not told a moment ago."""
        if time.monotonic() >= self._due:
            self._tell(cook, "paused" if cook.state.paused else "cooking")

    def ended(self, cook: Cook, *, interrupted: bool) -> None:
        """Tell how it ended."""
        state = "refused" if cook.outcome == "refused" else end_state(cook, interrupted=interrupted)
        self._tell(cook, state, finished=cook.finished)

    def _tell(self, cook: Cook, state: str, finished: float | None = None) -> None:
        found = {each.name: number for each, number in counts(cook).items()}
        self._said.update(network=cook.graph.network.name, cook=cook.cook_id, state=state, counts=found)
        waits = words_of(cook.link, cook.state) if finished is None else {}
        self._said.update(started=cook.started, finished=finished, waits=waits)
        self._write()
        self._due = time.monotonic() + PERIOD

    def _write(self) -> None:
        self._said["updated"] = time.time()
        draft = f"{self._path}.{os.getpid()}.part"
        with contextlib.suppress(OSError):
            Path(draft).write_text(json.dumps(self._said), encoding="utf-8")
            os.replace(draft, self._path)
