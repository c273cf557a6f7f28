"""Work items as author code sees them."""

from __future__ import annotations

import threading

import pytest

from topcook.contract.scheduler import PyScheduler
from topcook.contract.workitem import WorkItem
from topcook.errors import CookError
from topcook.model.attributes import AttribFlag, AttribType
from topcook.model.enums import WorkItemCookType, WorkItemType
from topcook.model.files import File
from topcook.model.states import WorkItemState
from topcook.model.workitem import Batch, Trait
from topcook.testkit import FakeGraph, FakeHost


@pytest.fixture
def graph() -> FakeGraph:
    return FakeGraph(hip="/net", environment={"WHO": "me"})


@pytest.fixture
def item(graph: FakeGraph) -> WorkItem:
    return graph.handle(graph.add_item("echo @pdg_index", node="sim", index=3, frame=7.0))


def test_handles_on_one_item_are_one_key(graph: FakeGraph, item: WorkItem) -> None:
    again = graph.handle(item.record)
    other = FakeGraph("other").handle(item.record)
    assert item == again
    assert item != other
    assert item != item.record.id
    assert {item: 1}[again] == 1
    later = graph.handle(graph.add_item())
    assert sorted([later, item]) == [item, later]


def test_it_says_what_it_is(item: WorkItem) -> None:
    assert (item.id, item.name, item.label, item.index) == (1, "sim_1", "sim_1", 3)
    assert (item.frame, item.hasFrame, item.command, item.hasCommand) == (7.0, True, "echo @pdg_index", True)
    assert (item.type, item.cookType, item.state) == (
        WorkItemType.Regular,
        WorkItemCookType.OutOfProcess,
        WorkItemState.Uncooked,
    )
    assert item.platformCommand() == "echo @pdg_index"
    assert (item.batchIndex, item.batchParent, item.node.name) == (-1, None, "sim")
    assert item.node.topNode().type().name() == "genericgenerator"
    assert item.node.topNode().parm("nothing") is None


def test_the_seed_pages_way_to_the_command_works(item: WorkItem) -> None:
    assert item.data.getString("command") == "echo @pdg_index"
    assert item.data.stringData("command", 0) == "echo @pdg_index"
    assert item.stringAttribValue("command") == "echo @pdg_index"
    item.setStringAttrib("command", "true")
    assert item.command == "true"
    assert item.attribNames() == []


def test_attributes_are_read_in_every_type(item: WorkItem) -> None:
    item.setFloatAttrib("angle", 2.5)
    item.setIntAttrib("count", [1, 2, 3])
    item.setStringAttrib("who", "me", 1)
    item.setDictAttrib("info", {"a": 1})
    item.setPyObjectAttrib("thing", [1, 2])
    item.setFileAttrib("plate", File("/p.exr"))
    assert (item.floatAttribValue("angle"), item.intAttribValue("angle"), item.stringAttribValue("angle")) == (
        2.5,
        2,
        "2.5",
    )
    assert (item.intAttribArray("count"), item.intAttribValue("count", 2)) == ([1, 2, 3], 3)
    assert item.stringAttribArray("who") == ["", "me"]
    assert (item.dictAttribValue("info"), item.pyObjectAttribValue("thing")) == ({"a": 1}, [1, 2])
    assert item.stringAttribValue("plate") == "/p.exr"
    assert item.attribType("count") is AttribType.Int
    assert item.attribMatch("c* ^x a*") == ["count", "angle"]


def test_what_is_not_there_is_none(item: WorkItem) -> None:
    assert (item.intAttribValue("x"), item.attrib("x"), item.stringAttribArray("x")) == (None, None, [])
    assert (item.attribType("x"), item.hasAttrib("x"), "x" in item) == (AttribType.Undefined, False, False)
    item.setIntAttrib("count", 1)
    assert item.intAttribValue("count", 5) is None
    with pytest.raises(KeyError, match='did you mean "count"'):
        item["coutn"]


def test_an_int_goes_into_a_float_attribute_as_a_float(item: WorkItem) -> None:
    item.setFloatAttrib("angle", 1.5)
    item.setIntAttrib("angle", 2)
    assert item.attribType("angle") is AttribType.Float
    assert item["angle"].value == 2.0
    item.setStringAttrib("angle", "wide")
    assert item.attribType("angle") is AttribType.String


