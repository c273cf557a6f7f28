"""The keeper's event loop: the engine's socket, the door for an engine that comes back, and the children.

One thread and no polling: the loop sleeps in ``poll`` until the engine writes or a child ends (SIGCHLD writes into a
pipe). Freed slots are filled first, then what happened is written to the record, then the engine is told.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

from . import wire
from .cancel import Cancel
from .jobs import Job, Jobs
from .processes import become_subreaper
from .record import Record

if TYPE_CHECKING:
    import socket

#: More than 128 KiB at once would be mapped, and unmapped, for each read.
_CHUNK = 1 << 16
#: A stranger at the door gets this long, and this many bytes, to say the secret.
_HELLO_TIME, _HELLO_BYTES = 5.0, 8192
#: Strangers at a time, and seconds to leave the door shut when the process has no descriptor left for one.
_MOST_STRANGERS, _REST = 16, 0.5
#: So long, in seconds, what happened to jobs is gathered while nobody waits for it: starts always, ends while every
#: slot that comes free has a job waiting for it.
_GATHER = 0.04
#: How many times in a row slots are filled before what happened is written down.
_TURNS = 4


class Link:
    """A connection: bytes in, messages out; ``closed`` once the other side is gone."""

    def __init__(self, fd: int, limit: int = wire.MAX_MESSAGE) -> None:
        """Take over the descriptor."""
        os.set_blocking(fd, False)
        os.set_inheritable(fd, False)  # noqa: FBT003 - positional only
        self.fd = fd
        self.closed = False
        self.since = time.monotonic()
        #: The process at the other end, where a stranger's is known.
        self.process = 0
        self.unpacker = wire.Unpacker(limit)
        self._out: list[bytes] = []

    @property
    def pending(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._out)

    def read(self) -> list[list[bytes]]:
        """The messages that have arrived."""
        messages: list[list[bytes]] = []
        try:
            data = os.read(self.fd, _CHUNK)
            self.closed = not data
            messages += self.unpacker.feed(data)
        except BlockingIOError:
            return messages
        except (OSError, ValueError):
            self.closed = True
        return messages

    def send(self, fields: list[bytes]) -> None:
        """Have a message sent with the next flush."""
        self._out.append(wire.pack(fields))

    def flush(self) -> bool:
        """Write what the other side takes now; True when nothing is left."""
        if self._out and not self.closed:
            data = b"".join(self._out)
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                pass
            except OSError:
                self.closed = True
            self._out = [data] if data else []
        return not self._out


class Keeper:
    """Everything the process knows."""

    def __init__(self, engine_fd: int, listener_fd: int) -> None:
        """Take over the two descriptors; the first message on the engine's has to be CONFIG."""
        os.set_inheritable(listener_fd, False)  # noqa: FBT003 - positional only
        self.listener = listener_fd
        self.engine: Link | None = Link(engine_fd)
        #: Tells that the engine's process has ended.
        self._life = _life_of(os.getppid())
        self.strangers: list[Link] = []
        #: Nobody is let in before; 0: the door is open.
        self._rests_until = 0.0
        self.cancels: list[Cancel] = []
        self.jobs: Jobs | None = None
        self.stopping = False
        self._secret = b""
        self._socket_path = ""
        self._die_with_parent = False
        self._wake = _wake_on_signals(self)
        #: Whether a signal has come since the last round: a child may have ended.
        self._signaled = False
        self._poll = select.poll()
        #: For whom it was made: mostly the same as the last time.
        self._polled: tuple[object, ...] = ()
        #: When the first report was gathered that the engine was not sent yet; 0: there is none.
        self._gathered = 0.0
        #: Whether more than starts was gathered.
        self._awaited = False

    def run(self) -> None:
        """Serve until the engine has left and no job runs."""
        while not self._idle():
            self._wait()
            if self.jobs is not None:
                self._turn(self.jobs)
                if self.jobs.machine is not None:
                    self.jobs.settle(self.jobs.machine)
                self.jobs.tell()
                self._step_cancels(self.jobs)
                self.jobs.record.flush()
            self._flush()
        if self.jobs is not None and self.jobs.limiter is not None:
            self.jobs.limiter.close()
        if self._socket_path:
            _remove_door(self._socket_path)

    def _turn(self, jobs: Jobs) -> None:
        """Take the children that ended and start what fits; again while more have ended during a start."""
        ended = self._signaled
        for _ in range(_TURNS):
            if ended:
                jobs.reap()
            if jobs.limiter is not None:
                jobs.limiter.look()
            if not jobs.fill():
                return
            ended = True

    def _idle(self) -> bool:
        if self.engine is not None or self.strangers or self.cancels:
            return False
        return self.jobs is None or not (self.jobs.running or self.jobs.queued)

    def _wait(self) -> None:
        engine, strangers = self.engine, tuple(self.strangers)
        machine = self.jobs.machine if self.jobs is not None else None
        bell = machine.fd if machine is not None and machine.retry_at else -1
        writing = engine is not None and not self._gathered and not engine.flush()
        door = self.listener if self._lets_in() else -1
        polled = (engine, writing, bell, strangers, door)
        if polled != self._polled:
            self._polled = polled
            self._watch(engine, strangers, (bell, door, self._life), writing=writing)
        ready = [fd for fd, _ in self._poll.poll(self._timeout())]
        self._signaled = self._wake in ready
        if self._signaled:
            os.read(self._wake, 4096)
        if machine is not None and bell in ready:
            machine.heard()
        if self.stopping:
            self._stop()
        if self.listener in ready:
            self._open_door()
        if engine is not None and engine is self.engine:
            if engine.fd in ready:
                self._serve_engine(engine)
            elif self._life in ready:
                # All that it has said was heard.
                self._engine_left()
        for link in strangers:
            if link.fd in ready or link.since + _HELLO_TIME < time.monotonic():
                self._serve_stranger(link)

    def _watch(self, engine: Link | None, strangers: tuple[Link, ...], more: tuple[int, ...], *, writing: bool) -> None:
        self._poll = select.poll()
        for fd in (self._wake, *(link.fd for link in strangers), *more):
            if fd >= 0:
                self._poll.register(fd, select.POLLIN)
        if engine is not None:
            self._poll.register(engine.fd, select.POLLIN | select.POLLOUT if writing else select.POLLIN)

    def _timeout(self) -> float | None:
        """Milliseconds until something has to be done without being woken."""
        times = [link.since + _HELLO_TIME for link in self.strangers]
        times += [cancel.look_at for cancel in self.cancels]
        if self._rests_until:
            times.append(self._rests_until)
        if self._gathered:
            times.append(self._gathered + _GATHER)
        jobs = self.jobs
        if jobs is not None:
            if jobs.retry_at:
                times.append(jobs.retry_at)
            if jobs.limiter is not None and jobs.limiter.look_at:
                times.append(jobs.limiter.look_at)
            if jobs.machine is not None and jobs.machine.retry_at:
                times.append(jobs.machine.retry_at)
        return max(0.0, min(times) - time.monotonic()) * 1000 + 1 if times else None

    def _serve_engine(self, link: Link) -> None:
        for fields in link.read():
            self._obey(fields)
        if link.closed:
            self._engine_left()

    def _obey(self, fields: list[bytes]) -> None:
        kind = fields[0]
        if kind == wire.CONFIG:
            self._configure(fields[1:])
            return
        jobs = self.jobs
        if jobs is None:
            raise ValueError("the engine's first message is not its configuration")
        if kind == wire.START:
            jobs.add(Job(fields[1:]))
        elif kind == wire.LIMITS:
            jobs.limit(fields[1:])
        elif kind == wire.MACHINE:
            if jobs.machine is None:
                jobs.share(os.fsdecode(fields[1]), int(fields[2]))
        elif kind == wire.ENV:
            jobs.add_environment(fields[1:])
        elif kind == wire.POOL:
            jobs.pool(fields[1]).slots = int(fields[2])
        elif kind == wire.CANCEL:
            tokens = frozenset(token.decode("ascii") for token in fields[4:])
            self._begin(Cancel(fields[1], float(fields[2]), fields[3], tokens), jobs)
        elif kind == wire.BYE:
            self._engine_left()

    def _configure(self, fields: list[bytes]) -> None:
        self._secret, keeper_id, record, socket_path, die = fields
        self._socket_path = os.fsdecode(socket_path)
        self._die_with_parent = die == b"1"
        self.jobs = Jobs(keeper_id.decode("ascii"), Record(os.fsdecode(record)), self._report)

    def _report(self, fields: list[bytes]) -> None:
        if self.engine is not None:
            self.engine.send(fields)
            self._awaited = self._awaited or fields[0] != wire.STARTED

    def _engine_left(self) -> None:
        """The engine is gone: a queued job is not a job yet, a running one ends by itself."""
        if self.engine is not None:
            os.close(self.engine.fd)
            self.engine = None
            if self._life >= 0:
                os.close(self._life)
                self._life = -1
            self._gathered = 0.0
        if self.jobs is not None:
            self.jobs.drop_queued(lambda _: True, "the engine left before it started")
            if self._die_with_parent:
                self._begin(Cancel(b"", 5.0, b"", frozenset()), self.jobs)

    def _stop(self) -> None:
        """Somebody sent us TERM: take the jobs along."""
        self.stopping = False
        if self.jobs is not None:
            self._begin(Cancel(b"", 5.0, b"", frozenset()), self.jobs)
        self._engine_left()

    def _begin(self, cancel: Cancel, jobs: Jobs) -> None:
        cancel.begin(jobs)
        self.cancels.append(cancel)

    def _step_cancels(self, jobs: Jobs) -> None:
        for cancel in list(self.cancels):
            if cancel.step(jobs):
                self.cancels.remove(cancel)
                self._report([wire.GONE, cancel.request, *(b"%d" % pid for pid in cancel.survivors)])

    def _open_door(self) -> None:
        import socket

        try:
            with socket.socket(fileno=os.dup(self.listener)) as door:
                stranger = door.accept()[0]
                process = _process_at(stranger)
                self.strangers.append(Link(stranger.detach(), _HELLO_BYTES))
                self.strangers[-1].process = process
        except OSError:
            # It left before we opened, or there is no descriptor left: it would go on knocking, and we on looking.
            self._rests_until = time.monotonic() + _REST

    def _lets_in(self) -> bool:
        if self._rests_until and time.monotonic() >= self._rests_until:
            self._rests_until = 0.0
        return not self._rests_until and len(self.strangers) < _MOST_STRANGERS

    def _serve_stranger(self, link: Link) -> None:
        messages = link.read()
        if not messages and not link.closed and link.since + _HELLO_TIME > time.monotonic():
            return
        self.strangers.remove(link)
        refusal = self._refusal(messages[0] if messages else [])
        if refusal or self.jobs is None:
            link.send([wire.REFUSED, refusal.encode()])
            link.flush()
            os.close(link.fd)
            return
        link.unpacker.limit = wire.MAX_MESSAGE
        self._die_with_parent = messages[0][2] == b"1"
        self.engine = link
        self._life = _life_of(link.process)
        link.send([wire.WELCOME, self.jobs.keeper_id.encode()])
        for pid, job in self.jobs.running.items():
            link.send([wire.STARTED, job.token.encode(), b"%d" % pid, b"%.6f" % self.jobs.started_at[pid]])
        for fields in messages[1:]:
            self._obey(fields)

    def _refusal(self, hello: list[bytes]) -> str:
        if len(hello) != 3 or hello[0] != wire.HELLO or not _same(hello[1], self._secret):  # noqa: PLR2004
            return "the secret is wrong"
        return "another engine is connected" if self.engine is not None else ""

    def _flush(self) -> None:
        if self.engine is not None and self.engine.pending:
            now = time.monotonic()
            self._gathered = self._gathered or now
            if now < self._gathered + _GATHER and not self.cancels and self._may_wait():
                # The engine wakes up once for all of them.
                return
            self._gathered, self._awaited = 0.0, False
            self.engine.flush()
            if self.engine.closed:
                self._engine_left()

    def _may_wait(self) -> bool:
        """Whether nothing would be done sooner if the engine heard of what was gathered."""
        return not self._awaited or (self.jobs is not None and self.jobs.supplied)


