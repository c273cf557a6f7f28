"""One probe worker as the host sees it: a process, and two threads that listen to it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from topcook.factory.probing.messages import packed, read_message, write_message

if TYPE_CHECKING:
    from queue import SimpleQueue

__all__ = ["Event", "Worker"]

_BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")
#: How much of the last output is kept, where it may hold the last stack.
_TAIL = 65536
#: Seconds that a worker has to end by itself after it was told to.
_GRACE = 2.0


class Event(NamedTuple):
    """Something a worker did: ``message`` (with data), ``flood`` (printed too much) or ``end`` (not heard any more)."""

    worker: Worker
    what: str
    data: dict[str, Any]


class Worker:
    """A started worker. Raises OSError when none can be started."""

    def __init__(self, greeting: dict[str, Any], flood: int) -> None:
        """Start it; it is ready when it says so."""
        self.ready = self.spoiled = self.foreign = False
        self.served = 0
        self.pid = 0
        self._flood, self._printed = flood, 0
        self._events: SimpleQueue[Event | None] | None = None
        self._lock = threading.Lock()
        self._tail = b""
        dumps, self._dumps = _pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, *_flags(), _BOOT, *([str(self._dumps)] if self._dumps >= 0 else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=[self._dumps] if self._dumps >= 0 else [],
                start_new_session=os.name == "posix",
            )
        except BaseException:
            # Whatever kept it from starting, Ctrl-C too: nobody else will close this.
            _close(dumps)
            raise
        finally:
            _close(self._dumps)
        self._dumps = dumps
        self._listeners = [
            threading.Thread(target=target, name="topcook probe", daemon=True) for target in (self._listen, self._drain)
        ]
        self._early: list[Event] = []
        self.started = time.monotonic()
        for each in self._listeners:
            each.start()
        self._send(packed(greeting))

    def attach(self, events: SimpleQueue[Event | None]) -> None:
        """Let it report to that queue from now on, with what it has said before."""
        with self._lock:
            self._events = events
            for event in self._early:
                events.put(event)
            self._early.clear()

    def detach(self) -> None:
        """Keep what it says until somebody wants to hear it."""
        with self._lock:
            self._events = None

    def ask(self, message: dict[str, Any]) -> None:
        """Send it a request; one that cannot hear it any more will be noticed by its end."""
        self._printed = 0
        self._send(packed(message))

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(OSError, ValueError):
            write_message(self._process.stdin.fileno(), data)

    def _say(self, what: str, data: dict[str, Any]) -> None:
        event = Event(self, what, data)
        with self._lock:
            if self._events is not None:
                self._events.put(event)
            else:
                self._early.append(event)

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        descriptor = self._process.stdout.fileno()
        while (message := read_message(descriptor)) is not None:
            self._say("message", message)
            if not message:
                # What comes after nonsense has no beginning.
                break
        self._say("end", {})

    def _drain(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        descriptor = self._process.stderr.fileno()
        told = False
        while True:
            try:
                data = os.read(descriptor, 1 << 20)
            except OSError:
                return
            if not data:
                return
            self._printed += len(data)
            self._tail = (self._tail + data)[-_TAIL:]
            if self._printed > self._flood and not told:
                told = True
                self._say("flood", {})

    # Its end

    def tell_to_end(self) -> None:
        """Close its requests: an idle worker ends, and its supervisor ends a busy one with all its children."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if not self._supervised:
            self._process.kill()

    @property
    def _supervised(self) -> bool:
        """Whether a process of ours stands between, which ends the worker with all its children."""
        return self.pid not in {0, self._process.pid}

    def end_with_stack(self) -> None:
        """Make it write where it is, and die of it."""
        if not self.pid or os.name != "posix":
            return
        import signal

        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGABRT)
        self.wait(0.5)

    def wait(self, seconds: float) -> int | None:
        """Its exit status, negative for a signal; None while it goes on."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def finish(self) -> None:
        """End it for good, and let go of all that belongs to it."""
        self.tell_to_end()
        if self.wait(_GRACE) is None:
            self._process.kill()
            self._process.wait()
        for each in self._listeners:
            each.join(_GRACE)
        for stream in (self._process.stdout, self._process.stderr):
            # A pipe that somebody else holds open keeps its listener; closing it under the listener's hands would
            # give its number to another file.
            if stream is not None and not any(each.is_alive() for each in self._listeners):
                stream.close()
        _close(self._dumps)
        self._dumps = -1

    def last_stack(self) -> str:
        """What ``faulthandler`` wrote before the end."""
        if self._dumps < 0:
            return self._tail.decode("utf-8", "replace")
        os.set_blocking(self._dumps, False)
        data = b""
        with contextlib.suppress(OSError):
            while part := os.read(self._dumps, _TAIL):
                data += part
        return data.decode("utf-8", "replace")


def _pipe() -> tuple[int, int]:
    """A pipe of its own for the last stack, where a child can be given more than the standard three."""
    return os.pipe() if os.name == "posix" else (-1, -1)


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _flags() -> list[str]:
    """The interpreter as ours was started, with nothing of the working directory on its path."""
    given = {
        "-E": sys.flags.ignore_environment,
        "-s": sys.flags.no_user_site,
        "-S": sys.flags.no_site,
        "-B": sys.flags.dont_write_bytecode,
        "-O": sys.flags.optimize == 1,
        "-OO": sys.flags.optimize > 1,
        "-Xutf8": sys.flags.utf8_mode,
    }
    return ["-P", *(flag for flag, is_set in given.items() if is_set)]
