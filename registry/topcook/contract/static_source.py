"""Whether a scheduler takes its static items in one piece, decided from what its author wrote.

Farm schedulers carry an ``onScheduleStatic`` that only prints what it was given. Were that taken for a
hand-over, their static items would never cook. So its source is read: does anything it was given go
further than into a length, a text, a log or a local name that leads nowhere?
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from types import FunctionType, ModuleType

from topcook.contract.snippets import dedented
from topcook.contract.source import function_of, is_ours, syntax_of
from topcook.lean import pattern

__all__ = ["takes_static", "takes_static_snippet"]

_Def = ast.FunctionDef | ast.AsyncFunctionDef

#: What comes out of these is no longer what went in: a number, a text, a truth.
_DIGESTS = frozenset({"len", "repr", "str", "format", "ascii", "bool", "type", "id", "isinstance", "hasattr", "print"})
#: What comes out of these is still what went in.
_PASSES = frozenset(
    [
        "list",
        "tuple",
        "set",
        "dict",
        "frozenset",
        "sorted",
        "reversed",
        "iter",
        "next",
        "enumerate",
        "zip",
        "map",
        "filter",
        "range",
        "min",
        "max",
        "sum",
        "any",
        "all",
        "getattr",
        "vars",
        "dir",
    ]
)
_READING_METHODS = frozenset({"keys", "values", "items", "get", "copy", "index", "count"})
_COLLECTING_METHODS = frozenset({"append", "add", "extend", "update", "insert", "setdefault"})
_LOG_WORDS = frozenset(
    [
        "log",
        "logger",
        "logging",
        "print",
        "pprint",
        "debug",
        "verbose",
        "trace",
        "warn",
        "warning",
        "info",
        "error",
        "critical",
        "exception",
        "message",
        "echo",
        "write",
        "note",
    ]
)
_WORD = pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DEEPEST = 4


def takes_static(cls: type) -> tuple[bool, str]:
    """Whether a class takes static hand-over, and the reason in a few words.

    ``staticCook`` set by the author decides; else a ``StaticCookMixin``; else the body of its own
    ``onScheduleStatic``. A body whose source cannot be had counts as none: its items are driven one by one.
    """
    authors = tuple(each for each in cls.__mro__ if not is_ours(each))
    says = next((vars(each)["staticCook"] for each in authors if "staticCook" in vars(each)), None)
    if says is not None:
        return bool(says), f"staticCook = {bool(says)}"
    if any(each.__name__ == "StaticCookMixin" for each in cls.__mro__):
        return True, "it has StaticCookMixin"
    function = _own_callback(authors)
    if function is None:
        return False, "it has no onScheduleStatic of its own"
    syntax = syntax_of(function)
    if syntax is None:
        return False, "the source of its onScheduleStatic cannot be read"
    use = _Reader(syntax, cls, function, 0).first_use()
    return (True, f"its onScheduleStatic {use}") if use else (False, "its onScheduleStatic passes nothing on")


def takes_static_snippet(body: str) -> tuple[bool, str]:
    """The same for the text field of a Python Scheduler node: the body of the callback."""
    try:
        syntax = ast.parse("def onScheduleStatic(self, dependencies, dependents, ready_items): pass").body[0]
        # Grafted, not pasted: an indented body, and a text of several lines in it, stay what they are.
        statements = ast.parse(dedented(body)[0]).body
    except (SyntaxError, ValueError, RecursionError):
        return False, "its onScheduleStatic field cannot be read"
    if isinstance(syntax, ast.FunctionDef) and statements:
        syntax.body = statements
    use = _Reader(syntax, None, None, 0).first_use() if isinstance(syntax, ast.FunctionDef) else None
    return (
        (True, f"its onScheduleStatic field {use}") if use else (False, "its onScheduleStatic field passes nothing on")
    )


def _own_callback(authors: tuple[type, ...]) -> FunctionType | None:
    member = next((vars(each)["onScheduleStatic"] for each in authors if "onScheduleStatic" in vars(each)), None)
    return function_of(member)


class _Reader:
    """Follows what a function was given through its body, statement order ignored."""

    def __init__(self, syntax: _Def, cls: type | None, function: FunctionType | None, depth: int) -> None:
        """Start with every parameter but ``self`` in hand."""
        self._syntax, self._cls, self._function, self._depth = syntax, cls, function, depth
        arguments = syntax.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        names += [each.arg for each in (arguments.vararg, arguments.kwarg) if each]
        self._self = names[0] if names and (cls is not None or names[0] == "self") else ""
        self._given = {name for name in names if name != self._self}
        self._locals: dict[str, _Def] = {}
        self._use: str | None = None

    def first_use(self) -> str | None:
        """What is done with an argument beyond looking at it, None when nothing is."""
        before = -1
        # A name may be filled below the line that reads it (in a loop): go round until nothing new is in hand.
        while before != len(self._given) and self._use is None:
            before = len(self._given)
            for statement in self._syntax.body:
                self._statement(statement)
        return self._use

    def _found(self, what: str, node: ast.AST) -> None:
        if self._use is None:
            self._use = f"{what} in line {getattr(node, 'lineno', '?')}"

    # Statements

    def _statement(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._locals[node.name] = node
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                held = node.value is not None and self._holds(node.value)
                for target in targets:
                    self._store(target, held=held)
            case ast.For() | ast.AsyncFor():
                self._store(node.target, held=self._holds(node.iter))
                self._statements([*node.body, *node.orelse])
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    held = self._holds(item.context_expr)
                    if item.optional_vars is not None:
                        self._store(item.optional_vars, held=held)
                self._statements(node.body)
            case ast.Yield() | ast.YieldFrom() | ast.Raise():
                self._expressions(node)
            case ast.expr():
                self._holds(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._statement(child)

    def _statements(self, nodes: list[ast.stmt]) -> None:
        for node in nodes:
            self._statement(node)

    def _store(self, target: ast.expr, *, held: bool) -> None:
        match target:
            case ast.Name():
                if held:
                    self._given.add(target.id)
            case ast.Tuple() | ast.List():
                for each in target.elts:
                    self._store(each, held=held)
            case ast.Starred():
                self._store(target.value, held=held)
            case ast.Attribute() | ast.Subscript():
                root = _root(target)
                if isinstance(target, ast.Subscript) and root not in {"", self._self} and root not in self._given:
                    if held:
                        self._given.add(root)  # a local table, filled
                elif held or self._holds(target.value):
                    self._found(f'keeps "{ast.unparse(target)}"', target)

    # Expressions: True when the value still is, or holds, something that was given

    def _expressions(self, node: ast.AST) -> bool:
        # A list on purpose: every part is read, also after the first that holds something.
        return any([self._holds(child) for child in ast.iter_child_nodes(node)])  # noqa: C419

    def _holds(self, node: ast.AST) -> bool:  # noqa: PLR0911 - one return a form
        match node:
            case ast.Name():
                return node.id in self._given
            case ast.Call():
                return self._call(node)
            case ast.JoinedStr() | ast.Compare():
                self._expressions(node)
                return False
            case ast.UnaryOp(op=ast.Not()):
                self._expressions(node)
                return False
            case ast.BinOp(op=ast.Mod(), left=ast.Constant() | ast.JoinedStr()):
                self._expressions(node)
                return False
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                for generator in node.generators:
                    self._store(generator.target, held=self._holds(generator.iter))
                return self._expressions(node)
            case ast.NamedExpr():
                held = self._holds(node.value)
                self._store(node.target, held=held)
                return held
            case ast.Subscript():
                self._holds(node.slice)
                return self._holds(node.value)
            case _:
                return self._expressions(node)

    def _call(self, node: ast.Call) -> bool:
        values = [each.value if isinstance(each, ast.keyword) else each for each in (*node.args, *node.keywords)]
        held = any([self._holds(value) for value in values])  # noqa: C419 - all of them are read
        name = _last_name(node.func)
        receiver = isinstance(node.func, ast.Attribute) and self._holds(node.func.value)
        if receiver:
            if name in _READING_METHODS:
                return True
            if name not in _COLLECTING_METHODS:
                self._found(f'calls "{ast.unparse(node.func)}"', node)
            return True
        if not held or self._harmless(node, name):
            return held and name in _PASSES
        self._found(f'passes what it is given to "{_short(node.func)}"', node)
        return False

    def _harmless(self, node: ast.Call, name: str) -> bool:
        if isinstance(node.func, ast.Name) and name in (_DIGESTS | _PASSES) and hasattr(builtins, name):
            return True
        if _LOG_WORDS & {word.lower() for word in _WORD.findall(name)}:
            return True
        if isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Constant | ast.JoinedStr):
                return True  # ", ".join(…) and "{}".format(…) make a text
            root = _root(node.func)
            local = isinstance(node.func.value, ast.Name) and root != self._self and root in self._assigned()
            if name in _COLLECTING_METHODS and local:
                self._given.add(root)
                return True
        return self._leads_nowhere(node, name)

    def _assigned(self) -> set[str]:
        return {
            each.id for each in ast.walk(self._syntax) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }

    def _leads_nowhere(self, node: ast.Call, name: str) -> bool:
        """Whether the called function can be read, and does nothing with what it gets either."""
        if self._depth >= _DEEPEST:
            return False
        if name == "onScheduleStatic" and self._calls_base(node):
            return True
        targets = list(self._resolve(node.func, name))
        return bool(targets) and all(
            _Reader(syntax, self._cls if bound else None, function, self._depth + 1).first_use() is None
            for syntax, function, bound in targets
        )

    def _calls_base(self, node: ast.Call) -> bool:
        """Whether this hands on to a default of ours, which leaves the items to the cook."""
        if self._cls is None or self._function is None or not isinstance(node.func, ast.Attribute):
            return self._cls is None
        mro = self._cls.__mro__
        at = next((i for i, each in enumerate(mro) if self._function in map(function_of, vars(each).values())), 0)
        inherited = _own_callback(tuple(each for each in mro[at + 1 :] if not is_ours(each)))
        if inherited is None:
            return _root(node.func) != self._self
        syntax = syntax_of(inherited)
        return syntax is not None and _Reader(syntax, self._cls, inherited, self._depth + 1).first_use() is None

    def _resolve(self, func: ast.expr, name: str) -> Iterator[tuple[_Def, FunctionType | None, bool]]:
        if isinstance(func, ast.Name) and name in self._locals:
            yield self._locals[name], self._function, False
            return
        found: object = None
        if isinstance(func, ast.Name) and self._function is not None:
            found = self._function.__globals__.get(name)
        elif isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            if func.value.id == self._self and self._cls is not None:
                found = next((vars(each)[name] for each in self._cls.__mro__ if name in vars(each)), None)
            elif self._function is not None:
                module = self._function.__globals__.get(func.value.id)
                found = getattr(module, name, None) if isinstance(module, ModuleType) else None
        function = function_of(found)
        syntax = syntax_of(function) if function is not None else None
        if function is not None and syntax is not None:
            yield syntax, function, isinstance(found, FunctionType) and isinstance(func, ast.Attribute)


def _last_name(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else text[:37] + "…"  # noqa: PLR2004 - a few words
