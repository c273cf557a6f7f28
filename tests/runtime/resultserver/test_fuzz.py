"""More than a hundred thousand requests, made up and mangled, against the result server of a running cook.

No crash, no hang, no state that a stranger forged, no memory that grows.
"""

from __future__ import annotations

import gc
import json
import os
import random
import socket
import xmlrpc.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from topcook.machine.phases import HELD
from topcook.runtime.resultserver.methods import METHODS
from topcook.testkit.cookbench import CookBench

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(290)]

HOLDER = """
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class Holder(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    def onStart(self):
        return self.startCallbackServer()

    def onSchedule(self, work_item):
        return pdg.scheduleResult.Succeeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Holder)
"""
ITEMS = 20
NETWORK = f"""
[network]
name = "net"
scheduler = "holder"
[schedulers.holder]
type = "holder"
[nodes.a]
type = "genericgenerator"
parms = {{ itemcount = {ITEMS}, command = "true" }}
"""
#: What would rightly end an item, when it is said with the secret.
ENDS = {"success", "failed", "cancelled", "success_and_result"}
LEAST = 100_000
#: Bytes of memory that the second half of a run may cost; what the allocator keeps back is not ours to say.
MOST_GROWTH = 24 << 20


class Attack:
    """A cook that holds all its items, the way to its server, and what was sent there."""

    def __init__(self, bench: CookBench) -> None:
        bench.types("holder", HOLDER)
        self.bench = bench
        self.context = bench.load(NETWORK)
        self.cook = bench.start(self.context)
        while len(self.held()) < ITEMS:  # all are taken; nobody reports
            assert not self.cook.wait(0.01)
        core = self.context.core
        host, port = core.host("holder").result_server.address.split(":")
        self.place = (host, int(port))
        self.secret = core.secret
        self.sent = 0

    def held(self) -> list[Any]:
        return [item for item in self.cook.state.all_items() if item.phase in HELD]

    def connect(self) -> socket.socket:
        return socket.create_connection(self.place, timeout=30)

    def lines(self, requests: list[bytes], secret: str | None = None) -> list[bytes]:
        """The answers to lines on one connection; fewer than lines when the server closed it."""
        head = f"PDG1 {self.secret if secret is None else secret}\n".encode()
        self.sent += len(requests)
        with self.connect() as sock:
            try:
                sock.sendall(head + b"".join(request + b"\n" for request in requests))
                sock.shutdown(socket.SHUT_WR)
                return self.rest(sock).split(b"\n")[:-1]
            except (ConnectionError, BrokenPipeError):
                return []

    def raw(self, data: bytes) -> bytes:
        self.sent += 1
        with self.connect() as sock:
            try:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                return self.rest(sock)
            except (ConnectionError, BrokenPipeError):
                return b""

    @staticmethod
    def rest(sock: socket.socket) -> bytes:
        found = b""
        try:
            while data := sock.recv(1 << 16):
                found += data
        except ConnectionError:
            pass
        return found

    def post(self, body: bytes, *, secret: bool, requests: int = 1) -> bytes:
        head = f"POST /RPC2 HTTP/1.0\r\nContent-Length: {len(body)}\r\n"
        head += f"X-PDG-Secret: {self.secret}\r\n\r\n" if secret else "\r\n"
        self.sent += requests - 1
        return self.raw(head.encode() + body)

    def end(self) -> None:
        """With the secret, and well said, it still does all it should."""
        assert len(self.held()) == ITEMS
        assert not self.cook.wait(0)
        done = self.lines([json.dumps(["success", None, item.id, 1.0, ""]).encode() for item in self.held()])
        assert done == [b"+"] * ITEMS
        assert self.bench.finish(self.context, self.cook).outcome == "cooked"


@pytest.fixture
def attack(tmp_path: Path) -> Iterator[Attack]:
    bench = CookBench(tmp_path)
    yield Attack(bench)
    bench.close()


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["a_1", "-1", "__PDG_DIR__/../../x", "\0", "9" * 40, "<!DOCTYPE x>", "__import__('os')"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*METHODS, "system.multicall", "system.listMethods", "", "__class__", "os.system"]) | st.text(
    max_size=12
)
CALLS = st.lists(st.tuples(NAMES, st.lists(VALUES, max_size=7)), min_size=1, max_size=8)


def harmless(name: str, args: list[Any]) -> bool:
    """Whether a call, said with the secret, ends no item."""
    return name.removesuffix("_batch") not in ENDS or not args or args[0] not in range(ITEMS + 1)


