"""The job's side must run on whatever Python a farm machine has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

JOB_SIDE = Path(__file__).parents[1] / "registry" / "pdgjob"


@pytest.mark.parametrize("path", sorted(JOB_SIDE.rglob("*.py")), ids=lambda path: path.name)
def test_job_side_file_is_python_3_6(path: Path) -> None:
    tree = ast.parse(path.read_bytes(), str(path), feature_version=(3, 6))
    futures = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert not [alias.name for node in futures for alias in node.names if alias.name == "annotations"]
