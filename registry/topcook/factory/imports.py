"""The imports of types modules: private names, source from the bytes read, helpers found beside the file.

A drop-in file is executed under a private name, because a file called ``logging.py`` must not become what
the rest of the process imports as ``logging``. Its ``import helper`` finds ``helper.py`` beside it, under a
private name too, so that two directories may each have a helper of that name, and without a change of
``sys.path``. Each private module therefore gets an ``__import__`` of its own in its ``__builtins__``.

Source is compiled from the bytes read, never from a ``.pyc``: two edits within a second would be served stale.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import linecache
import os
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

__all__ = ["PREFIX", "Scope", "content_hash", "execute", "forget", "private_name"]

#: All private modules have names that begin so.
PREFIX = "_pdgtypes_"
_MARK = b"registerTypes"
#: Never a sibling, whatever lies beside the file.
OURS = frozenset({"pdg", "pdgjob", "topcook", "hou"})


def content_hash(content: bytes, *more: bytes) -> str:
    """A short fingerprint of what is executed."""
    digest = blake2b(content, digest_size=16)
    for each in more:
        digest.update(each)
    return digest.hexdigest()


def private_name(path: str, stem: str, digest: str) -> str:
    """The module name of one version of one file; the stem stays readable in tracebacks."""
    place = blake2b(os.fsencode(path), digest_size=4).hexdigest()
    return f"{PREFIX}{re.sub(r'[^0-9A-Za-z_]', '_', stem)}_{place}{digest[:8]}"


@dataclass(slots=True)
class Scope:
    """What a private module may import as its sibling: helpers in ``directory``, and the package it is in.

    ``own`` is the public name that the module would have in Houdini (its stem), ``private`` the one it has.
    ``met`` pins each sibling to the version that was met first, for as long as this version of the module lives.
    """

    directory: str
    own: str
    private: str
    is_package: bool
    met: dict[str, str | None] = field(default_factory=dict)

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
        private = self._sibling(top, rest) if level == 0 else None
        if private is None:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        leaf = importlib.import_module(f"{private}.{rest}" if rest else private)
        if not fromlist:
            return sys.modules[private]
        for each in fromlist:
            if each != "*" and not hasattr(leaf, each) and hasattr(leaf, "__path__"):
                _import_if_there(f"{leaf.__name__}.{each}")
        return leaf

    def _sibling(self, top: str, rest: str) -> str | None:
        """The private name of the sibling that is meant by ``top``; None for everything else."""
        if top in sys.stdlib_module_names or top in OURS:
            return None
        if top == self.own:
            # `import dask` in dask.py means the library; `from myfarm.api import x` in package myfarm means itself.
            inner = os.path.join(self.directory, top, *rest.split("."))
            return self.private if rest and self.is_package and _source_of(inner) else None
        if top not in self.met:
            self.met[top] = self._meet(top)
        private = self.met[top]
        if private is not None and rest and not _FINDER.siblings[private][0].endswith("__init__.py"):
            return None
        return private

    def _meet(self, top: str) -> str | None:
        path = _source_of(os.path.join(self.directory, top))
        if path is None:
            return None
        content = _read(path)
        if _MARK in content and _is_installed(top):
            return None  # another types file that happens to be called as an installed library is
        private = f"{private_name(path, 'helper', content_hash(content))}__{top}"
        _FINDER.siblings.setdefault(private, (path, self.directory, top))
        return private


def _import_if_there(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return name in sys.modules


def _source_of(stem: str) -> str | None:
    for path in (stem + ".py", os.path.join(stem, "__init__.py")):
        if os.path.isfile(path):
            return path
    return None


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def compile_source(content: bytes, path: str) -> CodeType:
    """The code of a source file; its text is kept for tracebacks, as it was when it was compiled."""
    text = content.decode("utf-8", "replace")
    # No mtime: linecache then never asks the disk, and a traceback quotes the version that ran.
    linecache.cache[path] = (len(content), None, text.splitlines(keepends=True), path)
    with warnings.catch_warnings():
        # An author's "\d" is a warning at worst; it must not be one on our terminal, nor an error under -W error.
        warnings.simplefilter("ignore")
        return compile(content, path, "exec", dont_inherit=True)


class _SourceLoader(Loader):
    """Executes one file from its bytes, with sibling imports."""

    def __init__(self, path: str, scope: Scope, content: bytes | None = None) -> None:
        self.path, self.scope, self.content = path, scope, content

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        content = _read(self.path) if self.content is None else self.content
        namespace = module.__dict__
        namespace["__file__"] = self.path
        namespace["__builtins__"] = {**vars(builtins), "__import__": self.scope.import_module}
        exec(compile_source(content, self.path), namespace)  # noqa: S102 - executing types files is the factory's work

    def get_source(self, fullname: str) -> str:
        del fullname
        return "".join(linecache.getlines(self.path))


class _PrivateFinder:
    """Finds helpers and submodules of private packages by their private names; nothing else."""

    def __init__(self) -> None:
        self.siblings: dict[str, tuple[str, str, str]] = {}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        del target
        if not name.startswith(PREFIX):
            return None
        if name in self.siblings:
            source, directory, own = self.siblings[name]
            scope = Scope(directory, own, name, source.endswith("__init__.py"))
            return _spec(name, source, scope)
        parent, _, leaf = name.rpartition(".")
        outer = getattr(sys.modules.get(parent), "__loader__", None)
        if not isinstance(outer, _SourceLoader):
            return None
        for directory in path or ():
            found = _source_of(os.path.join(directory, leaf))
            if found is not None:
                return _spec(name, found, outer.scope)
        return None


def _spec(name: str, path: str, scope: Scope, content: bytes | None = None) -> ModuleSpec:
    package = [os.path.dirname(path)] if os.path.basename(path) == "__init__.py" else None
    loader = _SourceLoader(path, scope, content)
    spec = ModuleSpec(name, loader, origin=path, is_package=package is not None)
    if package is not None:
        spec.submodule_search_locations = package
    return spec


#: Answers for names with our prefix only, so it can stay on ``sys.meta_path``.
_FINDER = _PrivateFinder()


def execute(path: str, stem: str, content: bytes, digest: str, *, is_package: bool) -> ModuleType:
    """A fresh module, executed from ``content``. Raises whatever its author's code raises; nothing stays then."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    name = private_name(path, stem, digest)
    directory = os.path.dirname(os.path.dirname(path) if is_package else path)
    spec = _spec(name, path, Scope(directory, stem, name, is_package), content)
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
    for each in [each for each in sys.modules if each == name or each.startswith(name + ".")]:
        del sys.modules[each]
