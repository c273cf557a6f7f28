from __future__ import annotations

import pytest

from topcook.contract.callbacks import BY_NAME, CALLBACKS, Callback, Need, Returns
from topcook.contract.node_callbacks import NODE_CALLBACKS
from topcook.contract.processor import PyProcessor
from topcook.contract.scheduler import PyScheduler
from topcook.model.enums import EventType, NodeType, Result, ScheduleResult, TickResult, WorkItemState

#: The ids of the text fields of the Python Scheduler node.
FIELDS = {
    "onschedule", "onschedulestatic", "submitasjob", "workingdir", "localizepath", "onstart", "onstop", "onstartcook",
    "onstopcook", "ontick", "endsharedserver", "workitemresultserveraddr", "transferfile", "getloguri", "getstatusuri",
}  # fmt: skip
EVERY_ROW = [*CALLBACKS, *(row for rows in NODE_CALLBACKS.values() for row in rows)]


def test_each_callback_has_one_row() -> None:
    assert len(BY_NAME) == len(CALLBACKS)


def test_the_rows_have_all_fields_of_the_python_scheduler_node() -> None:
    assert {row.field for row in CALLBACKS if row.field} == FIELDS
    assert all(row.tab for row in CALLBACKS if row.field)
    assert all(row.field == row.name.lower() for row in CALLBACKS if row.field)


def test_only_schedule_has_nothing_that_can_stand_in_for_it() -> None:
    assert [row.name for row in CALLBACKS if row.need is Need.REQUIRED] == ["onSchedule"]


@pytest.mark.parametrize("row", [row for row in CALLBACKS if row.need is Need.DEFAULTED], ids=lambda row: row.name)
def test_a_defaulted_callback_stands_in_the_base_class(row: Callback) -> None:
    assert callable(getattr(PyScheduler, row.name))


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.name)
def test_a_row_says_what_and_why_in_sentences(row: Callback) -> None:
    assert row.sentence.endswith(".")
    assert row.seed.endswith(".")
    assert 0 <= row.may_omit <= len(row.args)


def test_signature_is_what_an_author_types() -> None:
    assert BY_NAME["onStopCook"].signature == "onStopCook(self, cancel)"
    assert BY_NAME["hasServiceSupport"].signature == "hasServiceSupport()"
    assert BY_NAME["onStopCook"].may_omit == 1


def test_node_rows_name_callbacks_of_the_node_bases() -> None:
    names = {row.name for row in NODE_CALLBACKS[NodeType.Processor]}
    assert {"onGenerate", "onCookTask"} <= names
    assert all(hasattr(PyProcessor, name) for name in names - {"onRegenerateStatic"})
    assert {row.returns for rows in NODE_CALLBACKS.values() for row in rows} == {Returns.RESULT}


def test_enumerations_have_the_published_numbers() -> None:
    assert [int(each) for each in ScheduleResult] == list(range(7))
    assert WorkItemState.CookedCancel == 9
    assert EventType.All == 43
    assert EventType.WorkItemOutputFiles is EventType.WorkItemResult
    assert getattr(Result, "None").name == "None"


def test_results_are_neither_false_nor_equal_to_a_bool() -> None:
    """CookCanceled is 0 and CookFailed is 1; neither may pass for False or True."""
    assert ScheduleResult.CookCanceled
    assert ScheduleResult.CookFailed != True  # noqa: E712 - the comparison is the test
    assert int(TickResult.SchedulerBusy) == 1
