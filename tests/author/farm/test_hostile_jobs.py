"""What a job writes where its wrapper writes holds up neither its own item nor others."""

from __future__ import annotations

import sys

import pytest

from tests.author.farm.conftest import network
from tests.author.farm.test_cooks import DEAF
from topcook.testkit.cookbench import CookBench, Cooked

GARBAGE = """
import os, sys
deep = "[" * 100000
lines = ["garbage", "[]", '{"a": 1}', "[1, 2, 3]", '["set_int_attrib", 1]', deep, '["set_cook_percent", 1, 1, -1, 0.5]']
with open(os.environ["PDG_REPORT_SPOOL"], "w") as stream:
    stream.write("\\n".join(lines))
sys.exit(4)
"""
#: It says how it ended, and kills who would say otherwise.
FORGED = """
import os, sys
path = os.environ["PDG_REPORT_SPOOL"].replace(".reports", ".json")
with open(path, "w") as stream:
    stream.write(sys.argv[1])
os.kill(os.getppid(), 9)
"""


def cook(bench: CookBench, text: str, *arguments: str, kind: str) -> Cooked:
    bench.types("deaf", DEAF)
    script = bench.folder / "job.py"
    script.write_text(text)
    for place, argument in enumerate(arguments):
        (bench.folder / str(place)).write_text(argument)
    words = "".join(f' "$(cat {place})"' for place in range(len(arguments)))
    more = """
        [nodes.other]
        type = "genericgenerator"
        parms.command = "true"
    """
    net = network(f"sh -c '{sys.executable} {script}{words}'".replace('"', '\\"'), parms="", more=more)
    return bench.cook(net.replace("queuefarm", kind))


@pytest.mark.parametrize("kind", ["queuefarm", "deaffarm"])
def test_garbage_among_what_a_job_could_not_report_hides_no_end(kind: str, bench: CookBench) -> None:
    done = cook(bench, GARBAGE, kind=kind)
    (item,), (other,) = done.items("work"), done.items("other")
    assert (item.state.name, item.ran().exit_status, item.ran().messages) == ("CookedFail", 4, ["exit status 4"])
    assert other.state.name == "CookedSuccess", done.messages


@pytest.mark.parametrize(
    "end",
    [
        '{"state": "succeeded", "exit": "none"}',
        '{"state": "succeeded", "exit": 0, "began": 1.0, "at": "later"}',
        '{"state": "failed", "exit": 0, "began": 1.0, "at": Infinity}',
        '{"state": "canceled", "exit": []}',
        "[" * 100000,
    ],
)
def test_an_end_that_no_wrapper_has_written_is_none(end: str, bench: CookBench) -> None:
    done = cook(bench, FORGED, end, kind="deaffarm")
    (item,), (other,) = done.items("work"), done.items("other")
    # What the farm says of the job's process counts.
    assert item.state.name == "CookedFail", (item.ran().messages, done.messages)
    assert other.state.name == "CookedSuccess", done.messages
