"""How a job's client reaches the result server of its cook.

The line protocol is spoken when the secret is known, because it needs nothing but a socket; XML-RPC otherwise.
Imports are few and late on purpose: a report from a shell script pays for them each time.
"""

import os
import sys
import time
from _thread import allocate_lock

try:
    import _socket as socket
except ImportError:  # an interpreter that builds its socket module in another way
    import socket  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECRET_FILE = ".pdg_result_secret"  # noqa: S105 - the name of a file
#: Says where a cook listens that has gone on since this job was sent; "-": it was let go, and nobody listens.
SERVER_FILE = ".pdg_result_server"
_LINE_BREAK = "\x1e"
_FIRST_PAUSE = 0.1


class RpcError(Exception):
    """A report did not arrive, or the cook refused it."""


class RpcFault(RpcError):
    """The server took the call and said no; asking again would not change that."""


class _OtherProtocol(Exception):
    """The server does not speak the line protocol."""


def number(name: str, default: float) -> float:
    """A number from the environment; what is no number counts as the default."""
    try:
        return float(os.environ[name])
    except (KeyError, ValueError):
        return default


def secret() -> str:
    """The session's secret: from the environment, else from a file next to this package or in the script dir."""
    return os.environ.get("PDG_RESULT_SECRET") or _written(SECRET_FILE)


def _written(name: str) -> str:
    """The text of a file next to this package or in the script dir; empty when there is none."""
    here = os.path.dirname(os.path.abspath(__file__))
    for folder in (here, os.path.dirname(here), os.environ.get("PDG_SCRIPTDIR")):
        try:
            with open(os.path.join(folder, name)) as stream:  # type: ignore[arg-type]
                return stream.read().strip()
        except (OSError, TypeError):  # not there, or PDG_SCRIPTDIR is not set: the next place may have it
            continue
    return ""


def job_id() -> str:
    """The farm's id of this job, echoed with each report: the value of the variable that PDG_JOBID_VAR names."""
    variable = os.environ.get("PDG_JOBID_VAR")
    return os.environ.get(variable, "") if variable else os.environ.get("PDG_JOBID", "")


def attempt_of(item: "int | str") -> "int | None":
    """This job's attempt number, when ``item`` is this job's own item."""
    attempt = os.environ.get("PDG_ITEM_ATTEMPT", "")
    own = [os.environ.get("PDG_%s" % name) for name in ("ITEM_ID", "ITEM_NAME", "BATCH_ID", "BATCH_NAME")]
    return int(attempt) if attempt.isdigit() and str(item) in own else None


def encode(value: "Any") -> str:
    """JSON of a plain value, without importing the json package for it."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _quote(str(value))
    if isinstance(value, (int, float)):
        text = repr(int(value) if isinstance(value, int) else float(value))
        if text in ("nan", "inf", "-inf"):
            raise ValueError("a report cannot carry %s" % text)
        return text
    if isinstance(value, dict):
        return "{" + ",".join(_quote(str(key)) + ":" + encode(value[key]) for key in value) + "}"
    return "[" + ",".join([encode(element) for element in value]) + "]"


#: What stands between quotes as it is.
_PLAIN = frozenset(map(chr, range(0x20, 0x7F))) - {'"', "\\"}


def _quote(text: str) -> str:
    if _PLAIN.issuperset(text):
        # Most texts: the encoder's module costs a start more than all of them.
        return '"' + text + '"'
    try:
        from _json import encode_basestring_ascii as quote
    except ImportError:
        from json.encoder import encode_basestring_ascii as quote
    return quote(text)


class Link:
    """A connection to one server, opened when first used and kept for the next report of this process."""

    def __init__(self, address: str, known: str = "") -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise RpcError('PDG_RESULT_SERVER: expected host:port, got "%s"' % address)
        self.address = address
        # As bytes: from a text getaddrinfo loads the codec for international names, which costs more than all the rest.
        host = host.strip("[]")
        self._host = host.encode("ascii" if all(char < "\x80" for char in host) else "idna")
        self._port = int(port)
        self._secret = known or secret()
        self._lines = bool(self._secret)
        self._sock = None  # type: Any
        self._process = 0
        self._rest = b""

    def call(self, method: str, attempt: "int | None", args: "Any") -> "Any":
        """Do one call and wait until it is recorded; raises RpcFault, or OSError when nobody answers."""
        if self._lines:
            try:
                return self._call_by_line(method, attempt, args)
            except _OtherProtocol:
                self.close()
                self._lines = False
        from pdgjob import _xmlrpc

        return _xmlrpc.call(self.address, self._secret, method, attempt, args)

    def close(self) -> None:
        """Hang up; the next call connects again."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def _call_by_line(self, method: str, attempt: "int | None", args: "Any") -> "Any":
        line = encode([method, attempt, *args]).encode("ascii") + b"\n"
        # A child made by fork must not talk into its parent's connection.
        if self._sock is not None and self._process == os.getpid():
            try:
                return self._exchange(line)
            except OSError:
                # The server may have closed an idle connection; only a fresh one tells whether it is there.
                self.close()
        self._connect()
        return self._exchange(("PDG1 %s\n" % self._secret).encode() + line)

    def _connect(self) -> None:
        self.close()
        self._rest = b""
        self._process = os.getpid()
        failure = OSError("%s: no address" % self.address)
        for family, kind, protocol, _, where in socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(number("PDG_RPC_TIMEOUT", 4.0))
                sock.connect(where)
            except OSError as problem:
                failure = problem
                sock.close()
            else:
                self._sock = sock
                return
        raise failure

    def _exchange(self, data: bytes) -> "Any":
        try:
            while data:
                data = data[self._sock.send(data) :]
        except OSError:
            # A server that refuses us may have closed already; its words are still there to read.
            if not self._rest and not self._readable():
                raise
        return _value(self._line())

    def _readable(self) -> bool:
        try:
            self._rest += self._sock.recv(65536)
        except OSError:
            return False
        return bool(self._rest)

    def _line(self) -> bytes:
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            data = self._sock.recv(65536)
            if not data:
                raise OSError("the result server %s closed the connection" % self.address)
            parts.append(data)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line


