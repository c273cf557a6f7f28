"""Save To Python by command: the file is whole, tidy, and cooks the network as its node did."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NETWORK = """
[network]
scheduler = "farm"

[schedulers.farm]
type = "pythonscheduler"

[[schedulers.farm.spare]]
name = "farm_shell"
label = "Shell"
value = "/bin/sh"
tags = ["jobParm"]
help = "The shell of a job."

[[schedulers.farm.spare]]
name = "limits"
type = "integer"
size = 2
value = [1, 3]

[[schedulers.farm.spare]]
name = "password"
secret = true

[schedulers.farm.parms]
pdg_tickperiod = 0.05
bare = "value"
onstart = '''
global subprocess, jobs
import subprocess

jobs = {}
self.ends = ["it's", "over"]
return True
'''
onstop = "return True"
onstartcook = "return True"
onstopcook = '''
	for process in jobs.values():
		process.kill()
	return True
'''
onschedule = '''
    node = work_item.node
    shell = self.evaluateStringOverride(node, "farm", "shell", work_item, "")
    if len(jobs) >= self["limits"].evaluateInt(None, 1):
        return pdg.scheduleResult.Deferred
    self.createJobDirsAndSerializeWorkItems(work_item)
    env = {}
    self.addCommonJobEnvVars(env, work_item)
    command = f\"\"\"
set -e
{self.expandCommandTokens(work_item.command, work_item)}
\"\"\"
    folder = self.workingDir(True)
    job = subprocess.Popen([shell, "-c", command], env=env, cwd=folder)
    jobs[work_item.id] = job
    self.onWorkItemStartCook(work_item.id, -1)
    return pdg.scheduleResult.Succeeded
'''
onschedulestatic = "print(len(dependencies), ready_items)"
ontick = '''
for key, process in list(jobs.items()):
    if process.poll() is None:
        continue
    del jobs[key]
    if process.returncode:
        self.onWorkItemFailed(key, -1)
    else:
        self.onWorkItemSucceeded(key, -1, 0)
return pdg.tickResult.SchedulerReady
'''
workingdir = '''
if local:
    return self["pdg_workingdir"].evaluateString()
else:
    # as the farm sees it
'''
localizepath = 'return super().localizePath(path)'
transferfile = 'return self.transferFile(file_path)'
getloguri = 'return ""'
getstatusuri = 'return "http://farm/" + work_item.name'

[nodes.work]
type = "genericgenerator"
parms.itemcount = 4
parms.command = "test @pdg_index -ne 2"

