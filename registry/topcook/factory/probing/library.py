"""Whether somebody else's code was replaced: the standard library's, and ours.

What is compared are the values of the modules' and classes' namespaces, as lists: equal lists of the very same
objects are told apart from others at the speed of C, so that all of it costs a fraction of a millisecond.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import methodcaller
from types import BuiltinFunctionType, ModuleType
from typing import Any

__all__ = ["Library"]

_OURS = frozenset({"pdg", "pdgjob", "pdgcmd", "pdgjson", "pdgd", "pdgutils", "topcook"})
#: Where of ours the classes are looked at, too: what an author comes by behind the façade.
_BEHIND = ("topcook.contract", "topcook.author", "topcook.factory.typeregistry")
#: Not looked at: namespaces that are everybody's to fill, and hundreds of names each that nobody replaces.
_PASSED = frozenset(
    {
        "builtins",
        "sys",
        "posix",
        "nt",
        "errno",
        "ast",
        "dis",
        "opcode",
        "token",
        "tokenize",
        "typing",
        "ipaddress",
    }
)

_NONE = object()
_values_of = methodcaller("values")


class Library:
    """A fingerprint of all watched modules that are loaded."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self._spaces: dict[str, tuple[Mapping[str, Any], list[str], list[Any]]] = {}
        self._seen: set[str] = set()
        self._all: tuple[list[dict[str, Any]], list[Mapping[str, Any]], list[Any]] = ([], [], [])
        # Of sys only the functions: the rest, and the hooks, are everybody's to set.
        self._system = {
            name: value
            for name, value in vars(sys).items()
            if isinstance(value, BuiltinFunctionType) and not name.strip("_").endswith("hook")
        }
        self.changed("")

    def changed(self, directory: str) -> list[str]:
        """What was replaced since last time, in dotted names; modules that are new are watched from now on.

        In a module that is new, what was defined in a file of ``directory`` was put there by that file.
        """
        found: list[str] = []
        if list(map(vars(sys).get, self._system)) != list(self._system.values()):
            found += [f"sys.{name}" for name, value in self._system.items() if vars(sys).get(name) is not value]
            vars(sys).update(self._system)
        if list(map(sys.modules.get, self._modules)) != list(self._modules.values()):
            found += self._replaced_modules()
        if self._values() != self._all[2]:
            for name, (space, keys, values) in self._spaces.items():
                if list(space.values()) != values:
                    found += [f"{name}.{each}" for each in self._put_back(name, space, keys, values)]
                    self._spaces[name] = (space, list(space), list(space.values()))
            self._sum_up()
        new = sys.modules.keys() - self._seen
        if new:
            self._seen |= new
            watched = [each for each in new if _is_watched(each)]
            for name in sorted(watched):
                found += self._watch(name, sys.modules[name], directory)
            if watched:
                self._sum_up()
        return found

    def _sum_up(self) -> None:
        """Gather all namespaces, so that a look at them costs no step of ours for each."""
        spaces = [space for space, _, _ in self._spaces.values()]
        dicts = [each for each in spaces if isinstance(each, dict)]
        self._all = (dicts, [each for each in spaces if not isinstance(each, dict)], [])
        self._all = (*self._all[:2], self._values())

    def _values(self) -> list[Any]:
        dicts, proxies, _ = self._all
        return [
            *chain.from_iterable(map(dict.values, dicts)),
            *chain.from_iterable(map(_values_of, proxies)),
        ]

    def _put_back(self, name: str, space: Mapping[str, Any], keys: list[str], values: list[Any]) -> list[str]:
        """The names in one namespace that were replaced, once they are what they were: our own code calls them, too."""
        module = self._modules.get(name)
        holder: Any = module
        if module is None:
            outer, _, inner = name.rpartition(".")
            holder = vars(self._modules[outer]).get(inner)
        replaced = dict(_replaced(space, keys, values, is_module=module is not None))
        for key, value in replaced.items():
            try:
                delattr(holder, key) if value is _NONE else setattr(holder, key, value)
            except (AttributeError, TypeError):
                continue
        return list(replaced)

    def _replaced_modules(self) -> Iterator[str]:
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                yield f"sys.modules[{name!r}]"
                sys.modules[name] = module

    def _watch(self, name: str, module: object, directory: str) -> list[str]:
        if not isinstance(module, ModuleType):
            # Put there for who imports it later, who fails over it.
            return [f"sys.modules[{name!r}]"]
        self._modules[name] = module
        space = vars(module)
        self._add(name, space)
        inside = not name.startswith("topcook") or name.startswith(_BEHIND)
        for key, value in list(space.items()) if inside else ():
            if isinstance(value, type) and getattr(value, "__module__", None) == name:
                self._add(f"{name}.{key}", vars(value))
        if not directory:
            return []
        return [f"{name}.{key}" for key, value in list(space.items()) if _is_from(value, directory)]

    def _add(self, name: str, space: Mapping[str, Any]) -> None:
        self._spaces[name] = (space, list(space), list(space.values()))


def _is_watched(name: str) -> bool:
    top = name.partition(".")[0]
    if top in _OURS:
        return True
    return top in sys.stdlib_module_names and not name.startswith("_") and top not in _PASSED


def _is_from(value: object, directory: str) -> bool:
    code = getattr(value, "__code__", None) if callable(value) else None
    return isinstance(getattr(code, "co_filename", None), str) and code.co_filename.startswith(directory)  # type: ignore[union-attr]


def _replaced(
    space: Mapping[str, Any], keys: list[str], values: list[Any], *, is_module: bool
) -> Iterator[tuple[str, Any]]:
    """Names and former values of callables that are others now, or gone.

    Of a class also those that are new (formerly ``_NONE``): they hide inherited ones. A name that is new in a module
    is a submodule or a value made on first use.
    """
    before = dict(zip(keys, values, strict=True))
    for name, value in before.items():
        if _counts(value) and space.get(name) is not value:
            yield name, value
    if not is_module:
        yield from ((name, _NONE) for name, value in list(space.items()) if name not in before and _counts(value))


def _counts(value: object) -> bool:
    return callable(value) or isinstance(value, property | staticmethod | classmethod)
