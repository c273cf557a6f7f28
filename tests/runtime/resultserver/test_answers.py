"""A report is answered once it is recorded, in order, and to the caller who made it."""

from __future__ import annotations

import json
import socket
import threading
import xmlrpc.client
from typing import Any

import pytest

from topcook.model.notification import Kind
from topcook.runtime.resultserver import Limits, ResultServerThread
from topcook.testkit.sink import RecordingSink


def test_nobody_is_answered_before_the_commit(server: ResultServerThread, sink: RecordingSink, call: Any) -> None:
    sink.hold()
    caller = call(server, b'PDG1 sesame\n["success",1,5,0,""]\n')
    assert sink.arrived.acquire(timeout=20)
    caller.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        caller.line()
    sink.release()
    caller.sock.settimeout(20)
    assert caller.line() == b"+"


def test_a_report_that_cannot_be_recorded_is_refused(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any, call: Any
) -> None:
    sink.unknown = {5}
    with pytest.raises(xmlrpc.client.Fault, match="unknown work item 5"):
        proxy_to(server.address).success(5, 0.0, "")
    assert b"unknown work item 5" in call(server, b'PDG1 sesame\n["success",1,5,0,""]\n').line()
    assert server.counters.faults == 2


def test_a_cook_that_raises_does_not_end_the_server(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the inbox is closed")

    with monkeypatch.context() as patch:
        patch.setattr(sink, "report", broken)
        with pytest.raises(xmlrpc.client.Fault, match="inbox is closed"):
            proxy_to(server.address).failed(1, "")
    assert proxy_to(server.address).failed(1, "") is True


def test_pipelined_calls_are_answered_in_order(server: ResultServerThread, sink: RecordingSink, call: Any) -> None:
    sink.answers = {"check_ready_batch": 1}
    report, question = ["success", None, 0, 0.5, ""], ["check_ready_batch", None, 1, 2]
    calls = [[*report[:2], number, *report[3:]] if number % 2 else question for number in range(3000)]
    lines = [json.dumps(each).encode() + b"\n" for each in calls]
    caller = call(server)
    writer = threading.Thread(target=caller.send, args=(b"PDG1 sesame\n" + b"".join(lines),))
    writer.start()
    answers = [caller.line() for _ in range(3000)]
    writer.join()
    assert answers == [b"+1", b"+"] * 1500
    assert [said.item for said in sink.notifications] == list(range(1, 3000, 2))


def test_a_caller_that_reads_nothing_is_not_read_for_ever(make_server: Any, sink: RecordingSink, call: Any) -> None:
    server = make_server(limits=Limits(unread=4096, unanswered=16))
    server.start()
    sink.answers = {"get_workitem_json": "x" * 100_000}
    caller = call(server, b"PDG1 sesame\n")
    caller.sock.settimeout(1)
    asked = 0
    line = b'["get_workitem_json",null,1,-1]\n' * 1000
    try:
        while asked < 1000:
            caller.sock.sendall(line)
            asked += 1
    except TimeoutError:
        pass
    assert asked < 1000
    assert len(sink.queries) < 2000
    assert call(server, b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+"


def test_what_was_sent_before_hanging_up_is_still_done_and_answered(
    server: ResultServerThread, sink: RecordingSink, call: Any
) -> None:
    caller = call(server, b"PDG1 sesame\n" + b'["success",null,1,0,""]\n' * 2500)
    caller.sock.shutdown(socket.SHUT_WR)
    assert caller.everything() == b"+\n" * 2500
    assert len(sink.notifications) == 2500


def test_a_caller_that_vanishes_harms_nobody(server: ResultServerThread, sink: RecordingSink, call: Any) -> None:
    sink.hold()
    for _ in range(20):
        caller = call(server, b'PDG1 sesame\n["success",1,5,0,""]\n')
        # Closing with a reset, while the answer is still owed.
        caller.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        caller.sock.close()
    for _ in range(20):
        assert sink.arrived.acquire(timeout=20)
    sink.release()
    assert call(server, b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+"
    assert len(sink.notifications) == 21


def test_a_kept_alive_connection_serves_many_calls(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any
) -> None:
    proxy = proxy_to(server.address)
    for number in range(50):
        proxy.success(number, 0.0, "")
    assert server.counters.connections == 1
    assert len(sink.notifications) == 50


def test_two_http_requests_in_one_packet_are_both_answered(server: ResultServerThread, call: Any) -> None:
    body = xmlrpc.client.dumps((1, ""), "failed").encode()
    request = b"POST / HTTP/1.1\r\nX-PDG-Secret: sesame\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    caller = call(server, request * 2)
    for _ in range(2):
        assert caller.until(b"\r\n").startswith(b"HTTP/1.1 200")
        assert b"boolean" in caller.until(b"</methodResponse>\n")


def test_a_client_that_asks_to_go_on_is_told_to(server: ResultServerThread, call: Any) -> None:
    body = xmlrpc.client.dumps((1, ""), "failed").encode()
    caller = call(
        server,
        b"POST / HTTP/1.1\r\nX-PDG-Secret: sesame\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body),
    )
    assert caller.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
    assert caller.send(body).until(b"\r\n") == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("head", [b"POST / HTTP/1.0\r\n", b"POST / HTTP/1.1\r\nConnection: close\r\n"])
def test_a_client_that_wants_the_connection_closed_gets_it(head: bytes, server: ResultServerThread, call: Any) -> None:
    body = xmlrpc.client.dumps((1, ""), "failed").encode()
    caller = call(server, head + b"X-PDG-Secret: sesame\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert caller.everything().endswith(b"</methodResponse>\n")


def test_reports_from_many_jobs_at_once_are_all_recorded(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any, call: Any
) -> None:
    failures: list[BaseException] = []

    def job(number: int) -> None:
        try:
            if number % 2:
                proxy = proxy_to(server.address)
                for _ in range(20):
                    proxy.success(number, 0.0, "")
            else:
                caller = call(server, b"PDG1 sesame\n")
                for _ in range(20):
                    assert caller.send(b'["success",null,%d,0,""]\n' % number).line() == b"+"
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=job, args=(number,)) for number in range(48)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    items = [said.item for said in sink.notifications]
    assert sorted(items) == sorted(list(range(48)) * 20)
    assert {said.kind for said in sink.notifications} == {Kind.SUCCEEDED}


def test_answers_to_what_is_recorded_leave_before_the_server_stops(
    server: ResultServerThread, sink: RecordingSink, call: Any
) -> None:
    caller = call(server, b'PDG1 sesame\n["success",1,5,0,""]\n')
    assert caller.line() == b"+"
    server.stop()
    assert caller.everything() == b""


def test_a_late_commit_after_the_stop_is_no_error(server: ResultServerThread, sink: RecordingSink, call: Any) -> None:
    sink.hold()
    caller = call(server, b'PDG1 sesame\n["success",1,5,0,""]\n')
    assert sink.arrived.acquire(timeout=20)
    server.stop()
    sink.release()
    assert caller.everything() == b""
