"""The messages between engine and keeper.

A message is a list of byte strings. None of what travels (arguments, environment, paths, numbers) can hold a NUL
byte, so NUL joins them; four bytes of length go in front. Floats travel as ``repr`` text.
"""

from __future__ import annotations

from collections.abc import Iterator

#: A longer message is no message of ours: Linux takes some 6 MiB of arguments and environment at the very most.
MAX_MESSAGE = 64 << 20

# Engine to keeper. The fields that follow the first are listed in order.
CONFIG = b"config"  # secret, keeper id, record path, socket path, die with parent (0 or 1)
HELLO = b"hello"  # secret; the first message of an engine that connects again
ENV = b"env"  # number, NAME=VALUE...; a base environment that start messages refer to
POOL = b"pool"  # pool, slots; 0 slots: no limit
START = b"start"  # token, pool, weight, cwd, log path, env number, argument count, arguments..., changes...
# (a change is NAME=VALUE, or NAME to remove it)
LIMITS = b"limits"  # token, bytes of memory, CPUs at a time, seconds of CPU time (0: no limit); before its START
MACHINE = b"machine"  # directory, slots: what the jobs of all keepers on this machine share; before the first START
CANCEL = b"cancel"  # request, grace, pool or empty, tokens...; no tokens: the whole pool; no pool: everything
BYE = b"bye"  # the engine leaves on purpose: queued jobs are dropped, running ones end by themselves

# Keeper to engine.
WELCOME = b"welcome"  # keeper id; answers hello, followed by a STARTED for each running job
REFUSED = b"refused"  # why; answers hello
STARTED = b"started"  # token, pid, at
ENDED = b"ended"  # token, status or empty, at, reason, max RSS in bytes, CPU seconds
NOTE = b"note"  # what people are to know: something was asked for that this machine does not allow
GONE = b"gone"  # request, pids that would not die...


#: How the reason of a job begins that was ended, or dropped from the queue, by a CANCEL.
CANCELED = "canceled"


def pack(fields: list[bytes]) -> bytes:
    """The message as it travels."""
    body = b"\0".join(fields)
    return len(body).to_bytes(4, "big") + body


class Unpacker:
    """Cuts a stream of bytes into messages."""

    __slots__ = ("_buffer", "limit")

    def __init__(self, limit: int = MAX_MESSAGE) -> None:
        """``limit`` is the longest message that is taken."""
        self._buffer = b""
        self.limit = limit

    def feed(self, data: bytes) -> Iterator[list[bytes]]:
        """The messages that ``data`` completes; raises ValueError for one longer than the limit."""
        buffer = self._buffer + data if self._buffer else data
        start, end = 0, len(buffer)
        try:
            while end - start >= 4:  # noqa: PLR2004 - the length's own four bytes
                length = int.from_bytes(buffer[start : start + 4], "big")
                if length > self.limit:
                    raise ValueError(f"a message of {length} bytes, more than {self.limit}")
                stop = start + 4 + length
                if stop > end:
                    break
                body, start = buffer[start + 4 : stop], stop
                yield body.split(b"\0")
        finally:
            self._buffer = buffer[start:]
