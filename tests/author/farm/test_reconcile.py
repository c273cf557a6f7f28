"""What a reconciler makes of an engine's words, by a clock of the test's own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from topcook.author.farm import EngineAwayError, FarmJob, FarmPhase, FarmState, Flight, LostJobs, Reconciler
from topcook.author.farm.ends import Ends
from topcook.contract.scheduler import PyScheduler
from topcook.model.notification import Kind, Notification
from topcook.model.states import WorkItemState
from topcook.testkit import FakeHost

Q, R, S, F, C, G = (
    FarmPhase.QUEUED,
    FarmPhase.RUNNING,
    FarmPhase.SUCCEEDED,
    FarmPhase.FAILED,
    FarmPhase.CANCELED,
    FarmPhase.GONE,
)
ENDS = {Kind.SUCCEEDED, Kind.FAILED, Kind.CANCELED}


class Scheduler(PyScheduler):
    def onSchedule(self, work_item: Any) -> bool:
        return True


class Bench:
    """One job in flight on an engine whose words are set; ``lost`` is what becomes of those that it forgets."""

    def __init__(self, folder: Path, lost: LostJobs | None = None) -> None:
        self.host = FakeHost(working=str(folder))
        self.scheduler = self.host.make(Scheduler)
        self.ends = folder / "pdgtemp" / "1" / "ends"
        self.ends.mkdir(parents=True)
        (folder / "pdgtemp" / "1" / "scripts").mkdir()
        self.now = 100.0
        self.words: dict[str, FarmState] | Exception = {}
        self.asked: list[list[str]] = []
        self.known: dict[str, str] = {}
        self.reconciler = Reconciler(
            self.scheduler,
            self.poll,
            engine="grid",
            every=10.0,
            grace=5.0,
            lost_after=30.0,
            find=lambda tokens: self.known,
            lost=lost,
            clock=lambda: self.now,
        )
        self.record = self.host.graph.add_item(command="x")
        self.record.state, self.record.attempt = WorkItemState.Scheduled, 1
        self.item = self.host.graph.handle(self.record)
        self.token = f"cook-{self.record.id}-1"

    def poll(self, ids: Sequence[str]) -> Mapping[str, FarmState]:
        self.asked.append(list(ids))
        if isinstance(self.words, Exception):
            raise self.words
        return self.words

    def watch(self, engine_id: str = "44") -> None:
        self.reconciler.watch(FarmJob(self.item, self.token, 1, "item", {}), engine_id)

    def at(self, seconds: float, state: FarmState | Exception | None = None) -> None:
        """Tick so many seconds after the hand-over, with the engine saying this."""
        self.now = 100.0 + seconds
        if state is not None:
            self.words = state if isinstance(state, Exception) else {"44": state}
        self.reconciler.tick()

    def end(self, state: str, **said: Any) -> None:
        (self.ends / f"{self.token}.json").write_text(json.dumps({"state": state, **said}))

    @property
    def told(self) -> list[Notification]:
        return [said for said in self.host.notifications if said.kind in ENDS]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_engines_id_is_kept_with_the_item(bench: Bench) -> None:
    bench.watch()
    (said,) = bench.host.notifications
    assert (said.kind, said.job_id, said.attempt, said.payload) == (Kind.CUSTOM_STATE, "44", 1, ("grid 44",))


def test_the_engine_is_asked_seldom_and_only_of_what_is_in_flight(bench: Bench) -> None:
    bench.at(50.0, FarmState(R))
    bench.watch()
    for seconds in (51, 59, 60, 61, 69, 70, 75):
        bench.at(seconds)
    assert bench.asked == [["44"], ["44"]]
    bench.record.state = WorkItemState.CookedSuccess
    bench.at(90)
    bench.at(110)
    assert len(bench.asked) == 2


def test_a_start_that_nobody_told_is_told_once_the_engine_runs_it(bench: Bench) -> None:
    bench.watch()
    bench.at(10, FarmState(Q, "Priority"))
    assert [said.payload for said in bench.host.notifications[1:]] == [("grid 44: queued, Priority",)]
    assert bench.reconciler.waits_for() == "1 job on grid (Priority)"
    bench.at(20, FarmState(Q, "Priority"))
    bench.at(30, FarmState(R))
    assert [said.kind for said in bench.host.notifications[2:]] == [Kind.STARTED]


@pytest.mark.parametrize(
    ("state", "kind", "reason", "status", "after"),
    [
        (FarmState(F, "out of memory", 137), Kind.FAILED, "out of memory", 137, 5.0),
        (FarmState(F), Kind.FAILED, "its job 44 failed on grid", None, 5.0),
        (FarmState(C, "deleted by bob"), Kind.CANCELED, "deleted by bob", None, 5.0),
        (FarmState(C), Kind.CANCELED, "somebody ended its job 44 on grid", None, 5.0),
        (FarmState(S), Kind.SUCCEEDED, "", 0, 5.0),
        (FarmState(G), Kind.FAILED, "grid does not know its job 44 any more", None, 30.0),
    ],
)
def test_an_end_that_only_the_engine_tells_counts_after_a_grace(
    state: FarmState, kind: Kind, reason: str, status: int | None, after: float, bench: Bench
) -> None:
    bench.watch()
    bench.at(10, state)
    bench.at(10 + after - 0.5)
    assert bench.told == []
    bench.at(10 + after)
    (said,) = bench.told
    assert (said.kind, said.reason, said.exit_status, said.attempt) == (kind, reason, status, 1)
    bench.at(100)
    assert len(bench.told) == 1


def test_a_job_that_runs_again_has_its_grace_anew(bench: Bench) -> None:
    bench.watch()
    bench.at(10, FarmState(G))
    bench.at(20, FarmState(Q))
    bench.at(30, FarmState(G))
    bench.at(45)
    assert bench.told == []
    bench.at(60)
    assert [said.kind for said in bench.told] == [Kind.FAILED]


def test_the_callback_that_comes_in_the_grace_is_what_counts(bench: Bench) -> None:
    bench.watch()
    bench.at(10, FarmState(F, "node failure"))
    bench.record.state = WorkItemState.CookedSuccess
    bench.at(15)
    bench.at(60)
    assert bench.told == []
    assert bench.reconciler.in_flight == []


def test_an_item_that_is_at_another_attempt_needs_the_job_no_more(bench: Bench) -> None:
    bench.watch()
    bench.record.attempt = 2
    bench.at(10, FarmState(F))
    bench.at(60)
    assert bench.told == []


def test_a_wrapper_that_was_signaled_gives_the_reason_where_the_engine_has_none(bench: Bench) -> None:
    bench.watch()
    bench.end("signaled", reason="ended by SIGUSR1", exit=-10)
    bench.at(10, FarmState(R))
    assert bench.told == []
    bench.at(20, FarmState(F))
    bench.at(25)
    (said,) = bench.told
    assert (said.reason, said.exit_status) == ("ended by SIGUSR1", -10)


def test_while_the_engine_is_away_it_is_asked_more_and_more_seldom_and_told_once(bench: Bench) -> None:
    bench.watch()
    for seconds in range(10, 250):
        bench.at(seconds, EngineAwayError("grid: no route"))
    assert len(bench.asked) == 4
    (warning,) = bench.host.warnings
    assert warning == "grid: no route\n    1 jobs are in flight; grid is asked again, what they report counts"
    assert bench.reconciler.waits_for() == "grid, which has not answered for 239 s"
    bench.at(300, FarmState(R))
    assert bench.host.warnings[1:] == ["grid answers again, after 290 s"]
    assert bench.reconciler.waits_for() == "1 job on grid"


def test_jobs_are_taken_up_that_the_engine_knows_or_that_have_left_an_end(bench: Bench) -> None:
    items = [bench.host.graph.handle(bench.host.graph.add_item()) for _ in range(4)]
    tokens = [f"cook-{item.id}-{number + 1}" for number, item in enumerate(items)]
    (bench.ends / f"{tokens[1]}.json").write_text(json.dumps({"state": "succeeded", "exit": 0}))
    (bench.ends / f"{tokens[2]}.json").write_text(json.dumps({"state": "orphaned"}))
    bench.known = {tokens[3]: "93"}
    bench.words = {"90": FarmState(R), "93": FarmState(Q)}
    taken = bench.reconciler.adopt(list(zip(items, tokens, ["90", "91", "92", ""], strict=True)))
    assert [item.id for item in taken] == [items[number].id for number in (0, 1, 3)]
    flights: list[Flight] = bench.reconciler.in_flight
    assert [(flight.engine_id, flight.attempt) for flight in flights] == [("90", 1), ("91", 2), ("93", 4)]


def test_while_the_engine_is_away_known_jobs_are_taken_up_rather_than_run_twice(bench: Bench) -> None:
    bench.words = EngineAwayError("grid: no route")
    assert [item.id for item in bench.reconciler.adopt([(bench.item, bench.token, "44")])] == [bench.record.id]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"exit": 0}', '{"state": {}, "reason": 5}', "\x00"])
def test_an_end_that_cannot_be_read_is_none_of_the_jobs_own(text: str, bench: Bench) -> None:
    (bench.ends / f"{bench.token}.json").write_text(text)
    ending = Ends(bench.scheduler).read(bench.token)
    assert ending is None or not ending.final


def test_ends_in_a_file_of_many_are_read_as_it_grows_but_for_those_that_a_full_disk_has_cut(bench: Bench) -> None:
    ends = Ends(bench.scheduler)
    many = bench.ends / "node-17-ab12.ends"
    many.write_text('\n"c-1-1"\t{"state": "succeeded", "exit": 0}\n\n"c-2-1"\t{"sta\n"c-3-')
    assert ends.there() == {"c-1-1", "c-2-1"}
    assert ends.read("c-2-1") is None
    with many.open("a") as stream:
        stream.write('\n"c-4-1"\t{"state": "failed", "exit": 3, "reason": "no"}\n')
    assert ends.there() == {"c-1-1", "c-2-1", "c-4-1"}
    ending = ends.read("c-4-1")
    assert ending is not None
    assert (ending.state, ending.exit_status, ending.reason) == ("failed", 3, "no")


def test_an_end_counts_more_than_the_word_of_a_guard_that_had_not_heard_of_it(bench: Bench) -> None:
    (bench.ends / "node-17-ab12.ends").write_text('\n"c-1-1"\t{"state": "succeeded", "exit": 0}\n')
    (bench.ends / "c-1-1.json").write_text(json.dumps({"state": "lost"}))
    ends = Ends(bench.scheduler)
    assert ends.there() == {"c-1-1"}
    ending = ends.read("c-1-1")
    assert ending is not None
    assert ending.state == "succeeded"


def test_an_end_that_comes_while_the_engine_is_asked_is_not_lost(tmp_path: Path) -> None:
    sent: list[int] = []
    bench = Bench(tmp_path, LostJobs(lambda item: sent.append(item.id)))
    bench.watch()
    bench.at(11, FarmState(G, "restarted"))
    asked = bench.poll

    def ends_meanwhile(ids: Sequence[str]) -> Mapping[str, FarmState]:
        (bench.ends / "node-17-ab12.ends").write_text(f'\n"{bench.token}"\t{{"state": "succeeded", "exit": 0}}\n')
        return asked(ids)

    bench.reconciler._poll = ends_meanwhile  # the engine's own word, later than the file
    bench.at(20)
    assert sent == []


def test_of_thousands_that_an_engine_has_ended_the_directory_is_looked_into_a_few_times(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [bench.host.graph.add_item(command="x") for _ in range(300)]
    for record in records:
        record.state, record.attempt = WorkItemState.Cooking, 1
        (bench.ends / f"cook-{record.id}-1.json").write_text('{"state": "signaled", "exit": null}')
        job = FarmJob(bench.host.graph.handle(record), f"cook-{record.id}-1", 1, "item", {})
        bench.reconciler.watch(job, str(record.id))
    bench.words = {str(record.id): FarmState(F, "time limit") for record in records}
    looks: list[object] = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: (looks.append(path), listdir(path))[1])
    bench.at(11)
    bench.at(20)
    assert bench.reconciler.in_flight == []
    assert len(looks) < 10


def test_ends_that_are_recorded_are_removed_and_files_of_many_when_nothing_in_them_is_in_flight(bench: Bench) -> None:
    ends = Ends(bench.scheduler)
    for name, text in {
        "node-17-ab12.ends": '\n"c-1-1"\t{"state": "succeeded"}\n\n"c-2-1"\t{"state": "failed"}\n',
        "c-1-1.reports": "",
        "c-2-1.reports": "",
        "c-3-1.json": '{"state": "succeeded"}',
    }.items():
        (bench.ends / name).write_text(text)
    ends.remove_all(["c-1-1", "c-3-1", "c-4-1"])
    assert ends.there() == {"c-2-1"}
    assert {path.name for path in bench.ends.iterdir()} == {"node-17-ab12.ends", "c-2-1.reports"}
    ends.tidy(["c-2-1"])
    assert ends.there() == {"c-2-1"}
    ends.tidy(["c-5-1"])
    assert {path.name for path in bench.ends.iterdir()} == {"c-2-1.reports"}


@pytest.mark.timeout(60)
def test_pipes_and_devices_among_the_ends_are_none(bench: Bench) -> None:
    for kind in ("json", "reports"):
        os.mkfifo(bench.ends / f"{bench.token}.{kind}")
    os.mkfifo(bench.ends / "node-17-ab12.ends")
    (bench.ends / "node-17-ab13.ends").symlink_to("/dev/zero")
    ends = Ends(bench.scheduler)
    assert ends.there() == {bench.token}
    assert ends.read(bench.token) is None
    assert ends.reports(bench.token) == []


def test_reports_before_and_after_a_line_that_a_full_disk_has_cut_are_read(bench: Bench) -> None:
    lines = ['["set_a", 1, 2]', '["add_result_da', '["set_b", 1, 2]']
    (bench.ends / f"{bench.token}.reports").write_text("\n".join(lines))
    assert [said[0] for said in Ends(bench.scheduler).reports(bench.token)] == ["set_a", "set_b"]


class Forgetful:
    """A bench of an engine that forgets; what is sent again, it takes when it is told to."""

    def __init__(self, folder: Path, *, begun: bool) -> None:
        self.sent: list[int] = []
        self.error: Exception | None = None
        self.bench = Bench(folder, LostJobs(self.send, begun=begun, most=2))
        self.bench.watch()

    def send(self, work_item: Any) -> None:
        self.sent.append(work_item.id)
        if self.error is not None:
            raise self.error


def test_a_job_that_the_engine_has_forgotten_is_sent_again_under_its_attempt(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=False)
    bench = forgetful.bench
    bench.at(10, FarmState(G))
    bench.at(39.5)
    assert forgetful.sent == []
    bench.at(40)
    assert forgetful.sent == [bench.record.id]
    assert bench.host.warnings == ["grid has lost 1 job before it began: it is sent again"]
    bench.watch("45")
    bench.words = {"45": FarmState(R)}
    bench.at(60)
    assert [flight.engine_id for flight in bench.reconciler.in_flight] == ["45"]
    assert bench.told == []


def test_what_was_sent_again_and_the_engine_has_not_taken_yet_is_not_lost_once_more(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=False)
    forgetful.bench.words = {}
    for seconds in range(10, 300):
        forgetful.bench.at(seconds)
    assert len(forgetful.sent) == 1
    assert forgetful.bench.told == []


def test_one_that_is_lost_ever_again_has_failed(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=False)
    bench = forgetful.bench
    for seconds in range(10, 300):
        before = len(forgetful.sent)
        bench.at(seconds, FarmState(G))
        if len(forgetful.sent) > before:
            bench.watch()
    assert len(forgetful.sent) == 2
    (said,) = bench.told
    assert (said.kind, said.attempt) == (Kind.FAILED, 1)
    assert said.reason == "grid does not know its job 44 any more, and has lost it 3 times"


def test_of_one_that_has_begun_nobody_knows_how_far_it_came(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=False)
    forgetful.bench.record.state = WorkItemState.Cooking
    forgetful.bench.at(10, FarmState(G))
    forgetful.bench.at(40)
    assert forgetful.sent == []
    assert [said.reason for said in forgetful.bench.told] == ["grid does not know its job 44 any more"]


def test_where_jobs_may_run_twice_one_that_has_begun_is_sent_again_too(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=True)
    forgetful.bench.record.state = WorkItemState.Cooking
    forgetful.bench.at(10, FarmState(G))
    forgetful.bench.at(40)
    assert forgetful.sent == [forgetful.bench.record.id]
    assert forgetful.bench.host.warnings == ["grid has lost 1 job: it is sent again"]


def test_one_that_the_engine_remembers_in_time_is_not_lost(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=False)
    forgetful.bench.at(10, FarmState(G))
    forgetful.bench.at(20, FarmState(Q))
    forgetful.bench.at(30, FarmState(G))
    forgetful.bench.at(59.5)
    assert forgetful.sent == []
    forgetful.bench.at(60)
    assert len(forgetful.sent) == 1


def test_one_that_the_engine_says_to_be_gone_is_sent_again_sooner_though_it_says_so_once(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=True)
    forgetful.bench.at(10, FarmState(G, "somebody has restarted its nodes"))
    forgetful.bench.words = {}
    forgetful.bench.at(14.5)
    assert forgetful.sent == []
    forgetful.bench.at(15)
    assert len(forgetful.sent) == 1
    assert forgetful.bench.host.warnings == ["grid has lost 1 job: it is sent again (somebody has restarted its nodes)"]


def test_nothing_is_lost_while_the_engine_is_away(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=False)
    forgetful.bench.at(10, FarmState(G))
    for seconds in range(20, 200, 10):
        forgetful.bench.at(seconds, EngineAwayError("grid: no route"))
    assert forgetful.sent == []


def test_one_that_cannot_be_sent_again_has_failed_with_the_reason(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=False)
    forgetful.error = OSError("no space left")
    forgetful.bench.at(10, FarmState(G))
    forgetful.bench.at(40)
    (said,) = forgetful.bench.told
    assert said.reason == "grid has lost its job, which cannot be sent again: OSError: no space left"


def test_one_that_has_left_its_end_is_not_sent_again_though_nobody_hears_it_now(tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path, begun=True)
    forgetful.bench.end("succeeded", exit=0)
    forgetful.bench.words = {}
    for seconds in range(10, 100, 10):
        forgetful.bench.at(seconds)
    assert forgetful.sent == []
    # It is tried at each look: there is no result server here.
    assert all("cannot tell how" in warning for warning in forgetful.bench.host.warnings)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (FarmState(Q, "Priority"), ""),
        (FarmState(R), ""),
        (FarmState(F, "time limit", 1), "time limit"),
        (FarmState(S), "it has ended"),
        (FarmState(C), "it has been canceled"),
        (FarmState(F), "it has failed"),
        (FarmState(G), "it has gone"),
    ],
)
def test_why_a_job_is_over_is_said_in_words_and_nothing_of_one_that_waits_or_runs(state: FarmState, why: str) -> None:
    assert state.why_over == why
