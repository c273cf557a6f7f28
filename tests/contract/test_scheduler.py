"""The base class: parms, overrides, tokens, the environment of a job."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from topcook.contract.callbacks import CALLBACKS, Need
from topcook.contract.callbackserver import CallbackServerMixin
from topcook.contract.eventdispatch import EventDispatchMixin
from topcook.contract.mq import MQInfo, MQSchedulerMixin, MQState, SimpleMQSchedulerMixin
from topcook.contract.scheduler import PyScheduler, evaluateParamOr
from topcook.errors import CookError
from topcook.model.attributes import attribute_of
from topcook.model.enums import AcceptResult, EventType, TickResult
from topcook.model.states import WorkItemState
from topcook.model.workitem import Trait
from topcook.testkit import FakeGraph, FakeHost


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    graph = FakeGraph(hip=str(tmp_path), environment={"HFS": "/opt/hfs", "A": "a", "B": "b"})
    return FakeHost(
        graph,
        url="http://$A",
        local_envmulti=2,
        local_envname1="SHOT",
        local_envvalue1="s010",
        local_envname2="",
        local_envunset="B NOT",
        whole=3,
    )


@pytest.fixture
def scheduler(host: FakeHost) -> PyScheduler:
    return host.make(PyScheduler)


def test_every_callback_that_may_be_left_out_has_a_default(scheduler: PyScheduler) -> None:
    assert [row.name for row in CALLBACKS if row.need is Need.DEFAULTED and not hasattr(PyScheduler, row.name)] == []
    assert not hasattr(PyScheduler, "onSchedule")
    assert scheduler.onStart() is scheduler.onStop() is scheduler.onStartCook(True, []) is True
    assert scheduler.onStopCook(True) is scheduler.onSetupCook() is True
    assert scheduler.onTick() is TickResult.SchedulerReady
    assert scheduler.onAcceptWorkItem(None) is AcceptResult.Default
    assert (scheduler.getLogURI(None), scheduler.getStatusURI(None)) == ("", "")
    with pytest.raises(NotImplementedError, match="submitAsJob"):
        scheduler.submitAsJob("a", "/b")


def test_parms_cannot_be_read_inside_init(host: FakeHost) -> None:
    class Eager(PyScheduler):
        def __init__(self, scheduler: Any, name: str) -> None:
            PyScheduler.__init__(self, scheduler, name)
            self.url = self["url"]

    with pytest.raises(CookError, match="onStart or onStartCook"):
        host.make(Eager)


def test_without_base_init_the_error_says_what_to_call(host: FakeHost) -> None:
    class Forgetful(PyScheduler):
        def __init__(self, scheduler: Any, name: str) -> None:
            pass

    with pytest.raises(CookError, match=r"PyScheduler.__init__\(self, scheduler, name\)"):
        host.make(Forgetful).cookError("x")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_bases_may_be_initialised_in_either_order(host: FakeHost, order: tuple[int, int]) -> None:
    class Farm(CallbackServerMixin, MQSchedulerMixin, PyScheduler):
        def __init__(self, scheduler: Any, name: str) -> None:
            calls = [
                lambda: PyScheduler.__init__(self, scheduler, name),
                lambda: CallbackServerMixin.__init__(self, False),
            ]
            for number in order:
                calls[number]()
            self._host = self._name = self._verbose = "the author's own"

    made = host.make(Farm)
    assert made.startCallbackServer()
    assert made.workItemResultServerAddr() == "127.0.0.1:9999"
    assert host.result_server.asked == [(False, None)]
    assert (made.name, made.cppObject(), made.mq_state) == ("scheduler", host, MQState.NONE)
    made.workItemSucceeded(1, -1, 0.5)
    assert host.told() == [("success", 1)]


def test_files_that_go_by_the_attribute_find_the_address_of_their_server_in_it(host: FakeHost) -> None:
    class Farm(CallbackServerMixin, PyScheduler):
        def __init__(self, scheduler: Any, name: str) -> None:
            self._workItemResultServerAddr = None
            PyScheduler.__init__(self, scheduler, name)
            CallbackServerMixin.__init__(self, False)

        def workItemResultServerAddr(self) -> str:
            return self._workItemResultServerAddr

    made = host.make(Farm)
    assert made.workItemResultServerAddr() == ""
    made.startCallbackServer()
    assert made.workItemResultServerAddr() == "127.0.0.1:9999"
    made._workItemResultServerAddr = "gateway:1"
    assert made.workItemResultServerAddr() == "gateway:1"
    made.setWorkItemResultServerAddr("")
    assert made.workItemResultServerAddr() == "127.0.0.1:9999"


def test_mixins_work_in_every_order_seen(host: FakeHost) -> None:
    class One(SimpleMQSchedulerMixin, EventDispatchMixin, PyScheduler):
        pass

    class Two(EventDispatchMixin, CallbackServerMixin, PyScheduler):
        pass

    assert MQInfo().relay_port == 0
    for cls in (One, Two):
        host.make(cls).workItemStartCook(5, index=-1)
    assert host.told() == [("start", 5), ("start", 5)]


def test_an_unknown_parm_is_none_and_logged_once(host: FakeHost, scheduler: PyScheduler) -> None:
    assert (scheduler["nothing"], scheduler["nothing"]) == (None, None)
    assert len(host.lines) == 1
    assert "[schedulers.scheduler.parms] nothing = ..." in host.lines[0]
    port = scheduler["url"]
    assert port is not None
    assert port.evaluateString() == "http://a"
    assert evaluateParamOr(scheduler, "nothing", 7) == 7
    assert evaluateParamOr(scheduler, "whole") == 3


def test_a_parm_is_set_as_a_constant_and_the_cook_is_told(host: FakeHost, scheduler: PyScheduler) -> None:
    scheduler["pdg_tickperiod"] = 0.1
    scheduler["new"] = 5
    assert host.limits == ["pdg_tickperiod", "new"]
    assert (scheduler.value("pdg_tickperiod"), scheduler.value("new"), scheduler.value("no")) == (0.1, 5, None)
    assert "new" in scheduler.parameterNames


def test_overrides_are_answered_in_the_documented_order(host: FakeHost, scheduler: PyScheduler) -> None:
    record = host.graph.add_item()
    item = host.graph.handle(record)

    def asked() -> object:
        return scheduler.evaluateIntOverride(item.node, "local", "slots", item, 1)

    assert asked() == 1
    host.parms.set("local_slots", 2)
    assert asked() == 2
    record.node.job_parms["local_slots"] = "@pdg_id"
    record.node.job_parms["local_slots"] = 3
    assert asked() == 3
    record.attributes = {"local_slots": attribute_of(4)}
    assert asked() == 4


def test_overrides_have_the_asked_for_type(host: FakeHost, scheduler: PyScheduler) -> None:
    record = host.graph.add_item(index=6)
    item = host.graph.handle(record)
    record.node.job_parms.update(p_flag=True, p_text="n@pdg_index", p_number="2.5")
    assert type(scheduler.evaluateIntOverride(item.node, "p", "flag", item, 0)) is int
    assert type(scheduler.evaluateFloatOverride(item.node, "p", "flag", item, 0)) is float
    assert scheduler.evaluateBoolOverride(item.node, "p", "flag", item, False) is True
    assert scheduler.evaluateStringOverride(item.node, "p", "text", item, "") == "n6"
    assert scheduler.evaluateFloatOverride(item.node, "p", "number", item, default_value=0) == 2.5
    assert scheduler.evaluateStringOverride(item.node, "p", "none", item, None) is None
    assert scheduler.evaluateIntOverride(item.node, "p", "none", item, True) == 1
    assert type(scheduler.evaluateIntOverride(None, "p", "none", None, True)) is int


def test_tokens_are_replaced_in_one_pass(host: FakeHost) -> None:
    class Farm(PyScheduler):
        def applicationBin(self, name: str, work_item: Any = None) -> str:
            return {"python": "__PDG_PYTHON__", "hython": "/h/__PDG_DIR__"}[name]

    made = host.make(Farm)
    made.setWorkingDir("/here", "/farm")
    made.setWorkItemResultServerAddr("box:1")
    item = host.graph.handle(host.graph.add_item(index=9))
    text = "__PDG_DIR____PDG_SHARED_ROOT__|__PDG_TEMP__|__PDG_SCRIPTDIR__|__PDG_RESULT_SERVER__|__PDG_HFS__"
    assert made.expandCommandTokens(text, item) == ("/farm/farm|/farm/pdgtemp/1|/farm/pdgtemp/1/scripts|box:1|/opt/hfs")
    assert made.expandCommandTokens('"__PDG_PYTHON__" __PDG_HYTHON__ __PDG_X__\0', item) == (
        '"__PDG_PYTHON__" /h/__PDG_DIR__ __PDG_X__\0'
    )
    assert (
        PyScheduler.expandCommandTokens(made, "__PDG_ITEM_NAME__ __PDG_ITEM_ID__ __PDG_INDEX__", item) == "node_1 1 9"
    )
    assert made.expandCommandTokens("__PDG_ITEM_ID__ __PDG_HFS__", None) == "__PDG_ITEM_ID__ /opt/hfs"


def test_a_path_is_quoted_in_the_command_of_an_item_and_as_it_is_elsewhere(host: FakeHost) -> None:
    class Farm(PyScheduler):
        def workingDir(self, local: bool = True) -> str:
            return "/my shows/it's"

    made = host.make(Farm)
    item = host.graph.handle(host.graph.add_item())
    text = "ls __PDG_DIR__/a \"__PDG_DIR__/a\" '__PDG_DIR__/a'"
    assert made.expandCommandTokens(text, item) == (
        r"""ls /my\ shows/it\'s/a "/my shows/it's/a" '/my shows/it'\''s/a'"""
    )
    assert made.expandCommandTokens("__PDG_DIR__/a", None) == "/my shows/it's/a"


