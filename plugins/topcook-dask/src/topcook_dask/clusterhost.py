"""The process that holds a cluster which a cook has started: it ends the cluster when the cook is gone, however.

Run by its path (``startedcluster.py`` does); needs distributed, and dask-jobqueue for batch systems, and nothing of
Topcook but what lies beside it.
It reads one line of JSON, what ``cluster_spec`` says, and holds the cluster until its standard input ends or SIGTERM
comes. It writes lines of JSON:

``{"address", "dashboard", "tls"}``     once, when the scheduler listens and workers are started or submitted
``{"failed"}``                          instead: why not, and the end
``{"workers", "absent"}``               on each change: how many have come, and in words what has not
``{"problem"}``                         what somebody should know
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

# Not the directory of this file itself: what lies there would hide libraries of the same names.
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from topcook_dask.asking import ask
from topcook_dask.batchjob import job_class, words_of

#: Seconds between two looks at what has changed.
_LOOK = 0.5
#: Seconds without its worker, after which a job is asked for; and from one time to the next.
_ASK_AFTER, _ASK_EVERY = 5.0, 5.0
#: A job whose worker never came is replaced so many times in a row.
_TRIES = 3
#: Seconds for a cluster to end.
_CLOSE = 20.0
#: Seconds that a task counts, for scaling, whose duration Dask does not know yet: render farms' items take their time.
_UNKNOWN = "10s"
Tell = Callable[..., None]


class Jobs:
    """What has been submitted, and what came of it."""

    def __init__(self, kind: str, logs: str, tell: Tell) -> None:
        """``logs`` is where what jobs print lies, where that is known."""
        self.kind, self.logs, self.tell = kind, logs, tell
        self.submitted: dict[str, float] = {}
        self.failures: list[str] = []
        self._said: dict[str, str] = {}
        self._come: set[str] = set()
        self._asked = 0.0
        self._lost = 0

    def failed(self, why: str) -> None:
        """A submission did not succeed."""
        if why not in self.failures:
            self.tell(problem=why)
        self.failures.append(why)

    async def look(self, cluster: Any) -> None:
        """Ask for jobs whose workers have not come, and let go those that the engine does not know."""
        here = {str(each.name) for each in cluster.scheduler.workers.values()}
        absent, waiting = {}, []
        for name, job in cluster.workers.items():
            # With several workers a job, each has the job's name and a number.
            if any(each == str(name) or each.startswith(f"{name}-") for each in here):
                self._lost = 0
                self._come.add(job.job_id)
            elif job.job_id:
                absent[name] = job.job_id
            elif self.failures:
                waiting = [f"no job: {self.failures[-1]}"]
        now = time.monotonic()
        late = {name: job for name, job in absent.items() if now - self.submitted.get(job, now) > _ASK_AFTER}
        if late and now - self._asked > _ASK_EVERY:
            self._asked = now
            await self._ask(cluster, late)
        waiting += [f"{job} ({said})" if (said := self._said.get(job)) else job for job in absent.values()]
        self.tell(workers=len(here), absent=waiting)

    async def _ask(self, cluster: Any, late: dict[str, str]) -> None:
        answer = await ask(self.kind, late.values())
        self._said |= answer.said
        for name, job in late.items():
            if job in answer.ended:
                self._said[job] = "ended"
                if self._replaces(job):
                    # The next adaption finds it missing.
                    cluster.workers.pop(name, None)

    def _replaces(self, job: str) -> bool:
        """Say that a job has ended that nobody has ended; whether another is worth it."""
        if job in self._come:
            self.tell(problem=f"the job {job} of a worker has ended; another is submitted")
            return True
        self._lost += 1
        goes_on = self._lost < _TRIES
        where = f": see {self.logs}" if self.logs else ""
        then = "another is submitted" if goes_on else "no other is submitted for it"
        self.tell(problem=f"the job {job} has ended before its worker came{where}; {then}")
        return goes_on


def _steady_class(adaptive: Any, count: int, idle: float) -> Any:
    """So many workers while there is something to do, and until there has been nothing for some time."""

    class Steady(adaptive):  # type: ignore[misc]
        _busy = time.monotonic()

        async def target(self) -> int:
            scheduler = self.cluster.scheduler
            now = time.monotonic()
            working = any(each.processing for each in scheduler.workers.values())
            if working or scheduler.queued or scheduler.unrunnable:
                self._busy = now
            return count if idle <= 0 or now - self._busy < idle else 0

    return Steady


def _security(tls: Any) -> Any:
    from distributed import Security

    if tls is True:
        return Security.temporary()
    if not tls:
        return None
    files = {"tls_ca_file": tls["ca"], "require_encryption": True}
    for role in ("client", "scheduler", "worker"):
        files |= {f"tls_{role}_cert": tls["cert"], f"tls_{role}_key": tls["key"]}
    return Security(**files)


async def _hold(spec: dict[str, Any], ended: asyncio.Event, tell: Tell) -> None:
    import dask.config
    from distributed.deploy.adaptive import Adaptive

    module, _, name = spec["class"].rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    security = _security(spec["tls"])
    options = {**spec["options"], "security": security, "asynchronous": True}
    jobs = Jobs(spec["kind"], options.get("log_directory", ""), tell)
    is_local = spec["kind"] == "local"
    if not is_local:
        options["job_cls"] = job_class(cls.job_cls, jobs)
    if dask.config.get("distributed.scheduler.unknown-task-duration") == "500ms":
        dask.config.set({"distributed.scheduler.unknown-task-duration": _UNKNOWN})
    cluster = cls(**options)
    try:
        await cluster
        if spec["maximum"]:
            cluster.scale(spec["minimum"])
            patience = max(1, math.ceil(spec["idle"]))
            cluster.adapt(minimum=spec["minimum"], maximum=spec["maximum"], interval="1s", wait_count=patience)
        elif not is_local:
            cluster.scale(spec["count"])
            steady = _steady_class(Adaptive, spec["count"], spec["idle"])
            cluster.adapt(Adaptive=steady, minimum=0, maximum=spec["count"], interval="1s", wait_count=1)
        await cluster
        if jobs.failures and not jobs.submitted:
            tell(failed=jobs.failures[0])
            return
        tell(address=cluster.scheduler.address, dashboard=cluster.dashboard_link, tls=_certificates(security))
        while not ended.is_set():
            if is_local:
                tell(workers=len(cluster.scheduler.workers), absent=[])
            else:
                await jobs.look(cluster)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _LOOK)
    finally:
        await asyncio.wait_for(cluster.close(), _CLOSE)


def _certificates(security: Any) -> dict[str, str]:
    """What a client needs: files, or what would be in them."""
    return dict(security.get_tls_config_for_role("client")) if security else {}


async def _serve(spec: dict[str, Any], tell: Tell) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)

    def leash() -> None:
        # Ends with the cook, also one that is killed: nobody else has the other end.
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):  # we have ended ourselves
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=leash, daemon=True).start()
    await _hold(spec, ended, tell)


def _teller(channel: int) -> Tell:
    last: dict[str, Any] = {}

    def tell(**said: Any) -> None:
        if "workers" in said:
            if said == last:
                return
            last.update(said)
        with contextlib.suppress(OSError):  # nobody listens any more
            os.write(channel, (json.dumps(said) + "\n").encode())

    return tell


def main() -> int:
    """Hold one cluster."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = os.dup(1)
    os.set_inheritable(channel, False)
    # What libraries print is no message.
    os.dup2(2, 1)
    tell = _teller(channel)
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 65536)
        if not more:
            return 1
        line += more
    try:
        asyncio.run(_serve(json.loads(line), tell))
    except Exception as error:
        tell(failed=words_of(error))
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
