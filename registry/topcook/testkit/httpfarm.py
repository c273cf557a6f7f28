"""A small farm that speaks HTTP, for practice and tests: it runs jobs as processes of this machine.

``POST /jobs`` with ``{name, command, env, directory, log}`` answers ``{"job": id}``; ``GET /jobs`` answers
``{"jobs": {id: state}}`` with queued, running, done, failed or canceled; ``DELETE /jobs`` with ``{"jobs": [id, …]}``
ends them. It listens on the loopback address only, and its address has a secret in it: whoever can post a job
can run a command.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["HttpFarm"]

_BAD_REQUEST, _NOT_FOUND = 400, 404
#: A request with more bytes than this is refused.
_LIMIT = 4 * 1024 * 1024


class HttpFarm:
    """The farm: ``start`` gives its address, ``stop`` ends it with all of its jobs."""

    def __init__(self, slots: int = 2) -> None:
        """A farm that runs ``slots`` jobs at a time."""
        self._slots = slots
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[str, Any]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._secret = secrets.token_urlsafe(16)
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """Listen; returns the address, to which ``/jobs`` is put."""
        farm = self

        class Handler(_Handler):
            """One request."""

            def __init__(self, *arguments: Any) -> None:
                self.farm = farm
                super().__init__(*arguments)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="httpfarm", daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._secret}"

    def stop(self) -> None:
        """End every job and the server."""
        with self._lock:
            unfinished = [*self._waiting, *self._running]
        self.cancel(unfinished)
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def serves(self, path: str) -> bool:
        """Whether a request's path has the secret and asks for the jobs."""
        return secrets.compare_digest(path.encode(), f"/{self._secret}/jobs".encode())

    def submit(self, job: dict[str, Any]) -> str:
        """Queue a job; returns its id. Raises KeyError when something is missing."""
        wanted = {key: job[key] for key in ("command", "env", "directory", "log")}
        with self._lock:
            number = str(next(self._numbers))
            self._waiting[number] = wanted
            self._go_on()
        return number

    def states(self) -> dict[str, str]:
        """The state of every job."""
        with self._lock:
            self._go_on()
            queued, running = dict.fromkeys(self._waiting, "queued"), dict.fromkeys(self._running, "running")
            return {**queued, **running, **self._ended}

    def cancel(self, jobs: list[str]) -> None:
        """End jobs, and wait until they are gone."""
        with self._lock:
            for job in jobs:
                process = self._running.pop(job, None)
                if process is not None:
                    _end(process)
                if process is not None or self._waiting.pop(job, None) is not None:
                    self._ended[job] = "canceled"
            self._go_on()

    def _go_on(self) -> None:
        """See what has ended, and start what there is room for; the lock is held."""
        for job, process in list(self._running.items()):
            if process.poll() is not None:
                del self._running[job]
                self._ended[job] = "done" if process.returncode == 0 else "failed"
        while self._waiting and len(self._running) < self._slots:
            job = next(iter(self._waiting))
            wanted = self._waiting.pop(job)
            try:
                with open(wanted["log"], "wb") as log:
                    self._running[job] = subprocess.Popen(  # noqa: S602 - running commands is what it is for
                        wanted["command"],
                        shell=True,
                        env=wanted["env"],
                        cwd=wanted["directory"],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
            except (OSError, TypeError, ValueError):
                self._ended[job] = "failed"


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):  # it may just have ended by itself
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


class _Handler(BaseHTTPRequestHandler):
    farm: HttpFarm
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the signature is http.server's
        """Say nothing: what it is asked is not for the terminal."""

    def do_POST(self) -> None:
        """Take a job."""
        self._answer(lambda content: {"job": self.farm.submit(content)})

    def do_GET(self) -> None:
        """Tell all states."""
        self._answer(lambda _content: {"jobs": self.farm.states()})

    def do_DELETE(self) -> None:
        """End jobs."""

        def cancel(content: dict[str, Any]) -> dict[str, Any]:
            self.farm.cancel([str(job) for job in content["jobs"]])
            return {}

        self._answer(cancel)

    def _answer(self, work: Any) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = _LIMIT + 1
        if length > _LIMIT:
            self.close_connection = True
            self._say(_BAD_REQUEST, {"error": "the request is too long"})
            return
        content = self.rfile.read(length)
        if not self.farm.serves(self.path):
            self._say(_NOT_FOUND, {"error": "there is nothing here"})
            return
        try:
            said = work(json.loads(content) if content else {})
        except (KeyError, TypeError, ValueError) as error:
            self._say(_BAD_REQUEST, {"error": f"{type(error).__name__}: {error}"})
            return
        self._say(200, said)

    def _say(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
