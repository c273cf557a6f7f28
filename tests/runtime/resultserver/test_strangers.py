"""Who does not know the secret gets nowhere, and what is no call of ours harms nobody."""

from __future__ import annotations

import contextlib
import json
import time
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.runtime.resultserver import Limits, ResultServerThread
from topcook.runtime.resultserver.methods import METHODS
from topcook.runtime.resultserver.plaincall import read_plain_call
from topcook.runtime.resultserver.xmlrpc import parse_call
from topcook.testkit.sink import RecordingSink

QUICK = Limits(greeting_time=0.2, body_time=0.2, head=512, body=4096, untrusted_body=256)
CALL = xmlrpc.client.dumps((1, ""), "failed").encode()


def post(
    body: bytes = CALL, *headers: bytes, secret: bytes = b"sesame", start: bytes = b"POST /RPC2 HTTP/1.1"
) -> bytes:
    lines = [start, b"Content-Length: %d" % len(body), *([b"X-PDG-Secret: " + secret] if secret else []), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def still_serves(server: ResultServerThread, call: Any) -> bool:
    return bool(call(server, b'PDG1 sesame\n["failed",null,1,""]\n').line() == b"+")


@pytest.mark.parametrize("secret", [None, "", "sesam", "sesame2", "SESAME"])
def test_xmlrpc_without_the_secret_is_refused_counted_and_not_read(
    secret: str | None, server: ResultServerThread, sink: RecordingSink, proxy_to: Any, log: list[str]
) -> None:
    for _ in range(3):
        with pytest.raises(xmlrpc.client.ProtocolError) as refusal:
            proxy_to(server.address, secret).failed(1, "")
        assert refusal.value.errcode == 403
    assert server.counters.refused == 3
    assert server.counters.calls == 0
    assert sink.notifications == []
    assert len(log) == 1


@pytest.mark.parametrize("greeting", [b"PDG1 sesam\n", b"PDG1 \n", b"PDG1 sesame sesame\n", b"PDG1 sesame\0\n"])
def test_a_greeting_with_a_wrong_secret_is_refused(
    greeting: bytes, server: ResultServerThread, sink: RecordingSink, call: Any
) -> None:
    said = call(server, greeting + b'["failed",null,1,""]\n' * 100).everything()
    assert said == b"-the secret is wrong\n"
    assert sink.notifications == []
    assert server.counters.refused == 1


def test_an_empty_secret_lets_nobody_in(sink: RecordingSink, call: Any) -> None:
    server = ResultServerThread(sink, "")
    server.start()
    assert call(server, b'PDG1 \n["failed",null,1,""]\n').everything().startswith(b"-")
    server.stop()


def test_items_of_a_scheduler_that_allows_it_may_be_reported_without_secret(
    make_server: Any, sink: RecordingSink, proxy_to: Any, call: Any
) -> None:
    server = make_server(allow_without_secret=lambda item: item in {None, 1}, limits=QUICK)
    server.start()
    stranger = proxy_to(server.address, None)
    assert stranger.failed(1, "") is True
    for other in (2, 3):
        with pytest.raises(xmlrpc.client.Fault, match="secret is missing"):
            stranger.failed(other, "")
    assert [said.item for said in sink.notifications] == [1]
    assert server.counters.refused == 2
    assert b"413" in call(server, post(b"x" * 300, secret=b"")).everything()
    assert b"403" in call(server, post(CALL, b"Origin: http://evil.example", secret=b"")).everything()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (post(start=b"GET / HTTP/1.1"), b"405"),
        (post(start=b"POST /other HTTP/1.1"), b"404"),
        (post(start=b"POST / FTP/1.1"), b"400"),
        (post(start=b"POST /"), b"400"),
        (post(b"x", b"Content-Length: 2"), b"400"),
        (post(b"x", b"Bad Header : 2"), b"400"),
        (post(b"x", b"no colon"), b"400"),
        (post(b"x", b"Transfer-Encoding: chunked"), b"411"),
        (post(b"x", b"Content-Encoding: gzip"), b"415"),
        (b"POST / HTTP/1.1\r\nX-PDG-Secret: sesame\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nX-PDG-Secret: sesame\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nX-PDG-Secret: sesame\r\nContent-Length: 9999999999999999999999\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nX-PDG-Secret: sesame\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nX: " + b"y" * 600, b"431"),
        (b"POST / HTTP/1.1\r\nX: " + b"y" * 600 + b"\r\n\r\n", b"431"),
    ],
)
def test_a_request_that_is_none_is_answered_with_its_status_and_closed(
    data: bytes, status: bytes, make_server: Any, call: Any
) -> None:
    server = make_server(limits=QUICK)
    server.start()
    said = call(server, data).everything()
    assert said.split()[1] == status
    assert b"Connection: close" in said
    assert still_serves(server, call)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<methodCall>",
        b"<methodCall></methodCall>",
        b"<methodCall><params><param><value><int>1</int></value></param></params></methodCall>",
        b"<methodCall><methodName>failed</methodName><params><param><value><int>x</int></value></param></params></methodCall>",
        b"<methodCall><methodName>failed</methodName><params><param><value><int>"
        + b"9" * 5000
        + b"</int></value></param></params></methodCall>",
        b"<?xml version='1.0'?><!DOCTYPE a SYSTEM 'file:///etc/passwd'><methodCall><methodName>failed</methodName></methodCall>",
        b"<!DOCTYPE a [<!ENTITY b 'cc'><!ENTITY d '&b;&b;&b;&b;'>]><methodCall><methodName>&d;</methodName></methodCall>",
        b"<methodCall><methodName>failed</methodName><params><param><value><struct><member></member></struct></value></param></params></methodCall>",
        b"<?xml version='1.0' encoding='zlib_codec'?><methodCall/>",
        b"<methodResponse><fault><value><int>1</int></value></fault></methodResponse>",
        b"</data></array></struct>",
        b"<a>" * 1000,
        CALL.replace(b"failed", b"\xff\xfe"),
    ],
)
def test_a_body_that_is_no_call_is_a_fault(
    body: bytes, server: ResultServerThread, sink: RecordingSink, call: Any
) -> None:
    caller = call(server, post(body))
    assert caller.until(b"\r\n") == b"HTTP/1.1 200 OK"
    assert b"faultCode" in caller.until(b"</methodResponse>")
    assert sink.notifications == []
    assert still_serves(server, call)


