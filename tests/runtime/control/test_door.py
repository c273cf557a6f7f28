"""The door of a cook: who may knock, what comes in, and what nobody can do to it."""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.runtime.control import door as door_module
from topcook.runtime.control.door import MOST_VISITORS, Door

PATIENCE = 60.0


def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("ask") == "trouble":
        raise ValueError("no such thing")
    return {"heard": request}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(str(tmp_path), echo)
    made.open()
    yield made
    made.close()


@contextmanager
def visit(door: Door) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as visitor:
        # Without a timeout it waits in line where there is one.
        visitor.connect(door.path)
        visitor.settimeout(PATIENCE)
        yield visitor


def say(door: Door, line: bytes) -> Any:
    """What is answered to a line; ``None`` where the visitor is sent away."""
    heard = b""
    with visit(door) as visitor, suppress(ConnectionError):
        visitor.sendall(line)
        while more := visitor.recv(65536):
            heard += more
    return json.loads(heard) if heard else None


def is_left(visitor: socket.socket) -> bool:
    """Whether the other side hangs up, whatever of it is still to be read."""
    poll = select.poll()
    poll.register(visitor, 0)
    return bool(poll.poll(PATIENCE * 1000))


def works(door: Door) -> bool:
    """Whether it answers; on a busy machine this process may come too late once."""
    deadline = time.monotonic() + PATIENCE
    while (answer := say(door, b'{"ask": "me"}\n')) is None and time.monotonic() < deadline:
        pass
    return bool(answer == {"heard": {"ask": "me"}})


def test_a_request_is_answered_and_only_the_owner_may_knock(door: Door) -> None:
    assert works(door)
    assert stat.S_IMODE(os.stat(door.path).st_mode) == 0o600


def test_a_path_that_is_too_long_for_a_socket_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 60) / ("b" * 60)
    folder.mkdir(parents=True)
    door = Door(str(folder), echo)
    door.open()
    try:
        assert works(door)
        assert stat.S_IMODE(os.stat(os.path.dirname(door.path)).st_mode) == 0o700
    finally:
        door.close()
    assert not os.path.exists(os.path.dirname(door.path))


def test_what_a_killed_session_left_is_replaced_and_a_closed_door_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(tmp_path / "control"))
    door = Door(str(tmp_path), echo)
    door.open()
    assert works(door)
    door.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError), visit(door):
        pass


@given(junk=st.binary(max_size=300))
@settings(max_examples=40)
def test_whatever_is_said_the_door_goes_on(junk: bytes) -> None:
    door = SHARED.door()
    answer = say(door, junk.replace(b"\n", b"") + b"\n")
    assert answer is not None
    assert works(door)


class _Shared:
    """One door for all examples."""

    def __init__(self) -> None:
        self._door: Door | None = None
        self.folder = ""

    def door(self) -> Door:
        if self._door is None:
            self._door = Door(self.folder, echo)
            self._door.open()
        return self._door

    def close(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None


SHARED = _Shared()


@pytest.fixture(autouse=True, scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    SHARED.folder = str(tmp_path_factory.mktemp("door"))
    yield
    SHARED.close()


@pytest.mark.parametrize(
    "line",
    [b"[" * 10_000 + b"\n", b'{"ask": "trouble"}\n', b"[]\n", b"\n", b"9" * 6000 + b"\n", b"\xff\xfe\n"],
    ids=["nested", "raises", "no object", "empty", "a huge number", "no text"],
)
def test_nonsense_is_answered_with_an_error(door: Door, line: bytes) -> None:
    assert "error" in say(door, line)
    assert works(door)


def test_a_line_that_does_not_end_is_cut_off(door: Door) -> None:
    with visit(door) as visitor:
        sent = 0
        with suppress(ConnectionError):
            # A gigabyte, were it let: it is not read, and its sender is sent away.
            while sent < 1 << 30:
                sent += visitor.send(b"x" * 65536)
        # What the kernel holds for a reader goes with it.
        assert sent < 1 << 24
    assert works(door)


def test_who_says_half_a_line_is_sent_away_after_a_while(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "PATIENCE", 0.2)
    with visit(door) as visitor:
        visitor.sendall(b'{"ask"')
        assert visitor.recv(1) == b""
    assert works(door)


def test_who_never_reads_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "PATIENCE", 0.2)
    much = {"much": "x" * (1 << 24)}
    door = Door(str(tmp_path), lambda request: much if request["ask"] == "much" else echo(request))
    door.open()
    try:
        with visit(door) as visitor:
            visitor.sendall(b'{"ask": "much"}\n')
            assert works(door)
            assert is_left(visitor)
            heard = 0
            while more := visitor.recv(1 << 20):
                heard += len(more)
            assert heard < 1 << 24
    finally:
        door.close()


def test_a_thousand_visitors_who_say_nothing_harm_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "PATIENCE", 0.2)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    before = threading.active_count()
    try:
        with ExitStack() as stack:
            visitors = [stack.enter_context(visit(door)) for _ in range(1000)]
            assert threading.active_count() == before
            # Those who were let in have had their time, the others were sent away at once.
            assert all(is_left(each) for each in visitors)
            assert works(door)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert MOST_VISITORS < 1000


def test_a_process_without_descriptors_lets_people_in_later(door: Door) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        visitor = stack.enter_context(socket.socket(socket.AF_UNIX))
        visitor.settimeout(PATIENCE)
        used = max(int(name) for name in os.listdir("/dev/fd")) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
        fillers = []
        try:
            while True:
                try:
                    fillers.append(os.dup(0))
                except OSError:
                    break
            visitor.connect(door.path)
            visitor.sendall(b'{"ask": "me"}\n')
        finally:
            for each in fillers:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert json.loads(visitor.recv(4096)) == {"heard": {"ask": "me"}}


def test_a_door_is_closed_at_once_though_a_forked_process_has_all_that_was_open(tmp_path: Path) -> None:
    door = Door(str(tmp_path), echo)
    door.open()
    # As a process has it that multiprocessing has forked.
    copy = os.dup(door._ring)
    try:
        door.close()
        assert not door._thread.is_alive()
    finally:
        os.close(copy)
