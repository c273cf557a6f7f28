"""However a cook ends: canceled, broken, closed, dropped. Nothing hangs, and every scheduler gets its onStopCook."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.noting import LOCAL, NETWORK, calls, scheduler
from tests.waiting import until
from topcook.errors import CookRefusedError, InternalError, RecorderError
from topcook.machine.events import Event
from topcook.machine.items import Change
from topcook.runtime import watch
from topcook.runtime.observers import hookimpl
from topcook.runtime.recorder import HandOverNote, MemoryRecorder
from topcook.testkit.cookbench import CookBench

# A subprocess that blocks onSchedule while the job in it reports by itself, as Save To Python's default does.
BLOCKING = """
    def onStartCook(self, static, cook_set):
        self.startCallbackServer()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        environment = dict(os.environ)
        self.addCommonJobEnvVars(environment, work_item)
        command = [sys.executable, "-c", JOB, self.scriptDir(True)]
        note("job", subprocess.call(command, env=environment))
        return pdg.scheduleResult.Succeeded

    def onStopCook(self, cancel):
        self.stopCallbackServer()
        note("onStopCook", cancel)
        return True


"""


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path / "state"))


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]
    except OSError:
        return False


def pids(bench: CookBench) -> list[int]:
    path = bench.folder / "pids.txt"
    return [int(word) for word in path.read_text().split()] if path.exists() else []


# ---------------------------------------------------------------------- an onSchedule that blocks


def test_a_job_reports_back_while_its_onschedule_blocks(bench: CookBench) -> None:
    job = (
        "import sys; sys.path.insert(0, sys.argv[1]); import pdgcmd;"
        "pdgcmd.workItemStartCook(); pdgcmd.reportResultData('made.txt', result_data_tag='file/text');"
        "pdgcmd.workItemSuccess()"
    )
    scheduler(bench, "", BLOCKING + f"JOB = {job!r}\n")
    done = bench.cook(NETWORK)
    assert (done.outcome, done.messages) == ("cooked", "")
    assert calls(bench) == ["job 0"] * 4 + ["onStopCook False"]
    assert all([file.path.endswith("made.txt") for file in item.outputs or ()] == [True] for item in done.items())
    assert all(item.attempt == 1 for item in done.items())


def test_a_cancel_ends_the_job_that_blocks_onschedule(bench: CookBench) -> None:
    job = "import os, time; open(os.environ['HIP'] + '/pids.txt', 'a').write(f'{os.getpid()}\\n'); time.sleep(100)"
    scheduler(bench, "", BLOCKING + f"JOB = {job!r}\n")
    context = bench.load(NETWORK)
    cook = bench.start(context)
    until(lambda: pids(bench))
    cook.cancel()
    done = bench.finish(context, cook)
    assert done.outcome == "canceled"
    assert calls(bench)[-1] == "onStopCook True"
    assert not any(alive(pid) for pid in pids(bench))


def test_a_callback_that_never_comes_back_is_given_up_at_a_cancel_and_shown(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GIVE_UP_AFTER", 1.0)
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.05)
    scheduler(
        bench,
        """
        free = threading.Event()

        def onSchedule(self, work_item):
            note("stuck")
            Mine.free.wait()
            note("free again")
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    context = bench.load(NETWORK)
    cook = bench.start(context)
    until(lambda: calls(bench))
    cook.cancel()
    done = bench.finish(context, cook)
    assert done.outcome == "canceled"
    assert "gave up waiting for it to stop" in done.messages
    assert "Mine.free.wait()" in done.messages
    with pytest.raises(CookRefusedError, match=r'(?s)"farm" has been in onSchedule.*Mine\.free\.wait'):
        context.cook()
    context.core.host("farm").instance.free.set()
    until(lambda: "onStopCook True" in calls(bench))
    # What the old cook had queued is the old cook's: dropped, and stopped once.
    assert bench.cook(context).outcome == "cooked"
    assert calls(bench) == ["stuck", "free again", "onStopCook True", *["stuck", "free again"] * 4, "onStopCook False"]


def test_generation_that_never_comes_back_is_given_up_at_a_cancel(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GIVE_UP_AFTER", 0.5)
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.05)
    context = bench.load(
        """
        [network]
        name = "stuck"
        [nodes.first]
        type = "genericgenerator"
        parms.command = "true"
        [nodes.stuck]
        type = "pythonprocessor"
        inputs = ["first"]
        parms.pdg_workitemgeneration = "dynamic"
        parms.generate = "import threading, pathlib; pathlib.Path('CALLS').touch(); threading.Event().wait()"
        """.replace("CALLS", str(bench.folder / "calls.txt"))
    )
    cook = bench.start(context)
    until((bench.folder / "calls.txt").exists)
    cook.cancel()
    done = bench.finish(context, cook)
    assert done.outcome == "canceled"


# ---------------------------------------------------------------------- cancel


def test_a_cancel_ends_every_job_and_puts_back_what_had_not_begun(bench: CookBench) -> None:
    context = bench.load(LOCAL)
    cook = bench.start(context)
    until(lambda: len(pids(bench)) == 2)
    cook.cancel("had enough")
    done = bench.finish(context, cook)
    assert (done.outcome, done.cook.state.cancel_reason) == ("canceled", "had enough")
    assert not any(alive(pid) for pid in pids(bench))
    assert set(done.states().values()) == {"CookedCancel", "Uncooked"}
    assert done.context.core.cook is None


