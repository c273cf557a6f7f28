"""What items write that nearly have one name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdgjob._paths import fileStem
from topcook.author import file_stem
from topcook.testkit.cookbench import CookBench

NETWORK = """
    [network]
    name = "net"
    scheduler = "any"
    [schedulers.any]
    type = "TYPE"
    [nodes.hand]
    type = "genericgenerator"
"""
NAMES = ["a/b", "a_b", "a\\b", "a//b", "a__b", "shot.10 ü"]
SCRIPT = """import pdgcmd, pdgjson
item = pdgjson.WorkItem.fromJobEnvironment()
print("said by", item.name, item.id)
item.setStringAttrib("told", item.name)
"""


@pytest.mark.parametrize("kind", ["localscheduler", "queuefarm"])
def test_items_whose_names_differ_by_a_slash_have_data_and_logs_of_their_own(bench: CookBench, kind: str) -> None:
    (bench.folder / "job.py").write_text(SCRIPT)
    context = bench.load(NETWORK.replace("TYPE", kind))
    command = f'"__PDG_PYTHON__" "{bench.folder}/job.py"'
    for name in NAMES:
        context.addWorkItem("hand", name=name, command=command, attributes={"size": [1, 2]})
    done = bench.cook(context)
    assert done.outcome == "cooked", done.account
    for item, name in zip(done.items("hand"), NAMES, strict=True):
        assert item.attributes is not None
        assert item.attributes["told"].values == (name,)
        log = Path(unquote(urlsplit(item.ran().log_uri).path))
        said = [line for line in log.read_text().splitlines() if line.startswith("said by")]
        assert said == [f"said by {name} {item.id}"]


@given(st.text(), st.text())
def test_files_of_distinct_items_have_distinct_names(one: str, other: str) -> None:
    for name in (one, other):
        assert file_stem(name) == fileStem(name)
        assert "/" not in file_stem(name)
    assert (file_stem(one) == file_stem(other)) == (one == other)
