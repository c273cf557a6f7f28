"""The door of a running cook: a Unix socket that only its owner may use, where others ask and tell.

Somebody connects, writes one line of JSON, reads one line of JSON. Nothing of this costs the cook anything while nobody
knocks: one thread sleeps in ``poll``. Whatever comes in is bounded in size, number and time.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["LONGEST_LINE", "Door"]

#: Bytes of a request.
LONGEST_LINE = 16 * 1024
#: Seconds in which a visitor has to say what he wants, and then to read the answer.
PATIENCE = 5.0
#: Visitors at a time; those beyond are sent away.
MOST_VISITORS = 32
#: Seconds to leave the door shut when the process has no descriptor left for a visitor.
_REST = 0.5
#: The kernel's limit for a socket's path is 108 bytes on Linux, 104 on macOS.
_LONGEST_PATH = 100
_PREFIX = "topcook-"

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class _Visitor:
    """A connection: a request that comes, or an answer that goes."""

    __slots__ = ("heard", "socket", "to_say", "until")

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(0)
        self.socket = connection
        self.heard = b""
        self.to_say: bytes | None = None
        self.until = time.monotonic() + PATIENCE


class Door:
    """Open from ``open`` to ``close``."""

    def __init__(self, folder: str, answer: Answer) -> None:
        """``answer`` is called on the door's thread with each request, and must be quick.

        The socket is put into ``folder``, or where its path would be too long into a directory of its own.
        """
        self._folder = folder
        self._answer = answer
        self._visitors: dict[int, _Visitor] = {}
        self._rests_until = 0.0
        self._own_folder = ""
        self.path = ""

    def open(self) -> None:
        """Let people in; raises ``OSError`` or ``RuntimeError`` where there can be no socket, or no thread for it."""
        self._listener = self._listen()
        self._listener.settimeout(0)
        try:
            self._bell, self._ring = os.pipe()
            self._thread = threading.Thread(target=self._serve, name="topcook-door", daemon=True)
            self._thread.start()
        except (OSError, RuntimeError):
            self._listener.close()
            self._remove()
            raise

    def _listen(self) -> socket.socket:
        path = os.path.join(self._folder, "control")
        try:
            if len(os.fsencode(path)) > _LONGEST_PATH:
                raise OSError("the path is too long")
            with contextlib.suppress(FileNotFoundError):
                # Of a session that was killed.
                os.unlink(path)
            return self._bound(path)
        except OSError:
            home = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
            if not os.access(home, os.W_OK) or len(os.fsencode(home)) > _LONGEST_PATH - 24:
                home = "/tmp"  # noqa: S108 - mkdtemp makes a directory there that nobody else may enter
            self._own_folder = tempfile.mkdtemp(prefix=_PREFIX, dir=home)
            return self._bound(os.path.join(self._own_folder, "control"))

    def _bound(self, path: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(path)
            # Who may enter the folder is settled by its own rights; a state directory may have been there before.
            os.chmod(path, 0o600)
            listener.listen(64)
        except OSError:
            listener.close()
            raise
        self.path = path
        return listener

    def close(self) -> None:
        """Let nobody in any more, and leave nothing."""
        # Not by closing it alone: what author code has forked may have its other end as well.
        os.write(self._ring, b"\0")
        os.close(self._ring)
        self._thread.join(PATIENCE)
        self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        if self._own_folder:
            with contextlib.suppress(OSError):
                os.rmdir(self._own_folder)

    # ------------------------------------------------------------------ on the door's thread

    def _serve(self) -> None:
        with self._listener:
            while not self._look():
                pass
            for visitor in self._visitors.values():
                visitor.socket.close()
        os.close(self._bell)

    def _look(self) -> bool:
        """Wait for something to do, and do it; whether the door is to be closed."""
        now = time.monotonic()
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        if now >= self._rests_until:
            poll.register(self._listener, select.POLLIN)
        for number, visitor in self._visitors.items():
            poll.register(number, select.POLLIN if visitor.to_say is None else select.POLLOUT)
        ready = {number for number, _ in poll.poll(self._timeout(now))}
        if self._listener.fileno() in ready:
            self._let_in()
        for number, visitor in list(self._visitors.items()):
            # In this order: who has said what he wants is not sent away because others took the time.
            if (number in ready and self._is_done_with(visitor)) or visitor.until < time.monotonic():
                del self._visitors[number]
                visitor.socket.close()
        return self._bell in ready

    def _timeout(self, now: float) -> float | None:
        """Milliseconds until somebody's patience, or a rest, is over."""
        times = [visitor.until for visitor in self._visitors.values()]
        if self._rests_until > now:
            times.append(self._rests_until)
        return max(0.0, min(times) - now) * 1000 + 1 if times else None

    def _let_in(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:
            # No descriptor left, or he has gone; were the door watched on, this would be all that is done.
            self._rests_until = time.monotonic() + _REST
            return
        if len(self._visitors) >= MOST_VISITORS or not _may_enter(connection):
            connection.close()
        else:
            self._visitors[connection.fileno()] = _Visitor(connection)

    def _is_done_with(self, visitor: _Visitor) -> bool:
        try:
            if visitor.to_say is None:
                more = visitor.socket.recv(LONGEST_LINE)
                visitor.heard += more
                if not more or (b"\n" not in visitor.heard and len(visitor.heard) > LONGEST_LINE):
                    return True
                if b"\n" not in visitor.heard:
                    return False
                visitor.to_say = self._answer_to(visitor.heard.partition(b"\n")[0])
                visitor.until = time.monotonic() + PATIENCE
            visitor.to_say = visitor.to_say[visitor.socket.send(visitor.to_say) :]
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not visitor.to_say

    def _answer_to(self, line: bytes) -> bytes:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise TypeError("a request is an object")
            answer = self._answer(request)
        except Exception as error:  # noqa: BLE001 - whatever was asked: the cook goes on, and so does the door
            answer = {"error": f"{type(error).__name__}: {error}"}
        return json.dumps(answer).encode() + b"\n"


def _may_enter(connection: socket.socket) -> bool:
    """Whether a visitor is the cook's own user, or root; where the system does not say, the file's rights have."""
    asked = getattr(socket, "SO_PEERCRED", None)
    if asked is None:
        return True
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, asked, size))
    return uid in {0, os.getuid()}
