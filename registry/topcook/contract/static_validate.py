"""Hold classes against the contract table without executing their file: for a file that cannot be executed.

Of each class that ``registerTypes`` names a shadow is made: the same names, parameters and kinds, none of the
author's code. The shadow goes through the very same validation as a living class, so that both say the same. What
cannot be told from the text alone is passed over: this may say less than the live check, never more.
"""

from __future__ import annotations

import ast
import linecache
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from topcook.contract.callbackserver import CallbackServerMixin
from topcook.contract.eventdispatch import EventDispatchMixin
from topcook.contract.mapper import PyMapper
from topcook.contract.partitioner import PyPartitioner
from topcook.contract.processor import PyProcessor
from topcook.contract.scheduler import PyScheduler
from topcook.contract.staticcook import StaticCookMixin
from topcook.contract.validate import validate_node, validate_scheduler
from topcook.errors import Problem
from topcook.model.enums import NodeType

__all__ = ["static_problems"]

_BASES: dict[str, Any] = {
    each.__name__: each
    for each in (
        CallbackServerMixin,
        EventDispatchMixin,
        PyMapper,
        PyPartitioner,
        PyProcessor,
        PyScheduler,
        StaticCookMixin,
    )
} | {"Scheduler": PyScheduler, "SchedulerBase": PyScheduler}
_KINDS = {each.name: each for each in (NodeType.Processor, NodeType.Partitioner, NodeType.Mapper)}
#: What a class's own text is enough for, whatever it derives from.
_OF_MEMBERS = frozenset(
    [
        "async-callback",
        "generator",
        "keyword-only",
        "too-few-parameters",
        "too-many-parameters",
        "wrong-init",
        "wrong-kind",
        "wrong-new",
        "wrong-order",
    ]
)
_DECORATORS: dict[str, Any] = {
    "property": property,
    "staticmethod": staticmethod,
    "classmethod": classmethod,
    "abstractmethod": abstractmethod,
}
_Def = ast.FunctionDef | ast.AsyncFunctionDef
_Check = Callable[[type], list[Problem]]


def static_problems(content: bytes, path: str) -> list[Problem]:
    """What is wrong with the classes that a file would register; empty for a text that is no Python."""
    try:
        tree = ast.parse(content, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    # Places are looked up there, and the file may have another text by now, or be gone.
    text = content.decode("utf-8", "replace")
    linecache.cache[path] = (len(content), None, text.splitlines(keepends=True), path)
    shadows = _Shadows(tree, path)
    return [problem for name, check in _registered(tree) for problem in shadows.problems(name, check)]


def _registered(tree: ast.Module) -> Iterator[tuple[str, _Check]]:
    """The names of the classes that ``registerTypes`` registers, each with what it is held against."""
    hooks = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "registerTypes"]
    for call in (node for hook in hooks for node in ast.walk(hook) if isinstance(node, ast.Call)):
        cls = call.args[0] if call.args else None
        if not isinstance(call.func, ast.Attribute) or not isinstance(cls, ast.Name):
            continue
        if call.func.attr == "registerScheduler":
            yield cls.id, validate_scheduler
        elif call.func.attr == "registerNode":
            kind = _KINDS.get(_last_name(call.args[1]) if len(call.args) > 1 else "Processor")
            if kind is not None and not any(each.arg == "node_type" for each in call.keywords):
                yield cls.id, partial(validate_node, kind=kind)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@dataclass(slots=True)
