"""What a job's report costs: ``python -m benchmarks.reports [--seconds N] [--rounds N] [--connections N]``.

The result server by both protocols, each report committed to a journal on disk before it is answered, against a bare
asyncio echo and the standard library's threaded XML-RPC server, which keep nothing; from one client process with many
connections and one call under way on each. The same while 2,000 more connections are held, and what these cost by
themselves. Then one report by ``pdgcmd.py`` against the bare interpreter, and by the bash ``pdgcmd`` against ``bash -c
:``. Servers take turns in every round; medians are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import multiprocessing
import os
import resource
import selectors
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from socketserver import ThreadingMixIn
from typing import Any, NamedTuple
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from benchmarks import suite
from benchmarks.workloads import Spent, median, ratio, run, surroundings
from topcook.model.notification import Notification
from topcook.model.states import WorkItemState
from topcook.runtime.inbox import Report
from topcook.runtime.resultserver import ResultServerThread
from topcook.testkit.journaldesk import JournalDesk

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

        def handle_error(self, *_: object) -> None:
            """Callers hang up when their time is over."""

    server = Threaded(("127.0.0.1", 0), requestHandler=Handler, logRequests=False)
    server.register_function(lambda *_: True, "success")
    ready.send(server.server_address[1])
    server.serve_forever()


class RecordingCook:
    """A cook that does nothing but commit what is reported: a batch is what came during the last commit."""

    def __init__(self, folder: Path) -> None:
        """Start the committing thread; the journal is in ``folder``."""
        self._desk = JournalDesk(folder / "journal.sqlite")
        self._items = [self._desk.item() for _ in range(1000)]
        self._desk.hand_over(*self._items)
        self._waiting: SimpleQueue[tuple[list[Notification], Callable[[Exception | None], None]]] = SimpleQueue()
        threading.Thread(target=self._commit, daemon=True).start()

    def report(self, notifications: list[Notification], done: Callable[[Exception | None], None]) -> None:
        """Take a report."""
        self._waiting.put((notifications, done))

    def query(self, method: str, args: tuple[Any, ...]) -> Any:
        """Nobody asks."""
        raise NotImplementedError(method, args)

    def event(self, name: str, args: tuple[Any, ...]) -> None:
        """Messages are not kept."""

    def _commit(self) -> None:
        items, journal = itertools.cycle(self._items), self._desk.journal
        while True:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            events = [Report(notifications) for notifications, _ in batch]
            ends = [
                (item, item.state, WorkItemState.CookedSuccess, 12.0) for item in itertools.islice(items, len(batch))
            ]
            journal.commit(events, ends, [])
            for _, done in batch:
                done(None)


def ours(ready: Connection) -> None:
    """The result server; its cook commits on a thread of its own."""
    more_descriptors()
    with tempfile.TemporaryDirectory(prefix="topcook-bench-") as folder:
        server = ResultServerThread(RecordingCook(Path(folder)), SECRET)
        ready.send(int(server.start().split(":")[1]))
        # Until the other end is closed: how much memory it has, and how much processor time it took, when asked.
        with contextlib.suppress(EOFError):
            while ready.recv() == "":
                pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
                ready.send((pages * os.sysconf("SC_PAGE_SIZE"), time.process_time()))


def more_descriptors() -> None:
    """Let this process hold as many connections as it may."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def call_again_and_again(port: int, kind: Kind, seconds: float, connections: int) -> float:
    """Calls per second over all connections."""
    poll = selectors.DefaultSelector()
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(kind.greeting + kind.request)
        sock.settimeout(0)
        poll.register(sock, selectors.EVENT_READ)
    answers = 0
    started = time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        for key, _ in poll.select(1):
            sock = key.fileobj  # type: ignore[assignment]
            # An answer of the threaded server comes in two packets: only its end counts.
            if sock.recv(65536).endswith(kind.end):
                answers += 1
                sock.send(kind.request)
    for each in list(poll.get_map().values()):
        each.fileobj.close()  # type: ignore[union-attr]
    return answers / took


class Kind(NamedTuple):
    """A server and how it is spoken to: what begins a connection, a call, and the end of an answer."""

    server: Server
    greeting: bytes
    request: bytes
    end: bytes