@pytest.mark.parametrize(
    "line",
    [b"", b"hello", b"{}", b"[]", b"[1]", b'["failed"]', b'["failed","x",1]', b'["failed",true,1,""]', b'"failed"',
     b"[" * 100_000, b"\xff\xfe", b"9" * 10_000, b'{"failed":1}', b"null", b"[[[]]]"],
)  # fmt: skip
def test_a_line_that_is_no_call_is_refused_and_the_next_one_served(
    line: bytes, server: ResultServerThread, sink: RecordingSink, call: Any
) -> None:
    caller = call(server, b"PDG1 sesame\n" + line + b'\n["failed",null,1,""]\n')
    assert caller.line().startswith(b"-")
    assert caller.line() == b"+"
    assert len(sink.notifications) == 1


def test_a_line_over_the_limit_ends_the_connection(make_server: Any, call: Any) -> None:
    server = make_server(limits=QUICK)
    server.start()
    assert call(server, b"PDG1 " + b"x" * 600).everything() == b"-the line is too long\n"
    assert call(server, b"PDG1 sesame\n[" + b" " * 5000).everything() == b"-the line is too long\n"
    assert server.counters.too_large == 2
    assert still_serves(server, call)


@pytest.mark.parametrize(
    "start", [b"", b"P", b"PDG1 ", b"PDG1 sesa", b"POST / HT", b"GET /", b"PDG1 sesame\n[1", post()[:-1], post()[:40]]
)
def test_a_slow_caller_is_let_go(start: bytes, make_server: Any, call: Any) -> None:
    server = make_server(limits=QUICK)
    server.start()
    assert call(server, start).everything() == b""
    assert server.counters.too_slow == 1
    assert still_serves(server, call)


def test_a_trickling_caller_does_not_extend_its_time(make_server: Any, call: Any) -> None:
    server = make_server(limits=QUICK)
    server.start()
    caller = call(server)
    caller.sock.settimeout(0.02)
    end = time.monotonic() + 20
    gone = False
    while not gone and time.monotonic() < end:
        try:
            caller.sock.sendall(b"P"[:1] if not caller.rest else b"")
            gone = caller.sock.recv(1) == b""
        except TimeoutError:
            caller.rest = b"."
        except ConnectionError:
            gone = True
    assert gone


