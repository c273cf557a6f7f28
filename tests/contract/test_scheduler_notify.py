"""What a scheduler tells the cook, in every spelling."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.callbackserver import CallbackServerMixin
from topcook.contract.scheduler import PyScheduler
from topcook.model.attributes import AttribType
from topcook.model.files import File
from topcook.model.notification import Kind
from topcook.testkit import FakeHost


class Farm(CallbackServerMixin, PyScheduler):
    pass


def told(call: Callable[[Any], object]) -> list[tuple[Kind, int | str, int, tuple[Any, ...]]]:
    host = FakeHost()
    call(host.make(Farm))
    return [(said.kind, said.item, said.index, said.payload) for said in host.notifications]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: s.onWorkItemStartCook(3, -1), (Kind.STARTED, 3, -1, ())),
        (lambda s: s.onWorkItemStartCook("sim_3", -1), (Kind.STARTED, "sim_3", -1, ())),
        (lambda s: s.onWorkItemStartCook(item_name="sim_3", index=2), (Kind.STARTED, "sim_3", 2, ())),
        (lambda s: s.onWorkItemStartCook(3), (Kind.STARTED, 3, -1, ())),
        (lambda s: s.onWorkItemStartCook("3", None), (Kind.STARTED, 3, -1, ())),
        (lambda s: s.onWorkItemStartCook(b"sim_3", 0), (Kind.STARTED, "sim_3", 0, ())),
        (lambda s: s.onWorkItemSucceeded(3, -1, 1.5), (Kind.SUCCEEDED, 3, -1, (1.5,))),
        (lambda s: s.onWorkItemSucceeded(name="a", index=-1, cook_duration=2), (Kind.SUCCEEDED, "a", -1, (2.0,))),
        (lambda s: s.onWorkItemStartSucceeded(3, -1, 1), (Kind.SUCCEEDED, 3, -1, (1.0,))),
        (lambda s: s.onWorkItemSucceeded(3, -1, -7), (Kind.SUCCEEDED, 3, -1, (0.0,))),
        (lambda s: s.onWorkItemSucceeded(3, -1, float("nan")), (Kind.SUCCEEDED, 3, -1, (0.0,))),
        (lambda s: s.onWorkItemSucceeded(3, -1, None), (Kind.SUCCEEDED, 3, -1, (0.0,))),
        (lambda s: s.onWorkItemFailed(3, index=-1), (Kind.FAILED, 3, -1, ())),
        (lambda s: s.onWorkItemCanceled(3, -1), (Kind.CANCELED, 3, -1, ())),
        (lambda s: s.onWorkItemCancelled(3, -1), (Kind.CANCELED, 3, -1, ())),
        (
            lambda s: s.onWorkItemFileResult("a", -1, "/x.png", "file/image", 5),
            (Kind.OUTPUTS, "a", -1, (File("/x.png", "file/image", 5),)),
        ),
        (
            lambda s: s.onWorkItemFileResult(3, -1, xmlrpc.client.Binary(b"/x.png"), "", 0),
            (Kind.OUTPUTS, 3, -1, (File("/x.png", "file/image"),)),
        ),
        (lambda s: s.onWorkItemAddOutput(3, -1, "/x.txt"), (Kind.OUTPUTS, 3, -1, (File("/x.txt", "file/text"),))),
        (
            lambda s: s.onWorkItemAddOutputs(3, -1, ["/a", "/b"], ["t"], [1, 2]),
            (Kind.OUTPUTS, 3, -1, (File("/a", "t", 1), File("/b", "t", 2))),
        ),
        (
            lambda s: s.onWorkItemSetAttribute("a", "x", [1, 2]),
            (Kind.ATTRIBUTE, "a", -1, ("x", AttribType.Int, (1, 2), None)),
        ),
        (
            lambda s: s.onWorkItemSetAttribute("a", 4, "x", ["p"]),
            (Kind.ATTRIBUTE, "a", 4, ("x", AttribType.String, ("p",), None)),
        ),
        (
            lambda s: s.onWorkItemSetStringAttrib(3, -1, "x", "v"),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.String, "v", 0)),
        ),
        (
            lambda s: s.onWorkItemSetStringAttrib(3, -1, "x", "v", 2),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.String, "v", 2)),
        ),
        (
            lambda s: s.onWorkItemSetIntAttrib(workitem_id=3, index=-1, attribute_name="x", value=[1, 2]),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.Int, (1, 2), None)),
        ),
        (
            lambda s: s.onWorkItemSetFileAttrib(3, -1, "x", ("/a.png", "t", 5, False)),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.File, File("/a.png", "t", 5, False), 0)),
        ),
        (
            lambda s: s.onWorkItemSetFileAttrib(3, -1, "x", [File("/a.png"), "/b.png"]),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.File, (File("/a.png"), File("/b.png", "file/image")), None)),
        ),
        (
            lambda s: s.onWorkItemSetDictAttrib(3, -1, "x", {"a": 1}),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.Dict, {"a": 1}, 0)),
        ),
        (
            lambda s: s.onWorkItemSetPyObjectAttrib(3, -1, "x", [1]),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.PyObject, [1], 0)),
        ),
        (lambda s: s.onWorkItemAppendLog(3, -1, "hi", 1), (Kind.LOG, 3, -1, ("hi", 1))),
        (lambda s: s.onWorkItemSetCustomState(3, -1, "queued"), (Kind.CUSTOM_STATE, 3, -1, ("queued",))),
        (lambda s: s.onWorkItemSetCookPercent(3, -1, 7), (Kind.PERCENT, 3, -1, (1.0,))),
        (lambda s: s.onWorkItemInvalidateCache(3, -1), (Kind.INVALIDATE_CACHE, 3, -1, ())),
        (lambda s: s.workItemStartCook(3, index=-1), (Kind.STARTED, 3, -1, ())),
        (lambda s: s.workItemSucceeded(3, -1, 2.0, jobid="77"), (Kind.SUCCEEDED, 3, -1, (2.0,))),
        (lambda s: s.workItemSucceeded(3, index=-1, cook_duration=1), (Kind.SUCCEEDED, 3, -1, (1.0,))),
        (lambda s: s.workItemFailed(3), (Kind.FAILED, 3, -1, ())),
        (lambda s: s.workItemCancelled(3, -1, "77"), (Kind.CANCELED, 3, -1, ())),
        (
            lambda s: s.workItemFileResult(3, -1, "/x.png", "t", 5, "77"),
            (Kind.OUTPUTS, 3, -1, (File("/x.png", "t", 5),)),
        ),
        (
            lambda s: s.workItemFileResult(3, subindex=-1, result="/x.png", tag="t", checksum=5),
            (Kind.OUTPUTS, 3, -1, (File("/x.png", "t", 5),)),
        ),
        (lambda s: s.workItemSetAttribute("a", "x", [1]), (Kind.ATTRIBUTE, "a", -1, ("x", AttribType.Int, (1,), None))),
        (
            lambda s: s.workItemSetStringAttrib(3, -1, "x", "v", 1, "77"),
            (Kind.ATTRIBUTE, 3, -1, ("x", AttribType.String, "v", 1)),
        ),
        (lambda s: s.workItemAppendLog(3, -1, "hi"), (Kind.LOG, 3, -1, ("hi", 3))),
    ],
)
def test_every_spelling_becomes_one_notification(call: Callable[[Any], object], said: tuple[Any, ...]) -> None:
    assert told(call) == [said]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.onWorkItemFailed(), "needs the work item's id or name"),
        (lambda s: s.onWorkItemSucceeded(3, speed=1), 'unexpected argument "speed"'),
        (lambda s: s.onWorkItemFailed(1.5), "by its id or its name"),
        (lambda s: s.onWorkItemSetAttribute("a", "x"), r"\(item, attribute, values\)"),
    ],
)
def test_a_wrong_call_says_how_to_call(call: Callable[[Any], object], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        told(call)


def test_an_override_of_the_event_is_heard_and_may_swallow_it() -> None:
    class Careful(Farm):
        def workItemCanceled(self, workitem_id: Any = None, index: Any = -1, jobid: Any = "", **more: Any) -> None:
            if jobid == "current":
                super().workItemCanceled(workitem_id, index, jobid)

    host = FakeHost()
    made = host.make(Careful)
    made.workItemCancelled(3, -1, "old")
    made.workItemCancelled(3, -1, "current")
    assert host.told() == [("cancel", 3)]


@given(
    st.one_of(st.integers(), st.text(min_size=1), st.binary(min_size=1)),
    st.integers(-1, 9),
    st.floats() | st.integers() | st.none(),
)
def test_any_item_and_duration_are_taken(item: Any, index: int, duration: Any) -> None:
    [(kind, _, said, payload)] = told(lambda s: s.onWorkItemSucceeded(item, index, duration))
    assert (kind, said) == (Kind.SUCCEEDED, index)
    assert payload[0] >= 0
