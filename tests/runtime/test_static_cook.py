"""Static hand-over in real cooks: who is given what, what is said of a standstill, what the user may decide."""

from __future__ import annotations

import pytest

from topcook.errors import CookRefusedError, UnknownSchedulerError
from topcook.runtime import staticwatch
from topcook.testkit.cookbench import CookBench

HEAD = """
import pdg
from pdg.scheduler import PyScheduler
from pdg.staticcook import StaticCookMixin


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        print("one by one", work_item.name)
        return pdg.scheduleResult.CookSucceeded
"""
TAIL = """

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""
#: "d" makes its items during the cook; "far" is somebody else's; "e" waits for that.
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 2, command = "true" }
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
parms = { command = "true" }
[nodes.d]
type = "genericgenerator"
inputs = ["b"]
parms = { command = "true", pdg_workitemgeneration = 2 }
[nodes.far]
type = "genericgenerator"
scheduler = "localscheduler"
inputs = ["a"]
parms = { command = "true" }
[nodes.e]
type = "genericgenerator"
inputs = ["far"]
parms = { command = "true" }
"""
TAKES_ALL = """
    def onScheduleStatic(self, dependencies, dependents, ready_items):
        for item in dependencies:
            print("all at once", item.name, len(dependencies[item]), len(dependents[item]), item in ready_items)
        # Downstream reports first, as a farm's may.
        for item in reversed(list(dependencies)):
            self.onWorkItemStartCook(item.id, -1)
            self.onWorkItemSucceeded(item.id, -1, 0.0)
"""


def farm(bench: CookBench, body: str = "") -> None:
    bench.types("farm", HEAD + body + TAIL)


def test_items_whose_unfinished_ancestors_are_static_and_its_own_come_at_once_all_others_one_by_one(
    bench: CookBench,
) -> None:
    farm(bench, TAKES_ALL)
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked", cooked.messages
    log = cooked.log("pdg_farm")
    at_once = {line.split()[3]: line.split()[4:] for line in log.splitlines() if line.startswith("all at once")}
    names = {node: [item.name for item in cooked.items(node)] for node in "abde"}
    assert set(at_once) == {*names["a"], *names["b"]}
    assert at_once[names["a"][0]] == ["0", "1", "True"]
    assert at_once[names["b"][0]] == ["1", "0", "False"]
    one_by_one = {line.split()[3] for line in log.splitlines() if line.startswith("one by one")}
    assert one_by_one == {*names["d"], *names["e"]}