def _value(line: bytes) -> "Any":
    if line == b"+":
        return True
    if line[:1] == b"+":
        import json

        return json.loads(line[1:].decode())
    if line[:1] == b"-":
        raise RpcFault(line[1:].decode("utf-8", "replace").replace(_LINE_BREAK, "\n"))
    # An HTTP server complains of our greeting, in one of several ways.
    raise _OtherProtocol


_links = {}  # type: dict[str, Link]
#: Where cooks listen that have gone on since, by their old address.
_moved = {}  # type: dict[str, str]
_failures = 0
_one_at_a_time = allocate_lock()


def call(address: str, method: str, attempt: "int | None", args: "Any") -> "Any":
    """Do one call, again and again with growing pauses while nobody answers.

    PDG_RPC_RETRIES (4) more tries, pauses up to PDG_RPC_MAX_BACKOFF (4 s); a cook that has gone on meanwhile says in
    the script directory where it listens. After a call that failed for good there is one try each, and after
    PDG_RPC_MAX_ERRORS (5) of them this process reports no more: a job must not wait for a cook that is gone.
    Raises RpcFault when refused, RpcError when nobody answered.
    """
    global _failures  # noqa: PLW0603 - one process, one count
    if _failures >= number("PDG_RPC_MAX_ERRORS", 5):
        raise RpcError("the result server %s did not answer earlier; reports are off" % address)
    tries = 1 if _failures else int(number("PDG_RPC_RETRIES", 4)) + 1
    pause = _FIRST_PAUSE
    for tried in range(tries):
        try:
            with _one_at_a_time:
                link = _links.get(address) or _links.setdefault(address, _link_to(address))
                value = link.call(method, attempt, args)
        except OSError as problem:
            link.close()
            failure = problem
            if _has_moved(address):
                del _links[address]
        else:
            _failures = 0
            return value
        if tried + 1 < tries:
            time.sleep(pause)
            pause = min(pause * 2, number("PDG_RPC_MAX_BACKOFF", 4.0))
    _failures += 1
    raise RpcError("the result server %s does not answer: %s" % (address, failure))


def _link_to(address: str) -> Link:
    moved = _moved.get(address)
    return Link(moved, _written(SECRET_FILE)) if moved else Link(address)


def _has_moved(address: str) -> bool:
    """Whether the cook listens elsewhere now; the next link goes there."""
    now = _written(SERVER_FILE)
    if now == "-" and os.environ.get("PDG_REPORT_SPOOL"):
        raise RpcError("the cook was let go")
    if now in ("", "-", _moved.get(address, address)):
        return False
    _moved[address] = now
    return True


def complain(text: str) -> None:
    """A line on the error stream, which is the job's log."""
    sys.stderr.write("pdgcmd: %s\n" % text)
    sys.stderr.flush()
