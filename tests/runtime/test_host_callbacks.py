"""How a cook treats a scheduler's callbacks: when each is called, what its answers and accidents lead to."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from topcook.errors import CookRefusedError
from topcook.runtime.hostdoor import HostDoor
from topcook.testkit.cookbench import CookBench

HEAD = """
import logging
import os
import sys
import threading
import time
import pdg
from pdg.scheduler import PyScheduler


def note(*words):
    with open(os.path.join(os.environ["HIP"], "calls.txt"), "a") as stream:
        stream.write(" ".join(map(str, words)) + chr(10))


class Mine(PyScheduler):
    def onStart(self):
        note("onStart")
        return True

    def onStop(self):
        note("onStop")

    def onStartCook(self, static, cook_set):
        note("onStartCook", static, *(node.name for node in cook_set))
        return True

    def onStopCook(self, cancel):
        note("onStopCook", cancel)
        return True

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded
"""
FIRST = HEAD.count("\n") + 1
TAIL = """
def registerTypes(type_registry):
    type_registry.registerScheduler(Mine, name="mine", label="Mine")
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "mine"
parms = { pdg_tickperiod = 0.05 }
[nodes.work]
type = "genericgenerator"
parms.itemcount = 3
parms.command = "echo @pdg_index"
[nodes.after]
type = "genericgenerator"
inputs = ["work"]
parms.command = "echo after"
"""


def scheduler(bench: CookBench, body: str) -> Path:
    """A types file whose class ``Mine`` has these methods, too."""
    return bench.types("mine", HEAD + textwrap.indent(textwrap.dedent(body), "    ") + TAIL)


def calls(bench: CookBench) -> list[str]:
    """What the callbacks noted."""
    path = bench.folder / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


def test_the_callbacks_of_a_cook_come_in_order_and_once(bench: CookBench) -> None:
    scheduler(bench, "")
    done = bench.cook(NETWORK)
    assert (done.outcome, done.messages) == ("cooked", "")
    assert calls(bench) == ["onStart", "onStartCook False after work", "onStopCook False"]
    done.context.close()
    assert calls(bench)[-1] == "onStop"
    done.context.close()
    assert calls(bench).count("onStop") == 1


def test_a_second_cook_starts_anew_with_the_same_instance_and_fresh_directories(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            note(work_item.name, os.path.basename(self.tempDir(True)))
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    first = bench.cook(NETWORK)
    ids = {item.id for item in first.items()}
    second = bench.cook(first.context)
    assert second.outcome == "cooked"
    assert not ids & {item.id for item in second.items()}
    said = calls(bench)
    assert said.count("onStart") == 1
    assert [line for line in said if line.startswith("onSt")] == [
        "onStart",
        *["onStartCook False after work", "onStopCook False"] * 2,
    ]
    directories = {line.split()[-1] for line in said if not line.startswith("onSt")}
    assert directories == {first.cook.cook_id, second.cook.cook_id}


def test_directories_set_in_onstart_hold_and_those_of_onstartcook_hold_for_their_cook(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onStart(self):
            self.setWorkingDir(os.environ["HIP"] + "/moved", os.environ["HIP"] + "/moved")
            return True

        def onStartCook(self, static, cook_set):
            note(os.path.relpath(self.tempDir(True), os.environ["HIP"]))
            self.setTempDir(self.tempDir(True) + "-own", self.tempDir(True) + "-own")
            return True

        def onSchedule(self, work_item):
            note(os.path.relpath(self.logDir(True), os.environ["HIP"]))
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    (bench.folder / "moved").mkdir()
    first = bench.cook(NETWORK)
    second = bench.cook(first.context)
    expected = []
    for done in (first, second):
        temp = f"moved/pdgtemp/{done.cook.cook_id}"
        expected += [temp, *[f"{temp}-own/logs"] * 6, "onStopCook False"]
    assert calls(bench) == expected


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return False", 'scheduler "farm": onStart returned False'),
        ("self.cookError('no licence server'); return False", "no licence server"),
        ("raise RuntimeError('no farm today')", "RuntimeError: no farm today"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("return 'yes'", "mine.py:{line}"),
    ],
)
def test_an_onstart_that_does_not_work_refuses_the_cook_with_its_words(bench: CookBench, body: str, said: str) -> None:
    scheduler(bench, f"def onStart(self):\n    {body}\n")
    context = bench.load(NETWORK)
    with pytest.raises(CookRefusedError) as caught:
        context.cook()
    assert said.format(line=FIRST) in str(caught.value)
    assert not context.cooking
    assert calls(bench) == []


def test_all_schedulers_that_cannot_start_are_told_at_once(bench: CookBench) -> None:
    scheduler(bench, "def onStart(self):\n    raise RuntimeError('not ' + self.name)\n")
    context = bench.load(
        NETWORK.replace('inputs = ["work"]', 'inputs = ["work"]\nscheduler = "other"')
        + '[schedulers.other]\ntype = "mine"\n'
    )
    with pytest.raises(CookRefusedError, match=r"(?s)not farm.*not other"):
        context.cook()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return False", "onStartCook returned False"),
        ("self.cookError('queue is closed'); return False", "queue is closed"),
        ("raise KeyError('share')", "KeyError: 'share'"),
    ],
)
def test_an_onstartcook_that_fails_ends_the_cook_with_its_words_and_one_onstopcook(
    bench: CookBench, body: str, said: str
) -> None:
    scheduler(bench, f"def onStartCook(self, static, cook_set):\n    {body}\n")
    done = bench.cook(NETWORK)
    assert done.outcome == "failed"
    assert said in done.messages
    assert calls(bench) == ["onStart", "onStopCook True"]
    assert set(done.states().values()) <= {"Uncooked", "Waiting"}


def test_why_a_scheduler_refuses_a_cook_is_told_once(bench: CookBench) -> None:
    body = (
        "self.cookError('queue is closed\\n    try tomorrow')\n    self.cookError('queue is closed')\n    return False"
    )
    scheduler(bench, f"def onStartCook(self, static, cook_set):\n    {body}\n")
    done = bench.cook(NETWORK)
    assert done.messages.count("queue is closed") == 2
    assert done.messages.count("try tomorrow") == 1
    assert 'scheduler "farm": onStartCook returned False' in done.messages
    assert "queue is closed" in done.cook.state.cancel_reason


def test_an_onstopcook_that_raises_is_told_and_the_cook_ends(bench: CookBench) -> None:
    scheduler(bench, "def onStopCook(self, cancel):\n    note('stop')\n    raise OSError('farm is gone')\n")
    done = bench.cook(NETWORK)
    assert done.outcome == "cooked"
    assert "farm is gone" in done.messages
    assert calls(bench).count("stop") == 1


def test_an_ontick_that_raises_or_answers_nothing_is_told_once_and_the_cook_goes_on(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        ticks = 0

        def onSchedule(self, work_item):
            self.waiting = getattr(self, "waiting", [])
            self.waiting.append(work_item.id)
            return pdg.scheduleResult.Succeeded

        def onTick(self):
            Mine.ticks += 1
            if Mine.ticks > 6:
                for item_id in getattr(self, "waiting", []):
                    self.onWorkItemSucceeded(item_id, -1, 0)
                self.waiting = []
                return None
            raise RuntimeError("poll failed")
        """,
    )
    done = bench.cook(NETWORK)
    assert done.outcome == "cooked"
    assert done.messages.count("poll failed") == 1
    assert done.log("farm").count("RuntimeError: poll failed") >= 5


