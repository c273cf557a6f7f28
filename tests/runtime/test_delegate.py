"""Reports of jobs go through the event methods that a scheduler's author overrides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from topcook.contract.eventdispatch import WorkItemEvents
from topcook.model.attributes import AttribType
from topcook.model.notification import Kind, Notification
from topcook.runtime.delegate import Delegate
from topcook.runtime.link import CookLink
from topcook.testkit.cookbench import CookBench

HEAD = """
import os, subprocess, sys, threading
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin
from pdg.staticcook import StaticCookMixin


class Watching(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    @classmethod
    def templateName(cls):
        return "watching"

    def onStartCook(self, static, cook_set):
        self.startCallbackServer()
        return True

    def job(self, work_item, script):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        env["PDG_JOBID"], env["PDG_JOBID_VAR"] = "job-%d" % work_item.id, "PDG_JOBID"
        path = self.tempDir(True) + "/scripts"
        process = subprocess.Popen([sys.executable, "-c", "import sys; sys.path.insert(0, %r)\\nimport pdgcmd\\n%s" % (
            path, script)], env=env)
        self.__dict__.setdefault("jobs", []).append(process)
        return process

    def onStopCook(self, cancel):
        for process in self.jobs:
            process.wait()
        return True
"""
TAIL = """

def registerTypes(type_registry):
    type_registry.registerScheduler(Watching)
"""
NETWORK = """
[network]
name = "net"
scheduler = "watching"
[nodes.a]
type = "genericgenerator"
parms = { itemcount = 2, command = "true" }
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
parms = { command = "true" }
"""


def scheduler(bench: CookBench, body: str) -> None:
    bench.types("watching", HEAD + body + TAIL)


def test_an_overridden_event_gets_what_a_job_says_with_its_job_id_and_its_super_call_makes_the_change(
    bench: CookBench,
) -> None:
    scheduler(
        bench,
        """
    def onSchedule(self, work_item):
        self.job(work_item, "pdgcmd.workItemStartCook(); pdgcmd.workItemSuccess()")
        return pdg.scheduleResult.Succeeded

    def workItemStartCook(self, workitem_id, index, jobid=""):
        print("start", workitem_id, index, jobid, threading.current_thread().name)
        super().workItemStartCook(workitem_id, index, jobid)

    def workItemSucceeded(self, workitem_id, index, cook_duration, jobid=""):
        print("success", workitem_id, index, jobid, threading.current_thread().name)
        self.onWorkItemSucceeded(workitem_id, index, cook_duration)
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked", cooked.messages
    log = cooked.log("pdg_watching")
    for item in cooked.items():
        assert f"start {item.id} -1 job-{item.id} scheduler-pdg_watching" in log
        assert f"success {item.id} -1 job-{item.id} scheduler-pdg_watching" in log
        assert item.ran().started is not None
    assert not cooked.out_of_order()


def test_a_report_that_the_author_does_not_pass_on_changes_nothing(bench: CookBench) -> None:
    scheduler(
        bench,
        """
    def onSchedule(self, work_item):
        script = "pdgcmd.workItemFailed(); pdgcmd.workItemSuccess()"
        self.job(work_item, script)
        return pdg.scheduleResult.Succeeded

    def workItemFailed(self, workitem_id, index, jobid=""):
        print("farm restarts", jobid)
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked"
    assert "farm restarts job-1" in cooked.log("pdg_watching")


def test_what_a_job_says_is_applied_in_its_order_though_only_one_kind_is_overridden(bench: CookBench) -> None:
    scheduler(
        bench,
        """
    def onSchedule(self, work_item):
        self.job(work_item, "pdgcmd.addOutputFile('/tmp/x.png'); pdgcmd.setStringAttrib('s', 'v');"
                            "pdgcmd.workItemSuccess()")
        return pdg.scheduleResult.Succeeded

    def workItemFileResult(self, item_id, subindex, result, tag, checksum, jobid=""):
        super().workItemFileResult(item_id, subindex, result.replace("x", "y"), tag, checksum, jobid)
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked"
    for item in cooked.items():
        assert [file.path for file in item.outputs or ()] == ["/tmp/y.png"]
    assert all(item.attributes is not None and "s" in item.attributes for item in cooked.items("b"))


def test_reports_made_while_on_schedule_blocks_come_before_its_end(bench: CookBench) -> None:
    scheduler(
        bench,
        """
    def onSchedule(self, work_item):
        self.job(work_item, "pdgcmd.addOutputFile('/tmp/x.png'); pdgcmd.setIntAttrib('n', 7)").wait()
        return pdg.scheduleResult.CookSucceeded

    def workItemFileResult(self, item_id, subindex, result, tag, checksum, jobid=""):
        super().workItemFileResult(item_id, subindex, result, tag, checksum, jobid)
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked"
    # The items of "b" are made when their parents have cooked: they show what was known then.
    assert all(item.attributes is not None and item.attributes["n"].values == (7,) for item in cooked.items("b"))


class _Listening(WorkItemEvents):
    def workItemFileResult(self, *_said: Any) -> None:
        raise AssertionError("no file was reported")


def test_what_on_tick_finds_out_comes_after_what_the_job_has_said_before() -> None:
    link = CookLink("cook", lambda _name: None)  # type: ignore[arg-type,return-value]
    host = SimpleNamespace(cls=_Listening, instance=_Listening(), name="mine", link=link, graph=None)
    delegate = Delegate(host)  # type: ignore[arg-type]
    # From now on this thread is the host's, as it is inside onTick.
    delegate.run()
    said = Notification(Kind.ATTRIBUTE, 1, -1, ("n", AttribType.Int, 7, 0))
    found = Notification(Kind.SUCCEEDED, 1, -1, (1.0,))
    assert delegate.take(said)
    assert not delegate.passes(found)
    delegate.run()
    posted = [each for report in link.inbox.drain() for each in report.notifications]
    assert (posted[0], posted[1].kind, posted[2]) == (said, Kind.PASSED, found)
    assert delegate.passes(Notification(Kind.SUCCEEDED, 2, -1, (1.0,)))


def test_an_event_method_that_raises_loses_no_report(bench: CookBench) -> None:
    scheduler(
        bench,
        """
    def onSchedule(self, work_item):
        self.job(work_item, "pdgcmd.workItemSuccess()")
        return pdg.scheduleResult.Succeeded

    def workItemSucceeded(self, workitem_id, index, cook_duration, jobid=""):
        raise KeyError(jobid)
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked"
    assert "workItemSucceeded raised KeyError" in cooked.messages


def test_the_attribute_event_of_17_5_is_called_in_both_arities(bench: CookBench) -> None:
    for arguments in ("item_name, name, data, jobid=''", "item_id, index, name, data, jobid=''"):
        scheduler(
            bench,
            f"""
    def onSchedule(self, work_item):
        self.job(work_item, "pdgcmd.setStringAttribArray('s', ['v', 'w']); pdgcmd.workItemSuccess()")
        return pdg.scheduleResult.Succeeded

    def workItemSetAttribute(self, {arguments}):
        print("attribute", name, data, jobid)
        super().workItemSetAttribute({arguments.replace("=''", "")})
""",
        )
        cooked = bench.cook(NETWORK)
        assert cooked.outcome == "cooked"
        assert "attribute s ['v', 'w'] job-1" in cooked.log("pdg_watching")
        attributes = cooked.items()[0].attributes
        assert attributes is not None
        assert attributes["s"].values == ("v", "w")


def test_a_success_reported_by_a_job_frees_what_a_static_cook_holds_at_once(bench: CookBench) -> None:
    scheduler(
        bench,
        """
    staticCook = True

    def onStart(self):
        self["pdg_tickperiod"] = 3600
        return True

    def onSchedule(self, work_item):
        self.job(work_item, "pdgcmd.workItemSuccess()")
        return pdg.scheduleResult.Succeeded


class Watching(StaticCookMixin, Watching):
    pass
""",
    )
    cooked = bench.cook(NETWORK)
    assert cooked.outcome == "cooked"
    assert not cooked.out_of_order()
