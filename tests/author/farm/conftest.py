"""A farm of processes, and cooks on it by the example scheduler of the docs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from topcook.testkit.cookbench import CookBench
from topcook.testkit.fixtures import mark
from topcook.testkit.processfarm import ProcessFarm

__all__ = ["mark"]
EXAMPLE = Path(__file__).parents[3] / "examples" / "farm_plugin" / "types" / "queuefarm.py"


def network(command: str, count: int = 1, parms: str = "", more: str = "") -> str:
    return f'''
        [network]
        name = "net"
        scheduler = "queue"
        [schedulers.queue]
        type = "queuefarm"
        [schedulers.queue.parms]
        queue_poll = 0.2
        pdg_tickperiod = 0.05
        {parms}
        [nodes.work]
        type = "genericgenerator"
        parms.itemcount = {count}
        parms.command = """{command}"""
        {more}
        '''


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[ProcessFarm]:
    with ProcessFarm(tmp_path / "farm") as farm:
        yield farm


@pytest.fixture
def bench(tmp_path: Path, farm: ProcessFarm) -> Iterator[CookBench]:
    bench = CookBench(tmp_path)
    shutil.copy(EXAMPLE, bench.types_dir)
    yield bench
    bench.close()
