"""The inbox, and what becomes of reports that come when nobody looks into it any more."""

from __future__ import annotations

import sys
import threading
from collections import deque

from topcook.machine.events import TaskRequested
from topcook.model.node import Node, NodeType
from topcook.model.workitem import WorkItem
from topcook.runtime.inbox import LARGEST_BATCH, Inbox, Ran, Report
from topcook.runtime.link import CookLink


def test_a_batch_is_everything_that_is_there_up_to_a_limit() -> None:
    inbox = Inbox()
    for number in range(LARGEST_BATCH + 10):
        inbox.post(number)
    first, rest = inbox.drain(), inbox.drain()
    assert first + rest == list(range(LARGEST_BATCH + 10))
    assert len(first) == LARGEST_BATCH + 1
    assert inbox.drain(0.0) == []
    assert inbox.drain(0.01) == []


def test_draining_waits_for_the_first_event() -> None:
    inbox = Inbox()
    threading.Timer(0.02, inbox.post, ["late"]).start()
    assert inbox.drain() == ["late"]


def test_who_waits_for_a_receipt_is_answered_when_the_cook_is_over() -> None:
    link = CookLink("cook", lambda _name: None)  # type: ignore[arg-type,return-value]
    told: list[object] = []
    link.inbox.post(Report([], done=told.append))
    link.inbox.post(TaskRequested("farm", 0.0))
    link.message("error", "farm", "one more thing")
    assert [message.text for message in link.close()] == ["one more thing"]
    assert [str(error) for error in told] == ["the cook is over"]
    assert link.over
    link.inbox.post(Report([], done=told.append))
    link.refuse_rest()
    assert len(told) == 2


def test_nobody_is_left_without_an_answer_by_a_flood_at_the_end() -> None:
    link = CookLink("cook", lambda _name: None)  # type: ignore[arg-type,return-value]
    told: list[object] = []
    for _ in range(2 * LARGEST_BATCH + 10):
        link.inbox.post(Report([], done=told.append))
    assert link.close() == []
    assert len(told) == 2 * LARGEST_BATCH + 10


def test_what_is_posted_for_soon_wakes_nobody_and_is_in_front_of_what_does() -> None:
    inbox = Inbox()
    inbox.post("first")
    inbox.post_soon("accepted")
    inbox.post("started")
    assert inbox.drain() == ["accepted", "first", "started"]
    inbox.post_soon("accepted")
    assert inbox.drain(None) == ["accepted"], "who is awake takes it without waiting for more"
    threading.Timer(0.02, inbox.post, ["ended"]).start()
    threading.Timer(0.01, inbox.post_soon, ["accepted"]).start()
    assert inbox.drain() == ["accepted", "ended"]


def test_what_was_posted_for_soon_makes_a_batch_when_it_is_roused_and_none_when_it_was_taken() -> None:
    inbox = Inbox()
    inbox.rouse()
    assert inbox.drain(0.0) == []
    sleeper: list[list[str]] = []
    thread = threading.Thread(target=lambda: sleeper.append(inbox.drain()))
    thread.start()
    inbox.post_soon("accepted")
    inbox.rouse()
    thread.join(20)
    assert sleeper == [["accepted"]]


def test_a_start_that_nobody_has_seen_is_told_with_its_end_and_one_that_was_seen_is_not_told_again() -> None:
    posted: list[Ran] = []
    ran, node = Ran(posted.append), Node("node", "test", NodeType.Processor)
    first, second, third = (WorkItem(number, node) for number in (1, 2, 3))
    ran.add(first, 1, 2.0)
    ran.end(first, 1, 3.0, 1.0)
    ran.add(second, 1, 4.0)
    assert posted == [ran], "posted once until somebody looks"
    assert ran.take() == [(first, 1, 3.0, 1.0), (second, 1, 4.0, None)]
    ran.end(second, 1, 6.0, 2.0)
    ran.add(third, 1, 7.0)
    assert posted == [ran, ran]
    assert ran.take() == [(second, 1, 6.0, 2.0), (third, 1, 7.0, None)]
    assert ran.take() == []


def test_no_end_is_lost_while_one_thread_tells_and_another_takes() -> None:
    count, node = 5000, Node("node", "test", NodeType.Processor)
    items = [WorkItem(number, node) for number in range(count)]
    inbox = Inbox()
    ran = Ran(inbox.post)

    def tell() -> None:
        for number, item in enumerate(items):
            ran.add(item, 1, float(number))
            ran.end(item, 1, number + 0.5, 0.5)

    teller = threading.Thread(target=tell)
    teller.start()
    ended: list[WorkItem] = []
    while len(ended) < count:
        batch = inbox.drain(30.0)
        assert batch, f"only {len(ended)} ends arrived"
        ended += [item for told in batch for item, _, _, duration in told.take() if duration is not None]
    teller.join(30)
    assert ended == items


def test_what_is_posted_for_soon_is_taken_once_whoever_else_takes_some_of_it_meanwhile() -> None:
    """A host rouses while the cook drains: neither may fall over what the other has just taken."""
    inbox, before = Inbox(), sys.getswitchinterval()
    count, over = 3000, threading.Event()

    def rouse() -> None:
        while not over.is_set():
            inbox.rouse()

    def post() -> None:
        for number in range(count):
            inbox.post_soon(number)
        inbox.post("end")

    threads = [threading.Thread(target=rouse, daemon=True), threading.Thread(target=post, daemon=True)]
    sys.setswitchinterval(1e-6)
    taken: list[object] = []
    try:
        for thread in threads:
            thread.start()
        while len(taken) <= count:
            batch = inbox.drain(60.0)
            assert batch, f"only {len(taken)} arrived"
            taken += batch
    finally:
        sys.setswitchinterval(before)
        over.set()
        for thread in threads:
            thread.join(60)
    numbers = [each for each in taken if each != "end"]
    assert sorted(numbers) == list(range(count))  # type: ignore[type-var]


def test_who_finds_less_than_was_there_when_it_looked_takes_what_is_left() -> None:
    class Raced(deque[str]):
        """Another thread has taken one between the look and the taking."""

        def __len__(self) -> int:
            return super().__len__() + 1

    inbox = Inbox()
    inbox._soon = Raced(["one", "two"])
    assert inbox.drain(0.0) == ["one", "two"]
