"""How long a file and a function may get before they stop being a pleasure to read."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("registry", "pdg_types", "plugins", "tools")

FILE_LINES = 500
FILE_LINES_MEDIAN = 120
FUNCTION_LINES = 60
FUNCTION_LINES_P90 = 25


def source_files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts)


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions() -> Iterator[tuple[str, int]]:
    """Place and length of every function, decorators not counted."""
    for path in source_files():
        for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                yield where, (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_longer_than_the_limit() -> None:
    long = [f"{path.relative_to(ROOT)}: {line_count(path)} lines" for path in source_files()]
    over = [line for line, path in zip(long, source_files(), strict=True) if line_count(path) > FILE_LINES]
    assert not over, "\n".join([f"files over {FILE_LINES} lines:", *over])


def test_no_function_is_longer_than_the_limit() -> None:
    over = [f"{where}: {length} lines" for where, length in functions() if length > FUNCTION_LINES]
    assert not over, "\n".join([f"functions over {FUNCTION_LINES} lines:", *over])


def test_files_are_short_as_a_rule() -> None:
    lengths = [line_count(path) for path in source_files() if path.name != "__init__.py"]
    assert statistics.median(lengths) <= FILE_LINES_MEDIAN


def test_nine_functions_in_ten_are_short() -> None:
    lengths = sorted(length for _, length in functions())
    assert not lengths or lengths[int(len(lengths) * 0.9)] <= FUNCTION_LINES_P90
