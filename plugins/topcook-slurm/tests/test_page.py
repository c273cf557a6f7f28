"""docs/proofs.md names a test for each thing that is promised: each of them is there."""

from __future__ import annotations

from pathlib import Path

from topcook.testkit.proofs import missing_tests, rows, unheld_rows

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "proofs.md").read_text(encoding="utf-8")


def test_each_test_that_the_page_names_is_there() -> None:
    assert missing_tests(PAGE, beside=TESTS, root=TESTS.parents[2]) == []


def test_each_row_names_a_test() -> None:
    assert len(rows(PAGE)) > 50
    assert unheld_rows(PAGE) == []
