"""What the command line's own tests share."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from topcook.model.node import Node
from topcook.model.workitem import WorkItem


class FakeTerminal:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.err = io.StringIO()
        self.out = io.StringIO()

    def write(self, text: str) -> None:
        self.err.write(text)

    @property
    def lines(self) -> list[str]:
        return self.err.getvalue().splitlines()


class FakeCook:
    """As much of a cook as what shows it looks at."""

    def __init__(self, items: int) -> None:
        self.node = Node("gen", "genericgenerator")
        self.node.items = [WorkItem(number, self.node) for number in range(1, items + 1)]
        self.nodes = [self.node]


@pytest.fixture
def terminal() -> FakeTerminal:
    return FakeTerminal()


@pytest.fixture
def cook_of() -> Callable[[int], Any]:
    return FakeCook
