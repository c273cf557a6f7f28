from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "examples" / "wedge_sim" / "tinyfarm.py"
SECRET = "open sesame"
DEADLINE = 60.0


class Client:
    """A farm with two workers, and what a scheduler would say to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--workers", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(SECRET + "\n")
        self.process.stdin.flush()
        self.port: int = json.loads(self.process.stdout.readline())["port"]

    def send(self, line: bytes) -> Any:
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE) as connection:
            connection.sendall(line + b"\n")
            with connection.makefile("rb") as answers:
                return json.loads(answers.readline())

    def ask(self, wish: str, **details: Any) -> Any:
        return self.send(json.dumps({"secret": SECRET, "do": wish, **details}).encode())

    def submit(self, command: str, **details: Any) -> int:
        log = str(self.folder / "logs" / f"{details.get('name', 'job')}.log")
        request = {"name": "job", "command": command, "folder": str(self.folder), "env": dict(os.environ), "log": log}
        number = self.ask("submit", **{**request, **details})["job"]
        assert isinstance(number, int)
        return number

    def state(self, job: int) -> str:
        return str(self.ask("report", jobs=[job])["jobs"][str(job)]["state"])

    def until(self, job: int, *states: str) -> str:
        """The state of a job once it is one of these. A real process is awaited, so this polls, with a deadline."""
        deadline = time.monotonic() + DEADLINE
        while (state := self.state(job)) not in states:
            assert time.monotonic() < deadline, f"job {job} is {state}, not {states}"
            time.sleep(0.01)
        return state

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.process.stdout.close()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Client]:
    client = Client(tmp_path)
    yield client
    client.close()


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return  # dead, and only not yet reaped by whoever inherited it
        assert time.monotonic() < deadline, f"{pid} still lives"
        time.sleep(0.01)


def test_exit_status_decides_how_a_job_ended(farm: Client) -> None:
    good, bad = farm.submit("exit 0"), farm.submit("exit 3")
    assert farm.until(good, "done", "failed") == "done"
    assert farm.until(bad, "done", "failed") == "failed"
    assert farm.ask("report", jobs=[bad])["jobs"][str(bad)]["exit"] == 3


def test_a_job_has_its_environment_folder_and_log(farm: Client, tmp_path: Path) -> None:
    job = farm.submit('echo "$REEF"; pwd', name="where", env={"REEF": "great barrier"})
    assert farm.until(job, "done", "failed") == "done"
    assert (tmp_path / "logs" / "where.log").read_text().splitlines() == ["great barrier", str(tmp_path.resolve())]


def test_a_job_that_cannot_start_has_failed(farm: Client, tmp_path: Path) -> None:
    assert farm.until(farm.submit("exit 0", folder=str(tmp_path / "missing")), "done", "failed") == "failed"
    assert farm.until(farm.submit("exit\0 0"), "done", "failed") == "failed"
    assert farm.until(farm.submit("exit 0"), "done", "failed") == "done"


def test_higher_priority_goes_first_and_equals_in_order(farm: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    holder = farm.submit(f"cat {shlex.quote(str(gate))}", slots=2)
    order = tmp_path / "order"
    jobs = [
        farm.submit(f"echo {name} >> {shlex.quote(str(order))}", priority=priority, slots=2)
        for name, priority in [("low", 0), ("high", 5), ("low too", 0)]
    ]
    gate.write_text("go")
    for job in [holder, *jobs]:
        assert farm.until(job, "done", "failed") == "done"
    assert order.read_text().splitlines() == ["high", "low", "low too"]


def test_cancel_ends_a_job_with_its_children_before_it_answers(farm: Client, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    job = farm.submit(f"sleep 600 & echo $! > {shlex.quote(str(pids))}; wait")
    queued = [farm.submit("sleep 600", slots=2) for _ in range(2)]
    child = int(pids.read_text())
    reports = farm.ask("cancel", jobs=[job, *queued])["jobs"]
    assert {report["state"] for report in reports.values()} == {"canceled"}
    until_gone(child)


def test_a_farm_whose_starter_is_gone_ends_with_all_its_jobs(tmp_path: Path) -> None:
    farm = Client(tmp_path)
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    farm.submit(f"echo $$ > {shlex.quote(str(pids))}; exec sleep 600")
    job = int(pids.read_text())
    farm.close()
    assert farm.process.returncode == 0
    until_gone(job)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"do": "report", "jobs": []}',
        b'{"secret": "guess", "do": "report", "jobs": []}',
        b'{"secret": null, "do": "report", "jobs": []}',
        b'{"secret": "open sesame"}',
        b'{"secret": "open sesame", "do": "close"}',
        b'{"secret": "open sesame", "do": "report", "jobs": [99]}',
        b'{"secret": "open sesame", "do": "report", "jobs": 1}',
        b'{"secret": "open sesame", "do": "submit", "name": "x"}',
        b'{"secret": "open sesame", "do": "submit", "state": "done", "name": "x", "env": {}}',
        b"\xff\xfe",
    ],
)
def test_a_bad_request_is_refused_and_the_farm_lives_on(farm: Client, line: bytes) -> None:
    assert "error" in farm.send(line)
    assert farm.until(farm.submit("exit 0"), "done", "failed") == "done"


def test_who_says_nothing_keeps_nobody_waiting(farm: Client) -> None:
    with socket.create_connection(("127.0.0.1", farm.port), DEADLINE):
        assert farm.until(farm.submit("exit 0"), "done", "failed") == "done"


def test_without_a_secret_there_is_no_farm() -> None:
    ended = subprocess.run(
        [sys.executable, str(PROGRAM)], input="", capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert ended.returncode != 0
    assert "secret" in ended.stderr
