"""Hold a class against the contract table, and report all that is wrong with it at once.

A class that is right costs a look at each callback's ``__code__``; source is read only to show where a
mistake stands.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import Any

from topcook.contract.callbacks import BY_NAME, CALLBACKS, CLASS_METHODS, Callback, Need
from topcook.contract.node_callbacks import rows_for
from topcook.contract.source import Place, function_of, is_ours, place_of
from topcook.contract.tolerated import TOLERATED
from topcook.errors import Problem
from topcook.model.enums import NodeType

__all__ = ["TOLERATED", "callback_status", "derives_from", "own_members", "validate_node", "validate_scheduler"]

#: How alike two names are for one to be taken for a slip of the other: on its own, and where the other is missing.
_ALIKE, _ALIKE_MISSING = 0.86, 0.7

#: What calling such a function gives is no result yet.
_LATER = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_GENERATOR

_NODE_BASES = {NodeType.Processor: "PyProcessor", NodeType.Partitioner: "PyPartitioner", NodeType.Mapper: "PyMapper"}


def validate_scheduler(cls: Any, *, strict: bool = False) -> list[Problem]:
    """All the ways in which ``cls`` is not the scheduler that the table asks for; empty when it is one.

    A class that does not derive from PyScheduler has no defaults and must have every required and defaulted
    callback. ``strict`` asks that of every class: what the help page calls a must stands in the file itself.
    Never raises, whatever it is given.
    """
    return _validate(cls, CALLBACKS, "PyScheduler", strict=strict)


def validate_node(cls: Any, kind: NodeType) -> list[Problem]:
    """The same for a class of work item node."""
    return _validate(cls, rows_for(kind), _NODE_BASES[kind], strict=False)


def derives_from(cls: type, base: str) -> bool:
    """Whether a class has our base class of that name among its ancestors.

    By name: the façade's and the contract's class are one, but a reload makes two of everything.
    """
    return any(is_ours(ancestor) and ancestor.__name__ == base for ancestor in cls.__mro__)


def own_members(cls: type) -> dict[str, tuple[type, Any]]:
    """What the author's classes define: name to the class that defines it and the raw member."""
    found: dict[str, tuple[type, Any]] = {}
    for ancestor in cls.__mro__:
        if ancestor is object or is_ours(ancestor):
            continue
        for name, member in vars(ancestor).items():
            found.setdefault(name, (ancestor, member))
    return found


def callback_status(cls: type, rows: Sequence[Callback] = CALLBACKS) -> dict[str, str]:
    """For each callback whether the class has it: ``implemented``, ``default`` (from our base) or ``missing``."""
    own = own_members(cls)
    return {
        row.name: "implemented" if row.name in own else "default" if hasattr(cls, row.name) else "missing"
        for row in rows
    }


def _validate(cls: Any, rows: Sequence[Callback], base: str, *, strict: bool) -> list[Problem]:
    if not isinstance(cls, type):
        what, hint = _no_class(cls)
        return [
            _problem("not-a-class", f"what was registered is {what}, expected a class", _place_of_object(cls), hint)
        ]
    own = own_members(cls)
    derived = derives_from(cls, base)
    problems = list(_instantiable(cls, own))
    missing: set[str] = set()  # the callbacks, and the names that were taken for a slip of one of them
    for row in rows:
        if row.name in own:
            problems += _check_member(row, *own[row.name])
        elif row.need is Need.REQUIRED or (row.need is Need.DEFAULTED and (strict or not derived)):
            problems.append(_missing(cls, row, own, base, missing))
            missing.add(row.name)
    for name in CLASS_METHODS:
        if name in own:
            problems += _check_class_method(name, *own[name])
    problems += _mistyped(cls, rows, own, missing)
    return problems


def _problem(code: str, message: str, place: Place, hint: str) -> Problem:
    return Problem(code, message, place.path, place.line, place.column, hint)


def _no_class(thing: Any) -> tuple[str, str]:
    """What a thing that is no class is called, and what to type in its place."""
    name = type(thing).__name__
    if thing is None:
        return "None", "a decorator of the class must return it; a call must return the class it makes"
    if isinstance(thing, str):
        return f"the text {thing[:40]!r}", f"write the name without quotes: registerScheduler({thing[:40]})"
    if isinstance(thing, FunctionType):
        return f'the function "{thing.__name__}"', "register the class itself, not a function that makes one"
    if type(thing).__module__ == "builtins":
        return f"{_article(name)} {name}", "register the class itself"
    return f"an instance of {name}", f"write it without the brackets: registerScheduler({name})"


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"


def _place_of_object(thing: Any) -> Place:
    code = getattr(function_of(thing), "__code__", None)
    if code is not None:
        return Place(code.co_filename, code.co_firstlineno)
    return place_of(type(thing)) if type(thing).__module__ != "builtins" else Place()


# What a class lacks