def test_an_idle_caller_that_gave_the_secret_stays(make_server: Any, call: Any) -> None:
    server = make_server(limits=QUICK)
    server.start()
    caller = call(server, b'PDG1 sesame\n["failed",null,1,""]\n')
    http = call(server, post())
    assert caller.line() == b"+"
    http.until(b"</methodResponse>\n")
    # A slow one that came later is dropped by the same sweep that would drop these.
    assert call(server, b"P").everything() == b""
    assert caller.send(b'["failed",null,1,""]\n').line() == b"+"
    assert http.send(post()).until(b"\r\n") == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "data", [b"\0", b"\x16\x03\x01\x02\0", b"SSH-2.0-x\r\n", b"pdg1 sesame\n", b"PDG2 sesame\n", b"\n"]
)
def test_other_protocols_are_closed_at_once(data: bytes, server: ResultServerThread, call: Any, log: list[str]) -> None:
    assert call(server, data).everything() == b""
    assert call(server, data).everything() == b""
    assert server.counters.garbage == 2
    assert len(log) == 1


def test_the_log_says_each_thing_once(server: ResultServerThread, call: Any, log: list[str]) -> None:
    caller = call(server, b"PDG1 sesame\n")
    for number in range(500):
        caller.send(json.dumps([f"nonsense{number}", None]).encode() + b"\n" + b'["success",null]\n')
        caller.line()
        caller.line()
    assert len(log) == 2


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ARGUMENTS = st.lists(
    st.recursive(
        ATOMS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(calls=st.lists(st.tuples(st.sampled_from(sorted(METHODS)), ATOMS, ARGUMENTS), max_size=20))
def test_any_json_gets_one_answer_per_line(
    calls: Any, server: ResultServerThread, sink: RecordingSink, call: Any
) -> None:
    sink.answers = dict.fromkeys(METHODS, 1)
    lines = b"".join(json.dumps([name, attempt, *args]).encode() + b"\n" for name, attempt, args in calls)
    caller = call(server, b"PDG1 sesame\n" + lines)
    assert all(caller.line()[:1] in {b"+", b"-"} for _ in calls)
    caller.sock.close()


@settings(max_examples=150, deadline=None)
@given(
    start=st.sampled_from([b"", b"PDG1 ", b"PDG1 sesame\n", b"POST / HTTP/1.1\r\n", post()[:-40]]),
    data=st.binary(max_size=300),
)
def test_any_bytes_leave_the_server_serving(start: bytes, data: bytes, server: ResultServerThread, call: Any) -> None:
    caller = call(server)
    with contextlib.suppress(ConnectionError):
        caller.send(start + data)
    caller.sock.close()
    assert still_serves(server, call)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(METHODS)), args=st.lists(SCALARS, max_size=5), cut=st.data())
def test_a_call_read_without_the_parser_is_what_the_parser_reads(
    name: str, args: list[Any], cut: st.DataObject
) -> None:
    text = xmlrpc.client.dumps(tuple(args), name, allow_none=True).encode("utf-8", "surrogatepass")
    place = cut.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + cut.draw(st.binary(max_size=3)) + text[place + 1 :]
    for body in (text, changed, text.replace(b"\n", b""), text.replace(b"\n", b" \n\t")):
        plain = read_plain_call(body)
        if plain is not None:
            parsed_name, parsed = parse_call(body)
            assert (plain[0], repr(plain[1])) == (parsed_name, repr(list(parsed)))


def test_an_ordinary_report_needs_no_parser() -> None:
    body = xmlrpc.client.dumps(
        (12, 3.5, "job 7", True, None, xmlrpc.client.Binary(b"/a b")), "m", allow_none=True
    ).encode()
    assert read_plain_call(body) == ("m", [12, 3.5, "job 7", True, None, b"/a b"])


@pytest.mark.fuzz
@pytest.mark.timeout(900)
def test_two_hundred_thousand_pieces_leave_no_trace(
    server: ResultServerThread, sink: RecordingSink, call: Callable[..., Any]
) -> None:
    import random
    import resource

    chance = random.Random(7)
    sink.answers = dict.fromkeys(METHODS, 1)
    pieces = [b"PDG1 sesame\n", b'["failed",null,1,""]\n', b"POST / HTTP/1.1\r\n", b"X-PDG-Secret: sesame\r\n", b"\r\n",
              b"Content-Length: 9\r\n", CALL, post(), b"[[[", b"\0\xff", b"<!DOCTYPE x>", post(b"<a/>")]  # fmt: skip
    early = 0
    for number in range(10_000):
        caller = call(server)
        with contextlib.suppress(OSError):
            caller.send(b"".join([pieces[number % 2 * 7], *chance.choices(pieces, k=20)]))
            caller.sock.shutdown(1)
            caller.everything()
        caller.sock.close()
        if number == 2000:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert server.counters.calls + server.counters.garbage > 100_000
    assert {said.item for said in sink.notifications} <= {1}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < early * 1.3
    assert still_serves(server, call)
