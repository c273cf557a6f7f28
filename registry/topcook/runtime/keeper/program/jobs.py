"""The keeper's jobs: queued in pools of slots, running, reaped."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import wire
from .processes import MARK
from .record import Record, boot_clock
from .spawn import NotStartedError, Spawner

if TYPE_CHECKING:
    from .limits import Limiter
    from .slots import MachineSlots

#: How long a command is tried again while the machine is short of processes, memory or descriptors.
PATIENCE = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_MARK = MARK.encode()
#: Linux counts memory in KiB, macOS in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Job:
    """One command of the engine's: queued while ``pid`` is 0."""

    __slots__ = ("argv", "changes", "cwd", "env", "give_up", "log", "name", "pid", "pool", "reason", "token", "weight")

    def __init__(self, fields: list[bytes]) -> None:
        """Read a START message, its first field dropped."""
        #: The token as it travels.
        self.name, self.pool, weight, self.cwd, self.log, env, count = fields[:7]
        self.token = self.name.decode("ascii")
        self.weight = int(weight)
        self.env = int(env)
        end = 7 + int(count)
        self.argv = fields[7:end]
        self.changes = fields[end:]
        self.pid = 0
        self.reason = ""
        self.give_up = 0.0


class Pool:
    """Slots that the jobs of one scheduler share; 0 slots: no limit."""

    __slots__ = ("queue", "slots", "used")

    def __init__(self) -> None:
        """Start empty and without limit."""
        self.slots = 0
        self.used = 0
        self.queue: deque[Job] = deque()

    def fits(self, job: Job) -> bool:
        """Whether the job may start now; one that is wider than the pool runs alone."""
        return not self.slots or self.used + job.weight <= self.slots or not self.used


