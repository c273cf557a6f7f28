"""The local scheduler with real processes, in a cook that a test plays."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from topcook.errors import CookError
from topcook.factory.scan import Factory
from topcook.model.attributes import AttribFlag, AttribType, Attribute
from topcook.model.enums import ScheduleResult
from topcook.model.files import File
from topcook.model.notification import Kind, Notification
from topcook.model.workitem import WorkItem
from topcook.runtime.keeper.client import KeeperProcess
from topcook.testkit.fakegraph import FakeGraph
from topcook.testkit.fakehost import FakeHost

PATIENCE = 60.0


class Bench(FakeHost):
    """A cook in which the keeper is real, and reports can be waited for."""

    def __init__(self, directory: Path, factory: Factory) -> None:
        super().__init__(FakeGraph(hip=str(directory)), "local", "localscheduler", str(directory))
        self.real = KeeperProcess(str(directory / "keeper"))
        self.keeper = self.real.pool("local")  # type: ignore[assignment]
        self.said = threading.Condition()
        record = factory.scheduler("localscheduler")
        self.parms.declare(record.parms)
        self.scheduler: Any = self.make(factory.load(record))
        self.scheduler.onStart()

    def start(self, **parms: Any) -> None:
        for name, value in parms.items():
            self.parms.set(name, value)
        assert self.scheduler.onStartCook(False, [])

    def notify(self, notification: Notification) -> None:
        with self.said:
            super().notify(notification)
            self.said.notify_all()

    def offer(self, item: WorkItem) -> ScheduleResult:
        item.attempt += 1
        result: ScheduleResult = self.scheduler.onSchedule(self.graph.handle(item))
        return result

    def end_of(self, *items: WorkItem) -> list[Notification]:
        finals = {Kind.SUCCEEDED, Kind.FAILED, Kind.CANCELED}
        wanted = {item.id for item in items}

        def ends() -> dict[Any, Notification]:
            return {said.item: said for said in self.notifications if said.kind in finals and said.item in wanted}

        with self.said:
            assert self.said.wait_for(lambda: len(ends()) == len(wanted), PATIENCE), self.notifications
            found = ends()
        return [found[item.id] for item in items]

    def cook(self, item: WorkItem) -> Notification:
        assert self.offer(item) is ScheduleResult.Succeeded
        return self.end_of(item)[0]

    def log(self, item: WorkItem) -> str:  # type: ignore[override]
        path = Path(self.scheduler.getLogURI(self.graph.handle(item)).removeprefix("file://"))
        return path.read_text()


@pytest.fixture
def bench(tmp_path: Path, builtins: Factory) -> Iterator[Bench]:
    made = Bench(tmp_path, builtins)
    yield made
    made.scheduler.onStopCook(True)
    made.real.close()


def test_a_command_runs_with_its_tokens_variables_and_log(bench: Bench, tmp_path: Path) -> None:
    bench.start()
    item = bench.graph.add_item("/usr/bin/printenv PDG_ITEM_NAME PDG_DIR PDG_INDEX")
    end = bench.cook(item)
    assert (end.kind, end.exit_status, end.attempt) == (Kind.SUCCEEDED, 0, 1)
    assert bench.log(item) == f"node_1\n{tmp_path}\n0\n"
    started = next(said for said in bench.notifications if said.kind is Kind.STARTED)
    assert started.at is not None
    assert end.at is not None
    assert end.payload == (pytest.approx(end.at - started.at),)


def test_an_item_of_which_there_is_more_to_say_than_variables_tell_gets_a_data_file(bench: Bench) -> None:
    bench.start()
    plain, rich, heir = (bench.graph.add_item("/usr/bin/printenv PDG_ITEM_DATA_SOURCE || echo file") for _ in range(3))
    rich.attributes = {"size": Attribute(AttribType.Int, (3,))}
    plain.outputs = None
    bench.cook(plain)
    assert (bench.prepared, bench.log(plain)) == ([], "1\n")
    plain.outputs = [File("/tmp/made.txt")]
    heir.dependencies = [plain]
    bench.cook(rich)
    bench.cook(heir)
    assert (bench.prepared, bench.log(rich), bench.log(heir)) == ([rich, heir], "file\n", "file\n")


def test_jobs_of_a_node_share_their_environment_and_have_their_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.graph._environment["FROM_HERE"] = "here"
    bench.start(local_envmulti=1, local_envname1="FROM_PARMS", local_envvalue1="parms")
    items = [bench.graph.add_item("/usr/bin/env") for _ in range(2)]
    items[1].attributes = {"EXPORTED": Attribute(AttribType.String, ("yes",), AttribFlag.EnvExport)}
    logs = []
    for item in items:
        bench.cook(item)
        logs.append(dict(line.partition("=")[::2] for line in bench.log(item).splitlines()))
    assert [log["PDG_ITEM_NAME"] for log in logs] == [item.name for item in items]
    assert [log.get("EXPORTED") for log in logs] == [None, "yes"]
    assert logs[0].keys() - logs[1].keys() == {"PDG_ITEM_DATA_SOURCE"}
    assert logs[1].keys() - logs[0].keys() == {"EXPORTED"}
    for log in logs:
        assert (log["FROM_HERE"], log["FROM_PARMS"], log["PDG_TEMP"]) == (
            "here",
            "parms",
            bench.scheduler.tempDir(False),
        )
        assert log["PYTHONPATH"].split(os.pathsep)[0] == log["PDG_SCRIPTDIR"]


def test_more_is_asked_for_while_jobs_are_short_and_only_what_fits_once_one_was_long(bench: Bench) -> None:
    bench.start(maxprocsmenu=1, maxprocs=2)
    assert bench.most_in_flight == 2
    for _ in range(20):
        bench.cook(bench.graph.add_item("/bin/true"))
    assert 6 <= bench.most_in_flight <= 2 + 256
    bench.cook(bench.graph.add_item("sleep 1.01"))
    assert bench.most_in_flight == 2


def test_shell_syntax_gets_a_shell_and_variables_their_values(bench: Bench, tmp_path: Path) -> None:
    bench.start()
    item = bench.graph.add_item('for i in 1 2; do echo "$i __PDG_ITEM_NAME__ $PDG_DIR"; done | tac')
    assert bench.cook(item).kind is Kind.SUCCEEDED
    assert bench.log(item) == f"2 node_1 {tmp_path}\n1 node_1 {tmp_path}\n"


def test_an_item_without_a_command_is_cooked_at_once(bench: Bench) -> None:
    bench.start()
    assert bench.offer(bench.graph.add_item("")) is ScheduleResult.CookSucceeded


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        ("sh -c 'exit 3'", 3, "exit status 3"),
        ("kill -9 $$", -9, "ended by signal 9 (SIGKILL)"),
        ("no-such-tool --x", 127, 'cannot start "no-such-tool": not found on PATH'),
        ("sh -c 'kill -TERM $$'; exit $?", 143, "exit status 143 (a shell's word for SIGTERM)"),
    ],
)
def test_a_failure_says_how_it_ended(bench: Bench, command: str, status: int, reason: str) -> None:
    bench.start()
    end = bench.cook(bench.graph.add_item(command))
    assert (end.kind, end.exit_status) == (Kind.FAILED, status)
    assert reason in end.reason


def test_a_command_that_no_process_can_be_given_fails_and_frees_its_slot(bench: Bench) -> None:
    bench.start(maxprocsmenu=1, maxprocs=1)
    with pytest.raises(ValueError, match="NUL"):
        bench.offer(bench.graph.add_item("true \0"))
    assert bench.cook(bench.graph.add_item("true")).kind is Kind.SUCCEEDED


@pytest.mark.parametrize(
    ("menu", "count", "cpus", "slots"),
    [
        (0, 0, 8, 2),
        (0, 0, 2, 1),
        (1, 5, 8, 5),
        (1, -2, 8, 6),
        (1, -20, 8, 1),
        (1, 0, 8, 8),
        (-1, 0, 8, 7),
        (-1, 0, 1, 1),
    ],
)
def test_total_slots_follow_the_menu(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, menu: int, count: int, cpus: int, slots: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cpus)), raising=False)
    bench.start(maxprocsmenu=menu, maxprocs=count)
    assert bench.scheduler._slots == slots


def test_full_slots_defer_and_a_freed_one_takes_the_next(bench: Bench, tmp_path: Path) -> None:
    bench.start(maxprocsmenu=1, maxprocs=2)
    waiting = [bench.graph.add_item("while [ ! -e go ]; do sleep 0.01; done") for _ in range(3)]
    assert [bench.offer(item) for item in waiting] == [
        ScheduleResult.Succeeded, ScheduleResult.Succeeded, ScheduleResult.FullDeferred]  # fmt: skip
    assert len(bench.real._jobs) == 2, "an item that has to wait costs nothing"
    (tmp_path / "go").touch()
    bench.end_of(*waiting[:2])
    assert bench.cook(waiting[2]).kind is Kind.SUCCEEDED


def test_a_wide_item_that_does_not_fit_is_deferred_and_others_pass_it(bench: Bench) -> None:
    bench.start(maxprocsmenu=1, maxprocs=3)
    wide = bench.graph.add_node("wide")
    wide.job_parms = {"local_is_CPU_number_set": True, "local_CPUs_to_use": 2}
    first = bench.graph.add_item("sleep 60", node="wide")
    assert bench.offer(first) is ScheduleResult.Succeeded
    assert bench.offer(bench.graph.add_item("sleep 60", node="wide")) is ScheduleResult.Deferred
    assert bench.offer(bench.graph.add_item("sleep 60")) is ScheduleResult.Succeeded
    assert bench.offer(bench.graph.add_item("sleep 60")) is ScheduleResult.FullDeferred


def test_an_item_wider_than_the_machine_gets_all_of_it(bench: Bench) -> None:
    bench.start(maxprocsmenu=1, maxprocs=2)
    item = bench.graph.add_item("true")
    item.slots = 64
    assert bench.cook(item).kind is Kind.SUCCEEDED


def test_of_single_items_one_runs_at_a_time(bench: Bench, tmp_path: Path) -> None:
    bench.start(maxprocsmenu=1, maxprocs=4)
    bench.graph.add_node("one").job_parms = {"local_single": True}
    first, second = (bench.graph.add_item("while [ ! -e go ]; do sleep 0.01; done", node="one") for _ in range(2))
    assert bench.offer(first) is ScheduleResult.Succeeded
    assert bench.offer(second) is ScheduleResult.Deferred
    assert bench.cook(bench.graph.add_item("true")).kind is Kind.SUCCEEDED
    (tmp_path / "go").touch()
    bench.end_of(first)
    assert bench.cook(second).kind is Kind.SUCCEEDED


def test_job_parms_hold_for_a_node_an_item_or_by_expression(bench: Bench) -> None:
    bench.start(local_usehoudinimaxthreads=True, local_houdinimaxthreads=2)
    command = "printenv HOUDINI_MAXTHREADS"
    bench.graph.add_node("own").job_parms = {"local_houdinimaxthreads": 3}
    bench.graph.add_node("each").job_parms = {"local_houdinimaxthreads": "@threads"}
    items = [
        bench.graph.add_item(command),
        bench.graph.add_item(command, node="own"),
        bench.graph.add_item(command, node="own", local_houdinimaxthreads=4),
        bench.graph.add_item(command, node="own"),
        bench.graph.add_item(command, node="each", threads=5),
        bench.graph.add_item(command, node="each", threads=6),
    ]
    for item in items:
        assert bench.cook(item).kind is Kind.SUCCEEDED
    assert [bench.log(item).strip() for item in items] == ["2", "3", "4", "3", "5", "6"]


def test_variables_are_set_removed_and_not_inherited_as_the_parms_say(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.graph._environment["SEEN"] = "yes"  # type: ignore[index]
    bench.start(local_envmulti=1, local_envname1="MINE", local_envvalue1="a b")
    bench.graph.add_node("unset").job_parms = {"local_envunset": "SEEN"}
    bench.graph.add_node("alone").job_parms = {"local_inheritlocalenv": False}
    items = [bench.graph.add_item("/usr/bin/env", node=node) for node in ("node", "unset", "alone")]
    for item in items:
        bench.cook(item)
    logs = [bench.log(item).splitlines() for item in items]
    assert ["SEEN=yes" in lines for lines in logs] == [True, False, False]
    assert ["MINE=a b" in lines for lines in logs] == [True, True, True]


def test_stopping_a_canceled_cook_leaves_no_process(bench: Bench, tmp_path: Path) -> None:
    bench.start(maxprocsmenu=1, maxprocs=1)
    item = bench.graph.add_item("sleep 60 & echo $! > pid; wait")
    bench.offer(item)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    assert bench.scheduler.onStopCook(True)
    assert bench.end_of(item)[0].kind is Kind.CANCELED
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")
    assert not bench.warnings


def test_single_items_can_be_canceled(bench: Bench) -> None:
    bench.start(maxprocsmenu=1, maxprocs=2)
    one, other = bench.graph.add_item("sleep 60"), bench.graph.add_item("sleep 60")
    for item in (one, other):
        bench.offer(item)
    bench.scheduler.onCancelWorkItems([bench.graph.handle(one)], None)
    assert bench.end_of(one)[0].kind is Kind.CANCELED
    assert bench.told(Kind.CANCELED) == [("cancel", one.id)]


@pytest.mark.parametrize(
    ("parms", "expected"),
    [
        ({}, "{hip}/pdgtemp/1"),
        ({"tempdirmenu": 2, "tempdircustom": "$HIP/own"}, "{hip}/own/1"),
        ({"tempdirmenu": 2, "tempdircustom": "$HIP/own", "tempdirappendpid": 0}, "{hip}/own"),
        ({"tempdirappendpid": 0}, "{hip}/pdgtemp"),
        ({"tempdirmenu": 1}, "{tmp}/pdgtemp-{user}/1"),
    ],
)
def test_the_temp_directory_follows_its_menu(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parms: dict[str, Any], expected: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "machine"))
    bench.start(**parms)
    assert bench.scheduler.tempDir(True) == expected.format(hip=tmp_path, tmp=tmp_path / "machine", user=os.getuid())


def test_a_temp_directory_that_others_may_change_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Job scripts are run from there; in the system's temp directory anybody may have made it first."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    theirs = tmp_path / f"pdgtemp-{os.getuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    with pytest.raises(CookError, match="may be changed by others"):
        bench.start(tempdirmenu=1)


def test_a_name_with_a_slash_makes_no_directory_of_its_log(bench: Bench) -> None:
    bench.start()
    item = bench.graph.add_item("true")
    item.custom_name = "shot/10"
    assert bench.cook(item).kind is Kind.SUCCEEDED
    assert bench.log(item) == ""


def test_while_jobs_are_short_a_few_more_wait_in_the_keeper(bench: Bench) -> None:
    bench.start(maxprocsmenu=1, maxprocs=1)
    bench.cook(bench.graph.add_item("true"))
    results = [bench.offer(bench.graph.add_item("sleep 60")) for _ in range(bench.most_in_flight + 2)]
    assert results.count(ScheduleResult.Succeeded) == bench.most_in_flight >= 5
    assert results[-1] is ScheduleResult.FullDeferred


def test_limits_hold_for_a_scheduler_a_node_an_item_or_by_expression(bench: Bench) -> None:
    bench.start(local_cputime=100)
    bench.graph.add_node("own").job_parms = {"local_cputime": 50}
    bench.graph.add_node("each").job_parms = {"local_cputime": "@seconds"}
    items = [
        bench.graph.add_item("ulimit -t"),
        bench.graph.add_item("ulimit -t", node="own"),
        bench.graph.add_item("ulimit -t", node="own", local_cputime=40),
        bench.graph.add_item("ulimit -t", node="each", seconds=30),
        bench.graph.add_item("ulimit -t", node="each", seconds=20),
    ]
    for item in items:
        assert bench.cook(item).kind is Kind.SUCCEEDED
    assert [bench.log(item).strip() for item in items] == ["100", "50", "40", "30", "20"]


@pytest.mark.parametrize(
    ("parms", "said"),
    [
        ({"local_memory": "much"}, 'parm "local_memory" must be a size such as "2G"'),
        ({"local_cpus": -1.0}, 'parm "local_cpus" must be 0 (no limit) or more'),
    ],
)
def test_a_limit_that_means_nothing_fails_the_item_and_frees_its_slot(
    bench: Bench, parms: dict[str, Any], said: str
) -> None:
    bench.start(maxprocsmenu=1, maxprocs=1)
    bench.graph.add_node("bad").job_parms = parms
    with pytest.raises(CookError) as raised:
        bench.offer(bench.graph.add_item("true", node="bad"))
    assert said in str(raised.value)
    assert bench.cook(bench.graph.add_item("true")).kind is Kind.SUCCEEDED
