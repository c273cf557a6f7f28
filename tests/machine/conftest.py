"""What the tests of the machine share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from topcook.machine.schedulers import SchedulerState
from topcook.testkit.machine import FARM, MachineDriver


@pytest.fixture
def cook() -> MachineDriver:
    """A cook with one scheduler that takes anything at once, one item at a time, without limits."""
    return MachineDriver()


@pytest.fixture
def farm() -> Callable[..., MachineDriver]:
    """A cook whose one scheduler has the given limits."""

    def make(*, max_items: int = 0, max_tasks: int = 0, takes_static: bool = False) -> MachineDriver:
        return MachineDriver(SchedulerState(FARM, max_items=max_items, max_tasks=max_tasks, takes_static=takes_static))

    return make