@contextlib.contextmanager
def serving(server: Server) -> Iterator[tuple[int, Connection]]:
    """A fresh server in a process of its own: its port, and the line to it."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=server, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        yield here.recv(), here
    finally:
        here.close()
        process.terminate()
        process.join()


ECHO = Kind(echo, b"", LINE, b"\n")
LINES = Kind(ours, b"PDG1 sesame\n", LINE, b"+\n")
THREADED = Kind(threaded, b"", POST, b"</methodResponse>\n")
XMLRPC = Kind(ours, b"", POST, b"</methodResponse>\n")
RATES = {
    "bare asyncio echo": ECHO,
    "result server, lines, recorded": LINES,
    "threaded XML-RPC server": THREADED,
    "result server, XML-RPC, recorded": XMLRPC,
}


def rates(seconds: float, rounds: int, connections: int) -> suite.Table:
    """Calls per second of each server, in turn."""
    found: dict[str, list[float]] = {name: [] for name in RATES}
    for _ in range(rounds):
        for name, kind in RATES.items():
            with serving(kind.server) as (port, _):
                found[name].append(call_again_and_again(port, kind, seconds, connections))
    table = suite.Table(f"Reports from {connections} connections, calls a second")
    for floor, own, goal in zip(*[iter(RATES)] * 2, (0.5, 2.0), strict=True):
        table.add(floor, f"{statistics.median(found[floor]):,.0f}", 1.0, "x")
        times = statistics.median(mine / theirs for mine, theirs in zip(found[own], found[floor], strict=True))
        table.add(own, f"{statistics.median(found[own]):,.0f}", times, "x", suite.at_least(goal))
    return table


def held(seconds: float, rounds: int, count: int) -> suite.Table:
    """What ``count`` connections cost that say nothing."""
    more_descriptors()
    alone, beside, idle, size = [], [], [], []
    with serving(ours) as (port, line):

        def asked() -> tuple[int, float]:
            line.send("")
            found: tuple[int, float] = line.recv()
            return found

        def cost() -> float:
            before = asked()[1]
            calls = call_again_and_again(port, LINES, seconds, 64) * seconds
            return (asked()[1] - before) / calls * 1e6

        for _ in range(rounds):
            alone.append(cost())
            before, _ = asked()
            quiet = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
            for sock in quiet:
                sock.sendall(LINES.greeting + LINE)
            for sock in quiet:
                sock.recv(64)
            with_them, used = asked()
            size.append((with_them - before) / count / 1024)
            time.sleep(seconds)
            idle.append((asked()[1] - used) / seconds * 100)
            beside.append(cost())
            for sock in quiet:
                sock.close()
    table = suite.Table(f"{count} connections held that say nothing")
    table.add("processor while all are silent", "", statistics.median(idle), "%", suite.at_most(2))
    # The first round's: later ones find the memory of those before.
    table.add("memory of each", "", size[0], "KiB", suite.at_most(16))
    figures = f"{statistics.median(alone):.1f} us of processor without them, {statistics.median(beside):.1f} with"
    more = statistics.median(now / then for now, then in zip(beside, alone, strict=True))
    table.add("a call of 64 others", figures, more, "x without", suite.at_most(1.2))
    return table


def starts(count: int) -> suite.Table:
    """One report by each client of the command line, against the bare interpreter."""
    from pdgjob import _link

    source = Path(_link.__file__).parent
    bash = shutil.which("bash")
    with tempfile.TemporaryDirectory() as home, serving(ours) as (port, _):
        folder = Path(home)
        shutil.copytree(source, folder / "pdgjob", ignore=shutil.ignore_patterns("__pycache__"))
        for client in ("pdgcmd", "pdgcmd.py"):
            shutil.copy(source / client, folder)
        job = {"PDG_RESULT_SERVER": f"127.0.0.1:{port}", "PDG_RESULT_SECRET": SECRET, "PDG_ITEM_ID": "4"}
        environment = {**surroundings(folder), **job}
        bare = [sys.executable, "-I", "-S"]
        report = ["addOutputFile", "/x/y.png"]
        commands = {
            "python -I -S -c pass": [*bare, "-c", "pass"],
            "pdgcmd.py addOutputFile": [*bare, str(folder / "pdgcmd.py"), *report],
        }
        if bash:
            commands["bash -c :"] = [bash, "-c", ":"]
            commands["bash pdgcmd addOutputFile"] = [bash, str(folder / "pdgcmd"), *report]
        took: dict[str, list[Spent]] = {name: [] for name in commands}
        for _ in range(count):
            for name, words in commands.items():
                took[name].append(run(words, folder, environment))
    table = suite.Table("A report from a job's command line, whole processes")
    pairs = [("python -I -S -c pass", "pdgcmd.py addOutputFile", 1.5), ("bash -c :", "bash pdgcmd addOutputFile", 3.0)]
    for floor, own, goal in pairs:
        if own in took:
            times = ratio(took[own], took[floor])
            table.add(floor, f"{median(took[floor]) * 1000:.1f} ms", 1.0, "x")
            table.add(own, f"{median(took[own]) * 1000:.1f} ms", times, "x", suite.at_most(goal))
    if not bash:
        table.notes.append("bash is not installed: left out")
    return table


def tables(*, quick: bool, seconds: float = 2.0, rounds: int = 3, connections: int = 64) -> Iterator[suite.Table]:
    """All of them."""
    if quick:
        seconds, rounds = 0.5, 1
    yield rates(seconds, rounds, connections)
    yield held(seconds, rounds, 2000)
    yield starts(10 if quick else 50 * rounds)


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each server is called in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    suite.show(tables(quick=False, seconds=given.seconds, rounds=given.rounds, connections=given.connections))


if __name__ == "__main__":
    main()
