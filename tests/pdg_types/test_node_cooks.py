"""The node types in real cooks: real jobs, real files, through network files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from topcook.factory.scan import Factory
from topcook.model.states import WorkItemState
from topcook.model.workitem import WorkItem
from topcook.runtime.cook import Cook
from topcook.runtime.netfile import load_network


def cook(factory: Factory, folder: Path, text: str) -> tuple[Cook, dict[str, list[WorkItem]]]:
    """Cook a network to its end; the cook, and the items by node."""
    path = folder / "net.toml"
    path.write_text(text)
    context = load_network(path, factory=factory)
    try:
        done = context.prepare()
        done.run()
        return done, {name: list(node.items) for name, node in context.core.network.nodes.items()}
    finally:
        context.close()


def test_items_that_jobs_find_out_appear_gather_and_are_read_in_process(builtins: Factory, tmp_path: Path) -> None:
    done, items = cook(
        builtins,
        tmp_path,
        r'''
[network]
name = "dynamic"

[nodes.variants]
type = "wedge"
parms.wedgeattributes = [{ name = "variant", values = ["a", "b"] }]

[nodes.write]
type = "genericgenerator"
inputs = ["variants"]
parms.framerange = [1, 3, 1]
parms.command = "mkdir -p __PDG_DIR__/@variant; echo $F > __PDG_DIR__/`@variant`/f.$F4.txt"

[nodes.found]
type = "filepattern"
inputs = ["write"]
parms.pattern = "__PDG_DIR__/`@variant`/f.$F4.txt"

[nodes.groups]
type = "partitionbyattribute"
inputs = ["found"]
parms.attributes = [{ name = "variant" }]

[nodes.sum]
type = "pythonscript"
inputs = ["groups"]
parms.script = """
from pathlib import Path
numbers = [int(Path(file.path).read_text()) for file in work_item.inputFiles]
work_item.setIntAttrib("sum", sum(numbers))
"""
''',
    )
    assert (done.outcome, [message.text for message in done.messages]) == ("cooked", [])
    assert [len(items[name]) for name in ("variants", "write", "found", "groups", "sum")] == [2, 6, 6, 2, 2]
    assert [(item.attributes or {})["sum"].values for item in items["sum"]] == [(6,), (6,)]
    assert {str((item.attributes or {})["variant"].values[0]) for item in items["sum"]} == {"a", "b"}


def test_a_script_job_reports_files_and_attributes_to_what_comes_after(builtins: Factory, tmp_path: Path) -> None:
    done, items = cook(
        builtins,
        tmp_path,
        r'''
[network]
name = "reports"

[nodes.job]
type = "pythonscript"
parms.inprocess = false
parms.script = """
with open("made.txt", "w") as file:
    file.write("hello")
work_item.addOutputFile("made.txt", "file/text")
work_item.setStringAttrib("word", "heard")
"""

[nodes.copy]
type = "genericgenerator"
inputs = ["job"]
parms.pdg_workitemgeneration = "dynamic"
parms.command = "cp '@pdg_input' '@word.txt'"

[nodes.late]
type = "genericgenerator"
inputs = ["job"]
parms.command = "cp '@pdg_input' late.txt"
''',
    )
    assert (done.outcome, [message.text for message in done.messages]) == ("cooked", [])
    assert (tmp_path / "heard.txt").read_text() == "hello"
    assert (tmp_path / "late.txt").read_text() == "hello"
    assert items["late"][0].command.startswith("cp '")


def test_a_failing_snippet_refuses_the_cook_and_names_the_line_of_the_file(builtins: Factory, tmp_path: Path) -> None:
    done, items = cook(
        builtins,
        tmp_path,
        r'''
[network]
name = "broken"

[nodes.first]
type = "pythonprocessor"
parms.generate = """
for number in range(3):
    item_holder.addWorkItem(index=number)
boom = 1 / 0
"""

[nodes.second]
type = "genericgenerator"
parms.command = "echo @nothing"
''',
    )
    assert done.outcome == "refused"
    assert items["first"] == []
    assert sorted(problem.line or 0 for problem in done.generation_problems) == [10, 15]
    assert all(problem.path == str(tmp_path / "net.toml") for problem in done.generation_problems)


def test_what_a_built_in_type_refuses_is_told_at_the_parm_of_the_network(builtins: Factory, tmp_path: Path) -> None:
    done, _ = cook(
        builtins,
        tmp_path,
        """
[network]
name = "refused"
[nodes.frames]
type = "genericgenerator"
parms.command = "true"
parms.framerange = [10, 1, 1]
""",
    )
    (problem,) = done.generation_problems
    assert problem.place == f"{tmp_path / 'net.toml'}:7"
    assert "has no frames" in problem.message


def test_items_of_a_chain_and_a_fan_run_after_what_they_wait_for(builtins: Factory, tmp_path: Path) -> None:
    rows = [{"name": "last", "inprocess": True, "dependencies": [f"leaf{number}" for number in range(300)]}]
    rows += [{"name": f"leaf{number}", "inprocess": True, "dependencies": ["root"]} for number in range(300)]
    rows += [{"name": "root", "command": "true"}]
    rows += [{"name": f"c{n}", "inprocess": True, "dependencies": [f"c{n - 1}"] if n else ["last"]} for n in range(300)]
    (tmp_path / "items.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    done, items = cook(
        builtins,
        tmp_path,
        """
[network]
name = "dag"
[nodes.dag]
type = "itemgraph"
parms.file = "items.jsonl"
""",
    )
    assert done.outcome == "cooked"
    assert len(items["dag"]) == 602
    for item in items["dag"]:
        assert item.state is WorkItemState.CookedSuccess
        for needed in item.dependencies:
            assert needed.ran().finished is not None
            assert (item.ran().started or 0.0) >= (needed.ran().finished or 0.0)


@pytest.mark.parametrize("pattern", ["late", "early"])
def test_a_mapped_item_waits_for_both_sides(builtins: Factory, tmp_path: Path, pattern: str) -> None:
    done, items = cook(
        builtins,
        tmp_path,
        f"""
[network]
name = "map"
[nodes.textures]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "sleep {0.2 if pattern == "late" else 0}; echo t > t.@pdg_index"
parms.outputs = [{{ path = "__PDG_DIR__/t.@pdg_index", tag = "file/image" }}]
[nodes.models]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "echo m > m.@pdg_index"
parms.outputs = [{{ path = "__PDG_DIR__/m.@pdg_index", tag = "file/geo" }}]
[nodes.both]
type = "mapbyindex"
inputs = ["textures", "models"]
[nodes.join]
type = "genericgenerator"
inputs = ["both"]
parms.command = "cat '@pdg_input.0' '@pdg_input.1' > j.@pdg_index"
""",
    )
    assert done.outcome == "cooked"
    assert len(items["join"]) == 2
    assert (tmp_path / "j.1").read_text() == "m\nt\n"
