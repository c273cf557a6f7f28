"""The ends of jobs that a keeper runs, and what of them is left."""

from __future__ import annotations

import threading
from pathlib import Path

from topcook.author import LocalJob
from topcook.contract.host import JobEnd
from topcook.runtime.keeper.program.processes import mark_of, process_table

PATIENCE = 60.0
BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def left_in(directory: Path) -> list[int]:
    """The living processes of jobs; they work in the directory of their test."""
    return [
        pid
        for pid, row in process_table().items()
        if not row.zombie and mark_of(pid) and Path(f"/proc/{pid}/cwd").resolve() == directory
    ]


class Ends(dict[str, JobEnd]):
    """The ends of jobs, by token, with somewhere to wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self.more = threading.Condition()

    def job(self, directory: Path, token: str, script: str) -> LocalJob:
        def on_end(end: JobEnd) -> None:
            with self.more:
                assert token not in self, "an end is told once"
                self[token] = end
                self.more.notify_all()

        return LocalJob(
            token, ["/bin/sh", "-c", script], BASE, str(directory), str(directory / f"{token}.log"), on_end=on_end
        )

    def wait_for(self, count: int) -> None:
        with self.more:
            assert self.more.wait_for(lambda: len(self) >= count, PATIENCE)