def test_setting_one_item_leaves_those_that_share_the_attribute(graph: FakeGraph, item: WorkItem) -> None:
    item.setIntAttrib("x", 1)
    other = graph.add_item()
    other.attributes = dict(item.record.attributes or {})
    item["x"][0] = 9
    assert graph.handle(other).intAttribValue("x") == 1


def test_a_read_only_attribute_is_not_written(item: WorkItem) -> None:
    item.setIntAttrib("x", 1)
    item.setAttribFlag("x", AttribFlag.ReadOnly, True)
    with pytest.raises(CookError, match="read only"):
        item.setIntAttrib("x", 2)


def test_exported_attributes_are_its_environment(item: WorkItem) -> None:
    item.setFloatAttrib("ANGLE", 3.0)
    item.setAttribFlag("ANGLE", AttribFlag.EnvExport, True)
    assert item.environment == {"ANGLE": "3"}
    assert (item.envLookup("ANGLE"), item.envLookup("WHO"), item.envLookup("NOBODY")) == ("3", "me", "")


def test_threads_that_lock_do_not_lose_writes(item: WorkItem) -> None:
    item.setIntAttrib("x", 0)

    def add() -> None:
        for _ in range(500):
            with item.lockAttributes():
                item.setIntAttrib("x", (item.intAttribValue("x") or 0) + 1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert item.intAttribValue("x") == 2000


def test_files_have_tags_and_old_tuples(graph: FakeGraph, item: WorkItem) -> None:
    item.addOutputFile("/a.exr")
    item.addOutputFile("/a.exr", "file/image/beauty", 5)
    item.addResultData("/b.txt", "", 0)
    assert item.resultData == [("/a.exr", "file/image/beauty", 5), ("/b.txt", "file/text", 0)]
    assert [made.path for made in item.outputFilesForTag("file/image")] == ["/a.exr"]
    assert item.firstOutputFileForTag("file/geo") is None
    child = graph.handle(graph.add_item(dependencies=[item.record]))
    assert child.inputResultData[1] == ("/b.txt", "file/text", 0)
    assert child.dependencies == [item]
    assert item.dependents == [child]


def test_a_batch_knows_its_sub_items(graph: FakeGraph) -> None:
    subs = [graph.add_item(node="b") for _ in range(3)]
    parent = graph.add_item(node="b", traits=Trait.BATCH)
    parent.batch = Batch(subs)
    for sub in subs:
        sub.batch_parent = parent
    handle = graph.handle(subs[1])
    assert (handle.batchIndex, handle.batchParent) == (1, graph.handle(parent))
    assert graph.handle(parent).batchSize == 3


def test_messages_percent_and_cancel_reach_the_record_and_the_scheduler(graph: FakeGraph, item: WorkItem) -> None:
    host = FakeHost(graph)
    host.make(PyScheduler)
    item.addMessage("half way")
    item.setCookPercent(2.0)
    item.addError("no light", fail_task=True)
    item.cancel()
    assert item.logMessages == "half way\nerror: no light"
    assert item.cookPercent == 1.0
    assert host.told() == [("fail", 1), ("cancel", 1)]


def test_failed_dependencies_are_named(graph: FakeGraph) -> None:
    good, bad = graph.add_item(), graph.add_item()
    good.state, bad.state = WorkItemState.CookedSuccess, WorkItemState.CookedFail
    child = graph.handle(graph.add_item(dependencies=[good, bad]))
    assert child.failedDependencies == [graph.handle(bad)]


def test_an_item_hears_events_and_knows_its_schedulers_directories(graph: FakeGraph, item: WorkItem) -> None:
    FakeHost(graph, working="/w").make(PyScheduler)
    handler = item.addEventHandler(print, 5)
    assert [(owner, kinds) for owner, _, kinds, _ in graph.handlers] == [(item.id, [5])]
    item.removeEventHandler(handler)
    assert graph.handlers == []
    assert (item.workingDir, item.tempDir, item.localizePath("__PDG_DIR__/x")) == ("/w", "/w/pdgtemp/1", "/w/x")


def test_what_needs_houdini_says_so(item: WorkItem) -> None:
    for call in (item.geometryAttribValue, item.makeActive, item.dirty):
        with pytest.raises(NotImplementedError, match="Houdini"):
            call()
    with pytest.raises(NotImplementedError, match=r"pdgjson.WorkItem.fromString"):
        WorkItem.loadJSONString("{}")
