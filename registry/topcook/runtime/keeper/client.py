"""The engine's side of the keeper: jobs out, starts and ends in.

``KeeperProcess`` is the one connection of a cook; each local scheduler has a ``KeeperPool`` on it, which is the
``JobKeeper`` that its host hands out. All methods may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from topcook.contract.host import JobEnd, LocalJob
from topcook.errors import CookRefusedError
from topcook.runtime.keeper import aftermath, launch
from topcook.runtime.keeper.encode import Environments, limits_message, start_message
from topcook.runtime.keeper.program import cancel as keeper_cancel
from topcook.runtime.keeper.program import wire

#: What a keeper may take beyond grace and patience before it counts as hung.
_SLACK = 15.0
#: More than 128 KiB at once would be mapped, and unmapped, for each read.
_CHUNK = 1 << 16
#: How long, in seconds, and up to how many bytes jobs that may go out later are gathered.
_GATHER, _GATHERED = 0.002, 1 << 16


class KeeperProcess:
    """One keeper process, started when the first job comes.

    ``directory`` holds its record (see ``record``). When it dies unexpectedly, what it ran is killed and each job
    ends without a status; the next job starts a new keeper. ``on_error`` hears of callbacks that raised.
    """

    def __init__(
        self,
        directory: str,
        *,
        die_with_parent: bool = False,
        on_error: Callable[[str], None] | None = None,
        machine: tuple[str, int] | None = None,
    ) -> None:
        """Nothing is started or written yet. ``machine``: directory and number of the slots that all keepers share."""
        self._machine = machine
        self.directory = os.path.abspath(directory)
        self._die_with_parent = die_with_parent
        self._on_error = on_error
        #: Around each piece of what the keeper says.
        self.together: AbstractContextManager[object] = contextlib.nullcontext()
        self._lock = threading.RLock()
        self._connection: launch.Connection | None = None
        self._reader: threading.Thread | None = None
        self._environments = Environments()
        self._pools: dict[str, int] = {}
        self._jobs: dict[str, LocalJob] = {}
        self._pids: dict[str, tuple[int, float]] = {}
        self._requests: dict[bytes, _Request] = {}
        #: Messages that may go out later, their bytes, and when the first of them came.
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._gathered_since = 0.0
        self._closing = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process, None before the first job."""
        return self._connection.pid if self._connection else None

    def pool(self, name: str) -> KeeperPool:
        """The jobs of one scheduler; ask for it once."""
        return KeeperPool(self, name)

    def attach(self) -> dict[str, tuple[int, float]] | None:
        """Connect to the keeper an earlier engine left in the directory: its running jobs, token to (pid, started).

        None when there is none; ``adopt`` each of the jobs to hear of its end.
        """
        with self._lock:
            connection = launch.find_keeper(self.directory, die_with_parent=self._die_with_parent)
            if connection is None:
                return None
            listed = threading.Event()
            # The answer to a request comes after the list of running jobs, so the list is complete then.
            request = self._requests[b"attach"] = _Request(listed)
            self._connect(connection)
            self._send(wire.pack([wire.CANCEL, b"attach", b"0", b"", b"no-such-job"]))
        listed.wait(_SLACK)
        self._requests.pop(b"attach", None)
        return dict(self._pids) if not request.lost else None

    def runs(self, token: str) -> bool:
        """Whether a job runs, as far as the keeper has told."""
        return token in self._pids

    def adopt(self, job: LocalJob) -> bool:
        """Have the end of a job that runs already told to ``job``; False when it has ended meanwhile."""
        with self._lock:
            if job.token not in self._pids:
                return False
            self._jobs[job.token] = job
            pid, at = self._pids[job.token]
        self._tell(job.token, job.on_start, pid, at)
        return True

    def close(self, timeout: float = 10.0) -> None:
        """Leave; the keeper ends when its last job has. Waits for its end when no job is running."""
        with self._lock:
            connection, self._closing, self._closed = self._connection, True, True
            idle = not self._jobs
            if connection is not None:
                self._send(wire.pack([wire.BYE]))
                with contextlib.suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_WR)
        self._await_reader(timeout)
        if connection is None:
            return
        if connection.process is not None and idle:
            with contextlib.suppress(subprocess.TimeoutExpired):
                connection.process.wait(timeout)
        if connection.process is not None:
            # It may live on by design; silence Popen's complaint about a child nobody waited for.
            connection.process.returncode = connection.process.returncode or 0

    # -- what pools call ------------------------------------------------------------------------------------------

    def start(self, pool: str, job: LocalJob, *, later: bool = False) -> None:
        """Hand a job over; see ``JobKeeper.start``. Raises ValueError for what no process can be given.

        Raises CookRefusedError once it is closed: nobody would end what a callback that comes back late starts.
        """
        with self._lock:
            if self._closed:
                raise CookRefusedError(f'job "{job.token}" was not started: its cook is over')
            if self._connection is None:
                self._connect(launch.start_keeper(self.directory, die_with_parent=self._die_with_parent))
            if job.token in self._jobs:
                raise ValueError(f'job "{job.token}" was handed over already')
            message = start_message(job, os.fsencode(pool), self._environments)
            if job.limits is not None:
                message = limits_message(job.token, job.limits) + message
            self._jobs[job.token] = job
            if later:
                self._gather(message)
            else:
                self._send(message)

    def send(self) -> None:
        """Send what was gathered."""
        if self._gathered:
            with self._lock:
                self._send(b"")

    def set_slots(self, pool: str, slots: int) -> None:
        """Tell the keeper, now or when it is started."""
        with self._lock:
            self._pools[pool] = slots
            if self._connection is not None:
                self._send(_pool_message(pool, slots))

    def cancel(self, pool: str, tokens: Sequence[str], grace: float) -> list[int]:
        """End jobs and wait until they are gone; no tokens: the whole pool. Returns survivors."""
        with self._lock:
            died = self._connection is None
            request = _Request(threading.Event())
            if not died:
                name = b"%d" % id(request)
                self._requests[name] = request
                words = [b"%r" % float(grace), os.fsencode(pool), *(token.encode("ascii") for token in tokens)]
                self._send(wire.pack([wire.CANCEL, name, *words]))
        if died:
            # What it ran may just be being ended.
            self._await_reader(_SLACK)
            return []
        if self._reader is threading.current_thread():
            # A callback cancels: its answer is read by this very thread, later.
            return []
        if not request.done.wait(grace + keeper_cancel.PATIENCE + _SLACK):
            self._kill_hung_keeper()
            request.done.wait(_SLACK)
        return request.survivors

    # -- inside ---------------------------------------------------------------------------------------------------

    def _await_reader(self, timeout: float) -> None:
        reader = self._reader
        if reader is not None and reader is not threading.current_thread():
            reader.join(timeout)

    def _connect(self, connection: launch.Connection) -> None:
        self._connection = connection
        self._environments = Environments()
        self._closing = False
        if self._machine is not None:
            directory, count = self._machine
            self._send(wire.pack([wire.MACHINE, os.fsencode(directory), b"%d" % count]))
        for pool, slots in self._pools.items():
            self._send(_pool_message(pool, slots))
        self._reader = threading.Thread(target=self._read, args=(connection,), name="topcook-keeper", daemon=True)
        self._reader.start()

    def _gather(self, message: bytes) -> None:
        now = time.monotonic()
        if not self._gathered:
            self._gathered_since = now
        self._gathered.append(message)
        self._gathered_bytes += len(message)
        if now - self._gathered_since > _GATHER or self._gathered_bytes > _GATHERED:
            self._send(b"")

    def _send(self, message: bytes) -> None:
        """Send a message behind those that were gathered; with the lock held."""
        if self._gathered:
            message = b"".join((*self._gathered, message))
            self._gathered.clear()
            self._gathered_bytes = 0
        if self._connection is not None:
            # A keeper that is gone is noticed by the reader, which ends the jobs.
            with contextlib.suppress(OSError):
                self._connection.socket.sendall(message)

    def _read(self, connection: launch.Connection) -> None:
        unpacker = wire.Unpacker()
        with connection.socket:
            for data in _chunks(connection.socket):
                with self.together:
                    for fields in unpacker.feed(data):
                        self._hear(fields)
        self._lost(connection)

    def _hear(self, fields: list[bytes]) -> None:
        kind = fields[0]
        if kind == wire.STARTED:
            token, pid, at = fields[1].decode("ascii"), int(fields[2]), float(fields[3])
            self._pids[token] = (pid, at)
            job = self._jobs.get(token)
            if job is not None:
                self._tell(token, job.on_start, pid, at)
        elif kind == wire.ENDED:
            _, token_, status, at_, reason, max_rss, cpu = fields
            why = reason.decode(errors="replace") if reason else ""
            end = JobEnd(
                int(status) if status else None,
                float(at_),
                why,
                why.startswith(wire.CANCELED),
                int(max_rss),
                float(cpu),
            )
            self._end(token_.decode("ascii"), end)
        elif kind == wire.NOTE:
            if self._on_error is not None:
                self._on_error(fields[1].decode(errors="replace"))
        elif kind == wire.GONE:
            request = self._requests.pop(fields[1], None)
            if request is not None:
                request.survivors = [int(pid) for pid in fields[2:]]
                request.done.set()

    def _end(self, token: str, end: JobEnd) -> None:
        with self._lock:
            self._pids.pop(token, None)
            job = self._jobs.pop(token, None)
        if job is not None:
            self._tell(token, job.on_end, end)

    def _tell(self, token: str, call: Callable[..., None], *said: object) -> None:
        try:
            call(*said)
        except BaseException as error:  # noqa: BLE001 - author code: sys.exit in it costs the other jobs no reports
            if self._on_error is not None:
                self._on_error(f'the report of job "{token}" raised {type(error).__name__}: {error}')

    def _lost(self, connection: launch.Connection) -> None:
        """The keeper closed its end: as agreed, or because it died."""
        with self._lock:
            closing = self._closing
            if self._connection is connection:
                self._connection = None
                # They end with the rest, below, and must not start in the next keeper.
                self._gathered.clear()
                self._gathered_bytes = 0
            pids, self._pids = self._pids, {}
            tokens = list(self._jobs)
            requests, self._requests = list(self._requests.values()), {}
            if not closing:
                # Now: from here on the next job may start a keeper that has a door of its own.
                launch.forget_keeper(self.directory)
        if not closing:
            aftermath.end_orphans(connection.keeper_id, [pid for pid, _ in pids.values()])
            reason = aftermath.obituary(connection, self.directory)
            for token in tokens:
                self._end(token, JobEnd(None, aftermath.now(), reason))
        for request in requests:
            request.lost = True
            request.done.set()

    def _kill_hung_keeper(self) -> None:
        with self._lock:
            if self._connection is not None:
                aftermath.kill(self._connection.pid)


