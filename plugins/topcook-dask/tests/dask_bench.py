"""What the tests of whole cooks share."""

from __future__ import annotations

from functools import partial

from topcook.testkit import waiting
from topcook.testkit.waiting import running
from topcook_dask.testcluster import TestCluster

__all__ = ["network", "ours", "running", "until"]

#: Engines take their time on a busy machine.
until = partial(waiting.until, patience=120.0)


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
