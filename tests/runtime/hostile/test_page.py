"""docs/reliability.md names a test for each thing that goes wrong: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| what ", "|---"))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40] or "the same")
def test_the_test_that_a_row_names_is_there(row: str) -> None:
    cells = row.strip("|").split("|")
    assert len(cells) == 3
    found = re.fullmatch(r" `([\w/.]+\.py)::(test_\w+)` ", cells[2])
    assert found, f"no test is named by: {row}"
    path = (ROOT / "tests/runtime" / found[1]).resolve()
    assert f"def {found[2]}(" in path.read_text(encoding="utf-8")


def test_the_page_has_rows() -> None:
    assert len(ROWS) > 35
