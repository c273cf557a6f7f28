"""Where in the author's file a part of his template stands: in a JSON text, or in the dict that becomes one.

Only asked once a template has a mistake. Where nothing is found the answer is None, and the method's place has to do.
"""

from __future__ import annotations

import ast
import linecache
from typing import TYPE_CHECKING, TypeAlias

from topcook.contract.source import Place, function_of, syntax_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["place_in_body"]

KeyPath: TypeAlias = tuple[str | int, ...]
#: Calls through which a text or dict goes as it is, but for blanks at either end.
_PASSES = frozenset({"dumps", "dedent", "cleandoc", "strip", "lstrip", "rstrip", "loads", "encode", "dict"})


def place_in_body(cls: type, text: object, path: KeyPath = (), offset: int | None = None) -> Place | None:
    """The place of a key path's value, or of an offset into the JSON text that ``templateBody`` returned."""
    function = function_of(
        next((vars(each)["templateBody"] for each in cls.__mro__ if "templateBody" in vars(each)), 0)
    )
    node = syntax_of(function) if function is not None else None
    if function is None or node is None:
        return None
    lines = linecache.getlines(function.__code__.co_filename, function.__globals__)
    for literal in _literals(node, "".join(lines)):
        if isinstance(literal, ast.Dict | ast.List) and offset is None:
            spot = _in_dict(literal, path)
            column = len(lines[spot.lineno - 1].encode()[: spot.col_offset].decode("utf-8", "replace")) + 1
            return Place(function.__code__.co_filename, spot.lineno, column)
        if isinstance(literal, ast.Constant) and isinstance(text, str):
            found = _in_text(literal, lines, text, _offset(text, path) if offset is None else offset)
            return Place(function.__code__.co_filename, *found) if found else None
    return None


def _literals(function: ast.AST, text: str) -> Iterator[ast.Dict | ast.List | ast.Constant]:
    """The dicts, lists and texts that a function returns, itself or by the name of something assigned once."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            value = _unwrapped(node.value)
            if isinstance(value, ast.Name | ast.Attribute):
                name = value.id if isinstance(value, ast.Name) else value.attr
                assigned = list(_assigned(name, function)) or list(_assigned(name, ast.parse(text)))
                value = _unwrapped(assigned[0]) if len(assigned) == 1 else value
            if isinstance(value, ast.Dict | ast.List) or (
                isinstance(value, ast.Constant) and isinstance(value.value, str)
            ):
                yield value


def _unwrapped(value: ast.expr) -> ast.expr:
    while isinstance(value, ast.Call):
        function = value.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name not in _PASSES:
            break
        method = isinstance(function, ast.Attribute) and not value.args
        value = function.value if isinstance(function, ast.Attribute) and method else next(iter(value.args), function)
    return value


def _assigned(name: str, tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            value = getattr(node, "value", None)
            if value is not None:
                yield value


def _in_dict(literal: ast.Dict | ast.List, path: KeyPath) -> ast.expr:
    """The expression of a path, or of the closest thing around it that is written out."""
    spot: ast.expr = literal
    for part in path:
        if isinstance(spot, ast.Dict) and isinstance(part, str):
            keys = [key.value if isinstance(key, ast.Constant) else None for key in spot.keys]
            if part not in keys:
                return spot
            spot = spot.values[len(keys) - 1 - keys[::-1].index(part)]
        elif isinstance(spot, ast.List | ast.Tuple) and isinstance(part, int) and part < len(spot.elts):
            if any(isinstance(each, ast.Starred) for each in spot.elts[: part + 1]):
                return spot
            spot = spot.elts[part]
        else:
            return spot
    return spot


def _offset(text: str, path: KeyPath) -> int:
    from topcook.model.graphfile.locate import locate_json

    return locate_json(text).nearest(path).value


def _in_text(literal: ast.Constant, lines: list[str], text: str, offset: int) -> tuple[int, int] | None:
    """Line and column in the file of an offset into the text; None where the line is not written there as it is."""
    before = text[:offset]
    number, column = before.count("\n"), offset - (before.rfind("\n") + 1)
    wanted = text.split("\n")[number]
    core = wanted.strip()
    if not core:
        core, column = wanted, 0
    indent = len(wanted) - len(wanted.lstrip())
    last = min(literal.end_lineno or literal.lineno, len(lines))
    region = range(literal.lineno, last + 1)
    fitting = [line for line in region if core in lines[line - 1]]
    # A text that was stripped or dedented begins one line further down than it says.
    best = next((line for line in (literal.lineno + number, literal.lineno + number + 1) if line in fitting), None)
    if best is None and len(fitting) == 1:
        best = fitting[0]
    if best is None:
        return None
    return best, lines[best - 1].find(core) + max(column - indent, 0) + 1