def _missing(cls: type, row: Callback, own: dict[str, tuple[type, Any]], base: str, missing: set[str]) -> Problem:
    derived = derives_from(cls, base)
    hint = f"add: def {row.signature}: …"
    if row.need is Need.DEFAULTED and derived:
        message = f'"{row.name}" is not implemented here; the base class answers for it'
        return _problem("not-implemented-here", message, place_of(cls), hint)
    taken = {*BY_NAME, *CLASS_METHODS, *missing}
    close = _closest(row.name, [name for name in own if not name.startswith("_") and name not in taken], _ALIKE_MISSING)
    if close:
        missing.add(close)
        hint = f'did you mean "{row.name}"? Rename "{close}"'
        message = f'"{row.name}" is missing; found "{close}", expected "{row.signature}"'
        return _problem("missing-callback", message, place_of(own[close][0], close), hint)
    if row.need is Need.DEFAULTED:
        hint += f"; or derive {cls.__name__} from {base}, which has a working default"
    message = f'"{row.name}" is missing in class "{cls.__name__}"; expected {row.signature}'
    return _problem("missing-callback", message, place_of(cls), hint)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _closest(wanted: str, names: Sequence[str], cutoff: float) -> str | None:
    plain = {_plain(name): name for name in names}
    close = difflib.get_close_matches(_plain(wanted), plain, n=1, cutoff=cutoff)
    return plain[close[0]] if close else None


def _mistyped(
    cls: type, rows: Sequence[Callback], own: dict[str, tuple[type, Any]], reported: set[str]
) -> Iterator[Problem]:
    """Own methods whose names are a slip away from a callback that the class does not have."""
    known = {row.name for row in rows} | set(CLASS_METHODS)
    wanted = {_plain(name): name for name in known if name not in own and name not in reported}
    for name, (defined, member) in own.items():
        # onWorkItem… are notifications; a private helper, or a member of the base, is meant as it is written.
        if name in known or name in reported or name.startswith(("_", "onWorkItem", "workItem")):
            continue
        if function_of(member) is None:
            continue
        if any(name in vars(ancestor) for ancestor in cls.__mro__ if is_ours(ancestor)):
            continue
        plain = _plain(name)
        close = [plain] if plain in wanted else []
        if not close:
            close = difflib.get_close_matches(plain, wanted, n=1, cutoff=_ALIKE)
        if close:
            right = wanted[close[0]]
            message = f'"{name}" is no callback; found "{name}", expected "{right}"'
            yield _problem("mistyped-callback", message, place_of(defined, name), f'did you mean "{right}"?')


# What a member is


def _check_member(row: Callback, defined: type, member: Any) -> Iterator[Problem]:
    kind = _wrong_kind(row, member)
    if kind:
        hint = f"write it as a plain method: def {row.signature}: …"
        message = f'"{row.name}" is {kind}, expected a method'
        yield _problem("wrong-kind", message, place_of(defined, row.name), hint)
        return
    function = member.__func__ if isinstance(member, staticmethod | classmethod) else member
    if isinstance(function, FunctionType):
        flags = function.__code__.co_flags
        if flags & _LATER:
            yield _awaited(row, defined, flags)
    yield from _check_parameters(row, defined, member)


def _wrong_kind(row: Callback, member: Any) -> str | None:
    if isinstance(member, property):
        return "a property"
    if isinstance(member, classmethod):
        return "a class method"
    if isinstance(member, staticmethod):
        return None if row.is_static else "a static method"
    if isinstance(member, type):
        return "a class"
    name = type(member).__name__
    return None if callable(member) or hasattr(member, "__get__") else f"{_article(name)} {name}"


def _awaited(row: Callback, defined: type, flags: int) -> Problem:
    place = place_of(defined, row.name)
    if flags & inspect.CO_GENERATOR:
        message = f'"{row.name}" is a generator, expected a method that returns {row.returns.value}'
        return _problem("generator", message, place, "replace yield by return")
    message = f'"{row.name}" is async, expected a plain method; nobody awaits what it returns'
    return _problem(
        "async-callback", message, place, f"write: def {row.signature}: … and run a loop of your own inside"
    )


def _check_parameters(row: Callback, defined: type, member: Any) -> Iterator[Problem]:
    shape = _shape(member, bound=not (row.is_static and isinstance(member, staticmethod)))
    if shape is None:
        return
    names, least, most, keyword_only = shape
    count = len(row.args)
    place = place_of(defined, row.name) if keyword_only or not _fits(row, least, most) else None
    expected = f"expected {row.signature}"
    if keyword_only:
        message = (
            f'"{row.name}" has keyword-only parameters ({", ".join(keyword_only)}), which nobody passes; {expected}'
        )
        yield _problem("keyword-only", message, place or Place(), "give them a default, or make them positional")
    if least > count:
        message = f'"{row.name}" takes {_given(names)}, too many; {expected}'
        yield _problem("too-many-parameters", message, place or Place(), f"write: def {row.signature}: …")
    elif most is not None and most < count - row.may_omit and not keyword_only:
        given = _given(names) if not isinstance(member, FunctionType) or member.__code__.co_argcount else "()"
        message = f'"{row.name}" takes {given}, too few; {expected}'
        yield _problem("too-few-parameters", message, place or Place(), f"write: def {row.signature}: …")
    wrong = [name for at, name in enumerate(names) if name in row.args and row.args.index(name) != at]
    if wrong and _fits(row, least, most):
        message = f'"{row.name}" has its parameters in the wrong order: found {", ".join(names)}; {expected}'
        hint = f"write: def {row.signature}: …; they are passed by position"
        yield _problem("wrong-order", message, place_of(defined, row.name), hint)


