"""A bench with the built-in types: nodes make items without a cook."""

from __future__ import annotations

from pathlib import Path

import pytest

from topcook.factory.scan import Factory
from topcook.testkit.nodebench import NodeBench


@pytest.fixture(scope="session")
def builtins() -> Factory:
    return Factory.scan({})


@pytest.fixture
def bench(builtins: Factory, tmp_path: Path) -> NodeBench:
    return NodeBench(tmp_path, builtins)
