from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.callbacks import BY_NAME, CALLBACKS, Callback
from topcook.contract.returns import read_return
from topcook.errors import CallbackError
from topcook.model.enums import AcceptResult, ScheduleResult, TickResult


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("name", "value", "meaning"),
    [
        ("onSchedule", True, ScheduleResult.Succeeded),
        ("onSchedule", False, ScheduleResult.Failed),
        ("onSchedule", None, ScheduleResult.Succeeded),
        ("onSchedule", ScheduleResult.CookCanceled, ScheduleResult.CookCanceled),
        ("onSchedule", ScheduleResult.FullDeferred, ScheduleResult.FullDeferred),
        ("onTick", None, TickResult.SchedulerReady),
        ("onTick", True, TickResult.SchedulerReady),
        ("onTick", False, TickResult.SchedulerBusy),
        ("onTick", TickResult.SchedulerCancelCook, TickResult.SchedulerCancelCook),
        ("onStart", None, True),
        ("onStart", 0, False),
        ("onStartCook", False, False),
        ("transferFile", 1, True),
        ("onAcceptWorkItem", None, AcceptResult.Default),
        ("onAcceptWorkItem", False, AcceptResult.Reject),
        ("getLogURI", None, ""),
        ("getLogURI", b"file:///x", "file:///x"),
        ("workingDir", PurePosixPath("/show"), "/show"),
        ("submitAsJob", "http://farm/1", ("http://farm/1", "")),
        ("submitAsJob", ("http://farm/1", 17), ("http://farm/1", "17")),
        ("submitAsJob", ["http://farm/1", None], ("http://farm/1", "")),
        ("submitAsJob", None, ("", "")),
        ("isWorkItemReady", True, 1),
        ("isWorkItemReady", 2, 2),
        ("isWorkItemReady", None, 0),
        ("onScheduleStatic", "anything", None),
    ],
)
def test_a_return_means(name: str, value: object, meaning: object) -> None:
    read = read_return(BY_NAME[name], value)
    assert read == meaning
    assert type(read) is type(meaning)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("onSchedule", 0),
        ("onSchedule", "ok"),
        ("onSchedule", TickResult.SchedulerReady),
        ("onTick", ScheduleResult.Succeeded),
        ("onTick", 1),
        ("onStart", "yes"),
        ("onStart", ScheduleResult.Succeeded),
        ("getLogURI", 3),
        ("submitAsJob", ("a", "b", "c")),
        ("isWorkItemReady", 3),
        ("isWorkItemReady", float("nan")),
        ("onSchedule", Rude()),
    ],
)
def test_a_wrong_return_names_what_came_and_what_was_expected(name: str, value: object) -> None:
    with pytest.raises(CallbackError) as caught:
        read_return(BY_NAME[name], value, place="/types/farm.py:12")
    text = str(caught.value)
    assert text.startswith(f'"{name}" returned ')
    assert "at /types/farm.py:12" in text
    assert f"found {type(value).__name__}, expected {BY_NAME[name].returns.value}" in text


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()),
    st.dictionaries(st.text(), st.integers()), st.sampled_from(ScheduleResult), st.sampled_from(TickResult),
    st.tuples(st.text(), st.text()), st.builds(Rude), st.builds(object),
)  # fmt: skip


@given(row=st.sampled_from(CALLBACKS), value=ANYTHING)
def test_whatever_is_returned_is_read_or_refused_in_words(row: Callback, value: Any) -> None:
    refused = ""
    try:
        read_return(row, value)
    except CallbackError as error:
        refused = str(error)
    assert not refused or row.name in refused