def test_a_body_that_only_looks_is_no_hand_over_and_its_items_cook_one_by_one(bench: CookBench) -> None:
    farm(
        bench,
        """
    def onScheduleStatic(self, dependencies, dependents, ready_items):
        print(len(dependencies), repr(dependents))
        self._verboseLog("%d ready", len(ready_items))
        unused = ready_items
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked"
    assert cooked.log("pdg_farm").count("one by one") == 8


@pytest.mark.parametrize("asked", ["farm", "pdg_farm"])
def test_the_user_may_take_static_hand_over_away_by_type_or_by_instance(bench: CookBench, asked: str) -> None:
    farm(bench, TAKES_ALL)
    context = bench.load(NETWORK)
    assert context.core.takes_static("pdg_farm")[0]
    context.core.decide_static(asked, takes=False)
    assert context.core.takes_static("pdg_farm") == (False, "--no-static was given")
    cooked = bench.cook(context)
    assert cooked.outcome == "cooked"
    assert "all at once" not in cooked.log("pdg_farm")


def test_the_user_may_ask_for_it_where_the_author_says_no(bench: CookBench) -> None:
    farm(bench, "    staticCook = False\n" + TAKES_ALL)
    context = bench.load(NETWORK)
    context.core.decide_static("farm", takes=True)
    assert "all at once" in bench.cook(context).log("pdg_farm")


def test_the_data_of_items_given_before_their_time_has_what_their_inputs_told_when_these_have_ended(
    bench: CookBench,
) -> None:
    """Attributes, input files."""
    farm(
        bench,
        """
    def onScheduleStatic(self, dependencies, dependents, ready_items):
        self.left = list(dependencies)
        for item in self.left:
            self.createJobDirsAndSerializeWorkItems(item)

    def onTick(self):
        for item in list(getattr(self, "left", ())):
            with open(self.dataDir(True) + "/" + item.name + ".json") as stream:
                data = json.load(stream)["workitem"]
            if len(data["inputs"]) < {"a": 0, "b": 1, "c": 2}[item.node.name]:
                continue
            self.left.remove(item)
            print("begins", item.name, [each["file"] for each in data["inputs"]], "square" in data["attributes"])
            self.onWorkItemStartCook(item.id, -1)
            if item.node.name == "a":
                self.onWorkItemSetIntAttrib(item.id, -1, "square", item.index ** 2, 0)
                self.onWorkItemAddOutput(item.id, -1, "/made/" + item.name, "", 0)
            self.onWorkItemSucceeded(item.id, -1, 0.0)
        return pdg.tickResult.SchedulerReady
""",
    )
    bench.types(
        "farm", (bench.types_dir / "farm.py").read_text().replace("import pdg\n", "import json\nimport pdg\n", 1)
    )
    cooked = bench.cook(BATCHED)
    assert cooked.outcome == "cooked", cooked.messages
    told = {line.split()[1].partition("_")[0]: line for line in cooked.log("pdg_farm").splitlines() if "begins" in line}
    one, other = (item.name for item in cooked.items("a"))
    assert told["b"].endswith("True")
    assert f"['/made/{one}', '/made/{other}'] " in told["c"]


BATCHED = """
[network]
name = "net"
scheduler = "farm"
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 2, command = "true" }
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
parms = { command = "true" }
[nodes.all]
type = "waitforall"
inputs = ["a"]
[nodes.c]
type = "genericgenerator"
inputs = ["all"]
parms = { command = "true" }
"""


@pytest.mark.parametrize("says", [True, False])
def test_its_parm_decides_where_it_is_given(bench: CookBench, says: bool) -> None:
    farm(bench, TAKES_ALL if says is False else TAKES_ALL.replace("    def", "    staticCook = False\n\n    def", 1))
    parm = f'scheduler = "here"\n[schedulers.here]\ntype = "farm"\nparms = {{ topcook_static = {int(says)} }}'
    context = bench.load(NETWORK.replace('scheduler = "farm"', parm, 1))
    assert context.core.takes_static("here") == (says, f"its topcook_static is {int(says)}")
    cooked = bench.cook(context)
    assert cooked.outcome == "cooked", cooked.messages
    assert ("all at once" in cooked.log("here")) is says


def test_a_parm_that_asks_for_what_its_type_cannot_do_is_refused(bench: CookBench) -> None:
    farm(bench)
    parm = 'scheduler = "here"\n[schedulers.here]\ntype = "farm"\nparms = { topcook_static = 1 }'
    with pytest.raises(CookRefusedError, match="leave topcook_static away"):
        bench.cook(NETWORK.replace('scheduler = "farm"', parm, 1))


def test_what_could_do_nothing_with_static_items_is_not_given_any(bench: CookBench) -> None:
    farm(bench)
    context = bench.load(NETWORK)
    with pytest.raises(CookRefusedError, match='type "farm" has no onScheduleStatic of its own'):
        context.core.decide_static("farm", takes=True)
    with pytest.raises(UnknownSchedulerError):
        context.core.decide_static("fram", takes=True)


def test_a_static_cook_that_stands_still_says_who_holds_which_items(
    bench: CookBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staticwatch, "STALLED_AFTER", 0.2)
    farm(
        bench,
        """
    def onScheduleStatic(self, dependencies, dependents, ready_items):
        self.kept = list(dependencies)

    def onTick(self):
        kept = getattr(self, "kept", [])
        if any("reported nothing" in text for text in told) and kept:
            self.kept = []
            for item in kept:
                self.onWorkItemSucceeded(item.id, -1, 0.0)
        return pdg.tickResult.SchedulerReady

    def onStartCook(self, static, cook_set):
        self["pdg_tickperiod"] = 0.05
        return True


told = []
""",
    )
    context = bench.load(NETWORK)
    told = context.core.factory.load(context.core.factory.scheduler("farm")).onTick.__globals__["told"]

    class Observer:
        def cook_message(self, text: str) -> None:
            told.append(text)

    from topcook.runtime.observers import hookimpl

    Observer.cook_message = hookimpl(Observer.cook_message)  # type: ignore[method-assign]
    context.observe(Observer())
    cooked = bench.cook(context)
    assert cooked.outcome == "cooked"
    (message,) = [text for text in told if "reported nothing" in text]
    first, second = (item.name for item in cooked.items("a"))
    assert 'scheduler "pdg_farm" holds 4 static work items' in message
    assert f"{first}, {second}; 2 wait behind them" in message
    assert "--no-static pdg_farm" in message


def test_an_item_for_which_on_schedule_raises_in_a_static_cook_fails(bench: CookBench) -> None:
    bench.types(
        "farm",
        """
import pdg
from pdg.scheduler import PyScheduler
from pdg.staticcook import StaticCookMixin


class Farm(StaticCookMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        StaticCookMixin.__init__(self)

    def onSchedule(self, work_item):
        if work_item.index == 1:
            raise RuntimeError("farm is shut")
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "failed"
    assert set(cooked.states("a").values()) == {"CookedSuccess", "CookedFail"}
    assert "farm is shut" in cooked.messages


def test_a_command_that_names_inputs_nobody_knows_yet_is_handed_over_when_they_are_there(bench: CookBench) -> None:
    """Statically it would run with its ``@pdg_input`` unwritten, and be reported cooked."""
    bench.types(
        "farm",
        """
import subprocess

import pdg
from pdg.scheduler import PyScheduler
from pdg.staticcook import StaticCookMixin


class Farm(StaticCookMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        StaticCookMixin.__init__(self)

    def onSchedule(self, work_item):
        print("ran", work_item.command)
        if work_item.node.name == "a":
            work_item.addOutputFile("/made/by/a.txt", "file/text", 0, True)
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
""",
    )
    cooked = bench.cook(
        """
[network]
name = "late"
scheduler = "farm"
[nodes.a]
type = "genericgenerator"
parms = { command = "make" }
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
parms = { command = "take @pdg_input" }
"""
    )
    assert cooked.outcome == "cooked"
    assert [item.command for item in cooked.items("b")] == ["take /made/by/a.txt"]
