"""A farm whose machines know the working directory under another name: what its jobs get, and what comes back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.author.farm.conftest import EXAMPLE
from topcook.testkit.cookbench import CookBench
from topcook.testkit.processfarm import ProcessFarm

NETWORK = """
[network]
name = "net"
scheduler = "queue"
files = ["job.py", "tex"]
[schedulers.queue]
type = "queuefarm"
[schedulers.queue.parms]
localsharedroot = "{here}"
remotesharedroot = "{there}"
pdg_workingdir = "show"
queue_poll = 0.2
pdg_tickperiod = 0.05
[nodes.a]
type = "genericgenerator"
parms.command = '__PDG_PYTHON__ "__PDG_DIR__/job.py" "__PDG_TEMP__" "{here}/show/tex"'
parms.outputs = [ {{ path = "__PDG_DIR__/a.txt", tag = "file/txt" }} ]
[nodes.b]
type = "genericgenerator"
inputs = ["a"]
parms.command = '__PDG_PYTHON__ "__PDG_DIR__/job.py" "@pdg_input"'
"""
#: Writes down all that it was told, and what it finds under those names.
JOB = """
import json, os, sys
sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
import pdgcmd, pdgjson
item = pdgjson.WorkItem.fromJobEnvironment()
told = {name: os.environ[name] for name in os.environ if name.startswith("PDG_")}
inputs = [pdgcmd.localizePath(path) for path, *_ in item.inputResultData]
path = os.path.join(os.environ["PDG_DIR"], item.name + ".json")
with open(path, "w") as stream:
    json.dump({"argv": sys.argv, "told": told, "inputs": inputs, "there": [os.path.exists(each) for each in inputs]}, stream)
pdgcmd.addOutputFile(path, result_data_tag="file/json")
item.setFileAttrib("found", path)
with open(os.path.join(os.environ["PDG_DIR"], "a.txt"), "w") as stream:
    stream.write("a")
print("said over there")
"""


@pytest.fixture
def views(tmp_path: Path) -> tuple[Path, Path]:
    """One directory under two names."""
    (tmp_path / "here" / "show").mkdir(parents=True)
    (tmp_path / "there").symlink_to("here")
    (tmp_path / "tex").mkdir()
    (tmp_path / "tex" / "wood").write_text("wood")
    (tmp_path / "job.py").write_text(JOB)
    return tmp_path / "here", tmp_path / "there"


def test_jobs_get_their_own_names_of_everything_and_what_they_tell_comes_back_in_ours(
    tmp_path: Path, views: tuple[Path, Path]
) -> None:
    here, there = views
    bench = CookBench(tmp_path)
    shutil.copy(EXAMPLE, bench.types_dir)
    with ProcessFarm(tmp_path / "farm") as farm:
        done = bench.cook(NETWORK.format(here=here, there=there))
        jobs = list(farm.jobs().values())
    assert done.outcome == "cooked", done.account
    assert (here / "show" / "tex" / "wood").read_text() == "wood"
    # What the engine was told, and the job: nothing in our view but the rule that leads to theirs.
    assert not any(str(here) in word for job in jobs for word in job["argv"])
    for node in "ab":
        (item,) = done.items(node)
        found = json.loads((here / "show" / f"{item.name}.json").read_text())
        rules = json.loads(found["told"].pop("PDG_PATHMAP"))["paths"]
        assert [list(rule) for rule in rules] == [[str(here / "show")]]
        assert str(here) not in json.dumps([found["argv"], found["told"], found["inputs"]])
        assert all(found["there"])
        assert (here / "show" / f"{item.name}.json").as_posix() in {file.path for file in item.outputs or ()}
        assert done.context.core.host("queue").instance.localizePath(
            (item.attributes or {})["found"].values[0].path
        ) == str(here / "show" / f"{item.name}.json")
        log = Path(item.ran().log_uri.removeprefix("file://"))
        assert log.is_relative_to(here)
        assert "said over there" in log.read_text()
    bench.close()
    (second,) = done.items("b")
    argv = json.loads((here / "show" / f"{second.name}.json").read_text())["argv"]
    assert argv == [f"{there}/show/job.py", f"{there}/show/a.txt"]
