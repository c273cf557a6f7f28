"""pythonscript and pythonprocessor in process; test_node_pythonscript_job.py runs the job."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from topcook.contract.processor import PyProcessor
from topcook.model.files import File
from topcook.model.node import Node
from topcook.model.workitem import Trait
from topcook.testkit.nodebench import NodeBench

SCRIPT = """
    total = sum(n for n in range(4))
    def double(x):
        return [total * y for y in x]
    work_item.setIntAttrib("answer", double([7])[0])
    work_item.addOutputFile(f"{self.name}.txt", "file/text")
    work_item.setStringAttrib("parm", self["extraargs"].evaluateString(work_item))
"""


def placed(node: Node, path: Path, first: int) -> None:
    """Let the node's parms stand in a network file, from line ``first`` on."""
    node.places = lambda _parm, line: (str(path), first + line)


def test_a_script_runs_in_process_with_item_node_and_pdg(bench: NodeBench) -> None:
    node = bench.node("py", "pythonscript", script=SCRIPT, extraargs="of @pdg_name")
    (item,) = bench.make(node)
    assert Trait.IN_PROCESS in item.traits
    bench.cook(item)
    attributes = item.attributes or {}
    assert attributes["answer"].values == (42,)
    assert attributes["parm"].values == (f"of {item.name}",)
    assert item.outputs == [File("py.txt", "file/text")]


def test_each_item_has_its_own_names(bench: NodeBench) -> None:
    source = bench.node("g", "genericgenerator", itemcount=2)
    bench.make(source)
    node = bench.node("py", "pythonscript", [source], script="assert 'left' not in globals()\nleft = work_item.index")
    for item in bench.make(node):
        bench.cook(item)


def test_a_script_file_runs_with_its_own_path(bench: NodeBench, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("work_item.setStringAttrib('at', __file__)")
    (item,) = bench.make(bench.node("py", "pythonscript", file="$HIP/job.py"))
    bench.cook(item)
    assert (item.attributes or {})["at"].values == (str(tmp_path / "job.py"),)


def test_a_syntax_error_is_found_before_the_cook_at_its_line_of_the_network_file(
    bench: NodeBench, tmp_path: Path
) -> None:
    node = bench.node("py", "pythonscript", script="x = 1\ny = (\n")
    placed(node, tmp_path / "net.toml", 20)
    (problem,) = bench.generate(node).problems
    assert problem.place.startswith(f"{tmp_path / 'net.toml'}:21")
    assert 'node "py", parm "script"' in problem.message


@pytest.mark.parametrize("script", ["return 1", "x = '\0'"])
def test_what_only_the_compiler_refuses_has_a_place_too(bench: NodeBench, tmp_path: Path, script: str) -> None:
    node = bench.node("py", "pythonscript", script=f"\n\n{script}")
    placed(node, tmp_path / "net.toml", 20)
    (problem,) = bench.generate(node).problems
    assert problem.path == str(tmp_path / "net.toml")
    assert (problem.line or 0) >= 20


def test_a_traceback_quotes_the_line_of_the_network_file(bench: NodeBench, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('[nodes.py]\n[nodes.py.parms]\nscript = """\n    a = 1\n    b = a / 0\n"""\n')
    node = bench.node("py", "pythonscript", script="    a = 1\n    b = a / 0\n")
    placed(node, path, 4)
    (item,) = bench.make(node)
    with pytest.raises(ZeroDivisionError) as raised:
        bench.cook(item)
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.filename, last.lineno, last.line) == (str(path), 5, "b = a / 0")


def test_a_script_set_from_python_is_quoted_as_well(bench: NodeBench) -> None:
    (item,) = bench.make(bench.node("py", "pythonscript", script="a = 1\nraise KeyError('here')"))
    with pytest.raises(KeyError) as raised:
        bench.cook(item)
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.lineno, last.line) == (2, "raise KeyError('here')")


def test_one_of_script_and_file_is_needed(bench: NodeBench) -> None:
    for number, parms in enumerate(({}, {"script": "pass", "file": "x.py"})):
        assert 'one of "script"' in str(bench.generate(bench.node(f"n{number}", "pythonscript", **parms)).problems[0])
    (item,) = bench.make(bench.node("gone", "pythonscript", file="gone.py"))
    with pytest.raises(Exception, match="cannot be read"):
        bench.cook(item)