def test_hfs_is_empty_without_houdini() -> None:
    made = FakeHost(FakeGraph(environment={})).make(PyScheduler)
    assert made.expandCommandTokens("__PDG_HFS__", None) == ""
    assert made.applicationBin("hython", None) == "hython"


def test_a_17_5_class_names_its_own_python(host: FakeHost) -> None:
    class Old(PyScheduler):
        def pythonBin(self, platform: Any) -> str:
            return f"python-{platform.name}"

    assert host.make(Old).expandCommandTokens("__PDG_PYTHON__", None) == "python-Linux"


def test_the_jobs_environment_has_what_the_scheduler_overrides(host: FakeHost) -> None:
    class Farm(PyScheduler):
        def workingDir(self, local: bool = True) -> str:
            return "/l" if local else "/f"

        def workItemResultServerAddr(self) -> str:
            return ""

    made = host.make(Farm)
    env = {"PDG_RESULT_SERVER": "old", "KEEP": "1"}
    assert made.addCommonJobEnvVars(env, host.graph.handle(host.graph.add_item())) is env
    assert (env["PDG_DIR"], env["PDG_ITEM_NAME"], env["KEEP"]) == ("/f", "node_1", "1")
    assert "PDG_RESULT_SERVER" not in env
    assert "PDG_PATHMAP" not in env


