from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from topcook.model.enums import GenerateWhen
from topcook.model.states import WorkItemState
from topcook.model.workitem import Trait
from topcook.runtime.generation import plan_generation
from topcook.testkit.nodebench import NodeBench


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("a.10.png", "a.9.png", "b.1.txt", "sub/c.3.png", ".hidden.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(bench: NodeBench, **parms: Any) -> list[str]:
    items = bench.make(bench.node("f", "filepattern", **parms))
    return [str((item.attributes or {})["filename"].values[0]) for item in items]


def test_one_item_per_file_in_natural_order_with_what_is_known_of_it(bench: NodeBench, files: Path) -> None:
    items = bench.make(bench.node("f", "filepattern", pattern="*.png"))
    assert [(item.outputs or [])[0].path for item in items] == [str(files / "a.9.png"), str(files / "a.10.png")]
    assert (items[0].outputs or [])[0].tag == "file/image"
    known = {name: attribute.values[0] for name, attribute in (items[0].attributes or {}).items()}
    assert known["filename"] == "a.9"
    assert known["extension"] == ".png"
    assert known["directory"] == str(files)
    assert known["size"] == 7
    assert known["modtime"] > 0
    assert Trait.AUTOMATIC in items[0].traits


@pytest.mark.usefixtures("files")
def test_recursive_folders_directories_and_tags(bench: NodeBench) -> None:
    assert names(bench, pattern="$HIP/*.png", recursive=True) == ["a.9", "a.10", "c.3"]
    assert names(bench, pattern="**/c.*") == ["c.3"]
    assert names(bench, pattern="*", filetypes="directories") == ["sub"]
    assert len(names(bench, pattern="*", filetypes="both")) == 4
    (item,) = bench.make(bench.node("t", "filepattern", pattern="b*", tag="file/notes"))
    assert (item.outputs or [])[0].tag == "file/notes"


@pytest.mark.usefixtures("files")
def test_a_sequence_number_becomes_index_and_frame(bench: NodeBench) -> None:
    items = bench.make(bench.node("f", "filepattern", pattern="a.*.png", indexfromfilesequence=True))
    assert [(item.index, item.frame) for item in items] == [(9, 9.0), (10, 10.0)]


@pytest.mark.usefixtures("files")
def test_unsplit_files_share_one_item(bench: NodeBench) -> None:
    (item,) = bench.make(bench.node("f", "filepattern", pattern="*.png", split=False))
    assert len(item.outputs or ()) == 2


def test_no_match_makes_nothing_unless_it_is_an_error(bench: NodeBench) -> None:
    assert bench.make(bench.node("f", "filepattern", pattern="*.nothing")) == []
    result = bench.generate(bench.node("g", "filepattern", pattern="*.nothing", errornomatch=True))
    assert "no file matches" in str(result.problems[0])
    result = bench.generate(bench.node("h", "filepattern"))
    assert '"pattern" is empty' in str(result.problems[0])
    result = bench.generate(bench.node("i", "filepattern", pattern="*", filetypes="links"))
    assert '"filetypes"' in str(result.problems[0])


@pytest.mark.usefixtures("files")
def test_a_pattern_with_attributes_looks_once_per_upstream_item(bench: NodeBench) -> None:
    source = bench.node("w", "wedge", wedgeattributes=[{"name": "letter", "values": ["a", "b"]}])
    bench.make(source)
    node = bench.node("f", "filepattern", [source], pattern="`@letter`.*")
    items = bench.make(node, static=False, each=True)
    assert [(item.attributes or {})["letter"].values[0] for item in items] == ["a", "a", "b"]
    assert items[2].dependencies == [source.items[1]]
    assert [item.index for item in items] == [0, 1, 1]


@pytest.mark.usefixtures("files")
def test_a_plain_pattern_is_blocked_by_what_failed_upstream(bench: NodeBench) -> None:
    source = bench.node("g", "genericgenerator", itemcount=2)
    good, bad = bench.make(source)
    good.state, bad.state = WorkItemState.CookedSuccess, WorkItemState.CookedFail
    items = bench.make(bench.node("f", "filepattern", [source], pattern="*.png"), static=False)
    assert [item.dependencies for item in items] == [[bad], [bad]]
    assert all(item.parent is None for item in items)


@pytest.mark.parametrize(
    ("pattern", "asked", "when"),
    [
        ("*.png", "automatic", GenerateWhen.AllUpstreamCooked),
        ("*.png", "dynamic", GenerateWhen.AllUpstreamCooked),
        ("`@x`/*.png", "automatic", GenerateWhen.EachUpstreamCooked),
        ("f.$F4.png", "automatic", GenerateWhen.EachUpstreamCooked),
        ("$FOLDER/*.png", "automatic", GenerateWhen.AllUpstreamCooked),
        ("me@@home/*.png", "eachcooked", GenerateWhen.AllUpstreamCooked),
        ("*.png", "static", GenerateWhen.AllUpstreamGenerated),
        ("@x", 2, GenerateWhen.AllUpstreamCooked),
    ],
)
def test_with_an_input_it_looks_when_upstream_has_cooked(
    bench: NodeBench, pattern: str, asked: object, when: GenerateWhen
) -> None:
    source = bench.node("s", "genericgenerator")
    node = bench.node("f", "filepattern", [source], pattern=pattern, pdg_workitemgeneration=asked)
    plans = plan_generation([node], lambda node: type(bench.instance(node)))
    assert plans[node].when is when
    assert plans[node].static is (when is GenerateWhen.AllUpstreamGenerated)
    assert plans[source].static