[nodes.after]
type = "genericgenerator"
inputs = ["work"]
parms.command = "echo @pdg_index > after_@pdg_index.txt"
"""
#: The file's own facts, not the node's.
CHANGING = ("queued", "started", "finished", "duration", "log_uri")


class Runner:
    """Runs `topcook` in a folder with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "HOME": str(folder / "home"), "XDG_DATA_HOME": str(folder / "data")}
        self.env.pop("PDG_TYPES_PATH", None)

    def __call__(self, *args: str, status: int = 0, types: str = "") -> subprocess.CompletedProcess[str]:
        env = {**self.env, "PDG_TYPES_PATH": types} if types else self.env
        done = subprocess.run(
            [sys.executable, "-m", "topcook", *args],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def report(self, network: str, *, types: str = "") -> dict[str, Any]:
        self("cook", network, "--report", "report.json", status=1, types=types)
        loaded: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return loaded


@pytest.fixture
def topcook(tmp_path: Path) -> Runner:
    (tmp_path / "net.toml").write_text(NETWORK)
    return Runner(tmp_path)


def with_saved_type(text: str) -> str:
    """The network without the node's fields and parms: all that the saved type brings itself."""
    before, rest = text.split("[[schedulers.farm.spare]]", 1)
    return before.replace("pythonscheduler", "farm") + "[nodes.work]" + rest.split("[nodes.work]", 1)[1]


def test_the_saved_type_cooks_the_network_as_the_node_does(topcook: Runner, tmp_path: Path) -> None:
    topcook("save", "net.toml", "farm", "-o", "types/farm.py")
    (tmp_path / "saved.toml").write_text(with_saved_type(NETWORK).replace("[network]", '[network]\nname = "net"'))
    before = topcook.report("net.toml")
    after = topcook.report("saved.toml", types="types")
    assert before["counts"] == {"CookedSuccess": 6, "CookedFail": 1, "Waiting": 1}
    for report in (before, after):
        for key in ("started", "finished", "types"):
            del report[key]
        for key in ("type", "origin", "version"):
            del report["schedulers"]["farm"][key]
        for item in report["items"]:
            for key in CHANGING:
                del item[key]
    assert after == before


def test_the_saved_file_keeps_to_the_contract_and_to_good_manners(topcook: Runner, tmp_path: Path) -> None:
    topcook("save", "net.toml", "farm", "-o", "farm.py")
    topcook("check", "--strict", "farm.py")
    path = str(tmp_path / "farm.py")
    ruff = [sys.executable, "-m", "ruff"]
    told = subprocess.run([*ruff, "check", "--isolated", "--select", "E4,E7,E9,F,W,I,D1,UP,B,PIE", path], check=False)
    assert told.returncode == 0
    laid_out = subprocess.run(
        [*ruff, "format", "--isolated", "--diff", path], capture_output=True, text=True, check=False
    )
    assert not laid_out.stdout


def test_a_secret_stays_out_of_the_file_and_its_tag_stays_in(topcook: Runner, tmp_path: Path) -> None:
    topcook("save", "net.toml", "farm", "-o", "farm.py")
    assert '{"name": "password", "type": "String", "tag": ["secret"]}' in (tmp_path / "farm.py").read_text()


@pytest.mark.parametrize("where", ["types path", "own folder"])
def test_install_puts_it_where_it_is_found_and_says_where(topcook: Runner, tmp_path: Path, where: str) -> None:
    types = ""
    if where == "types path":
        (tmp_path / "mine").mkdir()
        types = os.pathsep.join([str(tmp_path / "missing"), str(tmp_path / "mine")])
    done = topcook("save", "net.toml", "farm", "--install", types=types)
    expected = tmp_path / ("mine/farm.py" if types else "data/topcook/types/farm.py")
    assert str(expected) in done.stdout
    assert re.search(r"Farm +farm +ok", topcook("list", types=types).stdout)


def test_nothing_is_overwritten_or_hidden_unasked(topcook: Runner, tmp_path: Path) -> None:
    (tmp_path / "farm.py").write_text("precious")
    assert "exists already" in topcook("save", "net.toml", "farm", "-o", "farm.py", status=2).stderr
    assert (tmp_path / "farm.py").read_text() == "precious"
    topcook("save", "net.toml", "farm", "-o", "farm.py", "--force")
    assert "class FarmScheduler" in (tmp_path / "farm.py").read_text()
    told = topcook("save", "net.toml", "farm", "--install", "--name", "localscheduler", status=2).stderr
    assert 'there is a scheduler type "localscheduler" already' in told


def test_what_has_no_fields_is_refused_with_the_reason(topcook: Runner, tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NETWORK + '[schedulers.here]\ntype = "localscheduler"\n')
    assert "is a Python file already" in topcook("save", "net.toml", "here", status=2).stderr
    assert 'it has: "farm", "here"' in topcook("save", "net.toml", "fram", status=2).stderr


def test_standard_output_and_another_name(topcook: Runner) -> None:
    text = topcook("save", "net.toml", "farm", "--name", "our-farm.v2").stdout
    assert "class OurFarmV2Scheduler(" in text
    assert 'return "our-farm.v2"' in text
    assert 'label="Our Farm V2"' in text


@pytest.mark.parametrize(("body", "written"), [("print(ready_items)", False), ("self.farm = ready_items", False)])
def test_the_static_outcome_is_kept(topcook: Runner, tmp_path: Path, body: str, written: bool) -> None:
    text = NETWORK.replace('"print(len(dependencies), ready_items)"', f'"{body}"')
    (tmp_path / "net.toml").write_text(text)
    topcook("save", "net.toml", "farm", "-o", "types/farm.py")
    assert ("staticCook" in (tmp_path / "types/farm.py").read_text()) is written
    listed = json.loads(topcook("list", "--json", types="types").stdout)
    record = next(each for each in listed["schedulers"] if each["name"] == "farm")
    assert record["static"]["takes"] is ("farm" in body)
