"""Ten thousand reports at once: each is answered, once, and counted, once."""

from __future__ import annotations

import resource
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from topcook.model.notification import Kind
from topcook.runtime.resultserver import ResultServerThread
from topcook.testkit.sink import RecordingSink

SECRET = "sesame"
PATIENCE = 60.0
REPORTS = 10_000


@pytest.fixture
def sink() -> Iterator[RecordingSink]:
    made = RecordingSink()
    yield made
    made.close()


@pytest.fixture
def server(sink: RecordingSink) -> Iterator[ResultServerThread]:
    made = ResultServerThread(sink, SECRET)
    made.start()
    yield made
    made.stop()


def as_many_as_there_are_descriptors() -> int:
    """Both ends are this process's, and others have some open already."""
    return max(64, min(1500, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200) // 2))


@pytest.mark.parametrize("connections", [64, as_many_as_there_are_descriptors()], ids=["64", "many"])
def test_each_of_ten_thousand_reports_is_answered_once_and_counted_once(
    server: ResultServerThread, sink: RecordingSink, connections: int
) -> None:
    host, port = server.address.split(":")
    # Nobody is answered before everything was sent: all of them wait at once.
    sink.hold()
    callers: list[socket.socket] = []
    for number in range(connections):
        caller = socket.create_connection((host, int(port)), timeout=PATIENCE)
        items = range(number, REPORTS, connections)
        caller.sendall(b"PDG1 sesame\n" + b"".join(b'["success",null,%d,0,""]\n' % item for item in items))
        callers.append(caller)
    sink.release()
    answers = gather(callers, [len(range(number, REPORTS, connections)) for number in range(connections)])
    assert set(answers) == {b"+"}
    assert answers[b"+"] == REPORTS
    counted = Counter(said.item for said in sink.notifications)
    assert len(counted) == REPORTS
    assert set(counted.values()) == {1}
    assert {said.kind for said in sink.notifications} == {Kind.SUCCEEDED}


def gather(callers: list[socket.socket], wanted: list[int]) -> Counter[bytes]:
    """Read so many lines of each; nothing more may come."""
    answers: Counter[bytes] = Counter()
    rest = dict.fromkeys(callers, b"")
    left = dict(zip(callers, wanted, strict=True))
    deadline = time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as selector:
        for caller in callers:
            caller.setblocking(False)
            selector.register(caller, selectors.EVENT_READ)
        while any(left.values()):
            assert time.monotonic() < deadline, f"{sum(left.values())} reports were not answered"
            for key, _ in selector.select(1.0):
                caller = key.fileobj
                assert isinstance(caller, socket.socket)
                data = caller.recv(1 << 16)
                assert data, "the server hung up"
                *lines, rest[caller] = (rest[caller] + data).split(b"\n")
                answers.update(lines)
                left[caller] -= len(lines)
                assert left[caller] >= 0
    for caller in callers:
        caller.close()
    return answers