def test_an_ontick_may_cancel_the_cook(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            self.cookError("the farm is on fire")
            self.burning = True
            return pdg.scheduleResult.Succeeded

        def onTick(self):
            if getattr(self, "burning", False):
                return pdg.tickResult.SchedulerCancelCook
            return pdg.tickResult.SchedulerReady
        """,
    )
    done = bench.cook(NETWORK)
    assert done.outcome == "canceled"
    assert "canceled the cook" in done.cook.state.cancel_reason
    assert "the farm is on fire" in done.cook.state.cancel_reason
    assert calls(bench)[-1] == "onStopCook True"


def test_polls_go_on_while_a_batch_is_handed_over_slowly(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            time.sleep(0.06)
            note("item", work_item.index)
            return pdg.scheduleResult.CookSucceeded

        def onTick(self):
            note("tick")
            return pdg.tickResult.SchedulerReady
        """,
    )
    bench.cook(NETWORK)
    said = calls(bench)
    between = said[said.index("item 0") : len(said) - said[::-1].index("item 0")]
    assert "tick" in said[said.index("item 0") : said.index("item 2")], between


def test_a_wrong_return_is_told_with_its_place_and_fails_the_item(bench: CookBench) -> None:
    path = scheduler(bench, "def onSchedule(self, work_item):\n    return 'fine'\n")
    done = bench.cook(NETWORK)
    assert done.outcome == "failed"
    assert f"{path}:{FIRST}" in done.messages
    assert "onSchedule" in done.messages
    assert {item.state.name for item in done.items("work")} == {"CookedFail"}
    assert {item.state.name for item in done.items("after")} == {"Waiting"}
    assert "'fine'" in done.why(done.items("work")[0].name)


