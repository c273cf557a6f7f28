"""Every method that a job may call becomes the notification it stands for, whichever protocol it came by."""

from __future__ import annotations

import json
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest

from topcook.model.attributes import AttribType
from topcook.model.files import File
from topcook.model.notification import Kind
from topcook.runtime.resultserver import ResultServerThread
from topcook.runtime.resultserver.methods import METHODS, Sort
from topcook.testkit.sink import RecordingSink

STRING, INT, FLOAT, FILE, DICT = (getattr(AttribType, name) for name in ("String", "Int", "Float", "File", "Dict"))
PNG = File("__PDG_DIR__/a.png", "file/image", 7)

#: Method: arguments, then the notifications as (kind, index, payload).
REPORTS: dict[str, tuple[list[Any], list[tuple[Kind, int, tuple[Any, ...]]]]] = {
    "start_cook": ([5, "j"], [(Kind.STARTED, -1, ())]),
    "start_cook_batch": ([5, 2, "j"], [(Kind.STARTED, 2, ())]),
    "success": ([5, 1.5, "j"], [(Kind.SUCCEEDED, -1, (1.5,))]),
    "success_batch": ([5, 2, -1, "j"], [(Kind.SUCCEEDED, 2, (-1.0,))]),
    "failed": ([5, "j"], [(Kind.FAILED, -1, ())]),
    "cancelled": ([5, "j"], [(Kind.CANCELED, -1, ())]),
    "ended": ([5, "succeeded", 0, 2.5, "", "j"], [(Kind.SUCCEEDED, -1, (2.5,))]),
    "result": ([5, PNG.path, PNG.tag, 7, "j"], [(Kind.OUTPUTS, -1, (PNG,))]),
    "result_batch": ([5, PNG.path, PNG.tag, 2, 7, "j"], [(Kind.OUTPUTS, 2, (PNG,))]),
    "success_and_result": (
        [5, PNG.path, PNG.tag, 7, 2.5, "j"],
        [(Kind.OUTPUTS, -1, (PNG,)), (Kind.SUCCEEDED, -1, (2.5,))],
    ),
    "success_and_result_batch": (
        [5, PNG.path, PNG.tag, 2, 7, 2.5, "j"],
        [(Kind.OUTPUTS, 2, (PNG,)), (Kind.SUCCEEDED, 2, (2.5,))],
    ),
    "result_array": (
        [5, ["/a", "/b"], ["t", "u"], [1, 2], "j"],
        [(Kind.OUTPUTS, -1, (File("/a", "t", 1), File("/b", "u", 2)))],
    ),
    "result_array_batch": (
        [5, 2, ["/a", "/b"], ["t"], [], "j"],
        [(Kind.OUTPUTS, 2, (File("/a", "t"), File("/b", "t")))],
    ),
    "write_attr": ([5, "n", [1, 2], "j"], [(Kind.ATTRIBUTE, -1, ("n", INT, [1, 2], None))]),
    "set_string_attrib": ([5, -1, "n", "ü", 1, "j"], [(Kind.ATTRIBUTE, -1, ("n", STRING, "ü", 1))]),
    "set_int_attrib": ([5, -1, "n", 4, 0, "j"], [(Kind.ATTRIBUTE, -1, ("n", INT, 4, 0))]),
    "set_float_attrib": ([5, -1, "n", 4, 0, "j"], [(Kind.ATTRIBUTE, -1, ("n", FLOAT, 4.0, 0))]),
    "set_file_attrib": (
        [5, -1, "n", ["/a", "t", 3, False], 0, "j"],
        [(Kind.ATTRIBUTE, -1, ("n", FILE, File("/a", "t", 3, own=False), 0))],
    ),
    "set_dict_attrib": ([5, -1, "n", {"a": [1]}, 0, "j"], [(Kind.ATTRIBUTE, -1, ("n", DICT, {"a": [1]}, 0))]),
    "set_string_attrib_array": ([5, 2, "n", ["a", "b"], "j"], [(Kind.ATTRIBUTE, 2, ("n", STRING, ["a", "b"], None))]),
    "set_int_attrib_array": ([5, 2, "n", [1, 2], "j"], [(Kind.ATTRIBUTE, 2, ("n", INT, [1, 2], None))]),
    "set_float_attrib_array": ([5, 2, "n", [1, 2.5], "j"], [(Kind.ATTRIBUTE, 2, ("n", FLOAT, [1.0, 2.5], None))]),
    "set_file_attrib_array": (
        [5, 2, "n", [["/a"], "/b"], "j"],
        [(Kind.ATTRIBUTE, 2, ("n", FILE, [File("/a"), File("/b")], None))],
    ),
    "set_dict_attrib_array": (
        [5, 2, "n", [{}, '{"b": 1}'], "j"],
        [(Kind.ATTRIBUTE, 2, ("n", DICT, [{}, {"b": 1}], None))],
    ),
    "set_pyobject_attrib": (
        [5, -1, "n", "{'a': (1, 2)}", "j"],
        [(Kind.ATTRIBUTE, -1, ("n", AttribType.PyObject, {"a": (1, 2)}, 0))],
    ),
    "invalidate_cache": ([5, 2, "j"], [(Kind.INVALIDATE_CACHE, 2, ())]),
    "append_log": ([5, -1, "line\n", 1, "j"], [(Kind.LOG, -1, ("line\n", 1))]),
    "set_custom_state": ([5, -1, "baking", "j"], [(Kind.CUSTOM_STATE, -1, ("baking",))]),
    "set_cook_percent": ([5, -1, 1.5, "j"], [(Kind.PERCENT, -1, (1.0,))]),
}