def test_made_up_calls_on_every_way_in(attack: Attack) -> None:
    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(CALLS)
    def throw(calls: list[tuple[str, list[Any]]]) -> None:
        lines = [json.dumps([name, None, *args]).encode() for name, args in calls]
        kind = [harmless(name, args) for name, args in calls]
        kept = [line for line, good in zip(lines, kind, strict=True) if good]
        answers = attack.lines(kept)
        assert all(answer[:1] in {b"+", b"-"} for answer in answers)
        attack.lines(lines, "wrong")
        try:
            single = [xmlrpc.client.dumps(tuple(args), name, allow_none=True).encode() for name, args in calls]
            many = [{"methodName": name, "params": args} for name, args in calls]
            multicall = xmlrpc.client.dumps((many,), "system.multicall", allow_none=True).encode()
        except (OverflowError, TypeError, UnicodeEncodeError):
            return  # what XML-RPC has no words for
        for body, good in zip(single, kind, strict=True):
            assert attack.post(body, secret=good).startswith((b"HTTP/1.", b""))
            assert b" 403 " in attack.post(body, secret=False).split(b"\r\n")[0]
        attack.post(multicall, secret=all(kind), requests=len(calls))

    throw()
    attack.end()


def valid_lines(chance: random.Random) -> bytes:
    item = chance.choice([chance.randint(1, ITEMS), f"a_{chance.randint(1, ITEMS)}"])
    return chance.choice(
        [
            json.dumps(["set_cook_percent", None, item, -1, chance.random(), ""]),
            json.dumps(["set_custom_state", None, item, -1, "x" * chance.randint(0, 99), ""]),
            json.dumps(["set_int_attrib", None, item, -1, "n", chance.randint(-9, 9), 0, ""]),
            json.dumps(["check_ready_batch", None, item, -1]),
            json.dumps(["start_cook", chance.randint(5, 9), item, ""]),
            json.dumps(["success", 999, item, 1.0, ""]),
            json.dumps(["failed", None, ITEMS + chance.randint(1, 10**6), ""]),
            json.dumps(["get_workitem_json", None, item, -1]),
        ]
    ).encode()


def mangled(line: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, never into the name of a method that ends an item of this attempt, never a line's end."""
    made = bytearray(line)
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(3):
            case 0:
                made[at:at] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + 1]
            case _:
                made[at : at + 1] = bytes([chance.randrange(256)])
    text = bytes(made).replace(b"\n", b" ") or b" "
    return b"[]" if b"success" in text or b"failed" in text or b"cancelled" in text else text


def memory() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_hundred_thousand_requests_leave_states_and_memory_as_they_were(attack: Attack) -> None:
    slow = [attack.connect() for _ in range(40)]
    for sock in slow:
        sock.sendall(b"PDG1 ")
    sizes = []

    def round_of(number: int) -> None:
        mine = random.Random(number)
        for _ in range(5):
            kept = [
                line if mine.random() < 0.3 else mangled(line, mine) for line in (valid_lines(mine) for _ in range(250))
            ]
            attack.lines(kept)
        for _ in range(8):
            # Strangers: well said but without the secret, noise, noise that begins well.
            ends = [json.dumps(["failed", None, number % ITEMS + 1, ""]).encode()] * 3
            assert not [
                answer
                for answer in attack.lines(ends, mine.choice(["", "x", attack.secret[:-1]]))
                if answer[:1] == b"+"
            ]
            noise = mine.randbytes(mine.randint(0, 3000))
            attack.raw(
                mine.choice([b"", b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n\r\n", b"PDG1 \n", b"\x16\x03\x01"])
                + noise
            )
            attack.post(xmlrpc.client.dumps((number % ITEMS + 1, ""), "failed").encode(), secret=False)
        attack.post(b"<methodCall>" + mine.randbytes(300), secret=True)
        bomb = b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><methodCall><methodName>&c;</methodName></methodCall>'
        attack.post(bomb, secret=True)
        many = [{"methodName": "failed", "params": [ITEMS + 99, ""]}] * 50
        attack.post(xmlrpc.client.dumps((many,), "system.multicall").encode(), secret=True, requests=50)

    with ThreadPoolExecutor(4) as pool:
        started = 0
        while attack.sent < LEAST:
            list(pool.map(round_of, range(started, started + 8)))
            started += 8
            sizes.append(memory())
    assert attack.sent >= LEAST
    huge = attack.post(b"x" * (32 << 20), secret=True)
    assert huge == b"" or b" 413 " in huge.split(b"\r\n")[0]
    for sock in slow:
        sock.settimeout(30)
        attack.rest(sock)
        sock.close()
    growth = sizes[-1] - sizes[len(sizes) // 2]
    assert growth < MOST_GROWTH, f"memory grew by {growth >> 20} MiB: {[size >> 20 for size in sizes]}"
    attack.end()
