"""A small real farm on this machine: a directory as its queue, a daemon process that runs the jobs, and its faults.

It does what batch systems do to jobs: it starts them as processes, ends them for taking too long or when asked, loses
nodes, runs jobs again, and is away now and then. Schedulers that talk to an engine are tested against it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

__all__ = ["ProcessFarm"]

_LOOK = 0.02
_DEADLINE = 60.0
#: Between asking a job to end and killing it, in seconds.
KILL_WAIT = 2.0


class ProcessFarm:
    """The farm as its client sees it; any number of clients may use the same folder.

    What a job is: ``id``, ``name``, ``phase`` (queued, running, succeeded, failed, canceled), ``exit``, ``reason``,
    ``runs`` (how often it was started) and ``pid``.
    """

    def __init__(self, folder: str | Path) -> None:
        """The farm in this folder; ``start`` makes it if it is not there."""
        self.folder = Path(folder)
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self, slots: int = 4) -> None:
        """Start its daemon, with so many slots."""
        for name in ("jobs", "orders"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        words = [sys.executable, str(Path(__file__).resolve()), str(self.folder), str(slots)]
        # Both make the directories: a client may come before the daemon has.
        self._daemon = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop(self) -> None:
        """End the daemon and all jobs."""
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(_DEADLINE)
            self._daemon = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- what a client may do; each raises ConnectionError while the farm is away ---------------------------------

    def submit(self, argvs: Sequence[Sequence[str]], names: Sequence[str], **how: Any) -> list[str]:
        """Queue jobs; their ids. ``how``: ``limit`` in seconds, ``requeue`` when its node dies, ``env``."""
        self._answers()
        ids = []
        for argv, name in zip(argvs, names, strict=True):
            number = f"{time.time_ns()}-{secrets.token_hex(2)}"
            job = {"id": number, "name": name, "argv": list(argv), "phase": "queued", "exit": None, "reason": ""}
            _write(self.folder / "jobs" / f"{number}.json", {**job, "runs": 0, "pid": 0, **how})
            ids.append(number)
        return ids

    def jobs(self, ids: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
        """The jobs of these ids, or all; those that are not known are left out."""
        self._answers()
        wanted = None if ids is None else set(ids)
        return {job["id"]: job for job in _jobs(self.folder) if wanted is None or job["id"] in wanted}

    def cancel(self, ids: Iterable[str]) -> None:
        """Have jobs ended: SIGTERM, two seconds, SIGKILL."""
        self._answers()
        for each in ids:
            self._order("cancel", each)

    # -- faults ---------------------------------------------------------------------------------------------------

    def lose_node(self, job: str) -> None:
        """The node of this job dies: its processes are killed; it failed, or is queued again with ``requeue``."""
        self._order("lose", job)

    def forget(self, job: str) -> None:
        """The farm does not know this job any more, though its processes go on."""
        self._order("forget", job)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """The farm does not answer its clients meanwhile; its jobs go on."""
        mark = self.folder / "away"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()

    @contextlib.contextmanager
    def held(self, reason: str) -> Iterator[None]:
        """What is queued stays so meanwhile, for this reason; jobs that run go on."""
        mark = self.folder / "held"
        draft = self.folder / ".held.part"
        draft.write_text(reason, encoding="utf-8")
        draft.replace(mark)
        try:
            yield
        finally:
            mark.unlink()

    def _order(self, what: str, job: str) -> None:
        (self.folder / "orders" / f"{what}.{job}").touch()

    def _answers(self) -> None:
        if (self.folder / "away").exists() or not (self.folder / "jobs").is_dir():
            raise ConnectionError("the farm does not answer")


class _Daemon:
    """Runs what is queued."""

    def __init__(self, folder: Path, slots: int) -> None:
        self.folder, self.slots = folder, slots
        for name in ("jobs", "orders"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ending: dict[str, tuple[float, str, str]] = {}
        self.until: dict[str, float] = {}
        self.over = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "over", True))
        while not self.over:
            self._obey()
            self._reap()
            self._start()
            time.sleep(_LOOK)
        for process in self.running.values():
            _signal(process, signal.SIGTERM)
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(KILL_WAIT)
            _signal(process, signal.SIGKILL)

    def _start(self) -> None:
        for job in sorted(_jobs(self.folder), key=lambda job: str(job["id"])):
            if len(self.running) >= self.slots:
                return
            if job["phase"] != "queued":
                continue
            if held := _text(self.folder / "held"):
                if job["reason"] != held:
                    self._say(job["id"], reason=held)
                continue
            env = {**os.environ, **job.get("env", {}), "FARM_JOB_ID": job["id"]}
            null = subprocess.DEVNULL
            try:
                process = subprocess.Popen(
                    job["argv"], env=env, stdin=null, stdout=null, stderr=null, start_new_session=True
                )
            except OSError as error:
                self._say(
                    job["id"], phase="failed", exit=127, reason=f"cannot start {job['argv'][0]}: {error.strerror}"
                )
                continue
            self.running[job["id"]] = process
            if job.get("limit"):
                self.until[job["id"]] = time.monotonic() + job["limit"]
            self._say(job["id"], phase="running", pid=process.pid, runs=job["runs"] + 1, reason="")

    def _reap(self) -> None:
        now = time.monotonic()
        for each in [each for each, limit in self.until.items() if now > limit]:
            del self.until[each]
            self._end(each, "failed", "time limit")
        for each, process in list(self.running.items()):
            status = process.poll()
            if status is None:
                if each in self.ending and now > self.ending[each][0]:
                    _signal(process, signal.SIGKILL)
                continue
            del self.running[each]
            self.until.pop(each, None)
            _, phase, reason = self.ending.pop(each, (0.0, "failed" if status else "succeeded", ""))
            self._say(each, phase=phase, exit=status, reason=reason)

    def _end(self, job: str, phase: str, reason: str) -> None:
        if job in self.running and job not in self.ending:
            self.ending[job] = (time.monotonic() + KILL_WAIT, phase, reason)
            _signal(self.running[job], signal.SIGTERM)

    def _obey(self) -> None:
        for order in sorted((self.folder / "orders").iterdir()):
            what, _, job = order.name.partition(".")
            path = self.folder / "jobs" / f"{job}.json"
            if what == "forget":
                self.running.pop(job, None)
                path.unlink(missing_ok=True)
            elif what == "lose" and job in self.running:
                again = json.loads(path.read_text(encoding="utf-8")).get("requeue")
                process = self.running.pop(job)
                _signal(process, signal.SIGKILL)
                process.wait()
                self._say(job, phase="queued" if again else "failed", reason="" if again else "node failure")
            elif what == "cancel" and job in self.running:
                self._end(job, "canceled", "deleted")
            elif what == "cancel" and path.exists():
                self._say(job, phase="canceled", reason="deleted")
            order.unlink()

    def _say(self, job: str, **news: Any) -> None:
        path = self.folder / "jobs" / f"{job}.json"
        if path.exists():
            _write(path, {**json.loads(path.read_text(encoding="utf-8")), **news})


def _jobs(folder: Path) -> Iterator[dict[str, Any]]:
    for path in (folder / "jobs").glob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            yield json.loads(path.read_text(encoding="utf-8"))


def _text(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8")
    return ""


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


if __name__ == "__main__":
    _Daemon(Path(sys.argv[1]), int(sys.argv[2])).run()