class KeeperPool:
    """The keeper as one scheduler sees it (``contract.host.JobKeeper``)."""

    def __init__(self, keeper: KeeperProcess, name: str) -> None:
        """``name`` is the scheduler's."""
        self._keeper = keeper
        self._name = name

    def limits_by(self) -> str:
        """How limits are held on this machine, in words."""
        from topcook.runtime.keeper.limiting import limits_by

        return limits_by()

    def set_slots(self, slots: int) -> None:
        """How many slots the jobs share; 0: no limit."""
        self._keeper.set_slots(self._name, slots)

    def start(self, job: LocalJob, *, later: bool = False) -> None:
        """Hand a command over; raises ValueError for what no process can be given (NUL, no command)."""
        self._keeper.start(self._name, job, later=later)

    def send(self) -> None:
        """Let those that were started ``later`` go out now."""
        self._keeper.send()

    def adopt(self, jobs: Sequence[LocalJob]) -> list[str]:
        """Take up what an earlier session has started; see ``JobKeeper.adopt``."""
        from topcook.runtime.keeper.adoption import adopt

        return adopt(self._keeper, jobs)

    def cancel(self, tokens: Sequence[str], grace: float = 5.0) -> list[int]:
        """End these jobs and all their descendants; returns when they are gone."""
        return self._keeper.cancel(self._name, tokens, grace) if tokens else []

    def cancel_all(self, grace: float = 5.0) -> list[int]:
        """End every job of this scheduler, and what earlier ones left running."""
        return self._keeper.cancel(self._name, (), grace)


class _Request:
    """A question to the keeper whose answer somebody waits for."""

    __slots__ = ("done", "lost", "survivors")

    def __init__(self, done: threading.Event) -> None:
        self.done = done
        self.lost = False
        self.survivors: list[int] = []


def _chunks(connection: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            data = connection.recv(_CHUNK)
        except OSError:
            return
        if not data:
            return
        yield data


def _pool_message(pool: str, slots: int) -> bytes:
    return wire.pack([wire.POOL, os.fsencode(pool), b"%d" % max(slots, 0)])