class _Shadows:
    """The shadows of one file's classes."""

    tree: ast.Module
    path: str
    _made: dict[str, tuple[type, bool] | None] = field(default_factory=dict)

    def problems(self, name: str, check: _Check) -> list[Problem]:
        """What is wrong with a class; of one with a base that nobody knows, what its own text is enough for."""
        made = self._shadow(name)
        if made is None:
            return []
        cls, is_whole = made
        found = [each for each in check(cls) if is_whole or each.code in _OF_MEMBERS]
        # A class without functions of its own has a place only by its module, which a shadow has not.
        line = self._definition(name).lineno
        column = linecache.getline(self.path, line).find(name, len("class ")) + 1 or None
        return [each if each.path else replace(each, path=self.path, line=line, column=column) for each in found]

    def _definition(self, name: str) -> ast.ClassDef:
        return next(each for each in self.tree.body if isinstance(each, ast.ClassDef) and each.name == name)

    def _shadow(self, name: str) -> tuple[type, bool] | None:
        """The shadow of a class, and whether all its bases are known; None where the text does not tell."""
        if name not in self._made:
            self._made[name] = None  # a class that derives from itself
            if self._is_plain(name):
                self._made[name] = self._make(self._definition(name))
        return self._made[name]

    def _is_plain(self, name: str) -> bool:
        """Whether the name is given once, to a class at the top, whose members are given in its body alone."""
        given = 0
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                given += 2 * (isinstance(node.value, ast.Name) and node.value.id == name)
            elif isinstance(node, ast.Call) and _last_name(node.func) in {"setattr", "delattr"} and node.args:
                given += 2 * (_last_name(node.args[0]) == name)
            elif isinstance(node, ast.Name):
                given += isinstance(node.ctx, ast.Store | ast.Del) and node.id == name
            elif isinstance(node, ast.alias):
                given += (node.asname or node.name) == name
            elif isinstance(node, ast.ClassDef | _Def):
                given += node.name == name
        at_top = any(isinstance(each, ast.ClassDef) and each.name == name for each in self.tree.body)
        return at_top and given == 1

    def _make(self, node: ast.ClassDef) -> tuple[type, bool] | None:
        simple = (*_Def.__args__, ast.Assign, ast.AnnAssign, ast.Expr, ast.Pass)
        if node.decorator_list or node.keywords or not all(isinstance(each, simple) for each in node.body):
            return None
        bases, is_whole = [], True
        for base in node.bases:
            found = self._base(base)
            is_whole = is_whole and found is not None and found[1]
            bases += [found[0]] if found is not None else []
        members = dict(self._members(node))
        try:
            return type(node.name, tuple(bases), {"__module__": "<shadow>", **members}), is_whole
        except TypeError:  # bases that do not go together, as executing it would say
            return None

    def _base(self, base: ast.expr) -> tuple[type, bool] | None:
        name = self._full_name(base)
        if name in {"object", "abc.ABC"}:
            return (ABC if name == "abc.ABC" else object), True
        if name.startswith("pdg.") and name.rpartition(".")[2] in _BASES:
            return _BASES[name.rpartition(".")[2]], True
        return self._shadow(name) if "." not in name else None

    def _full_name(self, expression: ast.expr) -> str:
        """The dotted name with what the file's imports say of its first part."""
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.insert(0, expression.attr)
            expression = expression.value
        first = getattr(expression, "id", "")
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                first = names.get(first, first)
            elif isinstance(node, ast.Import):
                names = {alias.asname: alias.name for alias in node.names if alias.asname}
                first = names.get(first, first)
        return ".".join([first, *parts])

    def _members(self, node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
        for statement in node.body:
            if isinstance(statement, _Def):
                yield statement.name, self._member(statement, node.name)
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            yield from ((each.id, _anything) for each in targets if isinstance(each, ast.Name) and each.id[0] != "_")

    def _member(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> Any:
        """A method of the same parameters and kind; one that takes anything where a decorator may have changed both."""
        decorators = [_last_name(each) for each in node.decorator_list]
        if not all(isinstance(each, ast.Name | ast.Attribute) for each in node.decorator_list):
            return _anything
        if not set(decorators) <= set(_DECORATORS):
            return _anything
        function = _function(node, self.path)
        function.__module__, function.__qualname__ = "<shadow>", f"{owner}.{node.name}"
        for name in reversed(decorators):
            function = _DECORATORS[name](function)
        return function


def _anything(*_args: object, **_named: object) -> None:
    """Stands for a member of which the text does not say what it takes."""


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, path: str) -> Any:
    """A function of the same name, place and parameters that does nothing."""
    given = node.args
    nothing = ast.Constant(None)
    arguments = ast.arguments(
        posonlyargs=[ast.arg(each.arg) for each in given.posonlyargs],
        args=[ast.arg(each.arg) for each in given.args],
        vararg=ast.arg(given.vararg.arg) if given.vararg else None,
        kwonlyargs=[ast.arg(each.arg) for each in given.kwonlyargs],
        kw_defaults=[nothing if each is not None else None for each in given.kw_defaults],
        kwarg=ast.arg(given.kwarg.arg) if given.kwarg else None,
        defaults=[nothing for _ in given.defaults],
    )
    body: list[ast.stmt] = [ast.Expr(ast.Yield())] if _yields(node) else [ast.Pass()]
    made: Any = type(node)(name=node.name, args=arguments, body=body, decorator_list=[])
    made.type_params = []
    ast.copy_location(made, node)
    namespace: dict[str, Any] = {}
    module = ast.fix_missing_locations(ast.Module([made], []))
    exec(compile(module, path, "exec", dont_inherit=True), namespace)  # noqa: S102 - a def line with an empty body
    return namespace[node.name]


def _yields(node: ast.AST) -> bool:
    """Whether the function itself yields, not one inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(child, ast.Lambda | ast.ClassDef | _Def) and _yields(child):
            return True
    return False
