"""XML-RPC over HTTP/1.1, for every client that is not ours: keep-alive, the secret in the header ``X-PDG-Secret``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.lean import dataclass
from topcook.runtime.resultserver.dispatch import UNREADABLE, Caller, Fault
from topcook.runtime.resultserver.xmlrpc import (
    UnreadableCallError,
    fault_text,
    known_methods,
    multicall,
    read_call,
    value_text,
)

if TYPE_CHECKING:
    from topcook.runtime.resultserver.connection import Answer, Connection

_PATHS = frozenset({b"/", b"/RPC2"})
_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
}
_FORBIDDEN = 403
_LONGEST_NUMBER = 18
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What matters of a request's head."""

    length: int
    keep_alive: bool
    caller: Caller
    wants_go_on: bool


class HttpError(Exception):
    """A request that is answered with an HTTP status, after which the connection closes."""

    def __init__(self, status: int, why: str) -> None:
        """Keep the status and the words for the caller."""
        self.status = status
        super().__init__(why)


class Http:
    """What a connection knows of the protocol: the head of the request whose body is still coming."""

    __slots__ = ("_head", "_searched")

    def __init__(self) -> None:
        """Begin with a head."""
        self._head: Head | None = None
        self._searched = 0

    def consume(self, connection: Connection) -> None:
        """Take one whole request; the next one is read when this one is answered."""
        hub = connection.hub
        if connection.owed:
            return
        try:
            if self._head is None:
                self._head = self._take_head(connection)
            head = self._head
            if head is None:
                if connection.inbox:
                    hub.expect(connection, hub.limits.greeting_time)
                return
            if len(connection.inbox) < head.length:
                hub.expect(connection, hub.limits.body_time)
                return
        except HttpError as problem:
            _turn_away(connection, problem)
            return
        hub.settle(connection)
        body = bytes(connection.inbox[: head.length])
        del connection.inbox[: head.length]
        self._head = None
        _call(connection, head, body)

    def _take_head(self, connection: Connection) -> Head | None:
        inbox, limit = connection.inbox, connection.hub.limits.head
        end = inbox.find(b"\r\n\r\n", max(0, self._searched - 3), limit)
        if end == -1:
            self._searched = len(inbox)
            if len(inbox) >= limit:
                raise HttpError(431, f"the head of a request may have {limit} bytes")
            return None
        self._searched = 0
        head = _read_head(bytes(inbox[:end]), connection)
        del inbox[: end + 4]
        connection.hub.settle(connection)
        if head.wants_go_on and len(inbox) < head.length:
            connection.outbox += _GO_ON
        return head


def _read_head(text: bytes, connection: Connection) -> Head:
    first, *lines = text.split(b"\r\n")
    words = first.split()
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):  # noqa: PLR2004 - verb, path, version
        raise HttpError(400, "this is no HTTP/1 request")
    verb, path, version = words
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.lower()
        # Two lengths, or a space before the colon, are how requests are smuggled past a proxy.
        if not colon or name != name.strip() or (name == b"content-length" and name in fields):
            raise HttpError(400, "a header line cannot be read")
        fields[name] = value.strip()
    hub = connection.hub
    trusted = hub.is_secret(fields.get(b"x-pdg-secret", b""))
    # A browser sends its pages' requests with an Origin: no page may speak for a job.
    if not trusted and (not hub.dispatcher.allows_strangers or b"origin" in fields):
        hub.counters.refused += 1
        raise HttpError(_FORBIDDEN, "the secret is missing or wrong (header X-PDG-Secret)")
    if verb != b"POST":
        raise HttpError(405, "only POST is known here")
    if path not in _PATHS:
        raise HttpError(404, "XML-RPC lives at / and /RPC2")
    if fields.get(b"content-encoding", b"identity") != b"identity":
        raise HttpError(415, "send the body as it is")
    length = _length(fields, hub.limits.body if trusted else hub.limits.untrusted_body)
    wish = fields.get(b"connection", b"").lower()
    keep_alive = wish != b"close" if version != b"HTTP/1.0" else wish == b"keep-alive"
    attempt = fields.get(b"x-pdg-attempt", b"")
    caller = Caller(trusted, int(attempt) if attempt.isdigit() and len(attempt) <= _LONGEST_NUMBER else None)
    return Head(length, keep_alive, caller, fields.get(b"expect", b"").lower() == b"100-continue")


def _length(fields: dict[bytes, bytes], limit: int) -> int:
    text = fields.get(b"content-length", b"")
    if b"transfer-encoding" in fields or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise HttpError(411, "say the body's Content-Length, as a number")
    if int(text) > limit:
        raise HttpError(413, f"the body may have {limit} bytes")
    return int(text)


def _turn_away(connection: Connection, problem: HttpError) -> None:
    counters = connection.hub.counters
    if problem.status in {413, 431}:
        counters.too_large += 1
    elif problem.status != _FORBIDDEN:
        counters.garbage += 1
    connection.hub.notebook.once(f"http {problem.status}", f"result server: {connection.peer}: {problem}")
    body = f"{problem}\n".encode()
    head = f"HTTP/1.1 {problem.status} {_REASONS[problem.status]}\r\nContent-Type: text/plain\r\n"
    connection.refuse(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)


def _call(connection: Connection, head: Head, body: bytes) -> None:
    answer = connection.owe()
    if not head.keep_alive:
        connection.closing = True

    def done(value: object, fault: Fault | None) -> None:
        _answer(answer, head, value_text(value) if fault is None else fault_text(fault))

    try:
        name, args = read_call(body)
    except UnreadableCallError as problem:
        connection.hub.counters.faults += 1
        connection.hub.notebook.once("xml", f"result server: {connection.peer} sent {problem}")
        done(None, Fault(UNREADABLE, f"result server: {problem}"))
        return
    dispatcher = connection.hub.dispatcher
    if name == "system.multicall":
        multicall(dispatcher, args, head.caller, done)
    elif name == "system.listMethods":
        done(known_methods(), None)
    else:
        dispatcher.call(name, args, head.caller, done)


def _answer(answer: Answer, head: Head, text: bytes) -> None:
    close = b"" if head.keep_alive else b"Connection: close\r\n"
    head_text = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n%s\r\n"
    answer.give(head_text % (len(text), close) + text)
