"""Pages that say which test holds what are read for what is wrong with them."""

from __future__ import annotations

from pathlib import Path

from topcook.testkit.proofs import missing_tests, rows, unheld_rows

PAGE = """
| what is promised | held by |
|---|---|
| a thing | `test_here.py::test_it_is_so` |
| another | the same |
| a third | `tests/far/test_there.py::test_it_is_so` |
| a fourth | `test_here.py::test_it_is` |
| a fifth | `test_nowhere.py::test_it_is_so` |
| a sixth | somebody has looked at it |

- Nothing holds `test_here.py`.
"""


def test_rows_without_a_test_are_found() -> None:
    assert [row.split(" | ")[0] for row in rows(PAGE)] == [
        f"| {what}" for what in ("a thing", "another", "a third", "a fourth", "a fifth", "a sixth")
    ]
    assert unheld_rows(PAGE) == ["| a sixth | somebody has looked at it |"]


def test_tests_that_are_not_there_are_found(tmp_path: Path) -> None:
    for file in ("plugin/test_here.py", "tests/far/test_there.py"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text('"""Tests."""\n\n\ndef test_it_is_so() -> None:\n    pass\n')
    missing = missing_tests(PAGE, beside=tmp_path / "plugin", root=tmp_path)
    assert missing == ["test_here.py::test_it_is", "test_nowhere.py::test_it_is_so"]
