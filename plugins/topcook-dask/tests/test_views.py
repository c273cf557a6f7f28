"""Workers that have the shared directory under another name, and nothing else of the submitting machine's work."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_bench import ours, until

from topcook.testkit.cookbench import CookBench
from topcook.testkit.otherview import JOB, OtherView
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

NETWORK = """
    [network]
    name = "net"
    scheduler = "farm"
    files = ["job.py"]
    [schedulers.farm]
    type = "daskscheduler"
    [schedulers.farm.parms]
    dask_address = "{address}"
    dask_poll = 1.0
    {parms}
    pdg_tickperiod = 0.1
    dask_envmulti = 1
    dask_envname1 = "ASSETS"
    dask_envvalue1 = "{assets}"
    {pathmap}
    [nodes.make]
    type = "genericgenerator"
    parms.command = '__PDG_PYTHON__ __PDG_DIR__/job.py'
    [nodes.python]
    type = "pythonscript"
    inputs = ["make"]
    parms.script = '''
import os
path = work_item.localizePath(work_item.inputResultData[0][0]) + ".seen"
with open(path, "w") as stream:
    stream.write(path)
work_item.addOutputFile(path)
'''
    [nodes.read]
    type = "genericgenerator"
    inputs = ["python"]
    parms.command = '__PDG_PYTHON__ __PDG_DIR__/job.py'
"""


def network_of(views: OtherView, cluster: TestCluster) -> str:
    return NETWORK.format(address=cluster.address, parms=views.parms, pathmap=views.pathmap, assets=views.assets)


@pytest.fixture
def views(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> OtherView:
    (tmp_path / "job.py").write_text(JOB)
    return OtherView(tmp_path, tmp_path_factory.mktemp("far"))


@pytest.fixture
def elsewhere(views: OtherView) -> Iterator[TestCluster]:
    """A cluster whose workers see what another machine would."""
    if not OtherView.is_possible():
        pytest.skip("only root can give a process a view of files of its own")
    with TestCluster(workers=1, launcher=views.launcher) as cluster:
        yield cluster


def told_by(views: OtherView, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads((views.here / "show" / f"{name}.json").read_text())
    return told


def test_items_work_where_the_share_has_another_name(
    bench: CookBench, views: OtherView, elsewhere: TestCluster
) -> None:
    """Commands and Python on workers, which know each other's files by the name that they have there."""
    done = bench.cook(network_of(views, elsewhere))
    assert done.outcome == "cooked", done.account
    (made,), (seen,), (read,) = done.items("make"), done.items("python"), done.items("read")
    assert {item.scheduler for item in done.items()} == {"farm"}
    # It was brought there, and what is written is known here by the name that it has here.
    assert (views.here / "show" / "job.py").read_text() == JOB
    assert [Path(file.path) for file in made.outputs or ()] == [views.here / "show" / f"{made.name}.json"]
    assert [Path(file.path) for file in seen.outputs or ()] == [views.here / "show" / f"{made.name}.json.seen"]
    over_there = views.there / "show" / f"{made.name}.json.seen"
    assert (views.here / "show" / over_there.name).read_text() == str(over_there)
    assert told_by(views, read.name) == {
        "cwd": str(views.there / "show"),
        "inputs": [str(over_there)],
        "there": [True],
        "asset": "red",
    }
    log = Path(done.context.core.host("farm").directories.log_dir(local=True)) / f"{read.name}.log"
    assert log.read_text().startswith("topcook: ")


def test_a_whole_network_is_one_task_where_the_share_has_another_name(
    bench: CookBench, views: OtherView, elsewhere: TestCluster
) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network_of(views, elsewhere)))
    words = [sys.executable, "-m", "topcook", "submit", "net.toml", "--scheduler", "farm"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    wait = [sys.executable, "-m", "topcook", "status", said.stdout.splitlines()[0], "--wait"]
    told = subprocess.run(wait, cwd=bench.folder, capture_output=True, text=True, timeout=300, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.startswith("cooked: 3 CookedSuccess")
    until(lambda: not ours(elsewhere), "no task is left")