def test_a_job_gets_the_script_through_its_item(bench: NodeBench, tmp_path: Path) -> None:
    node = bench.node("py", "pythonscript", script="print(1)", inprocess=False, pythonargs="-E", extraargs="@pdg_index")
    placed(node, tmp_path / "net.toml", 7)
    (item,) = bench.make(node)
    assert item.command == '"__PDG_PYTHON__" -E "__PDG_SCRIPTDIR__/runscript.py" 0'
    assert (item.attributes or {})["pdg_script"].values == ("print(1)",)
    (child,) = bench.make(bench.node("next", "null", [node]))
    assert child.attributes is None
    (item,) = bench.make(bench.node("f", "pythonscript", file="my job.py", inprocess=False, pythonbin="hython"))
    assert item.command == '"__PDG_HYTHON__" "__PDG_SCRIPTDIR__/runscript.py" --file "__PDG_DIR__/my job.py"'


GENERATE = """
for parent in upstream_items or [None]:
    for number in range(2):
        item = item_holder.addWorkItem(parent=parent, index=number, inProcess=True)
        item.setStringAttrib("which", "abc"[number])
if self.parameter("nothing") is None:
    return pdg.result.Success
"""


def test_snippets_make_items_link_them_and_cook_them(bench: NodeBench) -> None:
    node = bench.node(
        "pp",
        "pythonprocessor",
        generate=GENERATE,
        pdg_command="do @which",
        outputs=[{"path": "`@which`.txt"}],
        addinternaldependencies="dependency_holder.addDependency(internal_items[1], internal_items[0])",
        cooktask="work_item.setIntAttrib('cooked', 1)\nreturn True",
    )
    first, second = bench.make(node)
    assert (first.command, second.command) == ("do a", "do b")
    assert [made.path for made in second.expected_outputs or ()] == ["b.txt"]
    assert second.dependencies == [first]
    bench.cook(first)
    assert (first.attributes or {})["cooked"].values == (1,)


def test_items_appear_after_upstream_has_cooked(bench: NodeBench) -> None:
    source = bench.node("g", "genericgenerator", itemcount=2)
    bench.make(source)
    node = bench.node("pp", "pythonprocessor", [source], generate=GENERATE)
    items = bench.make(node, static=False, each=True)
    assert [item.dependencies for item in items] == [[source.items[0]]] * 2 + [[source.items[1]]] * 2
    assert all(Trait.STATIC not in item.traits for item in items)


@pytest.mark.parametrize(
    ("generate", "said", "line"),
    [
        ("x = 1\nitem_holder.addWorkItem()\nx / 0", '"onGenerate" raised ZeroDivisionError: division by zero', 12),
        ("raise SystemExit(3)", '"onGenerate" raised SystemExit: 3', 10),
        ("\nitem_holder.addWorkItem(idnex=2)", 'did you mean "index"?', 11),
        ("return pdg.result.Failure", "answered pdg.result.Failure", None),
        ("self.cookError('no plates')\nreturn False", "no plates", None),
        ("return 'done'", "found str, expected pdg.result", None),
        ("yield 1", '"yield"', 10),
        ("def f(:\n", 'parm "generate"', 10),
        ("raise pdg.CookError('the shot has no camera')", "the shot has no camera", 10),
        ("item_holder.addWorkItem(name='a/b')", "cannot name a work item", 10),
        ("item_holder.addWorkItem(name='a')\nitem_holder.addWorkItem(name='a')", 'would be called "a"', 11),
        ("item_holder.addDependency(3, 4)", "found int where a work item", 10),
        ("item_holder.addWorkItem(batch=True)", "batch", 10),
    ],
)
def test_a_failing_snippet_makes_nothing_and_its_line_is_told(
    bench: NodeBench, tmp_path: Path, generate: str, said: str, line: int | None
) -> None:
    node = bench.node("pp", "pythonprocessor", generate=generate)
    placed(node, tmp_path / "net.toml", 10)
    result = bench.generate(node)
    assert result.items == []
    (problem,) = result.problems
    assert said in str(problem)
    if line:
        assert (problem.path, problem.line) == (str(tmp_path / "net.toml"), line)


def test_an_empty_generate_is_told(bench: NodeBench) -> None:
    assert '"generate" is empty' in str(bench.generate(bench.node("pp", "pythonprocessor")).problems[0])


def test_generating_again_runs_its_own_snippet_if_there_is_one(bench: NodeBench) -> None:
    node = bench.node("pp", "pythonprocessor", generate="self.told = 1", regeneratestatic="self.told = existing_items")
    instance: Any = bench.instance(node)
    instance.onRegenerateStatic(None, ["old"], [])
    assert instance.told == ["old"]
    plain = bench.node("plain", "pythonprocessor", generate="self.told = generation_type")
    instance = bench.instance(plain)

    class Holder:
        workItems: tuple[object, ...] = ()

    instance.onRegenerateStatic(Holder(), [], [])
    assert instance.told.name == "Regenerate"
    assert isinstance(instance, PyProcessor)
