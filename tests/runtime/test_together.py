"""What one thread hears in one go reaches the cook as one entry, in order."""

from __future__ import annotations

import threading
from typing import Any

from topcook.model.notification import Kind, Notification
from topcook.runtime.inbox import Report
from topcook.runtime.together import Together


def said(item: int) -> Notification:
    return Notification(Kind.STARTED, item)


def told(entries: list[Any]) -> list[Any]:
    """Entries as plain data."""
    return [
        (entry.scheduler, [each.item for each in entry.notifications]) if isinstance(entry, Report) else entry
        for entry in entries
    ]


def test_a_row_of_notifications_of_one_scheduler_becomes_one_report_at_the_end() -> None:
    posted: list[Any] = []
    together = Together(posted.append)
    with together:
        together.report(said(1), "farm")
        together.report(said(2), "farm")
        assert not posted
    assert told(posted) == [("farm", [1, 2])]


def test_the_order_of_reports_and_events_is_kept() -> None:
    posted: list[Any] = []
    together = Together(posted.append)
    with together:
        together.report(said(1), "farm")
        together.post("limits")
        together.report(said(2), "farm")
        together.report(said(3), "other")
        together.report(said(4), "other")
    assert told(posted) == [("farm", [1]), "limits", ("farm", [2]), ("other", [3, 4])]


def test_outside_of_it_everything_is_posted_at_once() -> None:
    posted: list[Any] = []
    together = Together(posted.append)
    together.report(said(1), "farm")
    together.post("limits")
    with together:
        pass
    together.report(said(2), "farm")
    assert told(posted) == [("farm", [1]), "limits", ("farm", [2])]


def test_another_thread_waits_for_nobody() -> None:
    posted: list[Any] = []
    together = Together(posted.append)

    def report() -> None:
        together.report(said(2), "farm")
        together.post("limits")

    with together:
        together.report(said(1), "farm")
        other = threading.Thread(target=report)
        other.start()
        other.join()
        assert told(posted) == [("farm", [2]), "limits"]
    assert told(posted) == [("farm", [2]), "limits", ("farm", [1])]


def test_what_was_heard_before_a_mistake_is_posted() -> None:
    posted: list[Any] = []
    together = Together(posted.append)
    try:
        with together:
            together.report(said(1), "farm")
            raise ValueError("a message nobody understands")
    except ValueError:
        together.post("afterwards")
    assert told(posted) == [("farm", [1]), "afterwards"]
