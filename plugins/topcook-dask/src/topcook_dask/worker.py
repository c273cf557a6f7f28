"""What runs on a Dask worker: this file lies in the script directory, and is loaded there by its path.

Workers need neither Topcook nor the version of it that the cook has. So that a cook finds the jobs of an earlier
session, which brought another version of this file, what is shared by all of them is a module without code.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import socket
import sys
import threading
import time
import types
from collections.abc import Iterable
from typing import Any

import msgpack  # type: ignore[import-untyped]
from distributed import get_worker

#: How many tokens are kept of jobs that were canceled and may yet begin.
_MOST_REFUSED = 100_000
#: Seconds that what is said may wait for more: where little is said, and where one event follows another.
_MOMENT, _LONG_MOMENT = 0.02, 0.05
#: Job files that are kept, each of so many bytes at most.
_MOST_FILES, _MOST_BYTES = 8, 8 << 20

_HERE = os.path.dirname(os.path.abspath(__file__))
_modules: dict[str, Any] = {}
_mailboxes: dict[str, _Mailbox] = {}
_files: dict[str, bytes] = {}
_kinds: dict[str, Any] = {}
#: The file for the ends of this process, beside those of the others.
_ENDS = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}.ends"


def _shared() -> Any:
    """What there is once in this process, whichever versions of this file are loaded."""
    # Invariant: what its first version has put into it, all later ones keep.
    shared = sys.modules.get("_topcook_jobs")
    if shared is None:
        shared = types.ModuleType("_topcook_jobs")
        new: Any = shared
        new.lock, new.jobs, new.refused, new.guards = threading.Lock(), {}, {}, {}
        shared = sys.modules.setdefault("_topcook_jobs", shared)
    return shared


def run(jobs: str, index: int, topic: str) -> list[Any]:
    """Run one job of a job file in this thread; its end: state, exit status, reason."""
    wrapper, python = _scripts()
    spec = wrapper.read_job(jobs, index, _read(jobs))
    name = "python" if "python" in spec else "job"
    kind = _kinds.get(name)
    if kind is None:
        known = python.PythonJob if name == "python" else wrapper.Job
        kind = _kinds.setdefault(name, type("Job", (_Kept, known), {"wrapper": wrapper}))
    # One whose worker died after it had ended, before Dask heard of it, tells that and does not run.
    return _run(kind(spec, _guard(wrapper), _reports(wrapper, spec, topic)))


class _Kept:
    """Has a job's end in one file with all of this process: no file is made, renamed and removed for each.

    That it has begun before is known by its log, in which each run has a heading.
    """

    wrapper: Any
    _has_begun = _without_log = False

    def _ended_before(self: Any) -> Any:
        self._has_begun = _has_begun(self.spec.get("log", ""), self.token) or os.path.exists(self._began)
        if self._has_begun:
            said = _end_of(os.path.dirname(self.end_file), self.token)
            if said:
                # As the wrapper reads it.
                self.wrapper.write_end(self.end_file, said)
        return super()._ended_before() if self._has_begun else 0.0  # type: ignore[misc]

    def _open_log(self: Any, began: float) -> Any:
        log, complaint = super()._open_log(began)  # type: ignore[misc]
        self._without_log = bool(complaint)
        return log, complaint

    def _begin_again(self: Any) -> None:
        if self._has_begun:
            with contextlib.suppress(OSError), open(self._began, "ab"):
                pass
        if self._has_begun or self._without_log:
            super()._begin_again()  # type: ignore[misc]

    def _write_down(self: Any, said: dict[str, Any]) -> Any:
        path = os.path.join(os.path.dirname(self.end_file), _ENDS)
        # A line that a full disk has cut is ended by the next one's beginning.
        text = f"\n{json.dumps(self.token)}\t{json.dumps(said)}\n".encode()
        with contextlib.suppress(OSError):
            # Not by open(), which asks three things more of the system.
            stream = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                if os.write(stream, text) == len(text):
                    return True
            finally:
                os.close(stream)
        return super()._write_down(said)  # type: ignore[misc]


def _has_begun(log: str, token: str) -> bool:
    """Whether a log has the heading of a run of this attempt."""
    mark, rest = f"topcook: {token} on ".encode("utf-8", "backslashreplace"), b""
    with contextlib.suppress(OSError), open(log, "rb") as stream:
        while data := stream.read(1 << 20):
            rest = rest[-len(mark) :] + data
            if mark in rest:
                return True
    return False


def _end_of(folder: str, token: str) -> Any:
    """The end that some process here has written down of this attempt; ``None`` when none has."""
    mark = f"\n{json.dumps(token)}\t".encode()
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(".ends"):
            with contextlib.suppress(OSError, ValueError), open(os.path.join(folder, name), "rb") as stream:
                _, found, rest = stream.read().rpartition(mark)
                if found:
                    return json.loads(rest.partition(b"\n")[0])
    return None


def _run(job: Any) -> list[Any]:
    shared = _shared()
    with shared.lock:
        refused = shared.refused.pop(job.token, None)
        shared.jobs[job.token] = job
    if refused is not None:
        job.cancel(refused)
    try:
        job.run()
    finally:
        with shared.lock:
            shared.jobs.pop(job.token, None)
    return [job.state, job.exit, job.reason]


def cook(name: str, argv: list[str], cwd: str, log: str, env: dict[str, str]) -> list[Any]:
    """Cook a whole network as a process; its end: state, exit status, reason."""
    wrapper, _ = _scripts()
    spec = {"token": name, "argv": argv, "cwd": cwd, "log": log, "env": env}
    nobody = wrapper.Cook(spec)
    nobody.where = lambda: ("", "")
    return _run(wrapper.Job(spec, _guard(wrapper), nobody))


def cancel(tokens: Iterable[str], reason: str) -> list[str]:
    """End these jobs, and let none of them begin; comes back at once with those that run here."""
    shared = _shared()
    running = []
    with shared.lock:
        for token in tokens:
            job = shared.jobs.get(token)
            if job is None:
                # Its task may be on its way to this worker.
                shared.refused[token] = reason
            else:
                running.append((token, job))
        while len(shared.refused) > _MOST_REFUSED:
            shared.refused.pop(next(iter(shared.refused)))
    for _, job in running:
        job.cancel(reason)
    return [token for token, _ in running]


def here(tokens: Iterable[str]) -> list[str]:
    """Those of these jobs that run in this process."""
    shared = _shared()
    with shared.lock:
        return [token for token in tokens if token in shared.jobs]


def _reports(wrapper: Any, spec: dict[str, Any], topic: str) -> Any:
    """The job's way to the cook: by Dask's own connection, which is there already."""
    cook = wrapper.Cook(spec)
    token, say = spec["token"], _mailbox(topic).say
    # Nobody says whether it was heard: what is written down of the end stays.
    cook.records = False
    cook.where = lambda: (topic, "")
    cook.call = lambda words: say(token, words)
    return cook


class _Mailbox:
    """What is said on a topic within a moment is one event: each costs the worker, the scheduler and the cook."""

    def __init__(self, topic: str) -> None:
        self._worker = get_worker()
        self._topic = topic
        self._said: list[Any] = []
        self._sent = 0.0
        self._lock = threading.Lock()

    def say(self, token: str, words: list[Any]) -> None:
        """Words that Dask cannot send go as their JSON: it would take leave of this worker."""
        said: Any = words
        try:
            msgpack.packb(words)
        except (ValueError, TypeError, OverflowError, RecursionError):
            # A name that is no UTF-8, a number of more than 64 bits.
            said = json.dumps(words)
        with self._lock:
            self._said.append([token, said])
            if len(self._said) > 1:
                return
        # From any thread; timers are the loop's own.
        loop = self._worker.loop
        moment = _LONG_MOMENT if time.monotonic() - self._sent < _LONG_MOMENT else _MOMENT
        loop.add_callback(loop.call_later, moment, self._send)

    def _send(self) -> None:
        with self._lock:
            said, self._said = self._said, []
            self._sent = time.monotonic()
        self._worker.log_event(self._topic, {"said": said})


def _mailbox(topic: str) -> _Mailbox:
    found = _mailboxes.get(topic)
    if found is None:
        found = _mailboxes.setdefault(topic, _Mailbox(topic))
    return found


def _read(path: str) -> bytes:
    """A job file, which many tasks have their job in."""
    found = _files.get(path)
    if found is None:
        with open(path, "rb") as stream:
            found = stream.read()
        if len(found) <= _MOST_BYTES:
            if len(_files) >= _MOST_FILES:
                _files.clear()
            _files[path] = found
    return found


def _scripts() -> tuple[Any, Any]:
    """The wrapper, and its kin for Python; both at once, as the directory may be gone when another cook needs them."""
    for name in ("jobwrapper", "pythonjob"):
        if name not in _modules:
            _modules[name] = _loaded(f"{__name__}_{name}", os.path.join(_HERE, f"{name}.py"))
    return _modules["jobwrapper"], _modules["pythonjob"]


def _loaded(name: str, path: str) -> Any:
    module = sys.modules.get(name)
    if module is None:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module = sys.modules.setdefault(name, module)
    return module


def _guard(wrapper: Any) -> Any:
    """The process that ends this one's jobs when this one is killed; one for each version of the wrapper."""
    shared = _shared()
    with shared.lock:
        guard = shared.guards.get(wrapper.__name__)
        if guard is None:
            guard = shared.guards[wrapper.__name__] = wrapper.Guard()
    return guard
