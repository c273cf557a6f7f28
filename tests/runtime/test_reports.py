"""Notifications as schedulers send them: early, late, twice, from threads, about anything."""

from __future__ import annotations

import math
import textwrap

import pytest

from topcook.testkit.cookbench import CookBench

HEAD = """
import threading
import pdg
from pdg.scheduler import PyScheduler


def registerTypes(type_registry):
    type_registry.registerScheduler(Mine, name="mine", label="Mine")


class Mine(PyScheduler):
    def onStartCook(self, static, cook_set):
        self.held = []
        return True
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "mine"
parms = { pdg_tickperiod = 0.02, pdg_maxitems = 0 }
[nodes.work]
type = "genericgenerator"
parms.itemcount = 40
parms.command = "echo @pdg_index"
[nodes.after]
type = "genericgenerator"
inputs = ["work"]
parms.command = "echo after"
"""


def scheduler(bench: CookBench, body: str) -> None:
    bench.types("mine", HEAD + textwrap.indent(textwrap.dedent(body), "    "))


@pytest.mark.parametrize(
    ("reports", "answer"),
    [
        ("self.onWorkItemSucceeded(i, -1, 0)", "Succeeded"),
        ("self.onWorkItemStartCook(i, -1); self.onWorkItemSucceeded(i, -1, 0)", "Succeeded"),
        (
            "self.onWorkItemStartCook(i, -1); self.onWorkItemStartCook(i, -1); self.onWorkItemSucceeded(i, -1, 0)",
            "CookSucceeded",
        ),
        ("[self.onWorkItemSucceeded(i, -1, 0) for _ in range(3)]; self.onWorkItemFailed(i, -1)", "Succeeded"),
        ("self.onWorkItemSucceeded(work_item.name, -1, -5)", "Succeeded"),
        ("self.onWorkItemSucceeded(str(i), -1, float('nan'))", "Succeeded"),
    ],
)
def test_reports_before_onschedule_returns_count_and_what_comes_twice_changes_nothing(
    bench: CookBench, reports: str, answer: str
) -> None:
    scheduler(
        bench,
        f"""
        def onSchedule(self, work_item):
            i = work_item.id
            {reports}
            return pdg.scheduleResult.{answer}
        """,
    )
    done = bench.cook(NETWORK)
    assert (done.outcome, done.messages) == ("cooked", "")
    assert {item.attempt for item in done.items()} == {1}
    assert all((item.ran().duration or 0) >= 0 for item in done.items())


@pytest.mark.parametrize("answer", ["Failed", "Deferred"])
def test_an_answer_that_contradicts_a_report_is_told_and_changes_nothing(bench: CookBench, answer: str) -> None:
    scheduler(
        bench,
        f"""
        def onSchedule(self, work_item):
            self.onWorkItemSucceeded(work_item.id, -1, 0)
            return pdg.scheduleResult.{answer}
        """,
    )
    done = bench.cook(NETWORK)
    assert done.outcome == "cooked"
    assert f"onSchedule: {answer} contradicts what was reported: it ended as success" in done.messages


def test_reports_from_many_threads_at_once_all_count(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            self.held.append(work_item.id)
            return pdg.scheduleResult.Succeeded

        def onTick(self):
            held, self.held = self.held, []
            def tell():
                for item in held:
                    self.onWorkItemStartCook(item, -1)
                    self.onWorkItemSetIntAttrib(item, -1, "seen", 1, 0)
                    self.onWorkItemAddOutput(item, -1, "/some/where/%d.png" % item, "file/image", 0)
                    self.onWorkItemSucceeded(item, -1, 0.5)
            for _ in range(8):
                threading.Thread(target=tell).start()
            return pdg.tickResult.SchedulerReady
        """,
    )
    done = bench.cook(NETWORK)
    assert done.outcome == "cooked", done.account
    assert {item.attempt for item in done.items()} == {1}
    for item in done.items("work"):
        assert [file.path for file in item.outputs or ()] == [f"/some/where/{item.id}.png"]
        assert (item.attributes or {})["seen"].values == (1,)


def test_reports_about_what_nobody_was_given_are_told_a_few_times_and_ignored(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            for name in (99999, "nobody", "work_77777", "-3", "9" * 5000, "work_" + "9" * 5000, ""):
                self.onWorkItemSucceeded(name or "x", -1, 0)
            return pdg.scheduleResult.CookSucceeded

        def onTick(self):
            # Everything there will be, long before it is handed over.
            for number in range(1, 81):
                self.onWorkItemFailed(number, -1)
            return pdg.tickResult.SchedulerReady
        """,
    )
    done = bench.cook(NETWORK.replace("itemcount = 40", "itemcount = 1"))
    assert done.outcome == "cooked"
    assert done.messages.count("which nobody was given") == 5


