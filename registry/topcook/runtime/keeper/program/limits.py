"""Jobs with limits on memory and CPUs: by a cgroup where one may be made, else by what the system offers a process.

``posix_spawn`` can set none of this, so such a job is forked, and limits itself before it becomes the command.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

from .cgroups import CPU, MEMORY, Cgroup, Cgroups, find_home
from .spawn import RESET_SIGNALS

#: A process that heeds no SIGXCPU is killed after so many seconds of CPU time more.
_CPU_GRACE = 2
#: The peak of a job that ran into its limit is at least this part of it: the rest went unused, or to be shared.
_NEAR = 0.85
#: Between two looks at the CPU time of a cgroup, in seconds.
_SHORTEST_LOOK, _LONGEST_LOOK = 0.2, 30.0
_SHELL_SIGNAL = 128
_NO_CGROUP = "no cgroup can be made, and limits hold for each process of a job by itself"
_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


class Limits(NamedTuple):
    """What a job may use: bytes of memory, CPUs at a time, seconds of CPU time; 0 is no limit."""

    memory: int
    cpus: float
    cpu_time: float


class Limited:
    """A job with limits."""

    __slots__ = ("cgroup", "cpus", "killed", "limits", "pid")

    def __init__(self, limits: Limits) -> None:
        """It has not begun."""
        self.limits = limits
        self.cgroup: Cgroup | None = None
        #: The CPUs that it may run on, where that is how it is limited.
        self.cpus: tuple[int, ...] = ()
        self.pid = 0
        #: Whether it was ended for its CPU time.
        self.killed = False


class Limiter:
    """The limits of a keeper's jobs; where there are none nothing is asked of it."""

    def __init__(self, keeper_id: str, say: Callable[[str], None]) -> None:
        """Look for cgroups when the first job needs them; ``say`` what cannot be had."""
        self._say = say
        self.jobs: dict[str, Limited] = {}
        #: When to look at the CPU time of cgroups; 0: nobody has to be looked at.
        self.look_at = 0.0
        self._keeper_id = keeper_id
        self._cgroups: Cgroups | None = None
        self._sought = False
        #: How many jobs were put on each CPU.
        self._load: dict[int, int] = {}

    def add(self, fields: list[bytes]) -> None:
        """Take the limits of a job (a LIMITS message, its first field dropped)."""
        token, memory, cpus, cpu_time = fields
        self.jobs[token.decode("ascii")] = Limited(Limits(int(memory), float(cpus), float(cpu_time)))

    def prepare(self, token: str) -> Callable[[], None] | None:
        """What the job's process has to call before it becomes the command; None for one without limits."""
        job = self.jobs.get(token)
        if job is None:
            return None
        if job.cgroup is None:
            job.cgroup = self._cgroup(job.limits)
        cgroup, controllers = job.cgroup, self._cgroups.controllers if self._cgroups is not None else frozenset()
        if job.limits.cpus and (cgroup is None or CPU not in controllers) and not job.cpus:
            job.cpus = self._choose_cpus(job.limits.cpus)
        memory = 0 if cgroup is not None and MEMORY in controllers else job.limits.memory

        def confine() -> None:
            if cgroup is not None:
                cgroup.join()
            if job.cpus:
                os.sched_setaffinity(0, job.cpus)
            if job.limits.cpu_time:
                seconds = max(math.ceil(job.limits.cpu_time), 1)
                _lower(resource.RLIMIT_CPU, seconds, seconds + _CPU_GRACE)
            if memory:
                # What a process only reserves, and files that it maps, do not count as data: fewer are hit wrongly.
                _lower(resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS, memory, memory)

        return confine

    def started(self, token: str, pid: int) -> None:
        """The job runs."""
        job = self.jobs[token]
        job.pid = pid
        if job.cgroup is not None and job.limits.cpu_time:
            soon = time.monotonic() + _SHORTEST_LOOK
            self.look_at = min(self.look_at or soon, soon)

    def look(self) -> None:
        """End cgroups that have used up their CPU time, and see when the next one could have."""
        now = time.monotonic()
        if not self.look_at or now < self.look_at:
            return
        waits = []
        for job in self.jobs.values():
            if job.cgroup is None or not job.pid or not job.limits.cpu_time:
                continue
            left = job.limits.cpu_time - job.cgroup.cpu_time
            if left <= 0:
                job.killed = True
                if not job.cgroup.kill():
                    _kill_group(job.pid)
            most = job.limits.cpus or os.cpu_count() or 1
            waits.append(min(max(left / most, _SHORTEST_LOOK), _LONGEST_LOOK))
        self.look_at = now + min(waits) if waits else 0.0

    def ended(self, token: str, status: int | None, peak: int, cpu: float) -> str:
        """Forget a job; what its limits had to do with its end, empty when nothing."""
        job = self.jobs.pop(token, None)
        if job is None:
            return ""
        for number in job.cpus:
            self._load[number] -= 1
        told = ""
        if status:
            told = _told(job, status, peak, cpu)
        if job.cgroup is not None and self._cgroups is not None:
            self._cgroups.drop(job.cgroup)
        return told

    def close(self) -> None:
        """Remove the cgroups."""
        if self._cgroups is not None:
            self._cgroups.close()

    def _cgroup(self, limits: Limits) -> Cgroup | None:
        if not self._sought:
            self._sought = True
            home, controllers = find_home()
            if home:
                try:
                    self._cgroups = Cgroups(home, controllers, self._keeper_id)
                except OSError as error:
                    self._say(f"{_NO_CGROUP}: {error}")
        if self._cgroups is None:
            return None
        try:
            cgroup = self._cgroups.make()
            controllers = self._cgroups.controllers
            cgroup.limit(
                limits.memory if MEMORY in controllers else 0,
                limits.cpus if CPU in controllers else 0,
            )
        except OSError as error:
            self._say(f"{_NO_CGROUP}: {error}")
            return None
        return cgroup

    def _choose_cpus(self, wanted: float) -> tuple[int, ...]:
        """So many of the CPUs that the fewest limited jobs were put on; none where the system cannot bind a process."""
        if not hasattr(os, "sched_getaffinity"):
            return ()
        allowed = sorted(os.sched_getaffinity(0), key=lambda number: (self._load.get(number, 0), number))
        chosen = tuple(allowed[: max(math.ceil(wanted), 1)])
        for number in chosen:
            self._load[number] = self._load.get(number, 0) + 1
        return chosen


