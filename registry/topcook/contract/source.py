"""Where a class and its members stand in their author's file.

Reads the text through ``linecache``, which holds the version that was executed even when the file on disk
has changed since. Parsing happens only once something is to be shown.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from topcook.contract.parsing import parse
from topcook.lean import dataclass

__all__ = [
    "Place",
    "function_of",
    "is_authors",
    "is_ours",
    "module_of",
    "path_of",
    "place_of",
    "place_of_function",
    "syntax_of",
]

#: How many ends of a function are tried before its whole file is parsed.
_ENDS = 4
#: Modules whose classes are ours: what they define is a default, not an author's doing.
OUR_MODULES = ("topcook.contract", "pdg")
_OUR_PACKAGES = tuple(each + "." for each in OUR_MODULES)


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a file; line and column count from 1."""

    path: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """``path:line:column`` as far as known."""
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


def is_ours(cls: type) -> bool:
    """Whether a class is one of our base classes or mixins."""
    module = getattr(cls, "__module__", "")
    return module in OUR_MODULES or module.startswith(_OUR_PACKAGES)


def is_authors(cls: type, name: str) -> bool:
    """Whether a class has a member of that name that is not from one of our base classes or mixins."""
    owner = next((each for each in cls.__mro__ if name in vars(each)), None)
    return owner is not None and not is_ours(owner)


def function_of(member: Any) -> FunctionType | None:
    """The Python function behind a member of a class: unwrapped from property, static and class methods."""
    seen: set[int] = set()
    while member is not None and id(member) not in seen:
        seen.add(id(member))
        # functools.wraps leaves the author's function here; the wrapper's own place would mislead.
        inner = getattr(member, "__wrapped__", None) or getattr(member, "__func__", None)
        if inner is None and isinstance(member, property):
            inner = member.fget
        if inner is None:
            return member if isinstance(member, FunctionType) else None
        member = inner
    return None


def module_of(cls: type) -> ModuleType | None:
    """The module that a class says it is from, when it is loaded."""
    return sys.modules.get(getattr(cls, "__module__", ""))


def path_of(cls: type) -> str | None:
    """The file that defines a class: of its first own function, else of its module."""
    for member in vars(cls).values():
        function = function_of(member)
        if function is not None and function.__module__ == cls.__module__:
            return function.__code__.co_filename
    path = getattr(module_of(cls), "__file__", None)
    return path if isinstance(path, str) else None


def _class_node(cls: type, path: str) -> ast.ClassDef | None:
    """The syntax of a class, by its qualified name; the last one where a name is defined twice."""
    try:
        node: ast.AST = parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for part in cls.__qualname__.split("."):
        if part == "<locals>":
            continue
        found = [
            inner
            for inner in ast.walk(node)
            if isinstance(inner, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and inner.name == part
        ]
        if not found:
            return None
        node = found[-1]
    return node if isinstance(node, ast.ClassDef) else None


def _name_column(path: str, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The column of the name in a ``def`` or ``class`` line."""
    line = linecache.getline(path, node.lineno)
    at = line.find(node.name, node.col_offset)
    return (at if at >= 0 else node.col_offset) + 1


def place_of(cls: type, member: str | None = None) -> Place:
    """Where ``cls`` is defined, or its own member of that name (a method, or an assignment)."""
    function = function_of(vars(cls).get(member)) if member else None
    path = function.__code__.co_filename if function else path_of(cls)
    if path is None:
        return Place()
    node = _class_node(cls, path)
    if node is not None and member is None:
        return Place(path, node.lineno, _name_column(path, node))
    for statement in reversed(node.body) if node is not None else ():
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and statement.name == member:
            return Place(path, statement.lineno, _name_column(path, statement))
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == member for target in targets):
                return Place(path, statement.lineno, statement.col_offset + 1)
    if function is not None:
        return Place(path, function.__code__.co_firstlineno)
    return Place(path, node.lineno if node is not None else None)


def place_of_function(function: FunctionType) -> Place:
    """Where the name of a function stands in its ``def`` line; without its text the line it begins at."""
    node = syntax_of(function)
    path = function.__code__.co_filename
    return Place(path, node.lineno, _name_column(path, node)) if node else Place(path, function.__code__.co_firstlineno)


def syntax_of(function: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The syntax of a function, with the file's own line numbers; None when its text cannot be had."""
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    first = code.co_firstlineno
    # Its own lines first: to parse the whole file costs as much as to compile it again.
    for text in (*_own_texts(lines, first), "".join(lines)):
        try:
            tree = parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
                decorated = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if decorated == first:
                    return node
    return None


def _own_texts(lines: list[str], first: int) -> Iterator[str]:
    """Texts that may be the function that begins in line ``first``, from the shortest, all at their line numbers.

    Each ends before a line that stands no deeper; where that is inside a text or brackets, it does not parse.
    """
    if not 0 < first <= len(lines):
        return
    depth = len(lines[first - 1]) - len(lines[first - 1].lstrip())
    # An indented function needs something to be in; what stands before it is empty lines.
    before = "\n" * (first - 2) + "if 1:\n" if depth and first > 1 else "\n" * (first - 1)
    tried = 0
    for at in range(first, len(lines)):
        text = lines[at].lstrip()
        if text and not text.startswith("#") and len(lines[at]) - len(text) <= depth:
            yield before + "".join(lines[first - 1 : at])
            tried += 1
            if tried == _ENDS:
                return
