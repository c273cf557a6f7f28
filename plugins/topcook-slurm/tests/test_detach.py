"""A cook is let go on a real cluster: Slurm does the rest by itself, and a later session finds it done."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from slurm_bench import network, until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.testcluster import TestCluster

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
open(f"out_{name}", "w").close()
pdgcmd.addOutputFile(os.path.abspath(f"out_{name}"))
"""
AFTER = """
        [nodes.after]
        type = "genericgenerator"
        inputs = ["work"]
        parms.command = "{command}"
        [nodes.here]
        type = "genericgenerator"
        scheduler = "localscheduler"
        parms.command = "touch {folder}/here"
"""


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def the_cook(bench: CookBench) -> dict[str, Any]:
    found = json.loads(bench.topcook("cooks", "--all", "--json").stdout)
    return next(dict(each) for each in found if each["network"] == str(bench.folder / "net.toml"))


def test_a_cook_that_is_let_go_has_its_layers_done_by_slurm_and_runs_nothing_twice(
    bench: CookBench, cluster: TestCluster
) -> None:
    folder, before = bench.folder, set(cluster.jobs())
    (folder / "job.py").write_text(JOB)
    command = f"{sys.executable} {folder}/job.py"
    text = network(command, count=3) + AFTER.format(command=command, folder=folder)
    (folder / "net.toml").write_text(textwrap.dedent(text))
    left = bench.topcook("cook", "net.toml", "--static", "farm", "--detach", "--progress", "off")
    # It has ended, and no job can have: they wait for the gate.
    assert left.returncode == 3, left.stdout + left.stderr
    assert "farm goes on with 6 items" in left.stdout
    assert (folder / "here").exists(), "what needs this machine was waited for"
    found = the_cook(bench)
    assert (found["state"], len(found["away"])) == ("detached", 6)
    (folder / "gate").touch()
    mine = lambda: {job: state for job, state in cluster.jobs().items() if job not in before}  # noqa: E731
    until(lambda: set(mine().values()) == {"COMPLETED"}, "Slurm has done all")
    sent = set(cluster.jobs())
    found = the_cook(bench)
    assert [each["ended"] for each in found["away"]] == [True] * 6
    again = bench.topcook("resume", found["cook"], "--report", "report.json", "--progress", "off")
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(cluster.jobs()) == sent, "nothing was sent again"
    names = [f"{node}_{number}" for node in ("work", "after") for number in range(3)]
    assert Counter(lines(folder / "began")) == dict.fromkeys(names, 1)
    items = {
        f"{each['node']}_{each['index']}": each for each in json.loads((folder / "report.json").read_text())["items"]
    }
    assert [Path(each["path"]).name for each in items["after_2"]["outputs"]] == ["out_after_2"]
    assert items["after_2"]["attributes"]["square"]["value"] == [4]
