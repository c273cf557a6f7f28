"""Where the server listens, what address it tells, and how schedulers share it."""

from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from topcook.errors import ConfigError, CookRefusedError
from topcook.runtime.resultserver import Address, Limits, ResultServerThread, SchedulerDoor
from topcook.testkit.sink import RecordingSink


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_it_listens_on_loopback_unless_told_otherwise(server: ResultServerThread) -> None:
    host, port = server.address.split(":")
    assert host == "127.0.0.1"
    assert int(port) > 0
    assert server.running


def test_a_farms_scheduler_gets_this_hosts_name(make_server: Any, call: Any) -> None:
    server = make_server()
    host, port = server.start(local_only=False).split(":")
    assert host == socket.gethostname()
    assert call(f"127.0.0.1:{port}", b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+"


def test_the_advertised_address_is_what_is_told(make_server: Any) -> None:
    server = make_server(address=Address(bind="0.0.0.0", advertise="render-host"))
    assert server.start().startswith("render-host:")


@pytest.mark.parametrize(
    ("bind", "nearby"),
    [
        ("", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("::", "::1"),
        ("localhost", "localhost"),
    ],
)
def test_this_machine_goes_where_the_server_is_bound_whatever_jobs_are_told(
    make_server: Any, bind: str, nearby: str
) -> None:
    server = make_server()
    assert server.nearby(Address(bind=bind, advertise="render-host"), "render-host:4711") == f"{nearby}:4711"


def test_a_port_range_is_searched_for_a_free_port(make_server: Any, busy_port: int) -> None:
    server = make_server(address=Address(ports=(busy_port, busy_port + 20)))
    assert busy_port < int(server.start().split(":")[1]) < busy_port + 20


def test_a_range_without_a_free_port_is_refused_with_its_reason(make_server: Any, busy_port: int) -> None:
    server = make_server(address=Address(ports=(busy_port, busy_port + 1)))
    with pytest.raises(CookRefusedError, match="in use") as refusal:
        server.start()
    assert f"ports {busy_port} to {busy_port}" in str(refusal.value)
    assert not server.running


def test_an_address_of_another_machine_is_refused(make_server: Any) -> None:
    with pytest.raises(CookRefusedError, match=r"192\.0\.2\.1"):
        make_server(address=Address(bind="192.0.2.1")).start()


def test_every_mistake_in_an_address_is_told_at_once(sink: RecordingSink) -> None:
    with pytest.raises(ConfigError) as refusal:
        ResultServerThread(sink, "x", address=Address("http://h/", "host:80", (9, 9)))
    assert len(refusal.value.problems) == 3


@pytest.mark.parametrize("ports", [(0, 5), (5, 5), (6, 5), (-1, 3), (65536, 65537), (1, 65538)])
def test_a_schedulers_bad_port_range_is_refused(ports: tuple[int, int], make_server: Any) -> None:
    with pytest.raises(ConfigError, match="port range"):
        make_server().start(port_range=ports)


def test_schedulers_share_one_server_and_get_what_they_ask_for(
    make_server: Any, busy_port: int, sink: RecordingSink, call: Any
) -> None:
    server = make_server()
    doors = [SchedulerDoor(server) for _ in range(3)]
    local = doors[0].start(local_only=True, port_range=None)
    assert doors[1].start(local_only=True, port_range=None) == local
    ranged = doors[2].start(local_only=True, port_range=(busy_port + 1, busy_port + 30))
    assert ranged != local
    for address in (local, ranged):
        assert call(address, b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+"
    assert len([thread for thread in threading.enumerate() if thread.name == "topcook-resultserver"]) == 1
    assert len(sink.notifications) == 2


def test_a_scheduler_that_stops_its_server_does_not_stop_the_others(make_server: Any, call: Any) -> None:
    server = make_server()
    first, second = SchedulerDoor(server), SchedulerDoor(server)
    assert (first.running, first.address) == (False, "")
    first.stop()
    first.start(local_only=True, port_range=None)
    address = second.start(local_only=True, port_range=None)
    first.stop()
    assert (first.running, first.address) == (False, "")
    assert (second.running, second.address) == (True, address)
    assert call(address, b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+"
    server.stop()
    assert not second.running


def test_it_can_be_started_and_stopped_again_and_again(make_server: Any, call: Any) -> None:
    server = make_server()
    before = threading.active_count()
    for _ in range(5):
        server.start()
        assert call(server, b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+"
        server.stop()
        server.stop()
        assert not server.running
        assert server.address == ""
    assert threading.active_count() == before


def test_a_server_that_is_never_stopped_keeps_no_process_alive() -> None:
    import subprocess
    import sys

    code = (
        "from topcook.testkit.sink import RecordingSink\n"
        "from topcook.runtime.resultserver import ResultServerThread\n"
        "print(ResultServerThread(RecordingSink(), 'x').start())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout.startswith(b"127.0.0.1:")


def test_protocol_code_is_loaded_with_the_first_caller() -> None:
    import subprocess
    import sys

    code = (
        "import sys, topcook.runtime.resultserver as r\n"
        "s = r.ResultServerThread(None, 'x'); s.start()\n"
        "print([name for name in ('asyncio', 'xmlrpc', 'xml', 'http', 'defusedxml', 'json') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True, text=True)
    assert set(eval(done.stdout)) <= {"json"}


def test_above_the_limit_the_one_idle_longest_makes_room(make_server: Any, call: Any) -> None:
    server = make_server(limits=Limits(connections=3))
    server.start()
    callers = []
    for _ in range(5):
        caller = call(server, b'PDG1 sesame\n["failed",null,1,""]\n')
        assert caller.line() == b"+"
        callers.append(caller)
    assert [caller.everything() for caller in callers[:2]] == [b"", b""]
    assert callers[2].send(b'["failed",null,1,""]\n').line() == b"+"
    assert server.counters.evicted == 2


def test_two_thousand_held_connections_do_not_slow_a_caller(server: ResultServerThread, call: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4600
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            pytest.skip(f"this machine allows {hard} open files, the test holds {wanted}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    try:
        held = [call(server, b'PDG1 sesame\n["failed",null,1,""]\n') for _ in range(2000)]
        assert all(caller.line() == b"+" for caller in held)
        caller = call(server, b"PDG1 sesame\n")
        for _ in range(200):
            assert caller.send(b'["failed",null,1,""]\n').line() == b"+"
        assert held[0].send(b'["failed",null,1,""]\n').line() == b"+"
        assert server.counters.evicted == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_running_out_of_descriptors_closes_idle_connections_and_goes_on(server: ResultServerThread, call: Any) -> None:
    import os

    idle = [call(server, b'PDG1 sesame\n["failed",null,1,""]\n') for _ in range(20)]
    assert all(caller.line() == b"+" for caller in idle)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # One descriptor left: the caller's own; the server's end of it has to be made room for.
    highest = os.dup(0)
    os.close(highest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    try:
        assert call(server, b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert server.counters.evicted >= 1
