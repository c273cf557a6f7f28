"""docs/durability.md names a test for each promise: each of them is there, and each test of this folder is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "durability.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise ")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_the_test_that_a_promise_names_is_there(row: str) -> None:
    found = re.fullmatch(r"\|[^|]+\| `([\w/.]+\.py)::(test_\w+)` \|", row)
    assert found, f"no test is named by: {row}"
    assert f"def {found[2]}(" in (TESTS / found[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["test_kills.py", "test_faults.py"])
def test_every_crash_test_holds_a_promise(name: str) -> None:
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    assert set(re.findall(r"^def (test_\w+)", text, flags=re.MULTILINE)) <= set(re.findall(r"::(test_\w+)`", PAGE))
