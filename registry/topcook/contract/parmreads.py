"""Which parms a scheduler class reads, told from its source.

In Houdini the parms of many schedulers sit in an asset, and the Python file only reads them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from topcook.lean import dataclass

__all__ = ["ParmRead", "parm_reads"]

#: What a port's method says about the type of its parm.
_EVALUATED = {
    "evaluateString": "String",
    "evaluateInt": "Integer",
    "evaluateFloat": "Float",
    "evaluateBool": "Toggle",
    "evalAsString": "String",
    "evalAsInt": "Integer",
    "evalAsFloat": "Float",
}
_OVERRIDE = re.compile(r"evaluate(String|Int|Float|Bool)Override")
_OVERRIDE_TYPES = {"String": "String", "Int": "Integer", "Float": "Float", "Bool": "Toggle"}
_OVERRIDE_ARGUMENTS = ("node", "prefix", "parm", "work_item", "default_value")
#: The parms behind the methods that make a job's environment: name behind the prefix, type.
_ENVIRONMENT = {
    "resolveEnvParams": (("envmulti", "Integer"), ("envname#", "String"), ("envvalue#", "String")),
    "resolveBaseEnvironment": (("inheritlocalenv", "Toggle"), ("envunset", "String")),
}
_FORMATS = re.compile(r"%[-+ 0#]*\d*(?:\.\d+)?[dsi]|\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class ParmRead:
    """A parm that is read: ``name`` ends in ``#`` where a number follows; ``default`` is the call's own."""

    name: str
    type: str | None
    default: object
    overridable: bool
    line: int


def parm_reads(source: str, classes: Iterable[str] = ()) -> list[ParmRead]:
    """What the classes of these names (default: all of the text) read, one row for each parm, by line.

    Raises ``SyntaxError``. Names that are put together from what only a run knows are not seen.
    """
    tree = ast.parse(source)
    wanted = set(classes)
    found: dict[str, ParmRead] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (not wanted or node.name in wanted):
            for read in sorted(_Reader(tree, node).reads(), key=lambda each: each.line):
                known = found.get(read.name)
                found[read.name] = read if known is None else _joined(known, read)
    return list(found.values())


def _joined(one: ParmRead, other: ParmRead) -> ParmRead:
    types = {each.type for each in (one, other) if each.type}
    kind = next((word for word in ("String", "Float", "Integer", "Toggle") if word in types), None)
    default = one.default if one.default is not None else other.default
    return ParmRead(one.name, kind, default, one.overridable or other.overridable, one.line)