def _life_of(pid: int) -> int:
    """A descriptor that becomes readable when a process ends; -1 where the system has none (before Linux 5.3).

    The end of its connection does not tell: what it has forked holds that open as long as it lives.
    """
    try:
        return os.pidfd_open(pid) if pid else -1
    except (AttributeError, OSError):
        return -1


def _process_at(connection: socket.socket) -> int:
    """The process at the other end, 0 where the system does not tell."""
    import socket

    asked = getattr(socket, "SO_PEERCRED", None)
    return int.from_bytes(connection.getsockopt(socket.SOL_SOCKET, asked, 4), sys.byteorder) if asked else 0


def _same(one: bytes, other: bytes) -> bool:
    """Whether two secrets are equal, in a time that does not tell how far they agree."""
    differences = len(one) ^ len(other)
    for left, right in zip(one, other, strict=False):
        differences |= left ^ right
    return not differences and bool(other)


def _wake_on_signals(keeper: Keeper) -> int:
    """The read end of a pipe into which every signal writes; TERM also asks the keeper to stop."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)

    def stop(*_: object) -> None:
        keeper.stopping = True

    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _remove_door(path: str) -> None:
    try:
        os.unlink(path)
        os.rmdir(os.path.dirname(path))
    except OSError:
        # Somebody tidied up before us.
        return


def main(engine_fd: int, listener_fd: int) -> None:
    """Be the keeper."""
    become_subreaper()
    Keeper(engine_fd, listener_fd).run()
