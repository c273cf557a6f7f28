"""A bench for whole cooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from topcook.testkit.cookbench import CookBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[CookBench]:
    made = CookBench(tmp_path)
    yield made
    made.close()
