"""What is written of an item, and what comes back."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.secrets import Vault
from topcook.errors import RecorderError
from topcook.factory.filesystems import FileSystem
from topcook.machine.instructions import HandOver
from topcook.model.attributes import AttribFlag, AttribType, Attribute, attribute_of
from topcook.model.files import File
from topcook.model.notification import Kind, Notification
from topcook.model.states import WorkItemState
from topcook.model.workitem import WorkItem
from topcook.runtime.inbox import Report, UrisTold
from topcook.runtime.journal import Past, PastItem
from topcook.runtime.journal.reported import report_from_text, report_to_text
from topcook.runtime.journal.schema import create, open_to_read
from topcook.runtime.journal.values import attributes_from_rows, attributes_to_text
from topcook.runtime.link import Message
from topcook.runtime.recorder import HandOverNotes
from topcook.testkit.journaldesk import JournalDesk


def read(desk: JournalDesk, number: int = 1) -> PastItem:
    return next(item for item in Past.open(desk.path).items() if item.id == number)


def test_an_item_that_was_handed_over_is_in_flight_until_its_end_is_written(desk: JournalDesk) -> None:
    item = desk.item()
    assert not any(item.in_flight for item in Past.open(desk.path).items())
    desk.hand_over(item)
    assert [(each.token, each.attempt) for each in Past.open(desk.path).in_flight()] == [("cook-1-1-1", 1)]
    desk.journal.commit([], [desk.move(item, WorkItemState.Cooking)], [])
    found = read(desk)
    assert (found.state, found.started, found.in_flight) == (WorkItemState.Cooking, 12.0, True)
    desk.end(item)
    assert not Past.open(desk.path).in_flight()
    assert read(desk).queued == 10.0


def test_an_item_that_was_given_back_is_not_in_flight_and_its_attempt_counts_anew(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    item.attempt -= 1
    desk.journal.commit([], [desk.move(item, WorkItemState.Waiting)], [])
    assert not Past.open(desk.path).in_flight()
    desk.hand_over(item)
    assert read(desk).attempt == 1


def test_given_back_and_handed_over_again_within_one_batch_is_handed_over(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    back, again = desk.move(item, WorkItemState.Waiting), desk.move(item, WorkItemState.Scheduled)
    desk.journal.commit([], [back, again], HandOverNotes([HandOver("other", [item])], lambda _item: "token"))
    found = read(desk)
    assert (found.in_flight, found.token, found.scheduler) == (True, "token", "other")


def test_what_a_job_reports_is_there_before_its_item_ends(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    item.outputs = [File("a.exr", "file/image", 5)]
    item.attributes = {"frame": attribute_of(7)}
    told = [Notification(Kind.OUTPUTS, item.id), Notification(Kind.STARTED, item.name, job_id="4711")]
    desk.journal.commit([Report(told)], [], [])
    found = read(desk)
    assert found.outputs == item.outputs
    assert found.attributes == item.attributes
    assert found.job == "4711"
    item.outputs = [*item.outputs, File("b.exr", "file/image")]
    item.attributes = {**item.attributes, "size": attribute_of([1.0, 2.0])}
    desk.journal.commit([Report([Notification(Kind.ATTRIBUTE, item.id)])], [], [])
    desk.end(item)
    found = read(desk)
    assert found.outputs == item.outputs
    assert found.attributes == item.attributes


def test_names_and_numbers_that_the_file_cannot_say_stop_nothing(desk: JournalDesk) -> None:
    item, other = desk.item(), desk.item()
    desk.hand_over(item, other)
    item.outputs = [File(os.fsdecode(b"caf\xe9.exr"), "file/image"), File("\ud83d.exr")]
    item.ran().messages = [os.fsdecode(b"no caf\xe9")]
    item.ran().exit_status = 1 << 80
    desk.journal.tell(Message("warning", "farm", os.fsdecode(b"caf\xe9")))
    desk.end(item, other)
    found = read(desk)
    assert (found.state, found.outputs, found.messages) == (item.state, item.outputs, item.ran().messages)
    assert found.exit_status == (1 << 63) - 1
    assert read(desk, 2).state is WorkItemState.CookedSuccess


def test_what_an_earlier_attempt_gave_does_not_count(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    item.outputs = [File("a.exr")]
    desk.end(item, state=WorkItemState.CookedFail)
    assert read(desk).outputs
    item.outputs = None
    desk.hand_over(item)
    desk.end(item)
    assert read(desk).outputs == []


def test_the_name_of_a_job_is_that_of_the_present_attempts_or_none(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    named = Report([Notification(Kind.CUSTOM_STATE, item.id, payload=("q",), job_id="4711", attempt=1)])
    desk.journal.commit([named], [], [])
    assert read(desk).job == "4711"
    desk.journal.commit([], [desk.move(item, WorkItemState.Waiting)], [])
    desk.hand_over(item)
    assert (read(desk).token, read(desk).job) == ("cook-1-1-2", "")
    # What is still said of the first one changes nothing.
    desk.journal.commit([named], [], [])
    assert read(desk).job == ""
    later = Notification(Kind.CUSTOM_STATE, item.id, payload=("q",), job_id="4712", attempt=2)
    desk.journal.commit([Report([later])], [], [])
    assert read(desk).job == "4712"
    desk.journal.commit([Report([Notification(Kind.STARTED, item.id, job_id="4713")])], [], [])
    assert read(desk).job == "4713", "who says nothing of attempts means the present one"


def test_the_name_of_a_job_that_nobody_took_up_is_not_that_of_the_next(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    desk.journal.commit([Report([Notification(Kind.STARTED, item.id, job_id="4711", attempt=1)])], [], [])
    desk.journal.close()
    desk.journal = desk.opened("cook-1")
    desk.journal.begin(desk.items)
    desk.hand_over(item)
    assert (read(desk).attempt, read(desk).job) == (2, "")


def test_an_invalidated_cache_leaves_no_outputs(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    item.outputs = [File("a.exr")]
    desk.journal.commit([Report([Notification(Kind.OUTPUTS, item.id)])], [], [])
    item.outputs = None
    desk.journal.commit([Report([Notification(Kind.INVALIDATE_CACHE, item.id)])], [], [])
    assert read(desk).outputs == []


def test_fingerprints_uris_and_messages_come_back(desk: JournalDesk) -> None:
    item = desk.item()
    desk.journal.keep_fingerprint(item, "abc")
    desk.hand_over(item)
    item.ran().messages.append("it is late")
    desk.end(item, state=WorkItemState.CookedFail)
    desk.journal.commit([UrisTold([(item, "file:///log", "http://farm")])], [], [])
    desk.journal.tell(Message("warning", "farm", "slow"))
    desk.journal.close("failed")
    found, past = read(desk), Past.open(desk.path)
    assert (found.fingerprint, found.log_uri, found.status_uri) == ("abc", "file:///log", "http://farm")
    assert found.messages == ["it is late"]
    assert [message[1:] for message in past.messages] == [("warning", "farm", "slow")]
    assert (past.outcome, past.cook_id) == ("failed", "cook-1")


def test_a_secret_is_never_written_and_its_attribute_is_lost(desk: JournalDesk) -> None:
    vault = Vault(dict)
    vault.keep("s3cret-word")
    item = desk.item()
    item.attributes = {"key": attribute_of("say s3cret-word"), "plain": attribute_of("yes")}
    item.ran().messages.append("no access with s3cret-word")
    desk.hand_over(item)
    desk.end(item)
    desk.journal.close("cooked")
    found = read(desk)
    assert (list(found.attributes), found.lost) == (["plain"], ["key"])
    with open(desk.path, "rb") as stream:
        assert b"s3cret-word" not in stream.read()


def test_the_journal_of_a_resumed_cook_goes_on(desk: JournalDesk) -> None:
    first, second = desk.item(), desk.item()
    desk.hand_over(first, second)
    desk.end(first)
    desk.journal.close()
    assert Past.open(desk.path).outcome == ""
    desk.journal = desk.opened("cook-1")
    desk.journal.begin(desk.items)
    second.attempt = 1
    desk.hand_over(second)
    past = Past.open(desk.path)
    assert [(item.state.name, item.attempt, item.session) for item in past.items()] == [
        ("CookedSuccess", 1, 2),
        ("Scheduled", 2, 2),
    ]
    assert [session.outcome for session in past.sessions] == ["", ""]


def test_of_many_needs_and_of_one_the_ids_come_back(desk: JournalDesk) -> None:
    first, second = desk.item(), desk.item()
    last, alone = WorkItem(9, desk.node, 2), WorkItem(10, desk.node, 3)
    last.dependencies, alone.dependencies = [first, second], [second]
    desk.journal.begin([last, alone])
    desk.journal.commit([], [], [])
    assert (read(desk, 9).needs, read(desk, 10).needs, read(desk, 1).needs) == ([1, 2], [2], [])


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
FILES = st.builds(File, st.text(), st.text(), st.integers(-(2**63), 2**63 - 1), st.booleans())
VALUES: st.SearchStrategy[Any] = st.recursive(
    PLAIN | FILES,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=4))
def test_a_value_comes_back_as_it_was_or_is_told_to_be_lost(values: list[Any]) -> None:
    flags = AttribFlag.EnvExport | AttribFlag.ReadOnly
    before = {"it": Attribute(AttribType.PyObject, tuple(values), flags)}
    after, lost = attributes_from_rows(json.loads(attributes_to_text(before)))
    assert (after == before and not lost) or (not after and lost == ["it"])


def test_plain_values_and_files_are_never_lost() -> None:
    before = {
        "numbers": Attribute(AttribType.Float, (1.5, -0.0, math.inf)),
        "names": Attribute(AttribType.String, ("a\nb", "ü", "")),
        "file": Attribute(AttribType.File, (File("x.exr", "file/image", 3, False),)),
        "tree": Attribute(AttribType.Dict, ({"dict": {"file": [1, (2, None)]}},)),
    }
    assert attributes_from_rows(json.loads(attributes_to_text(before))) == (before, [])


def test_what_no_text_can_carry_is_lost() -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    before = {
        "object": Attribute(AttribType.PyObject, (object(),)),
        "key": Attribute(AttribType.Dict, ({1: 2},)),
        "deep": Attribute(AttribType.PyObject, (deep,)),
        "half": Attribute(AttribType.String, ("\ud800",)),
    }
    assert attributes_from_rows(json.loads(attributes_to_text(before))) == ({}, list(before))


def test_what_is_written_later_is_no_part_of_the_past(desk: JournalDesk) -> None:
    first = desk.item()
    desk.hand_over(first)
    with Past.open(desk.path) as past:
        desk.end(first)
        desk.hand_over(desk.item())
        desk.journal.keep_fingerprint(first, "later")
        desk.journal.commit([], [], [])
        assert [(item.id, item.in_flight, item.fingerprint) for item in past.items()] == [(1, True, "")]
        assert len(past.in_flight()) == 1
    assert Past.open(desk.path).find("make_1").fingerprint == "later"  # type: ignore[union-attr]


def test_of_a_journal_on_a_network_disk_all_is_read_before_one_process_has_it_for_itself(
    desk: JournalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.hand_over(desk.item())
    monkeypatch.setattr("topcook.runtime.journal.past.file_system", lambda _path: FileSystem("nfs", network=True))
    with Past.open(desk.path) as past:
        desk.journal.close()
        os.unlink(desk.path)
        assert [item.token for item in past.items()] == ["cook-1-1-1"]


def test_a_journal_whose_numbers_nobody_counted_is_refused(desk: JournalDesk) -> None:
    desk.hand_over(desk.item())
    desk.journal.close()
    with sqlite3.connect(desk.path) as connection:
        connection.execute("UPDATE item SET id = ?", (1 << 60,))
        connection.execute(
            "INSERT INTO item SELECT 1, session, 'other', node, place, name, label, scheduler, frame, batch, needs FROM item"
        )
    connection.close()
    with pytest.raises(RecorderError, match="damaged: its items have numbers from 1 to"):
        Past.open(desk.path)


@given(
    value=st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.lists(st.text(), max_size=3)),
    kind=st.sampled_from([Kind.ATTRIBUTE, Kind.OUTPUTS, Kind.LOG, Kind.SUCCEEDED, Kind.STARTED]),
)
def test_a_report_on_its_way_comes_back_as_it_was(value: Any, kind: Kind) -> None:
    payloads: dict[Kind, tuple[Any, ...]] = {
        Kind.ATTRIBUTE: ("name", AttribType.PyObject, (value, {"deep": File("a", "b", 1, own=True)}), None),
        Kind.OUTPUTS: ([File("a.exr", "file/image", 5)],),
        Kind.LOG: (str(value), 3),
        Kind.SUCCEEDED: (1.5,),
    }
    said = Notification(kind, 7, 2, payloads.get(kind, ()), job_id="4711")
    found = report_from_text(report_to_text(said, 3), 7)
    if isinstance(value, str | list) and "\\ud" in repr(value):
        return
    assert found is not None
    assert (found.kind, found.item, found.index, found.payload) == (said.kind, 7, 2, said.payload)
    assert (found.attempt, found.job_id) == (3, "4711")


def test_reports_on_their_way_are_known_until_they_have_come_through(desk: JournalDesk) -> None:
    item = desk.item()
    desk.hand_over(item)
    report = Report(
        [Notification(Kind.PERCENT, item.name, -1, (0.5,)), Notification(Kind.LOG, item.name, -1, ("x", 3))]
    )
    report.delegated = list(report.notifications)
    lost = Report([Notification(Kind.ATTRIBUTE, item.id, -1, ("a", AttribType.PyObject, object(), None))])
    lost.delegated = list(lost.notifications)
    desk.journal.commit([report, lost], [], [])
    assert [said and said.kind for said in read(desk).reported] == [Kind.PERCENT, Kind.LOG, None]
    desk.journal.commit([Report([Notification(Kind.PASSED, item.id)])], [], [])
    assert [said and said.payload for said in read(desk).reported] == [("x", 3), None]


def test_who_reads_a_journal_while_it_is_being_made_gets_in_nobodys_way(tmp_path: Path) -> None:
    for number in range(30):
        path, ready = str(tmp_path / f"{number}.sqlite"), threading.Barrier(4)
        (tmp_path / f"{number}.sqlite").touch()

        def opened(*, makes: bool, path: str = path, ready: threading.Barrier = ready) -> int:
            ready.wait(30)
            connection = create(path, power=False, network_disk=False) if makes else open_to_read(path)
            with contextlib.closing(connection):
                return int(connection.execute("SELECT count(*) FROM session").fetchone()[0])

        with ThreadPoolExecutor(4) as pool:
            told = [pool.submit(opened, makes=makes) for makes in (True, False, False, False)]
            assert [each.result() for each in told] == [0, 0, 0, 0]


READ = "import sys; from topcook.runtime.journal import Past; print(len(Past.open(sys.argv[1]).sessions))"


def test_who_goes_on_with_a_journal_that_it_reads_from_is_seen_by_all(desk: JournalDesk) -> None:
    """Another process reads, and leaves, between the reading and the writing."""
    desk.hand_over(desk.item())
    desk.journal.close()
    with Past.open(desk.path):
        desk.journal = desk.opened("cook-1")
        for _ in range(2):
            said = subprocess.run([sys.executable, "-c", READ, desk.path], capture_output=True, text=True, check=True)
            assert said.stdout.strip() == "2"
        desk.hand_over(desk.item())
        said = subprocess.run([sys.executable, "-c", READ, desk.path], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == "2"
        assert len(Past.open(desk.path)) == 2