@pytest.mark.parametrize("seed", range(12))
def test_a_cancel_at_any_moment_ends_the_cook(bench: CookBench, seed: int) -> None:
    chance = random.Random(seed)
    context = bench.load(
        LOCAL.replace("sleep 60", "sleep 0.05").replace("itemcount = 6", "itemcount = 20")
        + """
        [nodes.found]
        type = "pythonprocessor"
        inputs = ["work"]
        parms.pdg_workitemgeneration = "dynamic"
        parms.generate = "for up in upstream_items: item_holder.addWorkItem(parent=up, inProcess=True)"
        [nodes.last]
        type = "waitforall"
        inputs = ["found"]
        """
    )
    cook = bench.start(context)
    cook.wait(chance.random() ** 2 * 1.2)
    cook.cancel()
    done = bench.finish(context, cook)
    assert done.outcome in {"canceled", "cooked"}, done.messages
    assert not any(item.state.name in {"Scheduled", "Cooking"} for item in done.items())


def test_single_items_may_be_canceled(bench: CookBench) -> None:
    context = bench.load(LOCAL.replace("itemcount = 6", "itemcount = 2"))
    cook = bench.start(context)
    until(lambda: len(pids(bench)) == 2)
    cook.cancel_items(list(context.core.network.nodes["work"].items))
    done = bench.finish(context, cook)
    assert done.outcome == "failed"
    assert set(done.states().values()) == {"CookedCancel"}
    assert not any(alive(pid) for pid in pids(bench))


def test_a_paused_cook_hands_nothing_over_until_it_goes_on(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            note(work_item.node.name)
            return pdg.scheduleResult.CookSucceeded

        def onTick(self):
            note("tick")
            return pdg.tickResult.SchedulerReady
        """,
    )
    context = bench.load(NETWORK)
    cook = bench.start(context, before=lambda cook: cook.pause(paused=True))
    until(lambda: calls(bench).count("tick") > 3)
    assert "work" not in calls(bench)
    context.pauseCook(False)
    assert bench.finish(context, cook).outcome == "cooked"


# ---------------------------------------------------------------------- what breaks


class FullDisk(MemoryRecorder):
    """A recorder that can keep nothing from some commit on."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self.good = good
        self.handed: list[HandOverNote] = []

    def commit(self, events: Sequence[Event], changes: Sequence[Change], hand_overs: Sequence[HandOverNote]) -> None:
        self.good -= 1
        if self.good < 0:
            raise OSError(28, "No space left on device")
        self.handed += hand_overs


@pytest.mark.parametrize("good", range(8))
def test_when_nothing_can_be_recorded_nothing_is_handed_over_and_schedulers_are_stopped(
    bench: CookBench, good: int
) -> None:
    scheduler(
        bench,
        """
        def onStartCook(self, static, cook_set):
            note("onStartCook")
            return True

        def onSchedule(self, work_item):
            note("item", work_item.id)
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    recorder = FullDisk(good)
    context = bench.load(NETWORK)

    def use(cook: Any) -> None:
        cook.recorder = recorder

    cook = bench.start(context, before=use)
    with pytest.raises(RecorderError, match=r"(?s)No space left on device.*nothing was handed over after it"):
        bench.finish(context, cook)
    said = calls(bench)
    assert [int(line.split()[1]) for line in said if line.startswith("item")] == [
        note.item.id for note in recorder.handed
    ]
    assert said.count("onStopCook True") == said.count("onStartCook")
    assert (cook.outcome, context.cooking) == ("failed", False)
    assert "Router" not in type(sys.stdout).__name__


def test_the_death_of_the_keeper_fails_what_it_ran_and_the_rest_cooks_on(bench: CookBench) -> None:
    context = bench.load(
        LOCAL.replace("sleep 60", "test @pdg_index -gt 1 || sleep 60").replace("itemcount = 6", "itemcount = 5")
    )
    cook = bench.start(context)
    until(lambda: len(pids(bench)) == 2)
    keeper = cook.keeper_pid()
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    done = bench.finish(context, cook)
    assert done.outcome == "failed"
    states = sorted(item.state.name for item in done.items())
    assert states.count("CookedFail") >= 2
    assert set(states) == {"CookedFail", "CookedSuccess"}
    assert "keeper" in done.why("work_1")
    assert not any(alive(pid) for pid in pids(bench))


def test_observers_that_raise_are_dropped_and_the_cook_goes_on(
    bench: CookBench, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    class Bad:
        @hookimpl
        def items_changed(self, changes: Any) -> None:
            sys.exit("no more")

    class Good:
        @hookimpl
        def items_changed(self, changes: Any) -> None:
            heard.append("items")

        @hookimpl
        def cook_finished(self, outcome: str) -> None:
            heard.append(outcome)

    context = bench.load(LOCAL.replace("sleep 60", "true"))
    good = Good()
    for observer in (Bad(), good, good):
        context.observe(observer)
    assert bench.cook(context).outcome == "cooked"
    assert heard[-1] == "cooked"
    assert heard.count("cooked") == 1
    assert len(heard) > 3
    assert "raised in items_changed and hears no more" in caplog.text


def test_an_accident_of_ours_while_items_are_made_breaks_the_cook_and_holds_up_nobody(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[object]:
        raise RuntimeError("mine")

    monkeypatch.setattr("topcook.runtime.placement.Placement.open_asked", broken)
    with pytest.raises(InternalError, match="mine"):
        bench.cook(LOCAL)
