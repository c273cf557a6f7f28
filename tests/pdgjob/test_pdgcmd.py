"""Each function of pdgcmd reports what it says, through a real server, and echoes its line."""

from __future__ import annotations

import inspect
import os
import socket
import threading
from pathlib import Path
from typing import Any
from xmlrpc.server import SimpleXMLRPCServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdgjob import _link, pdgcmd
from topcook.model.attributes import AttribType
from topcook.model.files import File
from topcook.model.notification import Kind
from topcook.runtime.resultserver import ResultServerThread
from topcook.testkit.sink import RecordingSink

#: A call of pdgcmd: what is recorded (kind, index, payload), and the echo.
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], list[tuple[Kind, int, tuple[Any, ...]]], str]] = [
    ("workItemStartCook", (), {}, [(Kind.STARTED, -1, ())], "PDG_START: 7;-1"),
    ("workItemStartCook", (7, 3), {}, [(Kind.STARTED, 3, ())], "PDG_START: 7;3"),
    ("workItemSuccess", (), {"duration": 2.5}, [(Kind.SUCCEEDED, -1, (2.5,))], "PDG_SUCCESS: 7;-1;2.5"),
    ("workItemSuccess", (7, 3), {}, [(Kind.SUCCEEDED, 3, (0.0,))], "PDG_SUCCESS: 7;3;0.0"),
    ("workItemFailed", (), {}, [(Kind.FAILED, -1, ())], "PDG_FAILED: 7"),
    ("workItemCancelled", (7,), {}, [(Kind.CANCELED, -1, ())], "PDG_CANCELLED: 7"),
    ("addOutputFile", ("/x/a.png",), {"result_data_tag": "t", "hash_code": 5}, [(Kind.OUTPUTS, -1, (File("/x/a.png", "t", 5),))], "PDG_RESULT: 7;-1;/x/a.png;t;5"),
    ("reportResultData", (b"/x/a.png", 7, None, "t", 2), {}, [(Kind.OUTPUTS, 2, (File("/x/a.png", "t"),))], "PDG_RESULT: 7;2;/x/a.png;t;0"),
    ("addOutputFile", (Path("/x/a"),), {"and_success": True, "duration": 1.0, "to_stdout": False}, [(Kind.OUTPUTS, -1, (File("/x/a"),)), (Kind.SUCCEEDED, -1, (1.0,))], ""),
    ("addOutputFile", ("/x/a",), {"and_success": True, "subindex": 1, "to_stdout": False}, [(Kind.OUTPUTS, 1, (File("/x/a"),)), (Kind.SUCCEEDED, 1, (0.0,))], ""),
    ("addOutputFiles", (["/a", "/b"],), {"hash_codes": [1, 2]}, [(Kind.OUTPUTS, -1, (File("/a", "", 1), File("/b", "", 2)))], 'PDG_RESULT_ARRAY: 7;-1;["/a","/b"];;[1,2]'),
    ("addOutputFiles", (["/a", "/b"],), {"batch_size": 1, "to_stdout": False, "subindex": 4, "and_success": True}, [(Kind.OUTPUTS, 4, (File("/a"),)), (Kind.OUTPUTS, 4, (File("/b"),)), (Kind.SUCCEEDED, 4, (0.0,))], ""),
    ("setStringAttrib", ("n", "ü"), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.String, "ü", 0))], "PDG_SET_STRING_ATTRIB: 7;n;ü"),
    ("setIntAttrib", ("n", 3, 2), {"subindex": 1}, [(Kind.ATTRIBUTE, 1, ("n", AttribType.Int, 3, 2))], "PDG_SET_INT_ATTRIB: 7;n;3"),
    ("setFloatAttrib", ("n", 3), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.Float, 3.0, 0))], "PDG_SET_FLOAT_ATTRIB: 7;n;3.0"),
    ("setFileAttrib", ("n", ("/a", "t", 1, False)), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.File, File("/a", "t", 1, own=False), 0))], "PDG_SET_FILE_ATTRIB: 7;n;/a"),
    ("setFileAttrib", ("n", Path("/a")), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.File, File("/a"), 0))], "PDG_SET_FILE_ATTRIB: 7;n;/a"),
    ("setDictAttrib", ("n", {"a": [1, None, True]}), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.Dict, {"a": [1, None, True]}, 0))], "PDG_SET_DICT_ATTRIB: 7;n;{'a': [1, None, True]}"),
    ("setStringAttribArray", ("n", ["a", "b"]), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.String, ["a", "b"], None))], 'PDG_SET_STRING_ATTRIB_ARRAY: 7;n;["a","b"]'),
    ("setIntAttribArray", ("n", (1, 2)), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.Int, [1, 2], None))], "PDG_SET_INT_ATTRIB_ARRAY: 7;n;[1,2]"),
    ("setFloatAttribArray", ("n", [1]), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.Float, [1.0], None))], "PDG_SET_FLOAT_ATTRIB_ARRAY: 7;n;[1.0]"),
    ("setFileAttribArray", ("n", ["/a"]), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.File, [File("/a")], None))], 'PDG_SET_FILE_ATTRIB_ARRAY: 7;n;[["/a","",0,true]]'),
    ("setDictAttribArray", ("n", [{}]), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.Dict, [{}], None))], "PDG_SET_DICT_ATTRIB_ARRAY: 7;n;[{}]"),
    ("setPyObjectAttrib", ("n", {"a": (1,)}), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.PyObject, {"a": (1,)}, 0))], "PDG_SET_PYOBJECT_ATTRIB: 7;n;{'a': (1,)}"),
    ("writeAttribute", (7, "n", 4), {}, [(Kind.ATTRIBUTE, -1, ("n", AttribType.Int, [4], None))], ""),
    ("invalidateCache", (), {}, [(Kind.INVALIDATE_CACHE, -1, ())], "PDG_INVALIDATE_CACHE: 7;-1"),
    ("workItemSetCustomState", ("baking",), {}, [(Kind.CUSTOM_STATE, -1, ("baking",))], ""),
    ("workItemSetCookPercent", (0.5,), {}, [(Kind.PERCENT, -1, (0.5,))], ""),
    ("workItemAppendLog", ("words\n", 1), {}, [(Kind.LOG, -1, ("words\n", 1))], ""),
    ("execStartCook", (7,), {}, [(Kind.STARTED, -1, ())], "PDG_START: 7;-1"),
    ("execItemFailed", (7,), {}, [(Kind.FAILED, -1, ())], "PDG_FAILED: 7"),
    ("execBatchSuccess", (7, 1), {}, [(Kind.SUCCEEDED, 1, (0.0,))], "PDG_SUCCESS: 7;1;0.0"),
]  # fmt: skip


