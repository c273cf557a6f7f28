"""Nodes that have the shared directory under another name, and nothing else of the submitting machine's work."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_bench import until

from topcook.testkit.cookbench import CookBench
from topcook.testkit.otherview import JOB, OtherView
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

NETWORK = """
    [network]
    name = "net"
    scheduler = "farm"
    files = ["job.py"]
    [schedulers.farm]
    type = "slurmscheduler"
    [schedulers.farm.parms]
    {parms}
    slurm_poll = 1.0
    pdg_tickperiod = 0.1
    {pathmap}
    [nodes.make]
    type = "genericgenerator"
    parms.command = '__PDG_PYTHON__ __PDG_DIR__/job.py'
    [nodes.read]
    type = "genericgenerator"
    inputs = ["make"]
    parms.command = '__PDG_PYTHON__ __PDG_DIR__/job.py'
"""


def network_of(views: OtherView, more: str = "") -> str:
    return NETWORK.format(parms=views.parms + more, pathmap=views.pathmap)


@pytest.fixture
def views(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> OtherView:
    (tmp_path / "job.py").write_text(JOB)
    return OtherView(tmp_path, tmp_path_factory.mktemp("far"))


@pytest.fixture
def slurm(views: OtherView) -> Iterator[TestCluster]:
    """A cluster whose nodes see what another machine would."""
    if not OtherView.is_possible():
        pytest.skip("only root can give a process a view of files of its own")
    with TestCluster(launcher=views.launcher) as cluster:
        yield cluster


def environment(views: OtherView) -> str:
    return f"""
    slurm_envmulti = 1
    slurm_envname1 = "ASSETS"
    slurm_envvalue1 = "{views.assets}"
    """


def test_jobs_work_where_the_share_has_another_name(bench: CookBench, views: OtherView, cluster: TestCluster) -> None:
    done = bench.cook(network_of(views, environment(views)))
    assert done.outcome == "cooked", done.account
    (made,), (read,) = done.items("make"), done.items("read")
    # It was brought there, and what it wrote is known here by the name that it has here.
    assert (views.here / "show" / "job.py").read_text() == JOB
    assert [Path(file.path) for file in made.outputs or ()] == [views.here / "show" / f"{made.name}.json"]
    told = json.loads((views.here / "show" / f"{read.name}.json").read_text())
    assert told == {
        "cwd": str(views.there / "show"),
        "inputs": [str(views.there / "show" / f"{made.name}.json")],
        "there": [True],
        "asset": "red",
    }
    log = Path(done.context.core.host("farm").directories.log_dir(local=True)) / f"{read.name}.log"
    assert log.read_text().startswith("topcook: ")


def test_a_whole_network_is_one_job_where_the_share_has_another_name(
    bench: CookBench, views: OtherView, cluster: TestCluster
) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network_of(views, environment(views))))
    words = [sys.executable, "-m", "topcook", "submit", "net.toml", "--scheduler", "farm"]
    done = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    def over() -> bool:
        return not set(cluster.jobs().values()) & {"PENDING", "RUNNING", "COMPLETING"}

    until(over, "the network has cooked")
    logs = "\n".join(path.read_text() for path in (views.here / "show").glob("**/submit-*.log"))
    assert len(list((views.here / "show").glob("**/*.json"))) >= 2, logs + str(cluster.jobs())
    assert set(cluster.jobs().values()) == {"COMPLETED"}, logs


def test_preflight_finds_each_view(bench: CookBench, views: OtherView, cluster: TestCluster) -> None:
    (bench.folder / "net.toml").write_text(textwrap.dedent(network_of(views)))
    words = [sys.executable, "-m", "topcook", "preflight", "net.toml"]
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"✓ path map       {views.here}/show -> {views.there}/show\n" in said.stdout
    assert f"✓                {views.assets} -> {views.far}\n" in said.stdout
    wrong = network_of(views).replace(str(views.far), f"{views.far}/nowhere")
    (bench.folder / "net.toml").write_text(textwrap.dedent(wrong))
    said = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode != 0, said.stdout
    assert f"mount {views.far}/nowhere there, or correct the rule" in said.stdout