class Jobs:
    """All jobs of this keeper; ``report`` takes messages for the engine."""

    def __init__(self, keeper_id: str, record: Record, report: Callable[[list[bytes]], None]) -> None:
        """Start with none."""
        self.keeper_id = keeper_id
        self._name = keeper_id.encode()
        self.record = record
        self.report = report
        self.running: dict[int, Job] = {}
        self.started_at: dict[int, float] = {}
        self.pools: dict[bytes, Pool] = {}
        self.retry_at = 0.0
        self._pause = _FIRST_PAUSE
        self._environments: dict[int, dict[bytes, bytes]] = {}
        self._spawner = Spawner()
        #: Made with the first job that has limits.
        self.limiter: Limiter | None = None
        #: The slots shared with other keepers, where they share any.
        self.machine: MachineSlots | None = None
        #: What is not told of yet, in order: (job, when, its wait status and usage, or None and the boot clock just
        #: before it started).
        self._untold: list[tuple[Job, float, int | None, Any]] = []

    @property
    def queued(self) -> bool:
        """Whether a job waits for a slot."""
        return any(pool.queue for pool in self.pools.values())

    @property
    def supplied(self) -> bool:
        """Whether jobs run, and for each slot of theirs another waits, at least."""
        busy = [pool for pool in self.pools.values() if pool.used]
        return bool(busy) and all(len(pool.queue) >= max(pool.slots, 1) for pool in busy)

    def pool(self, name: bytes) -> Pool:
        """The pool of that name, made when first named."""
        pool = self.pools.get(name)
        if pool is None:
            pool = self.pools[name] = Pool()
        return pool

    def add_environment(self, fields: list[bytes]) -> None:
        """Keep a base environment (an ENV message, its first field dropped)."""
        pairs = (row.partition(b"=") for row in fields[1:])
        self._environments[int(fields[0])] = {name: value for name, _, value in pairs}

    def limit(self, fields: list[bytes]) -> None:
        """Keep the limits of a job that comes next (a LIMITS message, its first field dropped)."""
        if self.limiter is None:
            from .limits import Limiter

            self.limiter = Limiter(self.keeper_id, self._say)
        self.limiter.add(fields)

    def add(self, job: Job) -> None:
        """Queue a job behind the others of its pool."""
        self.pool(job.pool).queue.append(job)

    def fill(self) -> bool:
        """Start what fits, first come first served in each pool; answers whether any has started."""
        if self.retry_at and time.monotonic() < self.retry_at:
            return False
        before = len(self._untold)
        self.retry_at = 0.0
        for pool in self.pools.values():
            queue = pool.queue
            while queue and not self.retry_at and pool.fits(queue[0]):
                if self.machine is not None and not self.machine.take(queue[0].weight):
                    break
                self._start(pool, queue.popleft())
        return len(self._untold) > before

    def share(self, directory: str, count: int) -> None:
        """Share slots with other keepers on this machine; where that cannot be, go on without."""
        from .slots import MachineSlots

        try:
            self.machine = MachineSlots(directory, count, self.keeper_id)
        except OSError as error:
            self._say(f"the slots of this machine are not shared with other cooks: {error}")

    def _say(self, text: str) -> None:
        self.report([wire.NOTE, text.encode(errors="surrogateescape")])

    def settle(self, machine: MachineSlots) -> None:
        """Give back what no job of ours needs, or waits for."""
        machine.settle(waiting=any(pool.queue and pool.fits(pool.queue[0]) for pool in self.pools.values()))

    def _start(self, pool: Pool, job: Job) -> None:
        boot, at = boot_clock(), time.monotonic()
        confine = self.limiter.prepare(job.token) if self.limiter is not None else None
        try:
            pid = self._spawner.spawn(job.argv, self._environment_of(job), job.cwd, job.log, confine)
        except NotStartedError as error:
            if self.machine is not None:
                self.machine.give(job.weight)
            if error.passing and not self._give_up(job, at):
                pool.queue.appendleft(job)
                self.retry_at = at + self._pause
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            else:
                self.end(job, error.status, error.reason)
            return
        self._pause = _FIRST_PAUSE
        if confine is not None and self.limiter is not None:
            self.limiter.started(job.token, pid)
        job.pid = pid
        pool.used += job.weight
        self.running[pid] = job
        self.started_at[pid] = at
        self._untold.append((job, at, None, boot))

    def _give_up(self, job: Job, now: float) -> bool:
        if not job.give_up:
            job.give_up = now + PATIENCE
        return now >= job.give_up

    def _environment_of(self, job: Job) -> dict[bytes, bytes]:
        env = dict(self._environments.get(job.env, ()))
        for change in job.changes:
            name, equals, value = change.partition(b"=")
            if equals:
                env[name] = value
            else:
                env.pop(name, None)
        env[_MARK] = b"%b/%b/%b" % (self._name, job.pool, job.name)
        return env

    def reap(self) -> None:
        """Take every child that ended, jobs and what jobs left behind; ``tell`` tells of them.

        That comes after ``fill``: a slot that came free waits for nothing.
        """
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            job = self.running.pop(pid, None)
            if job is None:
                continue
            del self.started_at[pid]
            self.pools[job.pool].used -= job.weight
            if self.machine is not None:
                self.machine.give(job.weight)
            self._untold.append((job, time.monotonic(), status, usage))
            # A place is free again, whatever it was that was short.
            self.retry_at = 0.0

    def tell(self) -> None:
        """Record and report the ends and starts since this was last called."""
        for job, at, status, more in self._untold:
            if status is None:
                self.record.started(job.token, job.pid, more, at)
                self.report([wire.STARTED, job.name, b"%d" % job.pid, b"%.6f" % at])
            else:
                code, cpu = os.waitstatus_to_exitcode(status), more.ru_utime + more.ru_stime
                self._ended(job, code, at, job.reason, more.ru_maxrss * _RSS_UNIT, cpu)
        self._untold.clear()

    def end(self, job: Job, status: int | None, reason: str = "") -> None:
        """Record and report the end of a job that never ran."""
        self._ended(job, status, time.monotonic(), reason, 0, 0.0)

    def _ended(self, job: Job, status: int | None, at: float, reason: str, max_rss: int, cpu: float) -> None:
        if self.limiter is not None:
            by_limits = self.limiter.ended(job.token, status, max_rss, cpu)
            reason = reason or by_limits
        # A job that was ended on purpose tells nothing of its item: who goes on and had not heard of it cooks it again.
        known = None if status and reason.startswith(wire.CANCELED) else status
        self.record.ended(job.token, known, at, max_rss, cpu)
        told = b"" if status is None else b"%d" % status
        self.report(
            [
                wire.ENDED,
                job.name,
                told,
                b"%.6f" % at,
                reason.encode(errors="surrogateescape"),
                b"%d" % max_rss,
                b"%.6f" % cpu,
            ]
        )

    def drop_queued(self, chosen: Callable[[Job], bool], reason: str) -> None:
        """Forget the queued jobs that ``chosen`` picks; each ends without a status."""
        for pool in self.pools.values():
            dropped = [job for job in pool.queue if chosen(job)]
            if dropped:
                pool.queue = deque(job for job in pool.queue if not chosen(job))
                for job in dropped:
                    self.end(job, None, reason)