def test_jobs_find_pdgcmd_where_a_whole_environment_is_made_for_them(scheduler: PyScheduler) -> None:
    scripts = scheduler.scriptDir(False)
    whole = {"PATH": "/bin", "PYTHONPATH": os.pathsep.join(["/studio", scripts])}
    scheduler.addCommonJobEnvVars(whole, None)
    assert whole["PYTHONPATH"] == os.pathsep.join([scripts, "/studio"])
    assert scheduler.addCommonJobEnvVars({"PATH": "/bin"}, None)["PYTHONPATH"] == scripts
    # Additions go over what the farm's machine has.
    assert "PYTHONPATH" not in scheduler.addCommonJobEnvVars({}, None)


def test_the_server_listens_for_a_scheduler_without_the_mixin_that_asks_where(
    host: FakeHost, scheduler: PyScheduler
) -> None:
    assert scheduler.workItemResultServerAddr() == "127.0.0.1:9999"
    assert host.result_server.asked == [(True, None)]
    scheduler.setWorkItemResultServerAddr("gateway:1")
    assert scheduler.workItemResultServerAddr() == "gateway:1"


def test_environment_parms_are_read_by_convention(host: FakeHost, scheduler: PyScheduler) -> None:
    item = host.graph.handle(host.graph.add_item())
    assert scheduler.resolveEnvParams("local", item, True) == ({"SHOT": "s010"}, ["B", "NOT"])
    env = scheduler.resolveBaseEnvironment("local", None, item)
    assert (env["SHOT"], env["A"], "B" in env) == ("s010", "a", False)
    host.parms.set("local_inheritlocalenv", 0)
    assert scheduler.resolveBaseEnvironment("local", None, item) == {"SHOT": "s010"}