def test_the_samples_cover_every_report() -> None:
    assert set(REPORTS) == {name for name, method in METHODS.items() if method.sort is Sort.REPORT}


@pytest.mark.parametrize("method", REPORTS)
@pytest.mark.parametrize("protocol", ["xmlrpc", "lines"])
def test_a_report_becomes_its_notifications(
    method: str, protocol: str, server: ResultServerThread, sink: RecordingSink, proxy_to: Any, call: Any
) -> None:
    args, wanted = REPORTS[method]
    if protocol == "xmlrpc":
        assert getattr(proxy_to(server.address, X_PDG_Attempt="3"), method)(*args) is True
    else:
        line = json.dumps([method, 3, *args]).encode()
        assert call(server, b"PDG1 sesame\n" + line + b"\n").line() == b"+"
    got = [(said.kind, said.index, said.payload) for said in sink.notifications]
    assert got == wanted
    assert {(said.item, said.job_id, said.attempt) for said in sink.notifications} == {(5, "j", 3)}


@pytest.mark.parametrize(
    ("given", "item"),
    [(7, 7), ("7", 7), ("render_7", "render_7"), ("\u0667", "\u0667"), (xmlrpc.client.Binary(b"a_1"), "a_1")],
)
def test_an_item_is_an_id_or_a_name(
    given: Any, item: Any, server: ResultServerThread, sink: RecordingSink, proxy_to: Any
) -> None:
    proxy_to(server.address).failed(given, "")
    assert sink.notifications[0].item == item


@pytest.mark.parametrize(
    ("end", "kind"), [("succeeded", Kind.SUCCEEDED), ("failed", Kind.FAILED), ("canceled", Kind.CANCELED)]
)
def test_an_end_is_told_with_status_and_reason(
    end: str, kind: Kind, server: ResultServerThread, sink: RecordingSink, proxy_to: Any
) -> None:
    proxy_to(server.address).ended(5, end, -9, 1.0, "ended by signal 9", "j")
    (said,) = sink.notifications
    assert (said.kind, said.exit_status, said.reason) == (kind, -9, "ended by signal 9")


def test_a_path_may_travel_as_a_binary_that_is_no_text(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any
) -> None:
    proxy_to(server.address).result(1, xmlrpc.client.Binary(b"/a/\xff.png"), "", 0, "")
    assert sink.notifications[0].payload == (File("/a/\udcff.png"),)


def test_job_id_and_log_type_may_be_left_out(server: ResultServerThread, sink: RecordingSink, proxy_to: Any) -> None:
    proxy = proxy_to(server.address)
    proxy.success(1, 2.0)
    proxy.append_log(1, -1, "x")
    assert [said.payload for said in sink.notifications] == [(2.0,), ("x", 3)]


@pytest.mark.parametrize(
    ("method", "args", "words"),
    [
        ("success", [1], '"duration" is missing'),
        ("success", [1, "long", ""], '"duration": expected a finite number'),
        ("success", [1, float("nan"), ""], "finite number"),
        ("success", [True, 1.0, ""], "work item's id or name"),
        ("success", [None, 1.0, ""], "work item's id or name"),
        ("success", [1, 1.0, "", "more", "still more"], "takes 3 arguments"),
        ("result", [1, "", "", 0, ""], "a path"),
        ("result", [1, "a\0b", "", 0, ""], "NUL"),
        ("result_array", [1, ["/a", "/b", "/c"], ["t", "u"], [], ""], "2 for 3 paths"),
        ("set_int_attrib", [1, -1, "n", "x", 0, ""], "whole number"),
        ("set_int_attrib", [1, -1, "", 1, 0, ""], "a name"),
        ("set_int_attrib", [1, -1, "n", 1, -1, ""], "no index"),
        ("set_int_attrib", [1, -1, "n", 1, 1 << 40, ""], "no index"),
        ("set_file_attrib", [1, -1, "n", [], 0, ""], "a file"),
        ("set_dict_attrib", [1, -1, "n", "[1]", 0, ""], "a dictionary"),
        ("set_pyobject_attrib", [1, -1, "n", "[" + "1," * (1 << 20), ""], "repr"),
        ("write_attr", [1, "n", [1, "a"], ""], "numbers or texts"),
        ("append_log", [1, -1, "x", 9, ""], "log type"),
        ("ended", [1, "burnt", 0, 1.0, "", ""], '"end": expected succeeded or failed or canceled'),
        ("no_such_method", [1], "no such method"),
        ("__class__", [], "no such method"),
    ],
)
def test_wrong_arguments_are_a_fault_and_change_nothing(
    method: str, args: list[Any], words: str, server: ResultServerThread, sink: RecordingSink, call: Any
) -> None:
    answer = call(server, b"PDG1 sesame\n" + json.dumps([method, None, *args]).encode() + b"\n").line()
    assert answer.startswith(b"-")
    assert words in answer.decode()
    assert sink.notifications == []
    assert server.counters.faults == 1