class _Reader:
    """Reads one class."""

    def __init__(self, tree: ast.Module, cls: ast.ClassDef) -> None:
        self._cls = cls
        self._parents = {child: parent for parent in ast.walk(cls) for child in ast.iter_child_nodes(parent)}
        self._constants = dict(_constants(tree))

    def reads(self) -> Iterator[ParmRead]:
        """Each place that reads a parm."""
        for node in ast.walk(self._cls):
            if isinstance(node, ast.Subscript) and _is_self(node.value):
                yield from self._port(node, node.slice)
            elif isinstance(node, ast.Call):
                yield from self._call(node)

    def _port(self, node: ast.expr, name: ast.expr) -> Iterator[ParmRead]:
        text = self._text(name)
        if text:
            kind, default = self._used_as(node)
            yield ParmRead(text, kind, default, False, node.lineno)

    def _call(self, node: ast.Call) -> Iterator[ParmRead]:
        name = _called(node)
        override = _OVERRIDE.fullmatch(name)
        if override:
            yield from self._override(node, _OVERRIDE_TYPES[override.group(1)])
        elif name in _ENVIRONMENT and node.args:
            prefix = self._text(node.args[_shift(node)]) if len(node.args) > _shift(node) else None
            for behind, kind in _ENVIRONMENT[name] if prefix else ():
                yield ParmRead(f"{prefix}_{behind}", kind, None, True, node.lineno)
        elif name == "evaluateParamOr" and len(node.args) > 1:
            default = _constant(node.args[2]) if len(node.args) > 2 else None  # noqa: PLR2004 - (owner, name, default)
            text = self._text(node.args[1])
            if text:
                yield ParmRead(text, _type_of(default), default, False, node.lineno)
        elif node.args and isinstance(node.func, ast.Attribute):
            receiver = node.func.value
            own = _is_self(receiver) and name in {"parameter", "port", "value"}
            top = name in {"parm", "evalParm"} and isinstance(receiver, ast.Call) and _called(receiver) == "topNode"
            if own or (top and _is_self(getattr(receiver.func, "value", None))):  # type: ignore[attr-defined]
                yield from self._port(node, node.args[0])

    def _override(self, node: ast.Call, kind: str) -> Iterator[ParmRead]:
        given = dict(zip(_OVERRIDE_ARGUMENTS, node.args[_shift(node) :], strict=False))
        given |= {word.arg: word.value for word in node.keywords if word.arg}
        prefix, parm = (self._text(given[key]) if key in given else None for key in ("prefix", "parm"))
        if not parm or prefix is None:
            return
        default = _constant(given["default_value"]) if "default_value" in given else None
        yield ParmRead(f"{prefix}_{parm}" if prefix else parm, kind, default, True, node.lineno)

    # what a port is used for

    def _used_as(self, node: ast.expr) -> tuple[str | None, object]:
        parent = self._parents.get(node)
        if isinstance(parent, ast.Attribute):
            return _EVALUATED.get(parent.attr), None
        if isinstance(parent, ast.Assign):
            if node in parent.targets:
                value = _constant(parent.value)
                return _type_of(value), value
            names = {target.id for target in parent.targets if isinstance(target, ast.Name)}
            return self._method_of(node, names), None
        return None, None

    def _method_of(self, node: ast.AST, names: set[str]) -> str | None:
        """How the port is read that was given one of these names."""
        while not isinstance(node, ast.FunctionDef | ast.ClassDef):
            node = self._parents[node]
        for each in ast.walk(node):
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in names:
                kind = _EVALUATED.get(each.attr)
                if kind:
                    return kind
        return None

    # names

    def _text(self, node: ast.expr) -> str | None:
        """The name an expression gives, ``#`` for a number at its end; ``None`` when only a run knows it."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name() | ast.Attribute():
                return self._constants.get(ast.unparse(node))
            case ast.BinOp(op=ast.Add()):
                return _numbered([self._text(node.left), self._text(node.right)])
            case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(text))):
                return self._formatted(text, node.right.elts if isinstance(node.right, ast.Tuple) else [node.right])
            case ast.JoinedStr():
                parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
                return _numbered([self._text(part) for part in parts])
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
                return self._formatted(text, node.args)
        return None

    def _formatted(self, text: str, given: list[ast.expr]) -> str | None:
        fixed = _FORMATS.split(text)
        if len(fixed) != len(given) + 1:
            return None
        parts: list[str | None] = [fixed[0]]
        for value, after in zip(given, fixed[1:], strict=True):
            parts += [self._text(value), after]
        return _numbered([part for part in parts if part != ""])


def _numbered(parts: list[str | None]) -> str | None:
    """The parts together; the last one may be unknown, and is a number then."""
    *first, last = parts
    if any(part is None or part.endswith("#") for part in first):
        return None
    head = "".join(part for part in first if part)
    return f"{head}#" if last is None and head else head + last if last is not None else None


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names and ``self.`` attributes that are given one text and no other."""
    values: dict[str, set[str | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name, given in _pairs(target, node.value):
                    value = _constant(given) if given is not None else None
                    values.setdefault(ast.unparse(name), set()).add(value if isinstance(value, str) else None)
        elif isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.Assign) and isinstance(text := _constant(statement.value), str):
                    for target in statement.targets:
                        values.setdefault(f"self.{ast.unparse(target)}", set()).add(text)
    for key, texts in values.items():
        only = next(iter(texts)) if len(texts) == 1 else None
        if only is not None:
            yield key, only


def _pairs(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Each name of an assignment with what it is given, ``None`` where that is not written there."""
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, value
        return
    given = value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else None
    for index, name in enumerate(target.elts):
        yield name, given[index] if given is not None else None


def _constant(node: ast.expr) -> object:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str | int | float) else None


def _type_of(value: object) -> str | None:
    for kind, word in ((bool, "Toggle"), (int, "Integer"), (float, "Float"), (str, "String")):
        if isinstance(value, kind):
            return word
    return None


def _is_self(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _called(node: ast.Call) -> str:
    func = node.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _shift(node: ast.Call) -> int:
    """1 for an unbound call (``PyScheduler.method(self, …)``), else 0."""
    return int(bool(node.args) and _is_self(node.args[0]))
