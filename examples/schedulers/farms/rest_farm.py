"""A render farm behind a REST API, in one file, on the loopback device.

    python rest_farm.py --workers 2

It reads a secret from the first line of its input, answers with `{"url": "http://..."}` on its output, and lives until
its input ends: when whoever started it is gone, so are the farm and every job of it. Each request carries the secret in
the header `Farm-Secret`; bodies are JSON.

    POST   /jobs     {"name", "command", "folder", "env", "log", "callback", "token"}    ->  201 {"job": 7}
    GET    /jobs/7                                                        ->  200 {"job", "name", "state", "seconds"}
    DELETE /jobs/7   ends the job; answers when none of its processes is left    ->  200, as GET

A job is queued, running, done, failed or canceled. At each change the farm POSTs what GET would answer to the job's
callback, with the job's token in the header `Farm-Token`; a callback that cannot be reached is tried three times.
"""

from __future__ import annotations

import argparse
import contextlib
import hmac
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_BODY = 4_000_000
SECONDS_TO_ANSWER = 10
TRIES = 3


class Job:
    def __init__(self, number, name, command, folder, env, log, callback="", token=""):
        self.number, self.name, self.command, self.folder = number, str(name), str(command), str(folder)
        self.env = {str(variable): str(value) for variable, value in env.items()}
        self.log, self.callback, self.token = str(log), str(callback), str(token)
        self.state, self.begun, self.seconds, self.process = "queued", 0.0, 0.0, None

    def told(self):
        return {"job": self.number, "name": self.name, "state": self.state, "seconds": self.seconds}


class Farm:
    """The jobs, and the threads that work on them. Every change happens under one lock and wakes whoever waits."""

    def __init__(self, workers):
        self.jobs, self.closed = {}, False
        self.changed = threading.Condition()
        self.queue, self.calls = queue.Queue(), queue.Queue()
        for _ in range(workers):
            threading.Thread(target=self.work, daemon=True).start()
        threading.Thread(target=self.call_back, daemon=True).start()

    def submit(self, **wanted):
        with self.changed:
            job = Job(len(self.jobs) + 1, **wanted)
            self.jobs[job.number] = job
            self.queue.put(job)
            return {"job": job.number}

    def told(self, number):
        with self.changed:
            return self.jobs[number].told()

    def cancel(self, number):
        with self.changed:
            job = self.jobs[number]
            if job.state in ("queued", "running"):
                if job.process:
                    end_group(job.process)
                self.become(job, "canceled")
            self.changed.wait_for(lambda: job.process is None)
            return job.told()

    def close(self):
        with self.changed:
            self.closed = True
        for number in list(self.jobs):
            self.cancel(number)

    def become(self, job, state):
        """Note a change, and that it is to be told. The lock is held."""
        job.state = state
        job.seconds = time.monotonic() - job.begun if job.begun else 0.0
        if job.callback:
            self.calls.put((job.callback, job.token, json.dumps(job.told()).encode()))
        self.changed.notify_all()

    def work(self):
        while True:
            job = self.queue.get()
            with self.changed:
                if job.state != "queued" or self.closed:
                    continue
                job.begun = time.monotonic()
                try:
                    job.process = start(job)
                except (OSError, ValueError) as error:
                    print(f"{job.name} cannot be started: {error}", file=sys.stderr, flush=True)
                    self.become(job, "failed")
                    continue
                self.become(job, "running")
            status = job.process.wait()
            with self.changed:
                job.process = None
                if job.state == "running":
                    self.become(job, "failed" if status else "done")
                self.changed.notify_all()

    def call_back(self):
        # One thread: the changes of a job arrive in their order.
        while True:
            url, token, body = self.calls.get()
            for attempt in range(TRIES):
                request = urllib.request.Request(url, body, {"Farm-Token": token, "Content-Type": "application/json"})
                try:
                    with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER):
                        break
                except urllib.error.HTTPError:
                    break  # heard, and not wanted
                except (OSError, ValueError) as error:
                    print(f"callback {url}: {error}", file=sys.stderr, flush=True)
                    time.sleep(0.1 * attempt)


def start(job):
    """Start a job in a session of its own, so that all its processes can be ended together."""
    os.makedirs(os.path.dirname(job.log), exist_ok=True)
    with open(job.log, "wb") as log:
        return subprocess.Popen(
            job.command,
            shell=True,
            cwd=job.folder,
            env=job.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def end_group(process):
    """End a process with all that it started. That it has just ended by itself is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Visit(BaseHTTPRequestHandler):
    """One request."""

    timeout = SECONDS_TO_ANSWER

    def do_POST(self):
        if self.path != "/jobs":
            self.say(404, {"error": f"there is no {self.path}"})
            return
        self.answer(201, lambda: self.server.farm.submit(**self.body()))

    def do_GET(self):
        self.answer(200, lambda: self.server.farm.told(self.job(self.path)))

    def do_DELETE(self):
        self.answer(200, lambda: self.server.farm.cancel(self.job(self.path)))

    def answer(self, status, ask):
        if not hmac.compare_digest(self.headers.get("Farm-Secret", "").encode(), self.server.secret.encode()):
            self.say(403, {"error": "the secret is wrong or missing"})
            return
        try:
            self.say(status, ask())
        except LookupError as error:
            self.say(404, {"error": f"there is no {error}"})
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            self.say(400, {"error": f"{type(error).__name__}: {error}"})

    def body(self):
        length = int(self.headers.get("Content-Length", 0))
        if not 0 <= length <= LONGEST_BODY:
            raise ValueError(f"a body has at most {LONGEST_BODY} bytes")
        return json.loads(self.rfile.read(length))

    def job(self, path):
        first, _, number = path.rpartition("/")
        if first != "/jobs" or not number.isdigit():
            raise LookupError(self.path)
        return int(number)

    def say(self, status, what):
        text = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        """Not every request is news."""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=2)
    workers = max(1, parser.parse_args().workers)
    secret = sys.stdin.readline().strip()
    if not secret:
        sys.exit("rest_farm: the first line of the input is the secret")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Visit)
    server.daemon_threads = True
    server.farm, server.secret = Farm(workers), secret
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    sys.stdin.read()
    server.farm.close()


if __name__ == "__main__":
    main()
