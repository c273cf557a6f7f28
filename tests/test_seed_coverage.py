"""Every sentence of the two seed pages is in the table, and every test that the table names is there."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "seed-coverage.md").read_text(encoding="utf-8")
ROWS = [
    tuple(re.split(r"(?<!\\) \| ", line[2:-2]))
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| sentence")
]
#: Of the sentences as they stand on the pages: none may be dropped or reworded.
COUNT = 186
DIGEST = "f35cc3d739538080572c41db84d374801e723df6de6da12ddae1e8c5144848e1"


def test_no_sentence_is_missing_or_reworded() -> None:
    sentences = [row[0] for row in ROWS]
    assert len(sentences) == COUNT
    assert hashlib.sha256("\n".join(sentences).encode()).hexdigest() == DIGEST


def test_every_row_says_where_and_how_it_is_proved() -> None:
    assert all(len(row) == 3 and row[1] and row[2] for row in ROWS)
    unproved = [row for row in ROWS if row[2] == "-"]
    assert all(row[1].startswith(("a remark", "differs")) for row in unproved)
    assert len(unproved) < COUNT / 8


@pytest.mark.parametrize("named", sorted({row[2].strip("`") for row in ROWS} - {"-"}))
def test_a_named_test_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    functions = {
        node.name
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert not name or name in functions
