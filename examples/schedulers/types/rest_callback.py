"""A farm behind a REST API calls back over HTTP: into a server that onStart starts on a background thread.

For you when your farm can POST to a URL as jobs change. `farms/rest_farm.py` stands in for it, a process of its own
that this scheduler starts and ends; yours runs already, so of `_startFarm` only the URL and the secret remain. What to
copy:

- the server listens before anything is submitted, and until `onStop`: a callback may come early or late;
- every job has a token of its own in its callback, so that nobody else can say how a work item ended;
- the handler answers at once, and tells PDG from its own thread. A callback that comes twice does no harm.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

SECONDS_TO_ANSWER = 60
LONGEST_BODY = 100_000
ENDED = ("done", "failed", "canceled")

PARMS = [
    {"name": "rest_program", "label": "Farm Program", "type": "String", "value": "$HIP/farms/rest_farm.py"},
    {"name": "rest_workers", "label": "Workers", "type": "Integer", "value": 2},
]


class RestCallback(CallbackServerMixin, PyScheduler):
    """Cooks work items on a farm with a REST API."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self._server = None
        self._farm = None
        self._url = ""
        self._secret = ""
        self._items = {}  # token -> id of the work item, for the jobs that have not ended
        self._jobs = {}  # id of a work item -> its job
        self._lock = threading.Lock()

    @classmethod
    def templateName(cls):
        return "rest_callback"

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "rest_callback", "parameters": PARMS})

    def onStart(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
        self._server.daemon_threads = True
        self._server.changed = self._jobChanged
        threading.Thread(target=self._server.serve_forever, name="rest callbacks", daemon=True).start()
        self._startFarm()
        return True

    def onStop(self):
        self._stopFarm()
        self._server.shutdown()
        self._server.server_close()
        return True

    def onStartCook(self, static, cook_set):
        working_dir = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(working_dir, working_dir)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()  # for jobs that report themselves, with pdgcmd
        return True

    def onStopCook(self, cancel):
        if cancel:
            self._cancel(None)
        self.stopCallbackServer()
        return True

    # Work items out, reports back.

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        token = secrets.token_hex(16)
        self._items[token] = work_item.id  # before the farm knows of it: it may call back at once
        try:
            answer = self._ask(
                "POST",
                "/jobs",
                name=work_item.name,
                command=self.expandCommandTokens(work_item.command, work_item),
                folder=self.workingDir(True),
                env=env,
                log=self._logFile(work_item),
                callback=f"http://127.0.0.1:{self._server.server_port}/",
                token=token,
            )
        except BaseException:
            del self._items[token]
            raise
        self._jobs[work_item.id] = answer["job"]
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        if self._items and self._farm.poll() is not None:
            self.cookError(f"{self.name}: the farm has ended, with exit status {self._farm.returncode}")
            return pdg.tickResult.SchedulerCancelCook
        return pdg.tickResult.SchedulerReady

    def _jobChanged(self, token, state, seconds):
        """Called on a thread of the server. True when the token is that of a job of ours."""
        with self._lock:
            item = self._items.pop(token, None) if state in ENDED else self._items.get(token)
        if item is None:
            return False
        if state == "running":
            self.onWorkItemStartCook(item, -1)
        elif state == "done":
            self.onWorkItemSucceeded(item, -1, seconds)
        elif state == "failed":
            self.onWorkItemFailed(item, -1)
        elif state == "canceled":
            self.onWorkItemCanceled(item, -1)
        return True

    def onCancelWorkItems(self, work_items, node):
        self._cancel({work_item.id for work_item in work_items})

    def _cancel(self, items):
        """End the jobs of these work items, of all without `items`. The farm answers when their processes are gone."""
        with self._lock:
            unwanted = [item for item in self._items.values() if items is None or item in items]
        for item in unwanted:
            with contextlib.suppress(OSError):  # a farm that is gone has taken its jobs with it
                self._ask("DELETE", f"/jobs/{self._jobs[item]}")

    def getLogURI(self, work_item):
        return "file://" + self._logFile(work_item)

    def getStatusURI(self, work_item):
        job = self._jobs.get(work_item.id)
        return f"{self._url}/jobs/{job}" if job else ""

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        """Nothing: this farm knows no dependencies, so each item comes to onSchedule when it is ready."""

    def _logFile(self, work_item):
        return f"{self.logDir(True)}/{work_item.name}.log"

    # The farm.

    def _ask(self, method, path, **body):
        """Send the farm a request. Raises OSError if it does not answer."""
        headers = {"Farm-Secret": self._secret, "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, json.dumps(body).encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise pdg.CookError(f"{self.name}: the farm refuses {method} {path}: {error.read().decode()}") from None

    def _startFarm(self):
        python = self.expandCommandTokens("__PDG_PYTHON__", None)
        program, workers = self["rest_program"].evaluateString(), self["rest_workers"].evaluateInt()
        self._secret = secrets.token_hex(16)
        self._farm = subprocess.Popen(
            [python, program, "--workers", str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._farm.stdin.write(self._secret + "\n")
            self._farm.stdin.flush()
            self._url = json.loads(self._farm.stdout.readline() or "{}")["url"]
        except (OSError, ValueError, KeyError) as error:
            self._stopFarm()
            raise pdg.CookError(
                f"{self.name}: the farm program {program} did not start. Set rest_program to the path of rest_farm.py"
            ) from error

    def _stopFarm(self):
        """End the farm, and with it every job that it still has."""
        farm, self._farm = self._farm, None
        if farm is None:
            return
        with contextlib.suppress(OSError):  # it may have ended already
            farm.stdin.close()
        try:
            farm.wait(SECONDS_TO_ANSWER)
        except subprocess.TimeoutExpired:
            farm.kill()
            farm.wait()
        farm.stdout.close()


class Callback(BaseHTTPRequestHandler):
    """One callback of the farm: a POST with a job's state as JSON, and the job's token in a header."""

    timeout = SECONDS_TO_ANSWER

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", 0))
            if not 0 < length <= LONGEST_BODY:
                raise ValueError("too long, or empty")
            said = json.loads(self.rfile.read(length))
            known = self.server.changed(self.headers.get("Farm-Token", ""), said["state"], float(said["seconds"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            self.send_error(400)
            return
        self.send_response(204 if known else 404)
        self.end_headers()

    def log_message(self, *args):
        """Not every callback is news."""


def registerTypes(type_registry):
    type_registry.registerScheduler(RestCallback, label="REST Callback")
