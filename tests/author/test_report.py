"""Reports of local jobs: attempt, times and words."""

from __future__ import annotations

from typing import Any

import pytest

from pdg.scheduler import PyScheduler
from topcook.author import JobEnd, JobParms, attempt_token, local_jobs, log_to_scheduler, report
from topcook.author.report import Reports
from topcook.model.notification import Kind, Notification
from topcook.testkit.fakehost import FakeHost


@pytest.fixture
def host() -> FakeHost:
    return FakeHost(farm_priority=3)


@pytest.fixture
def scheduler(host: FakeHost) -> Any:
    return host.make(PyScheduler)


def test_a_report_keeps_the_attempt_it_was_made_in(host: FakeHost, scheduler: Any) -> None:
    item = host.graph.add_item("true")
    item.attempt = 1
    old = report(scheduler, host.graph.handle(item))
    item.attempt = 2
    old.started()
    assert host.notifications[0].attempt == 1


def test_reports_that_become_known_together_are_told_together_in_their_order(host: FakeHost, scheduler: Any) -> None:
    items = [host.graph.add_item("true") for _ in range(2)]
    told = Reports(scheduler)
    told.of(host.graph.handle(items[0]), 3).succeeded(exit_status=0, seconds=1.5)
    told.of(host.graph.handle(items[1])).failed("no licence")
    assert not host.notifications
    told.send()
    assert host.told() == [("success", items[0].id), ("fail", items[1].id)]
    assert host.notifications[0].attempt == 3
    told.send()
    assert len(host.notifications) == 2


@pytest.mark.parametrize(
    ("end", "kind", "reason"),
    [
        (JobEnd(0, 7.5), Kind.SUCCEEDED, ""),
        (JobEnd(2, 7.5), Kind.FAILED, "exit status 2"),
        (JobEnd(137, 7.5), Kind.FAILED, "exit status 137 (a shell's word for SIGKILL)"),
        (JobEnd(255, 7.5), Kind.FAILED, "exit status 255"),
        (JobEnd(-11, 7.5), Kind.FAILED, "ended by signal 11 (SIGSEGV)"),
        (JobEnd(-99, 7.5), Kind.FAILED, "ended by signal 99"),
        (JobEnd(None, 7.5), Kind.FAILED, "nobody saw how its process ended"),
        (JobEnd(127, 7.5, "not found"), Kind.FAILED, "not found"),
        (JobEnd(0, 7.5, "canceled", canceled=True), Kind.CANCELED, "canceled"),
    ],
)
def test_the_end_of_a_process_becomes_a_report_in_words(
    host: FakeHost, scheduler: Any, end: JobEnd, kind: Kind, reason: str
) -> None:
    told = report(scheduler, host.graph.handle(host.graph.add_item("true")))
    told.started(5.0)
    told.ended(end)
    said: Notification = host.notifications[-1]
    assert (said.kind, said.reason, said.at, said.exit_status) == (kind, reason, 7.5, end.exit_status)
    if kind is Kind.SUCCEEDED:
        assert said.payload == (2.5,)


def test_an_author_reaches_keeper_token_and_log(host: FakeHost, scheduler: Any) -> None:
    item = host.graph.add_item("true")
    handle = host.graph.handle(item)
    assert local_jobs(scheduler) is host.keeper
    assert attempt_token(scheduler, handle) == host.job_environment(item)["PDG_ITEM_TOKEN"]
    log_to_scheduler(scheduler)


def test_job_parms_are_evaluated_once_for_a_node_and_again_only_where_they_vary(
    host: FakeHost, scheduler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    evaluate = scheduler.evaluateIntOverride
    monkeypatch.setattr(scheduler, "evaluateIntOverride", lambda *args: (asked.append(args[2]), evaluate(*args))[1])
    parms = JobParms(scheduler, "farm", {"priority": 1, "pool": "default", "hold": False, "weight": 0.5})
    plain = [host.graph.handle(host.graph.add_item("x")) for _ in range(3)]
    assert [parms.of(item) for item in plain] == [{"priority": 3, "pool": "default", "hold": False, "weight": 0.5}] * 3
    assert len(asked) == 1
    assert parms.own()["pool"] == "default"
    own = host.graph.handle(host.graph.add_item("x", farm_priority=9))
    assert parms.of(own)["priority"] == 9
    assert parms.of(plain[0])["priority"] == 3
    host.graph.add_node("each").job_parms = {"farm_priority": "@rank"}
    assert [
        parms.of(host.graph.handle(host.graph.add_item("x", node="each", rank=rank)))["priority"] for rank in (4, 5)
    ] == [4, 5]
