"""A real result server with a recording cook behind it, and callers of both kinds."""

from __future__ import annotations

import socket
import xmlrpc.client
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from topcook.runtime.resultserver import ResultServerThread
from topcook.testkit.sink import RecordingSink

SECRET = "sesame"


@pytest.fixture
def sink() -> Iterator[RecordingSink]:
    sink = RecordingSink()
    yield sink
    sink.close()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def make_server(sink: RecordingSink, log: list[str]) -> Iterator[Callable[..., ResultServerThread]]:
    made: list[ResultServerThread] = []

    def make(**options: Any) -> ResultServerThread:
        server = ResultServerThread(sink, SECRET, **{"log": log.append, **options})
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def server(make_server: Callable[..., ResultServerThread]) -> ResultServerThread:
    server = make_server()
    server.start()
    return server


class SecretTransport(xmlrpc.client.Transport):
    """What an XML-RPC client that knows the secret sends."""

    def __init__(self, *headers: tuple[str, str]) -> None:
        super().__init__()
        self.extra = list(headers)

    def send_headers(self, connection: Any, headers: Any) -> None:
        super().send_headers(connection, [*headers, *self.extra])


@pytest.fixture
def proxy_to() -> Iterator[Callable[..., xmlrpc.client.ServerProxy]]:
    made: list[xmlrpc.client.ServerProxy] = []

    def connect(address: str, secret: str | None = SECRET, **headers: str) -> xmlrpc.client.ServerProxy:
        lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if secret is not None:
            lines.append(("X-PDG-Secret", secret))
        proxy = xmlrpc.client.ServerProxy(f"http://{address}", SecretTransport(*lines), allow_none=True)
        made.append(proxy)
        return proxy

    yield connect
    for proxy in made:
        proxy("close")()


class Caller:
    """A raw socket that reads until a given end."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self.sock = socket.create_connection((host, int(port)), timeout=20)
        self.rest = b""

    def send(self, data: bytes) -> Caller:
        self.sock.sendall(data)
        return self

    def line(self) -> bytes:
        return self.until(b"\n")

    def until(self, end: bytes) -> bytes:
        while end not in self.rest:
            data = self.sock.recv(65536)
            assert data, f"closed after {self.rest!r}"
            self.rest += data
        text, _, self.rest = self.rest.partition(end)
        return text

    def everything(self) -> bytes:
        """What comes until the server closes; a reset counts as closed."""
        try:
            while data := self.sock.recv(65536):
                self.rest += data
        except ConnectionResetError:
            pass
        return self.rest


@pytest.fixture
def call() -> Iterator[Callable[..., Caller]]:
    made: list[Caller] = []

    def connect(server: ResultServerThread | str, data: bytes = b"") -> Caller:
        made.append(Caller(server if isinstance(server, str) else server.address))
        return made[-1].send(data)

    yield connect
    for caller in made:
        caller.sock.close()
