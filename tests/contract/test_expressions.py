"""What parms may say about an item."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.env import expand_vars
from topcook.contract.expressions import BUILT_IN, expand, needs_inputs, parse
from topcook.errors import ExpressionError
from topcook.model.files import File
from topcook.model.workitem import WorkItem
from topcook.testkit import FakeGraph


@pytest.fixture
def graph() -> FakeGraph:
    return FakeGraph(hip="/show/net", environment={"SHOT": "s010", "HOME": "/home/me"})


@pytest.fixture
def item(graph: FakeGraph) -> WorkItem:
    parent = graph.add_item(node="wedge")
    parent.outputs = [File("__PDG_DIR__/a.exr"), File("/b.exr")]
    made = graph.add_item(
        node="render",
        index=7,
        frame=1001.0,
        dependencies=[parent],
        angle=12.5,
        whole=3.0,
        color=[0.25, 1.0, 0.0],
        shot="s010",
        info={"a": 1},
        plate=File("/plate.exr"),
    )
    made.expected_outputs = [File("/out.png")]
    return made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain text", "plain text"),
        ("@angle", "12.5"),
        ("@whole", "3"),
        ("@color", "0.25 1 0"),
        ("@color.0/@color.2", "0.25/0"),
        ("@info", '{"a": 1}'),
        ("@plate", "/plate.exr"),
        ("out/@shot.png", "out/s010.png"),
        ("out_@pdg_index", "out_7"),
        ("@pdg_name @pdg_id @pdg_index @pdg_label @pdg_node", "render_2 2 7 render_2 render"),
        ("@pdg_frame", "1001"),
        ("beauty.$F4.exr $F $F6 ${F4} $FF", "beauty.1001.exr 1001 001001 1001 1001"),
        ("padzero(4, @pdg_index)", "0007"),
        ("x`padzero(6, @pdg_frame)`y", "x001001y"),
        ("padzero(3,$F) padzero(3, 5)", "1001 005"),
        ("`@shot`_v2", "s010_v2"),
        ("` @shot `", "s010"),
        ("@pdg_index.1001.exr", "7.1001.exr"),
        ("@pdg_input @pdg_input.1 @pdg_inputsize", "__PDG_DIR__/a.exr /b.exr 2"),
        ("@pdg_output", "/out.png"),
        ("me@@example.org @@pdg_index", "me@example.org @pdg_index"),
        ("@@@shot", "@s010"),
        ("a @ b @1 $ $1 $$", "a @ b @1 $ $1 $$"),
        ("$HIP/x $SHOT ${SHOT}y $NOWHERE ${NOWHERE}", "/show/net/x s010 s010y $NOWHERE ${NOWHERE}"),
        (r"echo \$HOME $HOME", r"echo \$HOME /home/me"),
        ("`date +%s` @shot", "`date +%s` s010"),
        ("`echo @shot`", "`echo s010`"),
        ("one ` tick", "one ` tick"),
        ("__PDG_PYTHON__ @shot __PDG_DIR__", "__PDG_PYTHON__ s010 __PDG_DIR__"),
    ],
)
def test_text_is_expanded(text: str, said: str, item: WorkItem, graph: FakeGraph) -> None:
    assert expand(text, item, graph) == said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frames/@shto.png", ['no attribute "shto"', '"@shot"', "it has: angle", "frames/@shto.png", "@@"]),
        ("me@example.org", ['no attribute "example"', 'a literal "@" is written "@@"']),
        ("@shot_v2", ["`@shot`_v2"]),
        ("@index", ['"@pdg_index"']),
        ("@color.3", ["3 components, no .3"]),
        ("@shot.1001.exr", ["1 components, no .1001", "`@shot`"]),
        ("@pdg_input.2", ["2 input files, no @pdg_input.2"]),
        ("padzero(4, @shot)", ["no number"]),
        ("`@pdg_index+1`", ["cannot be read"]),
    ],
)
def test_a_mistake_says_what_the_item_has(text: str, words: list[str], item: WorkItem, graph: FakeGraph) -> None:
    with pytest.raises(ExpressionError) as caught:
        expand(text, item, graph)
    assert [word for word in words if word not in str(caught.value)] == []


def test_all_mistakes_of_a_text_are_told_at_once(item: WorkItem, graph: FakeGraph) -> None:
    with pytest.raises(ExpressionError, match=r"(?s)one.*two"):
        expand("@one @two", item, graph)


def test_an_item_without_a_frame_says_so_and_leaves_the_variable(graph: FakeGraph) -> None:
    item = graph.add_item()
    assert expand("$F4 ${F}", item, graph) == "$F4 ${F}"
    with pytest.raises(ExpressionError, match="no frame"):
        expand("@pdg_frame", item, graph)


def test_values_are_not_expanded_again(graph: FakeGraph) -> None:
    item = graph.add_item(sly="@@ $HOME @pdg_id `@pdg_id`")
    assert expand("@sly", item, graph) == "@@ $HOME @pdg_id `@pdg_id`"


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("@pdg_input", True),
        ("x`@pdg_input.1`", True),
        ("@pdg_inputsize", True),
        ("@@pdg_input", False),
        ("@pdg_inputs", False),
        ("@pdg_index", False),
        ("padzero(2, @pdg_inputsize)", True),
    ],
)
def test_inputs_are_needed_only_where_they_are_named(text: str, needed: bool) -> None:
    assert needs_inputs(text) is needed


def test_expected_files_stand_in_until_the_parent_has_cooked(graph: FakeGraph) -> None:
    parent = graph.add_item()
    parent.expected_outputs = [File("/will/be.png")]
    child = graph.add_item(dependencies=[parent])
    assert expand("@pdg_input", child, graph) == "/will/be.png"
    parent.outputs = [File("/is.png")]
    assert expand("@pdg_input", child, graph) == "/is.png"


PIECES = st.sampled_from(
    [
        "@",
        "@@",
        "$",
        "`",
        ".",
        "padzero(",
        "4, ",
        ")",
        "pdg_index",
        "name",
        "shot",
        "\\",
        "{",
        "}",
        "F4",
        "é",
        "\0",
        "\n",
        " ",
        "1",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
def test_any_text_gives_text_or_a_clear_error(text: str) -> None:
    graph = FakeGraph(environment={})
    item = graph.add_item(shot="s010", frame=1.0)
    with contextlib.suppress(ExpressionError):
        assert isinstance(expand(text, item, graph), str)


@given(st.text(alphabet=st.characters(exclude_characters="@$`", exclude_categories=("Cs",))))
def test_doubling_the_sign_writes_any_text(text: str) -> None:
    graph = FakeGraph(environment={})
    if "padzero" not in text:
        assert expand("@@" + text, graph.add_item(), graph) == "@" + text


@given(st.text())
def test_variables_alone_never_raise(text: str) -> None:
    assert isinstance(expand_vars(text, {"A": "1"}), str)


@given(st.text(alphabet=st.characters(exclude_characters="@$`\\", exclude_categories=("Cs",))))
def test_text_without_signs_is_one_literal(text: str) -> None:
    if "padzero" not in text:
        assert "".join(map(str, parse(text))) == text


def test_every_built_in_name_answers(item: WorkItem, graph: FakeGraph) -> None:
    for name in BUILT_IN:
        assert expand(f"@{name}", item, graph)


def rows_of_the_docs() -> list[tuple[str, str]]:
    text = (Path(__file__).parents[2] / "docs/expressions.md").read_text("utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [(row[0].removeprefix("| ").strip("`").strip(), row[1].strip("`").strip()) for row in rows]


def test_every_row_of_the_docs_is_true(item: WorkItem, graph: FakeGraph) -> None:
    rows = rows_of_the_docs()
    item.dependencies[0].outputs = [File("/in.exr")]
    graph.network.hip = "/net"
    graph._environment.update(HIP="/net", SHOW="demo")
    found = [(text, expand(_ticked(text), item, graph)) for text, _ in rows]
    assert found == [(text, _ticked(said)) for text, said in rows]
    assert len(rows) > 10


def _ticked(text: str) -> str:
    """Markdown's double backticks were taken off with the single ones they protect."""
    starts = {"@shot`_v2": "`@shot`_v2", "date +%s": "`date +%s`"}
    return starts.get(text, text)
