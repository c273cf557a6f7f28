"""The imports of types modules: private names, code from a bundle of bytes, helpers found beside the file.

A drop-in file is executed under a private name, because a file called ``logging.py`` must not become what
the rest of the process imports as ``logging``. Its ``import helper`` finds ``helper.py`` beside it, under a
private name too, so that two directories may each have a helper of that name, and without a change of
``sys.path``. Each private module therefore gets an ``__import__`` of its own in its ``__builtins__``.

Code is compiled from the bytes of its bundle, never from a ``.pyc``: two edits within a second would be served stale.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import linecache
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from topcook.factory.bundles import Bundle, keep_text
from topcook.lean import dataclass
from topcook.model.digests import blake2b

if TYPE_CHECKING:
    from importlib.abc import Loader as _Loader
else:
    # importlib.abc loads a dozen modules, tempfile and pathlib among them, and nothing of it is needed.
    _Loader = object

__all__ = ["PREFIX", "Scope", "execute", "forget", "private_name", "quote_what_ran"]

#: All private modules have names that begin so.
PREFIX = "_pdgtypes_"


def private_name(path: str, stem: str, digest: str) -> str:
    """The module name of one version of one file; the stem stays readable in tracebacks."""
    place = blake2b(os.fsencode(path), digest_size=4).hexdigest()
    return f"{PREFIX}{re.sub(r'[^0-9A-Za-z_]', '_', stem)}_{place}{digest[:8]}"


@dataclass(slots=True)
class Scope:
    """What a private module may import as its sibling: the helpers of its bundle, and the package it is in.

    ``own`` is the public name that the module would have in Houdini (its stem), ``private`` the one it has.
    """

    bundle: Bundle
    own: str
    private: str
    is_package: bool

    def import_module(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the signature is the language's
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """``__import__`` as the module sees it: siblings first where that can be meant, else as usual."""
        top, _, rest = name.partition(".")
        private = self._sibling(top, rest, fromlist or ()) if level == 0 else None
        if private is None:
            try:
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            except ModuleNotFoundError as error:
                # A name that was put together at run time stood in nobody's code when the bundle was made.
                private = self._sibling(top, rest, live=True) if level == 0 and error.name == top else None
                if private is None:
                    raise
        leaf = importlib.import_module(f"{private}.{rest}" if rest else private)
        if not fromlist:
            return sys.modules[private]
        for each in fromlist:
            if each != "*" and not hasattr(leaf, each) and hasattr(leaf, "__path__"):
                _import_if_there(f"{leaf.__name__}.{each}")
        return leaf

    def _sibling(self, top: str, rest: str, names: Sequence[str] = (), *, live: bool = False) -> str | None:
        """The private name of the sibling that is meant by ``top``; None for everything else."""
        if top == self.own:
            # `import dask` in dask.py means the library, where there is one; `from myfarm.api import x` and
            # `from myfarm import api` in package myfarm mean itself.
            if live and not rest:
                return self.private
            inside = os.path.join(self.bundle.home, top)
            meant = [os.path.join(inside, *each.split(".")) for each in ([rest] if rest else names)]
            found = self.is_package and any(
                self.bundle.source_of(each) or self.bundle.has_below(each) for each in meant
            )
            return self.private if found else None
        path = self.bundle.sibling(top, live=live)
        if path is None or (rest and not path.endswith("__init__.py")):
            return None
        return _FINDER.helper(path, top, self.bundle)


def _import_if_there(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise


class _SourceLoader(_Loader):
    """Executes one file of a bundle, with sibling imports; a directory without ``__init__.py`` has no path."""

    def __init__(self, path: str, scope: Scope) -> None:
        self.path, self.scope = path, scope

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        if not self.path:
            return
        namespace = module.__dict__
        namespace["__file__"] = self.path
        namespace["__builtins__"] = {**vars(builtins), "__import__": self.scope.import_module}
        code = self.scope.bundle.code(self.path)
        exec(code, namespace)  # noqa: S102 - executing types files is the factory's work

    def get_source(self, fullname: str) -> str:
        del fullname
        return "".join(linecache.getlines(self.path))


class _PrivateFinder:
    """Finds helpers and submodules of private packages by their private names; nothing else."""

    def __init__(self) -> None:
        self._helpers: dict[str, tuple[str, Scope]] = {}

    def helper(self, path: str, top: str, bundle: Bundle) -> str:
        """The private name of a helper: one for all modules that see the same version of it and of its own helpers."""
        private = f"{private_name(path, 'helper', bundle.fingerprint(path))}__{top}"
        if private not in self._helpers:
            self._helpers[private] = (path, Scope(bundle, top, private, path.endswith("__init__.py")))
        return private

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        del target
        if not name.startswith(PREFIX):
            return None
        if name in self._helpers:
            return _spec(name, *self._helpers[name])
        parent, _, leaf = name.rpartition(".")
        outer = getattr(sys.modules.get(parent), "__loader__", None)
        if not isinstance(outer, _SourceLoader):
            return None
        for directory in path or ():
            stem = os.path.join(directory, leaf)
            found = outer.scope.bundle.source_of(stem)
            if found is not None:
                return _spec(name, found, outer.scope)
            if outer.scope.bundle.has_below(stem):
                return _namespace(name, stem, outer.scope)
            if outer.scope.bundle.source_of(stem, live=True) is not None:
                # Whoever looks on disk next would find what is no part of this version.
                raise ModuleNotFoundError(f"No module named {name!r} in this version of the package", name=name)
        return None


def _spec(name: str, path: str, scope: Scope) -> ModuleSpec:
    package = [os.path.dirname(path)] if os.path.basename(path) == "__init__.py" else None
    spec = ModuleSpec(name, _SourceLoader(path, scope), origin=path, is_package=package is not None)
    if package is not None:
        spec.submodule_search_locations = package
    return spec


def _namespace(name: str, directory: str, scope: Scope) -> ModuleSpec:
    spec = ModuleSpec(name, _SourceLoader("", scope), is_package=True)
    spec.submodule_search_locations = [directory]
    return spec


#: Answers for names with our prefix only, so it can stay on ``sys.meta_path``.
_FINDER = _PrivateFinder()


def execute(path: str, stem: str, bundle: Bundle) -> ModuleType:
    """A fresh module, executed from its bundle. Raises whatever its author's code raises; nothing stays then."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    name = private_name(path, stem, bundle.digest)
    spec = _spec(name, path, Scope(bundle, stem, name, os.path.basename(path) == "__init__.py"))
    forget(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except BaseException:
        # Author code may raise anything, and a half-executed module must not be found again.
        forget(name)
        raise
    return module


def forget(name: str) -> None:
    """Drop a private module and its submodules from ``sys.modules``."""
    if sys.modules.pop(name, None) is None:
        return
    inner = name + "."
    for each in [each for each in sys.modules if each.startswith(inner)]:
        del sys.modules[each]


def quote_what_ran(trace: TracebackType | None) -> None:
    """Let the text of a traceback be that of the versions in it: other versions of a file may have been read since."""
    while trace is not None:
        loader = trace.tb_frame.f_globals.get("__loader__")
        path = trace.tb_frame.f_code.co_filename
        if isinstance(loader, _SourceLoader) and path in loader.scope.bundle.files:
            keep_text(loader.scope.bundle.files[path], path)
        trace = trace.tb_next
