"""A render farm in one file: a queue, a few workers, and a door on the loopback device that asks for a secret.

    python tinyfarm.py --workers 2

It reads the secret from the first line of its input, answers with `{"port": ...}` on its output, and lives until its
input ends: when whoever started it is gone, so are the farm and every job of it.

A client connects, sends one line of JSON and gets one back. What it can ask for (always with "secret"):

    {"do": "submit", "name", "command", "folder", "env", "log", "priority", "slots"}  ->  {"job": 7}
    {"do": "report", "jobs": [7]}    ->  {"jobs": {"7": {"state": "running", "exit": null, "seconds": 1.5}}}
    {"do": "cancel", "jobs": [7]}    ->  as report, once none of these jobs runs any more

A job is queued, running, done, failed or canceled. Higher priority goes first, then who came first.
Whatever is wrong with a request is answered with {"error": "..."}.
"""

from __future__ import annotations

import argparse
import contextlib
import hmac
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_REQUEST = 4_000_000
SECONDS_TO_ASK = 10.0


@dataclass
class Job:
    """A command, and what has become of it."""

    number: int
    priority: int
    slots: int
    env: dict[str, str]
    name: str
    command: str
    folder: str
    log: str
    state: str = "queued"
    exit: int | None = None
    started: float = 0.0
    ended: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    def report(self) -> dict[str, Any]:
        """What a client is told."""
        until = self.ended or time.monotonic()
        return {"state": self.state, "exit": self.exit, "seconds": until - self.started if self.started else 0.0}


class Farm:
    """The queue and its workers. Every change happens under one lock and wakes whoever waits for it."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.jobs: dict[int, Job] = {}
        self.changed = threading.Condition()
        self.closed = False

    def submit(
        self, name: str, command: str, folder: str, env: dict[str, str], log: str, priority: int = 0, slots: int = 1
    ) -> dict[str, Any]:
        """Put a job into the queue. One that wants more slots than there are gets them all."""
        named = {str(variable): str(value) for variable, value in env.items()}
        fitting = max(1, min(self.workers, int(slots)))
        with self.changed:
            if self.closed:
                raise ValueError("the farm is closing and takes no more jobs")
            job = Job(len(self.jobs) + 1, int(priority), fitting, named, str(name), str(command), str(folder), str(log))
            self.jobs[job.number] = job
            self.start_what_fits()
            return {"job": job.number}

    def report(self, jobs: list[int]) -> dict[str, Any]:
        """How the jobs stand. Raises KeyError for a number that no job has."""
        with self.changed:
            return {"jobs": {number: self.jobs[number].report() for number in jobs}}

    def cancel(self, jobs: list[int]) -> dict[str, Any]:
        """End the jobs, with all they started, and wait until they are gone."""
        with self.changed:
            chosen = [self.jobs[number] for number in jobs]
            for job in chosen:
                if job.state == "queued":
                    job.state = "canceled"
                elif job.state == "running" and job.process:
                    job.state = "canceled"
                    kill_group(job.process)
            self.changed.wait_for(lambda: not any(job.process for job in chosen))
        return self.report(jobs)

    def close(self) -> None:
        """Take no more jobs and end those there are."""
        with self.changed:
            self.closed = True
            numbers = list(self.jobs)
        self.cancel(numbers)

    def start_what_fits(self) -> None:
        """Start queued jobs while there are slots: by priority, then in the order they came."""
        free = self.workers - sum(job.slots for job in self.jobs.values() if job.process)
        queue = [job for job in self.jobs.values() if job.state == "queued"]
        for job in sorted(queue, key=lambda job: (-job.priority, job.number)):
            if job.slots > free:
                break
            self.start(job)
            free -= job.slots if job.process else 0
        self.changed.notify_all()

    def start(self, job: Job) -> None:
        """Start a job in a session of its own, so that all its processes can be ended together."""
        job.started = time.monotonic()
        try:
            Path(job.log).parent.mkdir(parents=True, exist_ok=True)
            with open(job.log, "wb") as log:
                job.process = subprocess.Popen(
                    job.command,
                    shell=True,
                    cwd=job.folder,
                    env=job.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            job.state, job.exit, job.ended = "failed", 127, time.monotonic()
            print(f"tinyfarm: {job.name} cannot be started: {error}", file=sys.stderr, flush=True)
            return
        job.state = "running"
        threading.Thread(target=self.wait_for, args=(job, job.process), daemon=True).start()

    def wait_for(self, job: Job, process: subprocess.Popen[bytes]) -> None:
        """Note how a job ended, and give its slots to the next."""
        status = process.wait()
        with self.changed:
            job.exit, job.ended, job.process = status, time.monotonic(), None
            if job.state == "running":
                job.state = "failed" if status else "done"
            if not self.closed:
                self.start_what_fits()
            self.changed.notify_all()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started. That it has just ended by itself is no error."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


class Door(socketserver.ThreadingTCPServer):
    """Listens on the loopback device, on a free port."""

    daemon_threads = True

    def __init__(self, farm: Farm, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.farm = farm
        self.secret = secret


class Visit(socketserver.StreamRequestHandler):
    """One client, one request."""

    server: Door
    timeout = SECONDS_TO_ASK

    def handle(self) -> None:
        """Read the request and answer it."""
        try:
            answer = self.answer(self.rfile.readline(LONGEST_REQUEST))
        except TimeoutError:
            return
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        self.wfile.write(json.dumps(answer).encode() + b"\n")

    def answer(self, line: bytes) -> dict[str, Any]:
        """Do what a line asks for. Raises ValueError, TypeError or KeyError for what cannot be done."""
        request = json.loads(line)
        secret = str(request.pop("secret", ""))
        if not hmac.compare_digest(secret.encode(), self.server.secret.encode()):
            raise ValueError("the secret is wrong")
        wish = request.pop("do", None)
        farm = self.server.farm
        if wish == "submit":
            return farm.submit(**request)
        if wish == "report":
            return farm.report(**request)
        if wish == "cancel":
            return farm.cancel(**request)
        raise ValueError(f"{wish!r} is nothing a farm can do: it takes submit, report and cancel")


def main() -> None:
    parser = argparse.ArgumentParser(description="A render farm in one file.")
    parser.add_argument("--workers", type=int, default=2, help="how many slots there are (default 2)")
    options = parser.parse_args()
    secret = sys.stdin.readline().strip()
    if not secret:
        sys.exit("tinyfarm: no secret; write one to my input, as its first line")
    farm = Farm(max(1, options.workers))
    # Ctrl-C reaches every process of the terminal. Whoever started the farm decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Door(farm, secret) as door:
        threading.Thread(target=door.serve_forever, args=(0.05,), daemon=True).start()
        print(json.dumps({"port": door.server_address[1]}), flush=True)
        try:
            sys.stdin.read()
        finally:
            farm.close()
            door.shutdown()


if __name__ == "__main__":
    main()