def test_a_nodes_variables_come_on_top_of_the_schedulers_and_win_by_name(
    host: FakeHost, scheduler: PyScheduler
) -> None:
    host.parms.set("local_envname2", "SHOW")
    host.parms.set("local_envvalue2", "abc")
    item = host.graph.add_item()
    item.node.job_parms = {
        "local_envmulti": 2,
        "local_envname1": "SHOT",
        "local_envvalue1": "s020",
        "local_envname2": "C",
    }
    handle = host.graph.handle(item)
    # What the node says of the second is its name: its value is still the scheduler's.
    assert scheduler.resolveEnvParams("local", handle)[0] == {"SHOT": "s020", "SHOW": "abc", "C": "abc"}
    item.node.job_parms = {"local_envmulti": 1, "local_envname1": "D", "local_envvalue1": "@pdg_index"}
    assert scheduler.resolveEnvParams("local", handle)[0] == {"SHOT": "s010", "SHOW": "abc", "D": "0"}
    item.node.job_parms["local_envunset"] = "SHOT A"
    assert scheduler.resolveEnvParams("local", handle) == ({"SHOW": "abc", "D": "0"}, ["SHOT", "A"])
    item.attributes = {"local_envmulti": attribute_of(0)}
    assert scheduler.resolveEnvParams("local", handle)[0] == {"SHOW": "abc"}


def test_what_a_scheduler_both_unsets_and_sets_is_set_for_nodes_with_variables_too(
    host: FakeHost, scheduler: PyScheduler
) -> None:
    host.parms.set("local_envunset", "SHOT")
    item = host.graph.add_item()
    assert scheduler.resolveEnvParams("local", host.graph.handle(item))[0] == {"SHOT": "s010"}
    item.node.job_parms = {"local_envmulti": 1, "local_envname1": "D", "local_envvalue1": "1"}
    assert scheduler.resolveEnvParams("local", host.graph.handle(item))[0] == {"SHOT": "s010", "D": "1"}


def test_the_dependency_graph_has_every_unfinished_item_and_looks_through_what_cooks_nothing(
    host: FakeHost, scheduler: PyScheduler
) -> None:
    graph = host.graph
    done = graph.add_item()
    done.state = WorkItemState.CookedSuccess
    first = graph.add_item(dependencies=[done])
    merge = graph.add_item(dependencies=[first], traits=Trait.AUTOMATIC)
    last = graph.add_item(dependencies=[merge])
    foreign = graph.add_item(node="elsewhere")
    foreign.node.scheduler = "other"
    waits = graph.add_item(dependencies=[foreign])
    dependencies, dependents, ready = scheduler.dependencyGraph(False)
    mine = [graph.handle(item) for item in (first, last, waits)]
    assert list(dependencies) == list(dependents) == mine
    assert (dependencies[mine[1]], dependents[mine[0]], dependents[mine[1]]) == ([mine[0]], [mine[1]], [])
    assert ready == [mine[0]]