def test_an_onschedule_that_raises_fails_its_item_with_file_and_line(bench: CookBench) -> None:
    path = scheduler(bench, "def onSchedule(self, work_item):\n    return 1 / (work_item.index - 1) and 5\n")
    done = bench.cook(NETWORK.replace("CookSucceeded", ""))
    states = [item.state.name for item in done.items("work")]
    assert states[1] == "CookedFail"
    assert "ZeroDivisionError" in done.why(done.items("work")[1].name)
    assert f"{path}:{FIRST + 1}" in done.why(done.items("work")[1].name)
    assert "ZeroDivisionError" in done.log("farm")


def test_what_callbacks_print_and_log_is_in_the_schedulers_own_log_only(
    bench: CookBench, capsys: pytest.CaptureFixture[str]
) -> None:
    scheduler(
        bench,
        """
        def onStart(self):
            print("printed at start")
            return True

        def onSchedule(self, work_item):
            print("printed", work_item.index)
            sys.stderr.write("to stderr\\n")
            sys.stdout.buffer.write(b"raw bytes\\n")
            sys.stdout.writelines(["line a\\n", "line b\\n"])
            logging.getLogger("studio.farm").warning("logged %s", work_item.index)
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    done = bench.cook(NETWORK)
    assert done.outcome == "cooked", done.account
    text = done.log("farm")
    for said in (
        "printed at start",
        "printed 0",
        "printed 2",
        "to stderr",
        "raw bytes",
        "line b",
        "studio.farm: logged 1",
    ):
        assert said in text
    out, err = capsys.readouterr()
    assert (out, err) == ("", "")


def test_callbacks_that_move_about_hurt_nobody(bench: CookBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bench.folder)
    scheduler(
        bench,
        """
        def onStartCook(self, static, cook_set):
            os.chdir("/")
            os.umask(os.umask(0o22))
            sys.stdout.flush()
            return True
        """,
    )
    local = NETWORK.replace('inputs = ["work"]', 'inputs = ["work"]\nscheduler = "localscheduler"')
    done = bench.cook(local.replace("echo after", "pwd > where.@pdg_index"))
    assert done.outcome == "cooked", done.account
    assert (bench.folder / "where.0").read_text().strip() == str(bench.folder)


def test_callbacks_and_generation_find_the_types_of_their_cook(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            note(pdg.TypeRegistry.types().registeredType(pdg.registeredType.Scheduler, "mine") is not None)
            note(threading.current_thread().name)
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    bench.types(
        "mynode",
        """
        import os
        import pdg
        from pdg.processor import PyProcessor
        class Node(PyProcessor):
            def onGenerate(self, item_holder, upstream_items, generation_type):
                found = pdg.TypeRegistry.types().registeredType(pdg.registeredType.Scheduler, "mine")
                item_holder.addWorkItem(index=0 if found is None else 7)
                return pdg.result.Success
        def registerTypes(type_registry):
            type_registry.registerNode(Node, pdg.nodeType.Processor, name="mynode")
        """,
    )
    done = bench.cook(NETWORK + '[nodes.own]\ntype = "mynode"\n')
    assert done.outcome == "cooked", done.account
    assert [item.index for item in done.items("own")] == [7]
    assert "False" not in calls(bench)


def test_two_schedulers_may_share_a_working_directory(bench: CookBench) -> None:
    nodes = "".join(
        f'[nodes.n{number}]\ntype = "genericgenerator"\nscheduler = "s{number}"\n'
        'parms.itemcount = 3\nparms.command = "test -s __PDG_SCRIPTDIR__/pdgcmd.py"\n'
        f'[schedulers.s{number}]\ntype = "localscheduler"\n'
        for number in range(6)
    )
    for _ in range(5):
        done = bench.cook('[network]\nname = "shared"\n' + nodes)
        assert done.outcome == "cooked", done.account


def test_the_temp_directory_of_each_cook_is_its_own_wherever_it_is(bench: CookBench) -> None:
    context = bench.load(
        """
        [network]
        name = "temp"
        [schedulers.local]
        type = "localscheduler"
        parms.tempdirmenu = 2
        parms.tempdircustom = "$HIP/elsewhere"
        [nodes.one]
        type = "genericgenerator"
        scheduler = "local"
        parms.command = "echo $PDG_TEMP >> temps.txt"
        """
    )
    ids = [bench.cook(context).cook.cook_id for _ in range(2)]
    assert (bench.folder / "temps.txt").read_text().split() == [f"{bench.folder}/elsewhere/{each}" for each in ids]


def test_limits_set_in_a_callback_are_heeded(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onStartCook(self, static, cook_set):
            self["pdg_maxtasks"] = 2
            self.held, self.most = [], 0
            return True

        def onSchedule(self, work_item):
            self.held.append(work_item.id)
            note("holds", len(self.held))
            return pdg.scheduleResult.Succeeded

        def onTick(self):
            if self.held:
                self.onWorkItemSucceeded(self.held.pop(0), -1, 0)
            return pdg.tickResult.SchedulerReady
        """,
    )
    done = bench.cook(NETWORK.replace("itemcount = 3", "itemcount = 7"))
    assert done.outcome == "cooked"
    assert {line for line in calls(bench) if line.startswith("holds")} == {"holds 1", "holds 2"}


def test_a_destructor_that_prints_while_the_log_is_written_holds_nothing_up(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage is collected anywhere, so also while the scheduler's log is being written."""
    write = HostDoor._write_log

    def collecting(door: HostDoor, text: str) -> None:
        if "scheduling" in text:
            door.log("a destructor\n")
        write(door, text)

    monkeypatch.setattr(HostDoor, "_write_log", collecting)
    body = """
    def onSchedule(self, work_item):
        print("scheduling")
        return pdg.scheduleResult.CookSucceeded
"""
    bench.types("mine", HEAD + body + TAIL)
    context = bench.opened(bench.load(NETWORK))
    cook = bench.start(context)
    assert cook.wait(30.0)
    assert "a destructor" in bench.finish(context, cook).log("farm")


def test_whoever_waits_for_an_instance_hears_of_every_accident(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> tuple[str, str]:
        raise ValueError("embedded null byte")

    monkeypatch.setattr("topcook.runtime.host.working_directories", broken)
    bench.types("mine", HEAD + TAIL)
    with pytest.raises(CookRefusedError, match="embedded null byte"):
        bench.cook(NETWORK)
