"""The command line as a person has it: a process of its own, a clean environment, a folder to work in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

LOCAL = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
maxprocsmenu = 1
maxprocs = 2
"""


@dataclass
class Shell:
    """Runs topcook in ``folder``."""

    folder: Path
    environment: dict[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def network(self, nodes: str, name: str = "net.toml") -> Path:
        """A network with a local scheduler of two slots."""
        return self.write(name, LOCAL + nodes)

    def run(self, *arguments: str | Path, status: int | None = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "topcook", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
        )
        if status is not None:
            assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "topcook", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )
        self.started.append(process)
        return process

    def cook(self, network: str | Path, *arguments: str, status: int | None = 0, **variables: str) -> dict[str, Any]:
        """Cook it; answers the report, which a failed cook has, too."""
        self.run("cook", network, "--report", "report.json", *arguments, status=status, **variables)
        return self.report()

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    home = tmp_path / "home"
    folder = tmp_path / "here"
    home.mkdir()
    folder.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PDG_", "TOPCOOK_", "XDG_")) and name not in {"NO_COLOR", "COLUMNS", "HIP"}
    }
    shell = Shell(folder, kept | {"HOME": str(home), "TERM": "xterm"})
    yield shell
    for process in shell.started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def by_name() -> Callable[[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The items of a report by name."""
    return lambda report: {item["name"]: item for item in report["items"]}
