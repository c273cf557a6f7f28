"""A farm of one machine for the tests of the job wrapper: job files, and wrappers that run them."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from tests.waiting import until
from topcook.author.farm.job import _text_of

__all__ = ["DEADLINE", "Farm", "having"]

#: Seconds.
DEADLINE = 60.0


def having(token: str) -> list[int]:
    """The living processes with this job's mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            living = (path / "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
            if living and f"PDG_ITEM_TOKEN={token}\0".encode() in (path / "environ").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


class Farm:
    """Writes job files and starts wrappers on them."""

    def __init__(self, folder: Path, scripts: Path, job: dict[str, str]) -> None:
        self.folder, self.scripts, self.job = folder, scripts, job
        self.token = f"test-{uuid.uuid4().hex}-1"
        self.ends = folder / "ends"
        self.log = folder / "logs" / "item.log"
        self.started: list[subprocess.Popen[bytes]] = []

    def spec(self, script: str, **changes: Any) -> dict[str, Any]:
        return {
            "token": self.token,
            "item": 7,
            "attempt": 2,
            "argv": [sys.executable, "-c", script],
            "env": {**self.job, **changes.pop("env", {})},
            "cwd": str(self.folder),
            "log": str(self.log),
            "ends": str(self.ends),
            "scripts": str(self.scripts),
            "grace": 5.0,
            "patience": 30.0,
            **changes,
        }

    def start(self, *specs: dict[str, Any], words: tuple[str, ...] = (), **options: Any) -> subprocess.Popen[bytes]:
        path = self.folder / "a.jobs"
        path.write_bytes(_text_of(specs))
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        argv = [sys.executable, str(self.scripts / "jobwrapper.py"), str(path), *words]
        process = subprocess.Popen(argv, start_new_session=True, **options)
        self.started.append(process)
        return process

    def run(self, script: str, **changes: Any) -> int:
        process = self.start(self.spec(script, **changes))
        process.communicate(timeout=DEADLINE)
        return process.returncode

    def end(self) -> dict[str, Any]:
        path = self.ends / f"{self.token}.json"
        return until(lambda: path.exists() and json.loads(path.read_text()), "the file of its end")

    def gone(self) -> None:
        until(lambda: not having(self.token), "no process left")
