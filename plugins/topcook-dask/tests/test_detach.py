"""A cook is let go: a cluster that somebody else has started goes on with its tasks, one of its own keeps the cook."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dask_bench import network, ours, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

JOB = """
import os, time
import pdgcmd, pdgjson
item = pdgjson.WorkItem.fromJobEnvironment()
name = f"{item.nodeName}_{item.index}"
with open("began", "a") as stream:
    stream.write(name + "\\n")
while not os.path.exists("gate"):
    time.sleep(0.05)
item.setIntAttrib("square", item.index ** 2)
pdgcmd.addOutputFile(os.path.abspath("began"))
"""
PYTHON = """
        [nodes.python]
        type = "pythonscript"
        parms.script = '''
import os, time
folder = work_item.localizePath("__PDG_DIR__")
with open(os.path.join(folder, "began"), "a") as stream:
    stream.write("python" + chr(10))
while not os.path.exists(os.path.join(folder, "gate")):
    time.sleep(0.05)
work_item.setIntAttrib("square", 49)
'''
"""
#: Seconds; engines take their time on a busy machine.
DEADLINE = 300


def names(path: Path) -> Counter[str]:
    return Counter(path.read_text().split()) if path.exists() else Counter()


def the_cook(bench: CookBench) -> dict[str, Any]:
    found = json.loads(bench.topcook("cooks", "--all", "--json").stdout)
    return next(dict(each) for each in found if each["network"] == str(bench.folder / "net.toml"))


def written(bench: CookBench, text: str) -> Path:
    (bench.folder / "job.py").write_text(JOB)
    (bench.folder / "net.toml").write_text(textwrap.dedent(text))
    return bench.folder


def test_a_cluster_goes_on_with_the_tasks_of_a_cook_that_was_let_go(bench: CookBench, cluster: TestCluster) -> None:
    command = f"{sys.executable} {bench.folder}/job.py"
    folder = written(bench, network(cluster, command, count=2, more=PYTHON))
    left = bench.topcook("cook", "net.toml", "--detach", "--progress", "off")
    # It has ended, and no job can have: they wait for the gate.
    assert left.returncode == 3, left.stdout + left.stderr
    assert "farm goes on with 3 items" in left.stdout
    found = the_cook(bench)
    assert (found["state"], len(found["away"])) == ("detached", 3)
    until(lambda: names(folder / "began").total() == 3, "all run")
    (folder / "gate").touch()
    until(lambda: not ours(cluster), "the cluster has done all, and keeps nothing")
    assert [each["ended"] for each in the_cook(bench)["away"]] == [True] * 3
    again = bench.topcook("resume", found["cook"], "--report", "report.json", "--progress", "off")
    assert again.returncode == 0, again.stdout + again.stderr
    assert names(folder / "began") == {"work_0": 1, "work_1": 1, "python": 1}
    items = {each["name"]: each for each in json.loads((folder / "report.json").read_text())["items"]}
    assert sorted(each["attributes"]["square"]["value"][0] for each in items.values()) == [0, 1, 49]


def test_a_cluster_that_was_started_for_the_cook_keeps_it(bench: CookBench, cluster: TestCluster) -> None:
    command = f"{sys.executable} {bench.folder}/job.py"
    address = f'dask_address = "{cluster.address}"'
    text = network(cluster, command)
    assert address in text
    folder = written(bench, text.replace(address, 'dask_cluster = "local"\n        dask_count = 1'))
    words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--detach", "--progress", "off"]
    with (folder / "said").open("wb") as said:
        cook = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        told = "tasks on Dask end with this cook, which stays with them: their cluster was started for it"
        until(lambda: told in (folder / "said").read_text(), "it is told")
        (folder / "gate").touch()
        assert cook.wait(DEADLINE) == 0, (folder / "said").read_text()
    assert names(folder / "began") == {"work_0": 1}
