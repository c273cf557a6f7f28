"""What a job's report costs: ``python -m benchmarks.reports [--seconds N] [--rounds N] [--connections N]``.

The result server with a recording cook behind it, by both protocols, against a bare asyncio echo and the standard
library's threaded XML-RPC server, from one client process with many connections and one call under way on each. Then
one report by ``pdgcmd.py`` against the bare interpreter. Servers take turns in every round; medians are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

SECRET = "sesame"
LINE = b'["success",2,12,3.5,""]\n'
BODY = xmlrpc.client.dumps((12, 3.5, ""), "success").encode()
POST = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nX-PDG-Secret: sesame\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)

Server = Callable[[Connection], None]


def echo(ready: Connection) -> None:
    """A bare asyncio protocol that sends back what comes."""

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            assert isinstance(self.transport, asyncio.WriteTransport)
            self.transport.write(data)

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(serve())


def threaded(ready: Connection) -> None:
    """The standard library's server, a thread for each connection; nothing is recorded."""

    class Handler(SimpleXMLRPCRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

    class Threaded(ThreadingMixIn, SimpleXMLRPCServer):
        daemon_threads = True
        request_queue_size = 128

    server = Threaded(("127.0.0.1", 0), requestHandler=Handler, logRequests=False)
    server.register_function(lambda *_: True, "success")
    ready.send(server.server_address[1])
    server.serve_forever()


def ours(ready: Connection) -> None:
    """The result server; its cook records on a thread of its own."""
    from topcook.runtime.resultserver import ResultServerThread
    from topcook.testkit.sink import RecordingSink

    sink = RecordingSink()
    ready.send(int(ResultServerThread(sink, SECRET).start().split(":")[1]))
    while True:
        time.sleep(1)
        sink.notifications.clear()


def call_again_and_again(port: int, greeting: bytes, request: bytes, end: bytes, settings: argparse.Namespace) -> float:
    """Calls per second over all connections."""
    poll = selectors.DefaultSelector()
    for _ in range(settings.connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(greeting + request)
        sock.settimeout(0)
        poll.register(sock, selectors.EVENT_READ)
    answers = 0
    started = time.perf_counter()
    while (took := time.perf_counter() - started) < settings.seconds:
        for key, _ in poll.select(1):
            sock = key.fileobj  # type: ignore[assignment]
            # An answer of the threaded server comes in two packets: only its end counts.
            if sock.recv(65536).endswith(end):
                answers += 1
                sock.send(request)
    return answers / took


def rate(server: Server, greeting: bytes, request: bytes, end: bytes, settings: argparse.Namespace) -> float:
    """Calls per second of a fresh server in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=server, args=(there,), daemon=True)
    process.start()
    try:
        return call_again_and_again(here.recv(), greeting, request, end, settings)
    finally:
        process.terminate()
        process.join()


RATES: dict[str, tuple[Server, bytes, bytes, bytes]] = {
    "bare asyncio echo": (echo, b"", LINE, b"\n"),
    "result server, lines": (ours, b"PDG1 sesame\n", LINE, b"+\n"),
    "threaded XML-RPC": (threaded, b"", POST, b"</methodResponse>\n"),
    "result server, XML-RPC": (ours, b"", POST, b"</methodResponse>\n"),
}


def starts(port: int, count: int) -> dict[str, float]:
    """Seconds of a bare interpreter, and of one that sends a report."""
    from pdgjob import _link

    source = Path(_link.__file__).parent
    environment = {
        **os.environ,
        "PDG_RESULT_SERVER": f"127.0.0.1:{port}",
        "PDG_RESULT_SECRET": SECRET,
        "PDG_ITEM_ID": "4",
    }
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(source, Path(folder) / "pdgjob", ignore=shutil.ignore_patterns("__pycache__"))
        script = shutil.copy(source / "pdgcmd.py", folder)
        commands = {
            "python -I -S -c pass": ["-c", "pass"],
            "pdgcmd.py addOutputFile": [script, "addOutputFile", "/x/y.png"],
        }
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(count):
            for name, words in commands.items():
                started = time.perf_counter()
                line = [sys.executable, "-I", "-S", *words]
                subprocess.run(line, env=environment, stdout=subprocess.DEVNULL, check=True)
                took[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in took.items()}


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each server is called in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    settings = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in RATES}
    for _ in range(settings.rounds):
        for name, kind in RATES.items():
            rates[name].append(rate(*kind, settings))
    print(f"{'':26}{'calls/s':>10}{'ratio':>8}")
    for floor, name in (("bare asyncio echo", "result server, lines"), ("threaded XML-RPC", "result server, XML-RPC")):
        base, got = statistics.median(rates[floor]), statistics.median(rates[name])
        print(f"{floor:26}{base:10.0f}{1:8.2f}\n{name:26}{got:10.0f}{got / base:8.2f}")
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=ours, args=(there,), daemon=True)
    process.start()
    took = starts(here.recv(), 50 * settings.rounds)
    process.terminate()
    bare = took["python -I -S -c pass"]
    print(f"\n{'':26}{'ms':>10}{'ratio':>8}")
    for name, seconds in took.items():
        print(f"{name:26}{seconds * 1000:10.1f}{seconds / bare:8.2f}")


if __name__ == "__main__":
    main()