def test_a_report_that_makes_no_sense_is_told_and_hurts_nothing_else(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            self.onWorkItemSetIntAttrib(work_item.id, -1, "far", 1, 10 ** 12)
            self.onWorkItemSetIntAttrib(work_item.id, -1, "negative", 1, -7)
            self.onWorkItemSetCookPercent(work_item.id, -1, 0.5)
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    done = bench.cook(NETWORK.replace("itemcount = 40", "itemcount = 1"))
    assert done.outcome == "cooked"
    assert 'cannot take what was reported of "work_1"' in done.messages
    assert "far" in done.messages


def test_an_object_that_cannot_be_shown_ends_no_cook(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            class Stubborn:
                def __repr__(self):
                    raise RuntimeError("never")

            self.onWorkItemSetPyObjectAttrib(123456, -1, "nobody's", Stubborn())
            self.onWorkItemSetPyObjectAttrib(work_item.id, 77, "nobody's", Stubborn())
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked", cooked.messages
    assert "its values cannot be shown" in cooked.messages


def test_tags_may_be_bytes_and_what_is_nested_too_deep_is_refused(bench: CookBench) -> None:
    """Whoever writes an attribute down goes as deep as it is nested: data files of jobs, and the report."""
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            i, deep = work_item.id, {}
            for _ in range(3000):
                deep = {"in": deep}
            self.onWorkItemSetDictAttrib(i, -1, "deep", deep)
            self.onWorkItemSetDictAttrib(i, -1, "flat", {"a": {"b": [1, 2]}})
            self.onWorkItemAddOutput(i, -1, b"/tmp/out.exr", b"file/mine", 0)
            self.createJobDirsAndSerializeWorkItems(work_item)
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked", cooked.messages
    assert 'attribute "deep" is nested more than 100 deep' in cooked.messages
    for item in cooked.items("work"):
        assert sorted(item.attributes or ()) == ["flat"]
        assert [(file.path, file.tag) for file in item.outputs or ()] == [("/tmp/out.exr", "file/mine")]


def test_reports_on_an_item_that_was_canceled_come_too_late(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            self.held.append(work_item.id)
            if len(self.held) == 5:
                self.graph_cook().cancel()
            return pdg.scheduleResult.Succeeded

        def graph_cook(self):
            return self.context.core.cook

        def onStopCook(self, cancel):
            for item in self.held:
                self.onWorkItemSucceeded(item, -1, 0)
                self.onWorkItemFailed(item, -1)
            threading.Thread(target=lambda: [self.onWorkItemSucceeded(item, -1, 0) for item in self.held]).start()
            return True
        """,
    )
    done = bench.cook(NETWORK)
    assert done.outcome == "canceled"
    assert {item.state.name for item in done.items("after")} == {"Uncooked"}


def test_of_many_short_jobs_that_are_told_of_together_each_has_its_own_times_status_and_outputs(
    bench: CookBench,
) -> None:
    network = """
        [network]
        name = "short"
        [schedulers.local]
        type = "localscheduler"
        parms = { maxprocsmenu = 1, maxprocs = 2 }
        [nodes.work]
        type = "genericgenerator"
        scheduler = "local"
        parms.itemcount = 60
        parms.command = "test @pdg_index -ne 30"
        [nodes.writes]
        type = "genericgenerator"
        scheduler = "local"
        parms.itemcount = 20
        parms.command = "touch @pdg_index.txt"
        parms.outputs = [{ path = "__PDG_DIR__/@pdg_index.txt" }]
        """
    done = bench.cook(network)
    for item in done.items():
        run = item.ran()
        bad = item.node.name == "work" and item.index == 30
        assert (item.state.name, run.exit_status) == (("CookedFail", 1) if bad else ("CookedSuccess", 0))
        assert run.queued is not None
        assert run.started is not None
        assert run.finished is not None
        assert run.queued <= run.started <= run.finished
        assert run.duration == pytest.approx(run.finished - run.started, abs=1e-4)
        assert [file.path for file in item.outputs or ()] == [file.path for file in item.expected_outputs or ()]
    assert not done.out_of_order()


def test_declared_outputs_that_are_not_there_fail_the_item_unless_they_are_not_looked_for(bench: CookBench) -> None:
    network = """
        [network]
        name = "outputs"
        [schedulers.local]
        type = "localscheduler"
        [nodes.work]
        type = "genericgenerator"
        scheduler = "local"
        parms.command = "true"
        parms.outputs = [{ path = "__PDG_DIR__/never.txt" }, { path = "__PDG_DIR__/ever.txt" }]
        """
    done = bench.cook(network)
    assert done.outcome == "failed"
    assert f'its declared output "{bench.folder}/never.txt" and 1 more was not written' in done.why("work_1")
    done = bench.cook(network, parms=[("local", "pdg_checkexpectedoutputs", False)])
    assert done.outcome == "cooked"
    assert done.items()[0].outputs is None


def test_a_relative_declared_output_lies_in_the_working_directory_wherever_the_cook_was_called(
    bench: CookBench,
) -> None:
    done = bench.cook("""
        [network]
        name = "outputs"
        scheduler = "local"
        [schedulers.local]
        type = "localscheduler"
        parms.pdg_workingdir = "$HIP/work"
        [nodes.work]
        type = "genericgenerator"
        parms.command = "touch here.txt"
        parms.outputs = [{ path = "here.txt" }]
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        parms.command = "test -e here.txt -a @pdg_input"
        """)
    assert done.outcome == "cooked"
    assert [file.path for file in done.items("work")[0].outputs or ()] == [f"{bench.folder}/work/here.txt"]


@pytest.mark.parametrize(
    ("told", "state", "messages"),
    [
        ("succeeded(seconds='long', exit_status='none')", "CookedSuccess", []),
        ("succeeded(seconds=float('inf'), exit_status=None)", "CookedSuccess", []),
        ("succeeded(seconds=float('inf'))", "CookedSuccess", []),
        ("succeeded(seconds=float('nan'))", "CookedSuccess", []),
        ("succeeded(seconds=1e300)", "CookedSuccess", []),
        ("succeeded(seconds=[], exit_status={})", "CookedSuccess", []),
        ("failed(ValueError('the engine said so'), exit_status='none')", "CookedFail", ["the engine said so"]),
        ("failed(None, exit_status=1 << 80)", "CookedFail", []),
    ],
)
def test_what_an_engine_says_of_an_end_may_be_anything(
    bench: CookBench, told: str, state: str, messages: list[str]
) -> None:
    scheduler(
        bench,
        f"""
        def onSchedule(self, work_item):
            from topcook.author import report
            report(self, work_item).{told}
            return pdg.scheduleResult.Succeeded
        """,
    )
    done = bench.cook(NETWORK.replace("40", "1"))
    (item,) = done.items("work")
    assert (item.state.name, item.ran().messages) == (state, messages), done.messages
    assert math.isfinite(item.ran().duration or 0.0)
    assert math.isfinite(item.ran().started or 0.0)
