"""A work item's data, written by the cook and read by its job."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdgjob import pdgjson
from topcook.errors import CookRefusedError
from topcook.model.attributes import AttribFlag, AttribType, Attribute, attribute_of
from topcook.model.files import File
from topcook.model.node import Node
from topcook.model.notification import Kind
from topcook.model.workitem import Batch, Trait, WorkItem
from topcook.runtime.serialize import item_text, serialize, write_item
from topcook.testkit import FakeGraph
from topcook.testkit.sink import RecordingSink


@pytest.fixture
def graph() -> FakeGraph:
    return FakeGraph()


@pytest.fixture
def item() -> WorkItem:
    node = Node("render", "genericgenerator")
    upstream = WorkItem(3, Node("sim", "genericgenerator"), 0)
    upstream.outputs = [File("/s/a.vdb", "file/geo", 9)]
    item = WorkItem(7, node, 4)
    item.label = "shot ü"
    item.command = "render __PDG_DIR__/x"
    item.priority = 2
    item.frame = 1001.5
    item.frame_step = 0.5
    item.traits = Trait.STATIC
    item.scheduler = "farm"
    item.attempt = 2
    item.dependencies = [upstream]
    item.outputs = [File("/s/out.png", "file/image", own=False)]
    item.expected_outputs = [File("/s/exp.exr", "file/image/exr")]
    item.attributes = {
        "i": attribute_of([1, 2]),
        "f": attribute_of(2.5),
        "s": attribute_of("ü\n", AttribFlag.EnvExport),
        "d": attribute_of({"a": [1, {"b": None}]}),
        "o": attribute_of({1: (2, 3)}),
        "p": Attribute(AttribType.PyObject, ({"x", "y"},)),
        "q": Attribute(AttribType.PyObject, (object(),)),
        "file": attribute_of(File("/s/in.bgeo", "file/geo", 4)),
    }
    return item


def read(item: WorkItem, graph: FakeGraph) -> pdgjson.WorkItem:
    return pdgjson.WorkItem.fromString(item_text(item, graph))


def test_what_the_cook_writes_the_job_reads(item: WorkItem, graph: FakeGraph) -> None:
    job = read(item, graph)
    assert (job.id, job.name, job.label, job.index, job.nodeName) == (7, "render_7", "shot ü", 4, "render")
    assert (job.schedulerName, job.command, job.priority) == ("farm", "render __PDG_DIR__/x", 2)
    assert (job.frame, job.frameStep, job.hasFrame) == (1001.5, 0.5, True)
    assert (job.isStatic, job.isInProcess, job.isBatch, job.batchIndex, job.type) == (True, False, False, -1, 0)
    assert job.state == item.state
    assert sorted(job.attribNames()) == sorted(item.attributes or {})
    assert job.intAttribArray("i") == [1, 2]
    assert (job.intAttribValue("i", 1), job.intAttribValue("i", 2), job.floatAttribValue("i")) == (2, None, 1.0)
    assert (job.floatAttribValue("f"), job.stringAttribValue("s"), job.dictAttribValue("d")) == (2.5, "ü\n", {"a": [1, {"b": None}]})  # fmt: skip
    assert job.dictAttribValue("o") == {1: (2, 3)}
    assert job.pyObjectAttribValue("p") == {"x", "y"}
    assert job.pyObjectAttribValue("q").startswith("<object object")
    assert job.attrib("s").flags == AttribFlag.EnvExport
    made = job.fileAttribValue("file")
    assert made is not None
    assert (made.path, made.tag, made.hash, made.own) == ("/s/in.bgeo", "file/geo", 4, True)
    assert (job.stringAttribValue("i"), job.intAttribValue("nothing"), job.attribArray("nothing")) == (None, None, [])
    assert ("i" in job, job.hasAttrib("z"), job["i"].values, job.attribType("z")) == (True, False, [1, 2], pdgjson.AttribType.Undefined)  # fmt: skip


def test_the_files_of_an_item_are_there_in_both_spellings(item: WorkItem, graph: FakeGraph) -> None:
    job = read(item, graph)
    assert [made.path for made in job.inputFiles] == ["/s/a.vdb"]
    assert job.inputResultData == [("/s/a.vdb", "file/geo", 9)]
    assert [(made.path, made.own) for made in job.outputFiles] == [("/s/out.png", False)]
    assert [made.path for made in job.expectedOutputFilesForTag("file/image")] == ["/s/exp.exr"]
    assert job.outputFilesForTag("file/im") == []


def test_a_batch_carries_its_sub_items(item: WorkItem, graph: FakeGraph, in_job: Any, sink: RecordingSink) -> None:
    batch = WorkItem(20, item.node, 0)
    batch.batch = Batch([item], activation=2, offset=4)
    data = serialize(batch, graph)["workitem"]
    assert (data["batchCount"], data["batchOffset"], data["batchStart"], data["activationMode"]) == (1, 4, 4, 2)
    job = read(batch, graph)
    assert (job.isBatch, job.type) == (True, 1)
    sub = job.batchItems[0]
    assert (sub.batchIndex, sub.batchParent, sub.intAttribArray("i")) == (0, job, [1, 2])
    sink.answers = {"check_ready_batch": 1}
    job.startSubItem(sub)
    sub.setIntAttrib("n", 5)
    job.succeedSubItem(sub, 1.5)
    assert [(said.kind, said.item, said.index) for said in sink.notifications] == [
        (Kind.STARTED, 20, 0),
        (Kind.ATTRIBUTE, 20, 0),
        (Kind.SUCCEEDED, 20, 0),
    ]


VALUES = st.one_of(
    st.lists(st.integers(), min_size=1),
    st.lists(st.floats(allow_nan=False), min_size=1),
    st.lists(st.text(), min_size=1),
    st.lists(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.none() | st.booleans())), min_size=1),
)


@settings(deadline=None)
@given(attributes=st.dictionaries(st.text(), VALUES, max_size=4))
def test_any_attributes_come_back_as_they_were(attributes: dict[str, Any], graph: FakeGraph) -> None:
    item = WorkItem(1, Node("n", "t"), 0)
    item.attributes = {name: attribute_of(value) for name, value in attributes.items()}
    assert read(item, graph).attribValues() == {name: list(found.values) for name, found in item.attributes.items()}


def test_infinity_and_nan_survive(graph: FakeGraph) -> None:
    item = WorkItem(1, Node("n", "t"), 0)
    item.attributes = {"f": attribute_of([math.inf, math.nan])}
    first, second = read(item, graph).floatAttribArray("f")
    assert first == math.inf
    assert math.isnan(second)


@pytest.mark.parametrize("compress", [False, True])
def test_the_data_file_is_found_by_the_jobs_environment(
    compress: bool, item: WorkItem, graph: FakeGraph, in_job: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(in_job["PDG_TEMP"]) / "data"
    folder.mkdir(parents=True)
    path = write_item(item, graph, str(folder), compress=compress)
    assert [found.name for found in folder.iterdir()] == ["render_7.json.gz" if compress else "render_7.json"]
    assert pdgjson.WorkItem.fromJobEnvironment().label == "shot ü"
    assert pdgjson.WorkItem.fromFile(path).id == 7
    monkeypatch.delenv("PDG_TEMP")
    (Path(in_job["PDG_SCRIPTDIR"])).mkdir(parents=True)
    assert pdgjson.WorkItem.fromItemName("render_7").id == 7


def test_an_items_name_may_hold_slashes(item: WorkItem, graph: FakeGraph, in_job: dict[str, str]) -> None:
    folder = Path(in_job["PDG_TEMP"]) / "data"
    folder.mkdir(parents=True)
    item.custom_name = "../a/b\\c"
    assert Path(write_item(item, graph, str(folder))).parent == folder
    assert pdgjson.WorkItem.fromItemName("../a/b\\c").id == 7


def test_a_data_file_that_cannot_be_written_leaves_nothing(item: WorkItem, graph: FakeGraph, tmp_path: Path) -> None:
    with pytest.raises(CookRefusedError, match=r"render_7\.json"):
        write_item(item, graph, str(tmp_path / "missing"))
    (tmp_path / "render_7.json").mkdir()
    with pytest.raises(CookRefusedError, match=r"render_7\.json"):
        write_item(item, graph, str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["render_7.json"]


def test_the_data_may_come_by_message(
    item: WorkItem, graph: FakeGraph, in_job: dict[str, str], sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.answers = {"get_workitem_json": item_text(item, graph)}
    monkeypatch.setenv("PDG_ITEM_DATA_SOURCE", "1")
    assert pdgjson.WorkItem.fromJobEnvironment().stringAttribValue("s") == "ü\n"
    own = pdgjson.WorkItem.fromItemName(os.environ["PDG_ITEM_NAME"])
    assert own.stringAttribValue("s") == "ü\n", "it has no file"
    monkeypatch.delenv("PDG_RESULT_SERVER")
    with pytest.raises(pdgjson.WorkItemDataError, match="no server"):
        pdgjson.WorkItem.fromJobEnvironment()


def test_what_is_set_is_kept_and_reported(
    item: WorkItem, graph: FakeGraph, in_job: dict[str, str], sink: RecordingSink
) -> None:
    job = read(item, graph)
    job.setIntAttrib("i", 9, 3)
    job.setFloatAttrib("new", [1, 2])
    job.setStringAttrib("s", "x")
    job.setDictAttrib("d", {"z": 1})
    job.setPyObjectAttrib("p", (1,))
    job.setFileAttrib("file", pdgjson.File("/n", "t"))
    job.addOutputFile("/out.png", "file/image")
    job.addOutputFiles(["/a", "/b"])
    assert (job.intAttribArray("i"), job.floatAttribArray("new")) == ([1, 2, 0, 9], [1.0, 2.0])
    assert (job.stringAttribValue("s"), job.dictAttribValue("d"), job.pyObjectAttribValue("p")) == ("x", {"z": 1}, (1,))
    assert [made.path for made in job.outputFiles] == ["/s/out.png", "/out.png", "/a", "/b"]
    assert [said.payload for said in sink.notifications] == [
        ("i", AttribType.Int, 9, 3),
        ("new", AttribType.Float, [1.0, 2.0], None),
        ("s", AttribType.String, "x", 0),
        ("d", AttribType.Dict, {"z": 1}, 0),
        ("p", AttribType.PyObject, (1,), 0),
        ("file", AttribType.File, File("/n", "t"), 0),
        (File("/out.png", "file/image"),),
        (File("/a"), File("/b")),
    ]


def test_logs_and_progress_are_reported(
    item: WorkItem, graph: FakeGraph, in_job: dict[str, str], sink: RecordingSink
) -> None:
    job = read(item, graph)
    job.setCookPercent(0.5)
    job.setCustomState("baking")
    job.addMessage("m")
    job.addWarning("w")
    job.addError("e", fail_task=True)
    job.invalidateCache()
    assert [(said.kind, said.payload) for said in sink.notifications] == [
        (Kind.PERCENT, (0.5,)),
        (Kind.CUSTOM_STATE, ("baking",)),
        (Kind.LOG, ("m", 2)),
        (Kind.LOG, ("w", 1)),
        (Kind.LOG, ("e", 0)),
        (Kind.FAILED, ()),
        (Kind.INVALIDATE_CACHE, ()),
    ]


def test_older_versions_are_read() -> None:
    old = {"version": 1, "workitem": {"name": "a_1", "isInProcess": True, "attributes": {"command": {"type": 2, "value": ["run"]}}}}  # fmt: skip
    job = pdgjson.WorkItem.fromString(json.dumps(old))
    assert (job.name, job.command, job.isInProcess, job.hasFrame, job.inputFiles) == ("a_1", "run", True, False, [])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"workitem": 1}', '{"version": "x", "workitem": {}}', '{"version": 99, "workitem": {}}']
)
def test_a_text_that_holds_no_item_is_told(text: str) -> None:
    with pytest.raises(pdgjson.WorkItemDataError, match="given text"):
        pdgjson.WorkItem.fromString(text)


def test_a_missing_or_broken_file_is_told(
    in_job: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(pdgjson.WorkItemDataError, match=r"render_7.*looked for .*pdgtemp"):
        pdgjson.WorkItem.fromJobEnvironment()
    broken = tmp_path / "x.json.gz"
    broken.write_bytes(b"no gzip")
    for path in (str(broken), str(tmp_path / "none.json")):
        with pytest.raises(pdgjson.WorkItemDataError, match="cannot be read"):
            pdgjson.WorkItem.fromFile(path)
    monkeypatch.delenv("PDG_ITEM_NAME")
    with pytest.raises(pdgjson.WorkItemDataError, match="PDG_ITEM_NAME"):
        pdgjson.WorkItem.fromJobEnvironment()


def test_a_script_in_the_script_directory_reads_its_item(
    item: WorkItem,
    graph: FakeGraph,
    job: dict[str, str],
    run_job: Callable[..., Any],
    script_dir: Path,
    sink: RecordingSink,
) -> None:
    folder = Path(job["PDG_TEMP"]) / "data"
    folder.mkdir()
    write_item(item, graph, str(folder))
    (script_dir / "mine.py").write_text(
        "import pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "item.setIntAttrib('doubled', [2 * value for value in item.intAttribArray('i')])\n"
        "pdgcmd.addOutputFile(item.inputFiles[0].local_path)\n"
    )
    done = run_job(str(script_dir / "mine.py"))
    assert (done.returncode, done.stderr) == (0, "")
    assert [said.payload for said in sink.notifications] == [
        ("doubled", AttribType.Int, [2, 4], None),
        (File("/s/a.vdb"),),
    ]
