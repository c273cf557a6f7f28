"""``registerTypes`` as a hook: how a types module is given the registry.

The hook is historic: called once with the registry, it is called for every module that is registered
later. Each module is wrapped in an adapter, because an author's function carries no hook marker, may call
its parameter as it likes, and must be taken out again when it raises.
"""

from __future__ import annotations

import importlib
import inspect
import linecache
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pluggy

from topcook.contract.source import Place, function_of, place_of_function
from topcook.errors import Problem, SchedulerLoadError
from topcook.factory.sources import HOOK

__all__ = ["PROJECT", "Hook", "TypesHook", "entry_point_hook", "hook_of"]

#: The pluggy project name of all hooks.
PROJECT = "topcook"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

#: Calling these does not execute them.
_NO_CALL = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR

#: Nobody but who made a distribution, or installed half of it, can mend what it names.
_REINSTALL = 'install the distribution again; where it is yours: NAME = "package.module" below [pdg.types]'

#: What a types module has: a function that takes the registry.
Hook = Callable[..., object]


def hook_of(thing: object) -> Hook | None:
    """The hook of a module or object, None when it has none; a function given by an entry point is one itself."""
    function: Any = getattr(thing, HOOK, None)
    if callable(function):
        found: Hook = function
        return found
    if function is not None:
        message = f'"{HOOK}" is of type {type(function).__name__}; expected a function'
        path, hint = getattr(thing, "__file__", None), f"write: def {HOOK}(type_registry): …"
        line = next((at for at, text in enumerate(linecache.getlines(path or ""), 1) if text.startswith(HOOK)), None)
        raise SchedulerLoadError([Problem("hook-arguments", message, path, line, line and 1, hint)])
    return thing if callable(thing) and not isinstance(thing, type) else None


def entry_point_hook(value: str) -> Hook | None:
    """The hook that an entry point's ``module:attribute [extras]`` names; raises whatever its import raises.

    Raises ``SchedulerLoadError`` when what it names is not there: that is a mistake of the distribution, in no file.
    """
    name, _, attribute = (each.strip() for each in value.partition("[")[0].partition(":"))
    try:
        found: object = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise _target_error(value, f'the module "{name}"', error.name, _REINSTALL) from error
    at = name
    for each in filter(None, attribute.split(".")):
        try:
            found = getattr(found, each)
        except AttributeError as error:
            from difflib import get_close_matches

            close = get_close_matches(each, [HOOK, *vars(sys.modules[name])], n=1)
            hint = f'did you mean "{name}:{close[0]}"?' if close and at == name else _REINSTALL
            raise _target_error(value, f'"{attribute}"', f"{at}.{each}", hint) from error
        at = f"{at}.{each}"
    return hook_of(found)


def _target_error(value: str, named: str, missing: str, hint: str) -> SchedulerLoadError:
    why = "which is not there" if f'"{missing}"' in named else f'and there is no "{missing}"'
    return SchedulerLoadError(
        [Problem("entry-point-target", f"the entry point names {named}, {why}", value, hint=hint)]
    )


class _Spec:
    @hookspec(historic=True)
    def registerTypes(self, type_registry: Any) -> None:  # noqa: N802 - PDG's name
        """Register types with the registry; called once per types module."""


class _Adapter:
    """One types module as a plugin."""

    __slots__ = ("_function",)

    def __init__(self, function: Hook) -> None:
        self._function = function

    def __dir__(self) -> list[str]:
        # pluggy looks at every attribute for a marker; the two dozen of any object would be most of its work.
        return ["registerTypes"]

    @hookimpl
    def registerTypes(self, type_registry: Any) -> None:  # noqa: N802 - PDG's name
        """Call the author's function by position, whatever its parameter is called."""
        self._function(type_registry)


class TypesHook:
    """The plugin manager behind the registry; its plugins are the types modules that are in force."""

    def __init__(self, registry: object) -> None:
        """Make the historic call, with no plugin there yet."""
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(_Spec)
        self._manager.hook.registerTypes.call_historic(kwargs={"type_registry": registry})

    def register(self, name: str, function: Hook, path: str) -> None:
        """Call a module's function with the registry. What it raises goes on, and it counts as not registered."""
        problem = _unfit(function, path)
        if problem is not None:
            raise SchedulerLoadError([problem])
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        adapter = _Adapter(function)
        try:
            self._manager.register(adapter, name)
        except BaseException:
            # A historic hook that raises leaves its plugin registered.
            self._manager.unregister(adapter)
            raise

    def forget(self, name: str) -> None:
        """Let go of a function that was registered under a name."""
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)


def _unfit(function: Hook, path: str) -> Problem | None:
    """Why the function cannot be called with the registry, None when it can."""
    if isinstance(function, FunctionType):
        code = function.__code__
        if code.co_argcount == 1 and not code.co_kwonlyargcount and not code.co_flags & _NO_CALL:
            return None  # what nearly all are; inspect takes long to say the same
    plain: Any = function_of(function)
    hint = f"write: def {HOOK}(type_registry): …"
    if inspect.iscoroutinefunction(plain) or inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        kind = "a generator" if inspect.isgeneratorfunction(plain) else "async"
        message = f'"{HOOK}" is {kind}, so that calling it does nothing; expected a plain function'
        return _problem("hook-async", message, plain, path, hint)
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        message = f'"{HOOK}" cannot be called with the registry: {error}; expected {HOOK}(type_registry)'
        return _problem("hook-arguments", message, plain, path, hint)
    except ValueError:
        return None
    return None


def _problem(code: str, message: str, function: FunctionType | None, path: str, hint: str) -> Problem:
    place = place_of_function(function) if function is not None else Place(path)
    return Problem(code, message, place.path, place.line, place.column, hint)
