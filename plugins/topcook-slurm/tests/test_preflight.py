"""What `topcook preflight` says of Slurm, and a cook that Slurm lets wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from slurm_bench import until

from topcook.testkit.cookbench import CookBench
from topcook_slurm.testcluster import TestCluster

pytestmark = pytest.mark.engine

NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "slurmscheduler"
parms = { slurm_poll = 0.5, pdg_tickperiod = 0.1 }
[schedulers.wrong]
type = "slurmscheduler"
parms.slurm_partition = "nosuch"
[nodes.right]
type = "genericgenerator"
parms.command = "true"
[nodes.mistaken]
type = "genericgenerator"
scheduler = "wrong"
parms.command = "true"
[profiles.all_right]
parms = { "wrong.slurm_partition" = "farm" }
"""


def preflight(folder: Path, installed: str, *options: str) -> tuple[int, dict[str, Any]]:
    (folder / "net.toml").write_text(NETWORK)
    done = subprocess.run(
        [sys.executable, "-m", "topcook", "preflight", "net.toml", "--json", "--timeout", "120", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": installed},
        capture_output=True,
        text=True,
        check=False,
    )
    said = json.loads(done.stdout)
    return done.returncode, {row["subject"].partition(" ")[0]: row for row in said["schedulers"]}


@pytest.mark.usefixtures("cluster")
def test_what_slurm_refuses_is_told_beside_what_is_ready(tmp_path: Path, installed: str) -> None:
    status, rows = preflight(tmp_path, installed)
    assert (status, rows["farm"]["verdict"], rows["wrong"]["verdict"]) == (1, "ready", "not ready")
    (job,) = (each for each in rows["wrong"]["findings"] if each["topic"] == "job")
    assert "invalid partition specified: nosuch" in job["text"]
    status, rows = preflight(tmp_path, installed, "--profile", "all_right")
    assert (status, {row["verdict"] for row in rows.values()}) == (0, {"ready"})


def test_a_cook_that_slurm_lets_wait_says_slurms_reason(bench: CookBench, cluster: TestCluster) -> None:
    context = bench.load(NETWORK)
    context.core.config = context.core.config._replace(watchdog=1)
    # Of nodes that are drained it may say no more than that there are no resources.
    cluster.call("scontrol", "update", "PartitionName=farm", "State=DOWN")
    try:
        cook = bench.start(context, "right")
        words = 'scheduler "farm" waits for 1 job on Slurm (PartitionDown)'
        until(lambda: any(words in each.text for each in list(cook.messages)), "the cook says what it waits for")
    finally:
        cluster.call("scontrol", "update", "PartitionName=farm", "State=UP")
    assert bench.finish(context, cook).outcome == "cooked"