def test_a_python_object_is_never_executed(server: ResultServerThread, sink: RecordingSink, proxy_to: Any) -> None:
    text = "__import__('os').system('echo hurt')"
    proxy_to(server.address).set_pyobject_attrib(1, -1, "n", text, "")
    assert sink.notifications[0].payload[2] == text


def test_queries_are_answered_with_the_cooks_value(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any, call: Any
) -> None:
    sink.answers = {
        "check_ready_batch": 2,
        "get_workitem_json": '{"a": "ü"}',
        "add_sub_item_batch": 4,
        "getSharedServerInfo": {"port": 1},
    }
    proxy = proxy_to(server.address)
    assert proxy.check_ready_batch("b", 3) == 2
    assert proxy.get_workitem_json(1, -1) == '{"a": "ü"}'
    assert proxy.add_sub_item_batch(1) == 4
    assert proxy.getSharedServerInfo("sim") == {"port": 1}
    assert call(server, b'PDG1 sesame\n["get_workitem_json",null,1,-1]\n').line() == b'+"{\\"a\\": \\"\\u00fc\\"}"'
    assert sink.queries[:2] == [("check_ready_batch", ("b", 3)), ("get_workitem_json", (1, -1))]


def test_a_query_that_the_cook_refuses_is_a_fault(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any
) -> None:
    sink.answers = {"add_sub_item_batch": LookupError("no batch")}
    with pytest.raises(xmlrpc.client.Fault, match="no batch"):
        proxy_to(server.address).add_sub_item_batch(1)


def test_events_are_passed_on(server: ResultServerThread, sink: RecordingSink, proxy_to: Any) -> None:
    proxy = proxy_to(server.address)
    assert proxy.warning(1, "careful", "") is True
    proxy.keepalive("a", "")
    proxy.sharedserver_started({"name": "sim", "port": 80}, "")
    proxy.release_job_slots(1, "")
    proxy.acquire_job_slots(1, "")
    assert sink.events == [
        ("warning", (1, "careful")),
        ("keepalive", ("a",)),
        ("sharedserver_started", ({"name": "sim", "port": 80},)),
        ("release_job_slots", (1,)),
        ("acquire_job_slots", (1,)),
    ]


def test_a_multicall_keeps_order_and_tells_each_outcome(
    server: ResultServerThread, sink: RecordingSink, proxy_to: Any
) -> None:
    sink.unknown = {99}
    calls = [
        {"methodName": "start_cook", "params": [1, ""]},
        {"methodName": "success", "params": [99, 0.0, ""]},
        {"methodName": "nonsense", "params": []},
        {"methodName": "system.multicall", "params": [[]]},
        {"params": []},
        {"methodName": "success", "params": [1, 0.5, ""]},
    ]
    answers = proxy_to(server.address).system.multicall(calls)
    assert [answers[0], answers[5]] == [[True], [True]]
    assert "unknown work item 99" in answers[1]["faultString"]
    assert [answer["faultCode"] for answer in answers[2:5]] == [-32601, -32602, -32602]
    assert [said.kind for said in sink.notifications] == [Kind.STARTED, Kind.SUCCEEDED]


def test_an_empty_multicall_and_a_wrong_one(server: ResultServerThread, proxy_to: Any) -> None:
    proxy = proxy_to(server.address)
    assert proxy.system.multicall([]) == []
    with pytest.raises(xmlrpc.client.Fault, match="one list of calls"):
        proxy.system.multicall("x")


def test_the_methods_can_be_listed(server: ResultServerThread, proxy_to: Any) -> None:
    assert {*METHODS, "system.multicall"} <= set(proxy_to(server.address).system.listMethods())


def test_a_name_with_line_breaks_does_not_break_the_answer(
    server: ResultServerThread, call: Callable[..., Any]
) -> None:
    caller = call(server, b'PDG1 sesame\n["a\\nb",null]\n["failed",null,1,""]\n')
    assert caller.line().startswith(b"-")
    assert caller.line() == b"+"
