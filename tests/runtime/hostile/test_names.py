"""Names and values that no program likes, through a whole cook with jobs of their own, and into the report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from topcook.runtime.api import GraphContext
from topcook.runtime.report import write_report
from topcook.testkit.cookbench import CookBench

NASTY = {
    "blanks": " two  blanks ",
    "quotes": 'it\'s "quoted" `here` \\',
    "newlines": "one\ntwo\r\nthree",
    "tab": "a\tb",
    "unicode": "Grüße 東京 🍳 é",
    "right to left": "\u202eabc\u2066",
    "no utf-8": "\udcff\udc80 bytes",
    "dash": "-rf",
    "two dashes": "--help",
    "long": "x" * 300,
    "dollar": "$HOME ${PATH} %PATH% @pdg_index",
    "pattern": "*?[a-z]{b,c}~!#&;|<>()",
    "dots": "../../..",
    "control": "\x01\x1b[31m\x7f",
}
#: What the job is given it writes back: by its data file, in an attribute and as a file of that name.
JOB = """
import os, sys
import pdgcmd, pdgjson
item = pdgjson.WorkItem.fromJobEnvironment()
value = item.stringAttribValue("value")
pdgcmd.setStringAttrib("answer", value)
name = value.replace("/", "_")[:200] + ".txt"
path = os.path.join(os.environ["PDG_DIR"], "made", name)
with open(path, "wb") as stream:
    stream.write(os.fsencode(name))
pdgcmd.addOutputFile(path)
print(ascii(value))
"""


@pytest.fixture
def context(bench: CookBench) -> GraphContext:
    made = bench.opened(GraphContext("net", hip=str(bench.folder), factory=bench.factory()))
    made.addScheduler("localscheduler", "local")
    made.setDefaultScheduler("local")
    (bench.folder / "made").mkdir()
    (bench.folder / "job.py").write_text(JOB)
    return made


def test_values_and_file_names_arrive_as_they_were_given(context: GraphContext, tmp_path: Path) -> None:
    context.addNode("genericgenerator", "hand")
    items = {
        kind: context.addWorkItem("hand", command=f"{sys.executable} {tmp_path}/job.py", attributes={"value": value})
        for kind, value in NASTY.items()
    }
    assert context.cook(), context._cook.messages
    for kind, item in items.items():
        # An attribute that a job reports is text: what is none of it becomes a question mark. A path keeps its bytes.
        assert item.stringAttribValue("answer") == NASTY[kind].encode("utf-8", "replace").decode(), kind
        assert item.stringAttribValue("value") == NASTY[kind]
        (made,) = item.outputFiles
        assert Path(made.path).is_file(), kind
        assert Path(made.path).name == NASTY[kind].replace("/", "_")[:200] + ".txt"
    write_report(context._cook, str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["items"]) == len(NASTY)


def test_items_have_names_that_no_file_system_likes(context: GraphContext, tmp_path: Path) -> None:
    context.addNode("genericgenerator", "hand")
    items = [
        context.addWorkItem("hand", name=value, command="echo hello") for kind, value in NASTY.items() if kind != "long"
    ]
    assert context.cook(), context._cook.messages
    assert {item.state.name for item in items} == {"CookedSuccess"}
    write_report(context._cook, str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert len({item["name"] for item in report["items"]}) == len(items)


@pytest.mark.parametrize("length", [300, 5000])
def test_an_item_with_a_name_longer_than_a_file_may_have_fails_and_says_why(context: GraphContext, length: int) -> None:
    context.addNode("genericgenerator", "hand")
    long = context.addWorkItem("hand", name="n" * length, command="echo hello")
    other = context.addWorkItem("hand", name="short", command="echo hello")
    context.cook()
    assert other.state.name == "CookedSuccess"
    # A file of its own, its log or its data, cannot be made; no name is cut, since two could become one.
    assert long.state.name == "CookedFail"
    assert "File name too long" in "\n".join(long.record.ran().messages)