@pytest.mark.parametrize("secret", ["sesame", None], ids=["lines", "xmlrpc"])
@pytest.mark.parametrize(("name", "args", "options", "wanted", "echo"), CALLS, ids=[call[0] for call in CALLS])
def test_a_function_reports_what_it_says(
    name: str, args: Any, options: Any, wanted: Any, echo: str, secret: str | None, in_job: dict[str, str],
    sink: RecordingSink, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if secret is None:
        monkeypatch.delenv("PDG_RESULT_SECRET")
        server = ResultServerThread(sink, "sesame", allow_without_secret=lambda _: True, log=lambda _: None)
        monkeypatch.setenv("PDG_RESULT_SERVER", server.start())
    assert getattr(pdgcmd, name)(*args, **options) is True
    assert [(said.kind, said.index, said.payload) for said in sink.notifications] == wanted
    assert {(said.item, said.attempt) for said in sink.notifications} == {(7, 2)}
    assert capsys.readouterr().out.strip() == echo
    if secret is None:
        server.stop()


def test_events_and_questions_arrive(in_job: dict[str, str], sink: RecordingSink) -> None:
    sink.answers = {"get_workitem_json": "{}", "check_ready_batch": 1, "add_sub_item_batch": 9}
    sink.answers["getSharedServerInfo"] = {"name": "sim"}
    pdgcmd.warning("careful")
    pdgcmd.keepalive()
    pdgcmd.reportServerStarted("sim", 12, "host", 80, 1)
    assert [name for name, _ in sink.events] == ["warning", "keepalive", "sharedserver_started"]
    told = {"name": "sim", "pid": 12, "host": "host", "port": 80, "proto_type": 1, "log_fname": ""}
    assert sink.events[2][1][0] == told | {"item": 7, "token": ""}
    assert pdgcmd.getSharedServerInfo("sim") == {"name": "sim"}
    assert (pdgcmd.getWorkItemJSON(), pdgcmd.checkReady(7, 2), pdgcmd.appendSubItem("b")) == ("{}", 1, 9)


def test_the_jobs_farm_id_is_echoed(
    in_job: dict[str, str], sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDG_JOBID", "plain")
    pdgcmd.workItemStartCook()
    monkeypatch.setenv("PDG_JOBID_VAR", "SLURM_JOB_ID")
    monkeypatch.setenv("SLURM_JOB_ID", "991")
    pdgcmd.workItemStartCook()
    assert [said.job_id for said in sink.notifications] == ["plain", "991"]


def test_the_attempt_is_said_for_the_jobs_own_item_only(in_job: dict[str, str], sink: RecordingSink) -> None:
    for item in (7, "7", "render_7", 8, "render_70"):
        pdgcmd.workItemStartCook(item)
    assert [said.attempt for said in sink.notifications] == [2, 2, 2, None, None]


def test_waiting_polls_until_ready_and_lends_the_slots(
    in_job: dict[str, str], sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter([0, 0, 1])
    monkeypatch.setenv("PDG_BATCH_POLL_DELAY", "0.05")
    monkeypatch.setattr(sink, "query", lambda *_: next(states))
    assert pdgcmd.waitUntilReady(7, 2) is True
    assert [name for name, _ in sink.events] == ["release_job_slots", "acquire_job_slots"]


def test_who_waits_long_lends_the_slots_to_whoever_has_taken_up_the_cook(
    in_job: dict[str, str], sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter([0, 0, 0, 1])
    monkeypatch.setenv("PDG_BATCH_POLL_DELAY", "0.01")
    monkeypatch.setattr(sink, "query", lambda *_: next(states))
    assert pdgcmd.waitUntilReady(7, 2) is True
    assert [name for name, _ in sink.events] == [*["release_job_slots"] * 4, "acquire_job_slots"]


def test_waiting_for_what_never_comes_is_told(in_job: dict[str, str], sink: RecordingSink) -> None:
    sink.answers = {"check_ready_batch": 2}
    with pytest.raises(pdgcmd.RpcFault, match="never can start"):
        pdgcmd.waitUntilReady(7, 2)
    assert pdgcmd.waitUntilReady(7, 2, raise_exc=False) is False


def test_without_a_server_nothing_is_reported_and_nothing_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert pdgcmd.workItemStartCook() is None
    assert pdgcmd.addOutputFile("/a") is None
    assert pdgcmd.waitUntilReady(1, 1) is True
    assert capsys.readouterr().out == "PDG_START: ;-1\nPDG_RESULT: ;-1;/a;;0\n"


def test_reports_can_be_switched_off(
    in_job: dict[str, str], sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDG_DISABLE_RPC", "1")
    assert pdgcmd.workItemFailed() is None
    assert sink.notifications == []


def test_a_job_without_an_item_is_told_so(in_job: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PDG_ITEM_ID")
    assert pdgcmd.getItemIdFromEnv() == "render_7"
    monkeypatch.delenv("PDG_ITEM_NAME")
    with pytest.raises(pdgcmd.RpcError, match="PDG_ITEM_ID"):
        pdgcmd.workItemStartCook()


def test_a_refusal_raises_at_once_or_is_said(
    in_job: dict[str, str], sink: RecordingSink, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.unknown = {7}
    with pytest.raises(pdgcmd.RpcFault, match="unknown work item 7"):
        pdgcmd.workItemFailed()
    assert pdgcmd.workItemFailed(raise_exc=False) is None
    monkeypatch.setenv("PDG_RPC_IGNORE_ERRORS", "1")
    assert pdgcmd.workItemFailed() is None
    assert capsys.readouterr().err.count("unknown work item 7") == 2


@pytest.mark.parametrize("address", ["nonsense", ":80", "host:", "host:x"])
def test_an_address_that_is_none_is_told(address: str, in_job: dict[str, str]) -> None:
    with pytest.raises(pdgcmd.RpcError, match="host:port"):
        pdgcmd.workItemFailed(server_addr=address)


def test_a_wrong_secret_is_told(in_job: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_RESULT_SECRET", "sesam")
    with pytest.raises(pdgcmd.RpcFault, match="secret is wrong"):
        pdgcmd.workItemFailed()


def test_a_dead_server_is_tried_again_then_given_up(
    in_job: dict[str, str], server: ResultServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setenv("PDG_RPC_MAX_ERRORS", "2")
    monkeypatch.setenv("PDG_RPC_MAX_BACKOFF", "0.3")
    for _ in range(2):
        with pytest.raises(pdgcmd.RpcError, match="does not answer"):
            pdgcmd.workItemFailed()
    # Who has waited for it in vain once does not wait again.
    assert pauses == [0.1, 0.2, 0.3, 0.3]
    with pytest.raises(pdgcmd.RpcError, match="reports are off"):
        pdgcmd.workItemFailed()
    assert len(pauses) == 4


def test_a_server_that_never_answers_is_not_waited_for(in_job: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_RPC_TIMEOUT", "0.1")
    monkeypatch.setenv("PDG_RPC_RETRIES", "1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(pdgcmd.RpcError, match="does not answer"):
            pdgcmd.workItemFailed(server_addr=f"127.0.0.1:{silent.getsockname()[1]}")


def test_a_connection_that_the_server_closed_is_opened_again(
    in_job: dict[str, str], server: ResultServerThread, sink: RecordingSink
) -> None:
    pdgcmd.workItemStartCook()
    port = int(server.address.split(":")[1])
    server.stop()
    server.start(port_range=(port, port + 1))
    assert pdgcmd.workItemSuccess() is True
    assert len(sink.notifications) == 2


def test_one_connection_serves_a_process_and_its_threads(
    in_job: dict[str, str], server: ResultServerThread, sink: RecordingSink
) -> None:
    threads = [threading.Thread(target=pdgcmd.setIntAttrib, args=("n", number)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said.payload[2] for said in sink.notifications) == list(range(20))
    assert server.counters.connections == 1


def test_a_forked_child_does_not_talk_into_its_parents_connection(
    in_job: dict[str, str], server: ResultServerThread, sink: RecordingSink
) -> None:
    pdgcmd.workItemStartCook(to_stdout=False)
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if pdgcmd.setIntAttrib("child", 1, to_stdout=False) is True else 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert pdgcmd.workItemSuccess() is True
    assert server.counters.connections == 2
    assert len(sink.notifications) == 3


def test_a_server_without_the_line_protocol_is_spoken_to_by_xmlrpc(in_job: dict[str, str]) -> None:
    calls: list[Any] = []
    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False, allow_none=True) as old:
        old.register_function(lambda *args: calls.append(args) or 1, "success")
        thread = threading.Thread(target=old.serve_forever, args=(0.01,))
        thread.start()
        try:
            pdgcmd.setResultServerAddr(f"127.0.0.1:{old.server_address[1]}")
            assert pdgcmd.workItemSuccess() == 1
        finally:
            old.shutdown()
            thread.join()
    assert calls == [(7, 0.0, "")]


def test_a_delegate_takes_the_calls(
    in_job: dict[str, str], sink: RecordingSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_delegate.py").write_text(
        "calls = []\ndef failed(*args):\n    calls.append(args)\n    return 'kept'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PDG_RPC_DELEGATE", "my_delegate")
    assert pdgcmd.workItemFailed() == "kept"
    import my_delegate  # type: ignore[import-not-found]

    assert my_delegate.calls == [(7, "")]
    assert sink.notifications == []
    monkeypatch.delenv("PDG_RPC_DELEGATE")
    pdgcmd.setRpcDelegate(None)
    assert pdgcmd.workItemFailed() is True


def test_a_command_runs_and_tells_its_status(capfd: pytest.CaptureFixture[str]) -> None:
    assert pdgcmd.execCommand("echo said; exit 3") == 3
    assert pdgcmd.execCommand(["true"]) == 0
    assert pdgcmd.execCommand("echo dropped", toNull=True) == 0
    assert capfd.readouterr().out == "said\n"


def test_a_log_line_carries_the_time(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pdgcmd.printlog("one")
    monkeypatch.setenv("PDG_DISABLE_TIMESTAMPS", "1")
    pdgcmd.printlog("two")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("] one")
    assert second == "two"


def test_every_public_name_is_there_and_says_what_it_does() -> None:
    for name in pdgcmd.__all__:
        assert inspect.getdoc(getattr(pdgcmd, name)), name


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(PLAIN)
def test_the_small_encoder_writes_what_json_reads(value: Any) -> None:
    import json

    assert json.loads(_link.encode(value)) == value


def test_numbers_that_json_lacks_are_refused() -> None:
    for value in (float("nan"), float("inf"), [-float("inf")]):
        with pytest.raises(ValueError, match="cannot carry"):
            _link.encode(value)
