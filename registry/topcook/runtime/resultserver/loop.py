"""The selector and its thread: accepts callers, moves bytes, keeps deadlines."""

from __future__ import annotations

import contextlib
import errno
import hmac
import selectors
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from topcook.runtime.resultserver.connection import READ, Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.runtime.resultserver.dispatch import Dispatcher
    from topcook.runtime.resultserver.notes import Counters, Notebook
    from topcook.runtime.resultserver.settings import Limits

#: How often deadlines are looked at, and a listener that ran out of descriptors is tried again.
_SWEEP = 0.5
_JOIN = 5.0
_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Loop:
    """The selector and its thread; everything but ``post``, ``listen`` and ``stop`` runs on that thread."""

    def __init__(
        self, dispatcher: Dispatcher, counters: Counters, limits: Limits, notebook: Notebook, secret: bytes
    ) -> None:
        self.dispatcher = dispatcher
        self.counters = counters
        self.limits = limits
        self.notebook = notebook
        self.now = time.monotonic()
        self._secret = secret
        self._selector = selectors.DefaultSelector()
        self._listeners: set[socket.socket] = set()
        self._resting: list[socket.socket] = []
        self._connections: set[Connection] = set()
        self._touched: list[Connection] = []
        self._deadlines: dict[Connection, float] = {}
        self._next_sweep = self.now + _SWEEP
        self._posted: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._awake = False
        self._stopping = False
        self._bell, self._ear = socket.socketpair()
        self._bell.settimeout(0)
        self._ear.settimeout(0)
        self._selector.register(self._ear, READ, self._ear)
        # A daemon: a scheduler that never stops its server must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="topcook-resultserver", daemon=True)
        self._thread.start()

    # from any thread

    def post(self, function: Callable[..., None], *args: Any) -> None:
        """Run a function on the loop's thread; many posts cost one wake."""
        self._posted.append((function, args))
        # Invariant: a post after the loop cleared _awake rings again; one before it is seen by the drain that follows.
        if not self._awake:
            self._awake = True
            with contextlib.suppress(OSError):
                self._bell.send(b"!")

    def listen(self, listener: socket.socket) -> None:
        """Take callers from this socket too."""
        self.post(self._add_listener, listener)

    def stop(self) -> None:
        """End the thread and close every socket."""
        self.post(self._finish)
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN)

    # what connections ask

    def is_secret(self, given: bytes) -> bool:
        """Whether these bytes are the secret; an empty secret lets nobody in."""
        return bool(self._secret) and hmac.compare_digest(given, self._secret)

    def touch(self, connection: Connection) -> None:
        """Settle up with it at the end of the round."""
        if not connection.touched:
            connection.touched = True
            self._touched.append(connection)

    def watch(self, connection: Connection, events: int) -> None:
        """Wait for these events; none at all is allowed."""
        known = connection.sock.fileno() in self._selector.get_map()
        if events and known:
            self._selector.modify(connection.sock, events, connection)
        elif events:
            self._selector.register(connection.sock, events, connection)
        elif known:
            self._selector.unregister(connection.sock)

    def expect(self, connection: Connection, seconds: float) -> None:
        """Drop it unless it settles in time."""
        self._deadlines.setdefault(connection, self.now + seconds)

    def settle(self, connection: Connection) -> None:
        """Take its deadline back."""
        self._deadlines.pop(connection, None)

    def drop(self, connection: Connection) -> None:
        """Close and forget it."""
        self._deadlines.pop(connection, None)
        self._connections.discard(connection)
        if connection.sock.fileno() != -1:
            self.watch(connection, 0)
            connection.sock.close()
        self._wake_listeners()

    # the thread

    def _run(self) -> None:
        while not self._stopping:
            events = self._selector.select(self._patience())
            self.now = time.monotonic()
            for key, mask in events:
                if isinstance(key.data, Connection):
                    self._guarded(key.data, key.data.ready, mask)
                elif key.data is self._ear:
                    self._hear()
                else:
                    self._accept(key.data)
            self._drain()
            touched, self._touched = self._touched, []
            for connection in touched:
                connection.touched = False
                self._guarded(connection, connection.settle_up)
            if self.now >= self._next_sweep:
                self._sweep()
        self._close_all()

    def _patience(self) -> float | None:
        if self._touched or self._posted:
            return 0.0
        return _SWEEP if self._deadlines or self._resting else None

    def _guarded(self, connection: Connection, function: Callable[..., None], *args: Any) -> None:
        try:
            function(*args)
        except Exception as problem:  # noqa: BLE001 - foreign bytes: whatever they trip ends one connection only
            self.counters.garbage += 1
            self.notebook.once("surprise", f"result server: {connection.peer} tripped {problem!r}")
            self.drop(connection)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(64)

    def _drain(self) -> None:
        self._awake = False
        posted = self._posted
        for _ in range(len(posted)):
            function, args = posted.popleft()
            try:
                function(*args)
            except Exception as problem:  # noqa: BLE001 - one answer that cannot be given must not end the others
                self.notebook.once("answer", f"result server: an answer could not be given: {problem!r}")

    def _add_listener(self, listener: socket.socket) -> None:
        self._listeners.add(listener)
        self._selector.register(listener, READ, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(64):
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as problem:
                if problem.errno in _OUT_OF_FILES and not self._evict():
                    # A listener that cannot accept stays ready and would spin the loop.
                    self._selector.unregister(listener)
                    self._resting.append(listener)
                self.notebook.once("accept", f"result server: cannot accept: {problem}")
                return
            self._welcome(sock, peer)

    def _welcome(self, sock: socket.socket, peer: Any) -> None:
        if len(self._connections) >= self.limits.connections and not self._evict():
            sock.close()
            return
        sock.settimeout(0)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection = Connection(self, sock, str(peer[0]))
        self.counters.connections += 1
        self._connections.add(connection)
        self._selector.register(sock, READ, connection)
        self.expect(connection, self.limits.greeting_time)

    def _evict(self) -> bool:
        idle = [connection for connection in self._connections if connection.idle]
        if not idle:
            return False
        self.counters.evicted += 1
        self.drop(min(idle, key=lambda connection: connection.last_seen))
        return True

    def _wake_listeners(self) -> None:
        for listener in self._resting:
            self._selector.register(listener, READ, listener)
        self._resting.clear()

    def _sweep(self) -> None:
        self._next_sweep = self.now + _SWEEP
        late = [connection for connection, deadline in self._deadlines.items() if deadline <= self.now]
        for connection in late:
            # A refused caller that lingers was counted as refused.
            if not connection.deaf:
                self.counters.too_slow += 1
            self.drop(connection)
        self._wake_listeners()

    def _finish(self) -> None:
        self._stopping = True

    def _close_all(self) -> None:
        for connection in list(self._connections):
            self.drop(connection)
        for listener in self._listeners:
            listener.close()
        self._selector.close()
        self._bell.close()
        self._ear.close()
