"""What the tests of started clusters share: whose processes are there, and whole cooks as processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dask_bench import until

#: A variable that all descendants of a test's cook have.
MARK = "TOPCOOK_TEST_MARK"


def heirs(mark: str) -> list[int]:
    """The living processes, but this one, that have this mark in their environment: a cook and all that came of it."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            living = (path / "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
            if living and f"{MARK}={mark}".encode() in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
    return [pid for pid in found if pid != os.getpid()]


@contextlib.contextmanager
def cook_process(folder: Path, text: str, mark: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A cook by the command line, in a session of its own; what is left of it at the end is killed."""
    (folder / "net.toml").write_text(textwrap.dedent(text))
    words = [
        sys.executable,
        "-m",
        "topcook",
        "cook",
        "net.toml",
        "--progress",
        "plain",
        "--report",
        "report.json",
        *more,
    ]
    with (folder / "out.txt").open("wb") as said:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pid in heirs(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def until_in(cook: subprocess.Popen[bytes], folder: Path, is_so: Callable[[], Any], what: str) -> Any:
    """Poll for a condition as long as the cook goes on."""

    def so() -> Any:
        assert cook.poll() is None, (folder / "out.txt").read_text()
        return is_so()

    return until(so, what)


def network(parms: str, command: str, count: int = 1, more: str = "") -> str:
    """A network on a cluster that is started."""
    return f'''
        [network]
        name = "net"
        scheduler = "farm"
        [schedulers.farm]
        type = "daskscheduler"
        [schedulers.farm.parms]
        pdg_tickperiod = 0.1
        {parms}
        [nodes.work]
        type = "genericgenerator"
        parms.itemcount = {count}
        parms.command = """{command}"""
        {more}
        '''