def test_readiness_tells_waiting_ready_and_failed(host: FakeHost, scheduler: PyScheduler) -> None:
    parent = host.graph.add_item()
    child = host.graph.add_item(dependencies=[parent])
    assert scheduler.isWorkItemReady(child.id, -1) == 0
    parent.state = WorkItemState.CookedSuccess
    assert scheduler.isWorkItemReady(child.name, -1) == 1
    parent.state = WorkItemState.CookedFail
    assert scheduler.isWorkItemReady(child.id, -1) == 2
    assert scheduler.isWorkItemReady(99, -1) == 0


def test_in_process_items_cook_here_and_raise_what_they_raise(host: FakeHost, scheduler: PyScheduler) -> None:
    def work(item: Any) -> None:
        item.setIntAttrib("x", 1)
        raise ValueError("no")

    item = host.graph.handle(host.graph.add_item(function=work))
    with pytest.raises(ValueError, match="no"):
        scheduler.cookWorkItem(item)
    assert item.intAttribValue("x") == 1
    assert scheduler.runOnMainThread(True, divmod, 7, 2) == (3, 1)


def test_shared_servers_are_remembered_and_forgotten(scheduler: PyScheduler) -> None:
    assert scheduler.onSharedServerStarted({"name": "geo", "pid": 1, "host": "h", "port": 2}) is True
    assert (scheduler.getSharedServers(), scheduler.getSharedServerInfo("geo")["port"]) == (["geo"], 2)
    assert (scheduler.endSharedServer("geo"), scheduler.endSharedServer("geo")) == (True, False)
    assert scheduler.getSharedServerInfo("geo") == {}


def test_what_is_houdinis_alone_says_why(scheduler: PyScheduler) -> None:
    for call in (scheduler.getPollingClient, lambda: scheduler.startService("x"), lambda: scheduler.commonVars):
        with pytest.raises(NotImplementedError, match="Houdini"):
            call()


def test_event_handlers_are_kept_and_removed(host: FakeHost, scheduler: PyScheduler) -> None:
    handler = scheduler.addEventHandler(print, [13, 12])
    assert scheduler.hasEventHandler(handler)
    scheduler.removeAllEventHandlers()
    assert (scheduler.eventHandlers, host.graph.handlers) == ([], [])


def test_directories_are_made_and_scripts_copied_by_the_cook(host: FakeHost, scheduler: PyScheduler) -> None:
    item = host.graph.add_item()
    assert scheduler.createJobDirsAndSerializeWorkItems(host.graph.handle(item))
    scheduler._copyJobSupportFiles()
    assert (host.prepared, host.copied) == ([item], 1)
    assert Path(scheduler.dataDir(True)).is_dir()


@pytest.mark.parametrize(
    ("given", "asked"),
    [(None, None), (0, None), (9000, (9000, 9001)), ((9000, 9010), (9000, 9010)), ([1, 65536], (1, 65536))],
)
def test_port_ranges_come_in_every_form(host: FakeHost, given: Any, asked: object) -> None:
    class Farm(CallbackServerMixin, PyScheduler):
        custom_port_range = given

    made = host.make(Farm)
    made.startCallbackServer()
    assert host.result_server.asked == [(True, asked)]
    assert made.isCallbackServerRunning()
    made.stopCallbackServer()
    assert made.stopCallbackServer()
    assert not made.isCallbackServerRunning()


@pytest.mark.parametrize("given", ["abc", (5,), (9000, 8000), (0, 70000), object()])
def test_a_bad_port_range_is_an_error(host: FakeHost, given: Any) -> None:
    class Farm(CallbackServerMixin, PyScheduler):
        custom_port_range = given

    with pytest.raises(CookError, match="custom_port_range"):
        host.make(Farm).startCallbackServer()


def test_a_job_can_be_named_after_network_and_item(host: FakeHost, scheduler: PyScheduler) -> None:
    host.graph.network.name = "show"
    assert (scheduler.jobName(), scheduler.jobName(host.graph.handle(host.graph.add_item()))) == ("show", "show.node_1")
    assert EventType.CookError in scheduler.supportedEventTypes
