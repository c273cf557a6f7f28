"""docs/proofs.md names a test for each thing that is promised: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parents[2]
PAGE = (TESTS.parent / "docs" / "proofs.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what ")]


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_each_test_that_the_page_names_is_there(file: str, name: str) -> None:
    path = ROOT / file if file.startswith("tests/") else TESTS / file
    assert f"def {name}(" in path.read_text(encoding="utf-8")


def test_each_row_names_a_test() -> None:
    assert len(ROWS) > 50
    assert [row for row in ROWS if "::test_" not in row and not row.endswith("| the same |")] == []