def _fits(row: Callback, least: int, most: int | None) -> bool:
    return least <= len(row.args) and (most is None or most >= len(row.args) - row.may_omit)


def _given(names: Sequence[str]) -> str:
    return f"({', '.join(('self', *names))})"


def _shape(member: Any, *, bound: bool) -> tuple[list[str], int, int | None, list[str]] | None:
    """Positional names without self, least and most of them (None: any number), needed keyword-only names."""
    function = member.__func__ if isinstance(member, staticmethod) else member
    if isinstance(function, FunctionType):
        code = function.__code__
        names = list(code.co_varnames[: code.co_argcount])
        least = code.co_argcount - len(function.__defaults__ or ())
        open_ended = bool(code.co_flags & inspect.CO_VARARGS)
        keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        needed = [name for name in keywords if name not in (function.__kwdefaults__ or {})]
        swallowed = bound and not names and open_ended
        cut = 1 if bound and not swallowed else 0
        return names[cut:], max(least - cut, 0), None if open_ended else code.co_argcount - cut, needed
    return _signature_shape(member)


def _signature_shape(member: Any) -> tuple[list[str], int, int | None, list[str]] | None:
    """The same for what is callable and no function; a partial set in a class is called without ``self``."""
    try:
        parameters = list(inspect.signature(member).parameters.values())
    except (TypeError, ValueError):
        return None
    positional = [each for each in parameters if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    open_ended = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    least = sum(each.default is each.empty for each in positional)
    needed = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty]
    return [each.name for each in positional], least, None if open_ended else len(positional), needed


# What the class itself must be


def _check_class_method(name: str, defined: type, member: Any) -> Iterator[Problem]:
    function = member.__func__ if isinstance(member, staticmethod | classmethod) else member
    kind = type(member).__name__
    if isinstance(member, property) or not (isinstance(member, classmethod | staticmethod) or callable(member)):
        kind = "a property" if isinstance(member, property) else f"{_article(kind)} {kind}"
    elif isinstance(member, FunctionType):
        kind = "an instance method"
    elif isinstance(function, FunctionType) and function.__code__.co_flags & _LATER:
        kind = "async or a generator"
    else:
        return
    message = f'"{name}" is {kind}, expected a class method'
    hint = f"write: @classmethod, then def {name}(cls): …"
    yield _problem("wrong-kind", message, place_of(defined, name), hint)


def _instantiable(cls: type, own: dict[str, tuple[type, Any]]) -> Iterator[Problem]:
    """Whether calling the class with a scheduler and a name gives an instance; told without calling it."""
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    if abstract or vars(cls).get("_is_protocol"):
        what = f"{', '.join(abstract)} not implemented" if abstract else "it is a Protocol"
        hint = "implement them, or register a class that does"
        yield _problem("abstract-class", f'class "{cls.__name__}" is abstract: {what}', place_of(cls), hint)
    for name in ("__init__", "__new__"):
        if name in own:
            yield from _makes_instances(name, *own[name])
    metaclass: Any = type(cls)
    maker = next((each for each in metaclass.__mro__ if "__call__" in vars(each)), type)
    if maker is not type:
        yield from _makes_instances("__call__", maker, vars(maker)["__call__"])


def _makes_instances(name: str, defined: type, member: Any) -> Iterator[Problem]:
    function = function_of(member)
    first = "self" if name == "__init__" else "cls"
    expected = f"{name}({first}, scheduler, name)"
    hint = f"write: def {expected}: and pass both on to the base class"
    code = "wrong-init" if name == "__init__" else "wrong-new"
    wrong = isinstance(member, property) or (name == "__init__" and isinstance(member, staticmethod | classmethod))
    if wrong or (function is not None and function.__code__.co_flags & _LATER):
        what = f"a {type(member).__name__}" if wrong else "async or a generator"
        yield _problem(code, f'"{name}" is {what}; expected {expected}', place_of(defined, name), hint)
        return
    shape = _shape(member, bound=True)
    if shape is None:
        return
    names, least, most, keyword_only = shape
    if least > 2 or (most is not None and most < 2) or keyword_only:  # noqa: PLR2004 - (scheduler, name)
        given = ", ".join([first, *names, *keyword_only])
        named = f"{defined.__name__}.__call__" if name == "__call__" else name
        yield _problem(code, f'"{named}" takes ({given}); expected {expected}', place_of(defined, name), hint)
