"""Imports whose failure a file caught, told when what they would have given is missed."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator

__all__ = ["behind"]


def behind(error: BaseException, content: bytes, path: str) -> BaseException:
    """The error of the import that would have given a missing name; ``error`` itself when there is none.

    Many packages catch the ``ImportError`` of their own modules and stumble over the name in ``registerTypes``: what
    their author has to know was caught. The one import is executed again, where it stands.
    """
    name = error.name if issubclass(type(error), NameError) else None  # type: ignore[attr-defined]
    if not isinstance(name, str):
        return error
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == path]
    for found in _caught_imports(content, name) if frames else ():
        code = compile(ast.Module([found], []), path, "exec", dont_inherit=True)
        try:
            exec(code, frames[-1].f_globals)  # noqa: S102 - executing types files is what a probe is for
        except BaseException as cause:  # noqa: BLE001 - author code; whatever it raises is what was caught
            return cause
    return error


def _caught_imports(content: bytes, name: str) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports within ``try`` that give a name."""
    tries = (node for node in ast.walk(ast.parse(content)) if isinstance(node, ast.Try))
    for node in (inner for each in tries for part in each.body for inner in ast.walk(part)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            given = (each.asname or each.name.partition(".")[0] for each in node.names)
            if name in given:
                yield node