def fork_exec(path: bytes, argv: list[bytes], env: Mapping[bytes, bytes], log: int, confine: Callable[[], None]) -> int:
    """Start a command as ``posix_spawn`` would, limited by what ``confine`` does in it first; returns the pid.

    Raises OSError as the failing call in the new process did.
    """
    reader, writer = os.pipe()
    try:
        pid = os.fork()
        if not pid:
            _become(path, argv, env, log, confine, writer)
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    with open(reader, "rb") as told:
        # Closed by the exec, so that nothing comes when all went well.
        number = told.read()
    if number:
        os.waitpid(pid, 0)
        raise OSError(int(number), os.strerror(int(number)))
    return pid


def _become(
    path: bytes, argv: list[bytes], env: Mapping[bytes, bytes], log: int, confine: Callable[[], None], writer: int
) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        for number in RESET_SIGNALS:
            # Those that are handled the exec resets.
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.setsid()
        os.dup2(log, 1)
        os.dup2(log, 2)
        confine()
        os.execve(path, argv, env)  # noqa: S606 - no shell between, as for every job
    except OSError as error:
        os.write(writer, b"%d" % (error.errno or 0))
    except BaseException:  # noqa: BLE001 - whatever it is, this process must not come back into the keeper's loop
        os.write(writer, b"12")  # ENOMEM: Python raises MemoryError without a number
    finally:
        os._exit(127)


def _lower(kind: int, soft: int, hard: int) -> None:
    """Set a limit of this process, never above one that it has already."""
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def _told(job: Limited, status: int, peak: int, cpu: float) -> str:
    limits = job.limits
    number = -status if status < 0 else status - _SHELL_SIGNAL
    if limits.cpu_time and (
        job.killed or number == signal.SIGXCPU or (number == signal.SIGKILL and cpu >= limits.cpu_time)
    ):
        return f"used more than {limits.cpu_time:g} s of CPU time, its limit"
    if not limits.memory:
        return ""
    of_cgroup = job.cgroup.peak if job.cgroup is not None else 0
    how = f"its limit is {size_text(limits.memory)} (peak {size_text(of_cgroup or peak)})"
    if job.cgroup is not None and job.cgroup.was_out_of_memory:
        return f"out of memory: {how}"
    if job.cgroup is not None and of_cgroup:
        return ""
    if peak >= _NEAR * limits.memory:
        return f"out of memory: {how}"
    # Refused memory is no signal: what the program makes of it only its log tells.
    end = f"ended by signal {-status}" if status < 0 else f"exit status {status}"
    return f"{end}, perhaps for want of memory: {how}"


def size_text(count: float) -> str:
    """A number of bytes for people: ``2 GiB``, ``1.5 MiB``."""
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{int(count)} bytes"


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
