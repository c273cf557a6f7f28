"""What the tests of whole cooks share."""

from __future__ import annotations

from functools import partial

from topcook.testkit import waiting
from topcook.testkit.waiting import running

__all__ = ["network", "running", "until"]

#: Engines take their time on a busy machine.
until = partial(waiting.until, patience=120.0)


def network(command: str, count: int = 1, parms: str = "", more: str = "") -> str:
    return f'''
        [network]
        name = "net"
        scheduler = "farm"
        [schedulers.farm]
        type = "slurmscheduler"
        [schedulers.farm.parms]
        slurm_poll = 1.0
        pdg_tickperiod = 0.1
        {parms}
        [nodes.work]
        type = "genericgenerator"
        parms.itemcount = {count}
        parms.command = """{command}"""
        {more}
        '''
