"""One caller's connection: bytes in, bytes out, and which protocol they are."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from topcook.runtime.resultserver.dispatch import Dispatcher
    from topcook.runtime.resultserver.notes import Counters, Notebook
    from topcook.runtime.resultserver.settings import Limits

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
#: How long a refused caller is listened to, so that it reads the refusal before the connection is reset.
LINGER = 2.0
_CHUNK = 1 << 16
_GREETING = b"PDG1 "
_VERBS = (b"POST ", b"GET ", b"HEAD ", b"PUT ", b"OPTIONS ", b"DELETE ", b"PATCH ")
_LONGEST_START = max(len(verb) for verb in _VERBS)


class Hub(Protocol):
    """What a connection asks of the server that holds it."""

    dispatcher: Dispatcher
    counters: Counters
    limits: Limits
    notebook: Notebook
    now: float

    def is_secret(self, given: bytes) -> bool:
        """Whether these bytes are the secret, in constant time."""

    def touch(self, connection: Connection) -> None:
        """Come back to this connection at the end of the round: it has answers to send or requests to read."""

    def watch(self, connection: Connection, events: int) -> None:
        """Wait for these events of its socket."""

    def expect(self, connection: Connection, seconds: float) -> None:
        """Close it unless it is settled in time; an earlier deadline stays."""

    def settle(self, connection: Connection) -> None:
        """It owes us nothing: take its deadline back."""

    def drop(self, connection: Connection) -> None:
        """Close and forget it."""


class Dialect(Protocol):
    """A protocol spoken over a connection."""

    def consume(self, connection: Connection) -> None:
        """Take whole requests off the front of ``connection.inbox``."""


class Answer:
    """One answer owed; answers leave in the order of their requests."""

    __slots__ = ("connection", "data")

    def __init__(self, connection: Connection) -> None:
        """Owe an answer to this connection."""
        self.connection = connection
        self.data: bytes | None = None

    def give(self, data: bytes) -> None:
        """The answer is ready."""
        self.data = data
        self.connection.hub.touch(self.connection)


class Connection:
    """Buffers and state of one caller; used on the server's thread only."""

    __slots__ = (
        "closing",
        "deaf",
        "dialect",
        "ended",
        "events",
        "hub",
        "inbox",
        "last_seen",
        "outbox",
        "owed",
        "peer",
        "sock",
        "stale",
        "touched",
    )

    def __init__(self, hub: Hub, sock: socket.socket, peer: str) -> None:
        """Take a connected, non-blocking socket; the caller has a few seconds to say who it is."""
        self.hub = hub
        self.sock = sock
        self.peer = peer
        self.dialect: Dialect | None = None
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.owed: deque[Answer] = deque()
        self.events = READ
        #: no more requests are read; it closes once every answer is out
        self.closing = False
        #: what still comes in is thrown away
        self.deaf = False
        #: the caller has said all it will say; what it asked before is still done and answered
        self.ended = False
        #: bytes came in since the dialect last looked
        self.stale = False
        self.touched = False
        self.last_seen = hub.now

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not (self.owed or self.inbox or self.outbox)

    def owe(self) -> Answer:
        """Promise an answer to the request just taken."""
        answer = Answer(self)
        self.owed.append(answer)
        return answer

    def ready(self, mask: int) -> None:
        """Its socket can be read or written."""
        if mask & WRITE:
            self._send()
        if mask & READ and self.events & READ:
            self._receive()
        self.hub.touch(self)

    def settle_up(self) -> None:
        """Read requests that have come, send answers that are ready, decide what to wait for next."""
        if self.sock.fileno() == -1:
            return
        if self.stale and not self.closing and not self.crowded:
            self.stale = False
            self._consume()
        owed, outbox = self.owed, self.outbox
        while owed and owed[0].data is not None:
            outbox += owed.popleft().data or b""
            self.stale = self.stale or bool(self.inbox)
        if outbox:
            self._send()
        if self.sock.fileno() == -1:
            return
        more = self.stale and not self.closing
        if not owed and not outbox and (self.closing or (self.ended and not more)):
            self._hang_up()
            return
        if more and not self.crowded:
            self.hub.touch(self)
        self._wait()

    @property
    def crowded(self) -> bool:
        """Whether it has to take answers before more of its requests are read."""
        return len(self.owed) >= self.hub.limits.unanswered or len(self.outbox) >= self.hub.limits.unread

    def refuse(self, data: bytes = b"") -> None:
        """Say this after the answers already owed, then close; nothing more is read."""
        self.closing = self.deaf = True
        self.inbox.clear()
        self.owe().give(data)

    def _wait(self) -> None:
        full = self.closing or self.crowded or len(self.inbox) > self.hub.limits.body + _CHUNK
        listening = not self.ended and (self.deaf or not full)
        wanted = (READ if listening else 0) | (WRITE if self.outbox else 0)
        if wanted != self.events:
            self.events = wanted
            self.hub.watch(self, wanted)

    def _receive(self) -> None:
        try:
            data = self.sock.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.hub.drop(self)
            return
        if not data:
            if self.deaf or self.idle:
                self.hub.drop(self)
            self.ended, self.deaf = True, False
            return
        self.last_seen = self.hub.now
        if not self.deaf:
            self.inbox += data
            self.stale = True

    def _consume(self) -> None:
        if self.dialect is None:
            self.dialect = self._recognise()
        if self.dialect is not None:
            self.dialect.consume(self)

    def _recognise(self) -> Dialect | None:
        # Protocol code comes with the first caller: a cook whose jobs never report does not load it.
        start = bytes(self.inbox[:_LONGEST_START])
        if start.startswith(_GREETING):
            from topcook.runtime.resultserver.lines import Lines

            return Lines()
        if start.startswith(_VERBS):
            from topcook.runtime.resultserver.http import Http

            return Http()
        if not any(known.startswith(start) for known in (_GREETING, *_VERBS)):
            self.hub.counters.garbage += 1
            self.hub.notebook.once("garbage", f"result server: {self.peer} speaks neither XML-RPC nor our protocol")
            self.refuse()
        return None

    def _send(self) -> None:
        if not self.outbox:
            return
        try:
            sent = self.sock.send(self.outbox)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.hub.drop(self)
            return
        del self.outbox[:sent]

    def _hang_up(self) -> None:
        if not self.deaf:
            self.hub.drop(self)
            return
        # Closing a socket with unread bytes resets it, and the caller might never see the refusal.
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.hub.settle(self)
        self.hub.expect(self, LINGER)
        self._wait()
