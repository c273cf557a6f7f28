"""What the tests of whole cooks share."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from topcook_dask.testcluster import TestCluster

DEADLINE = 120.0


def until(is_so: Callable[[], Any], what: str) -> Any:
    """Poll for a condition."""
    give_up = time.monotonic() + DEADLINE
    while not (found := is_so()):
        assert time.monotonic() < give_up, f"never: {what}"
        time.sleep(0.05)
    return found


def running(mark: str) -> list[int]:
    """The living processes that have this text in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            living = (path / "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
            if living and mark.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def ours(cluster: TestCluster) -> dict[str, str]:
    """The tasks of ours that the cluster has, and their states."""
    return {key: state for key, state in cluster.tasks().items() if key.startswith("topcook_")}


def network(cluster: TestCluster, command: str, count: int = 1, parms: str = "", more: str = "") -> str:
    return f'''
        [network]
        name = "net"
        scheduler = "farm"
        [schedulers.farm]
        type = "daskscheduler"
        [schedulers.farm.parms]
        dask_address = "{cluster.address}"
        dask_poll = 1.0
        pdg_tickperiod = 0.1
        {parms}
        [nodes.work]
        type = "genericgenerator"
        parms.itemcount = {count}
        parms.command = """{command}"""
        {more}
        '''
