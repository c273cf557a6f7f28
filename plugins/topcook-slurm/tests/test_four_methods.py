"""What docs/farm-plugins.md shows as an engine in four methods, put into the file that `topcook new` writes, cooks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from slurm_bench import running, until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

PAGE = Path(__file__).parents[3] / "docs" / "farm-plugins.md"
NETWORK = """
    [network]
    name = "net"
    scheduler = "farm"
    [schedulers.farm]
    type = "four"
    [schedulers.farm.parms]
    four_every = 1.0
    pdg_tickperiod = 0.1
    pdg_workingdir = "$HIP/work"
    [nodes.work]
    type = "genericgenerator"
    parms.itemcount = 3
    parms.command = 'sh "$HIP/job.sh" @pdg_index'
"""
#: The second waits until it is ended.
JOB = 'cd "$(dirname "$0")"; touch began_$1; [ $1 != 1 ] || exec sleep 600\nexit $1\n'


@pytest.fixture
def four(bench: CookBench) -> CookBench:
    """A bench with the written type, and in it the methods of the page in place of its own."""
    block = PAGE.read_text(encoding="utf-8").partition("## An engine in four methods")[2]
    methods = block.partition("```python\n")[2].partition("```")[0]
    told = [sys.executable, "-m", "topcook", "new", "four", "--kind", "farm", "--dir", str(bench.types_dir)]
    subprocess.run(told, check=True, capture_output=True, timeout=120)
    (bench.types_dir / "test_four.py").unlink()
    path = bench.types_dir / "four.py"
    names = ["onStart", "onStop", "_submit", "_rows", "_poll", "_find", "_cancel"]
    put = "".join(f"FourScheduler.{name} = {name}\n" for name in names)
    path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{methods}\n{put}", encoding="utf-8")
    (bench.folder / "job.sh").write_text(JOB, encoding="utf-8")
    return bench


def alive(cluster: TestCluster) -> list[str]:
    return [job for job, state in cluster.jobs().items() if state in {"PENDING", "RUNNING", "COMPLETING"}]


def test_jobs_end_as_they_end_and_one_that_somebody_deletes_is_canceled(four: CookBench, cluster: TestCluster) -> None:
    context = four.load(NETWORK)
    cook = four.start(context)
    until(lambda: len(list(four.folder.glob("began_*"))) == 3, "all have begun")
    until(lambda: len(alive(cluster)) == 1, "one is left")
    (left,) = alive(cluster)
    comment = cluster.call("squeue", "--noheader", f"--jobs={left}", "--format=%k").strip()
    scheduler = context.core.host("farm").instance
    assert scheduler._find([comment, "another"]) == {comment: left}
    subprocess.run(["scancel", left], check=True, timeout=120)
    done = four.finish(context, cook)
    states = {item.index: item.state.name for item in done.items("work")}
    assert states == {0: "CookedSuccess", 1: "CookedCancel", 2: "CookedFail"}, done.account


def test_a_cook_that_is_canceled_leaves_nothing_there(four: CookBench, cluster: TestCluster, mark: str) -> None:
    (four.folder / "job.sh").write_text(f"exec sleep {mark}\n", encoding="utf-8")
    context = four.load(NETWORK)
    cook = four.start(context)
    until(lambda: len(running(mark)) >= 3, "all run")
    cook.cancel("by the test")
    done = four.finish(context, cook)
    assert set(done.states("work").values()) == {"CookedCancel"}, done.messages
    until(lambda: not running(mark) and not alive(cluster), "nothing is left")
