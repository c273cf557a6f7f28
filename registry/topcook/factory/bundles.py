"""Bundles: the source files that one version of a types module consists of, as bytes.

A probe makes a bundle from the disk before it executes anything: the file itself, its whole package, and every
sibling that its code names, directly or through another sibling, also where the import stands inside a function.
The index keeps the bytes, and the host executes from them, so that a helper edited, moved or deleted meanwhile
changes nothing for who holds a version.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType

__all__ = ["Bundle", "compile_source", "content_hash", "read_bundle"]

#: Never a sibling, whatever lies beside the file.
OURS = frozenset({"pdg", "pdgjob", "topcook", "hou"})
_MARK = b"registerTypes"
#: Names with which code may import what its ``import`` statements do not name.
_IMPORTERS = frozenset({"__import__", "import_module", "importlib"})

#: Nanoseconds after which a directory that has changed again has another time, too.
_SETTLED = 2_000_000_000

Read = Callable[[str], bytes]


def content_hash(content: bytes, *more: bytes) -> str:
    """A short fingerprint of what is executed."""
    from topcook.model.digests import blake2b

    digest = blake2b(content, digest_size=16)
    for each in more:
        digest.update(each)
    return digest.hexdigest()


def read_file(path: str) -> bytes:
    """The bytes of a file; raises OSError also for what is none: whoever opens a pipe waits for its writer."""
    from topcook.factory.trust import read_trusted

    return read_trusted(path, None)


def keep_text(content: bytes, path: str) -> None:
    """Let tracebacks quote this text of a file from now on."""
    import linecache

    text = content.decode("utf-8", "replace")
    # No mtime: linecache then never asks the disk, and a traceback quotes the version that ran.
    linecache.cache[path] = (len(content), None, text.splitlines(keepends=True), path)


def compile_source(content: bytes, path: str) -> CodeType:
    """The code of a source file; its text is kept for tracebacks, as it was when it was compiled."""
    keep_text(content, path)
    with warnings.catch_warnings():
        # An author's "\d" is a warning at worst; it must not be one on our terminal, nor an error under -W error.
        warnings.simplefilter("ignore")
        return compile(content, path, "exec", dont_inherit=True)


class Bundle:
    """The files of one version, by path, the module's own first; ``home`` is the directory that siblings lie in.

    An open bundle belongs to a probe: what it does not have is looked for on disk, and kept. A closed one is a
    version that was stored: siblings are what is in it, and nothing else.
    """

    def __init__(self, home: str, files: dict[str, bytes], *, closed: bool = True, read: Read = read_file) -> None:
        """Take the files, the module's own first."""
        self.home = home
        self.files = files
        self.closed = closed
        self._read = read
        self._codes: dict[str, CodeType] = {}
        self._met: dict[str, str | None] = {}
        # By path: what a file's code may import from beside it, and the fingerprint of all of that.
        self._next: dict[str, list[str]] = {}
        self._prints: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """What tells this version from others: the fingerprint of all its files."""
        own, *others = self.files
        return content_hash(self.files[own], *(self.files[path] for path in sorted(others)))

    def content(self, path: str) -> bytes:
        """The bytes of a file; raises ``OSError`` or what the reader raises for one that cannot be had."""
        found = self.files.get(path)
        if found is None:
            found = self.files[path] = self._read(path)
        return found

    def code(self, path: str) -> CodeType:
        """The code of a file, compiled once; raises what ``compile`` raises."""
        code = self._codes.get(path)
        if code is None:
            code = self._codes[path] = compile_source(self.content(path), path)
        return code

    def source_of(self, stem: str, *, live: bool = False) -> str | None:
        """The file of a module whose path without ending this is; ``live`` looks on disk in any case."""
        for path in (stem + ".py", os.path.join(stem, "__init__.py")):
            if path in self.files or ((live or not self.closed) and os.path.isfile(path)):
                return path
        return None

    def has_below(self, directory: str) -> bool:
        """Whether a file of this version lies anywhere in a directory."""
        return any(path.startswith(directory + os.sep) for path in self.files)

    def sibling(self, top: str, *, live: bool = False) -> str | None:
        """The helper that is meant by ``import top``; None for everything else."""
        if top in sys.stdlib_module_names or top in OURS:
            return None
        if top not in self._met or (live and self._met[top] is None):
            self._met[top] = self._meet(top, live=live)
            if live and self._met[top] is not None:
                self._next.clear()
                self._prints.clear()
        return self._met[top]

    def _meet(self, top: str, *, live: bool) -> str | None:
        path = self.source_of(os.path.join(self.home, top), live=live)
        if path is None or (self.closed and not live):
            return path
        try:
            # Another types file may happen to be called as an installed library is.
            return None if _MARK in self.content(path) and _is_installed(top) else path
        except OSError:
            return path

    def closure(self, path: str) -> list[str]:
        """The file and all that its code may import from beside it, directly or not: itself first, then by path."""
        found, waiting = {path}, [path]
        while waiting:
            current = waiting.pop()
            if current not in self._next:
                self._next[current] = list(self._beside(current))
            for other in self._next[current]:
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return [path, *sorted(found - {path})]

    def fingerprint(self, path: str) -> str:
        """What tells a helper and all that it may import from others of the same path; asked at each import of it."""
        found = self._prints.get(path)
        if found is None:
            found = self._prints[path] = content_hash(*map(self.content, self.closure(path)))
        return found

    def _beside(self, path: str) -> Iterator[str]:
        if os.path.basename(path) == "__init__.py":
            yield from self._below(os.path.dirname(path))
        own = os.path.relpath(path, self.home).partition(os.sep)[0].removesuffix(".py")
        try:
            names = named(self.code(path)) - {own}
        except Exception:  # noqa: BLE001 - a file that does not compile imports nothing; executing it says why
            return
        if not self.closed:
            # Dozens of names, nearly all of attributes: one look at the directory rather than two for each name.
            names &= _modules_in(self.home)
        yield from filter(None, map(self.sibling, names))

    def _below(self, package: str) -> Iterator[str]:
        inside = package + os.sep
        if self.closed:
            yield from (path for path in self.files if path.startswith(inside))
            return
        for directory, folders, files in os.walk(package):
            folders.sort()
            paths = (os.path.join(directory, name) for name in sorted(files) if name.endswith(".py"))
            yield from filter(os.path.isfile, paths)


def home_of(path: str) -> str:
    """The directory that holds the siblings of a types file, or of the package that ``path`` begins."""
    directory, _, name = path.rpartition(os.sep)
    return os.path.dirname(directory) if name == "__init__.py" else directory


def read_bundle(path: str, content: bytes | None = None, *, read: Read = read_file) -> Bundle:
    """The open bundle of a types file (or a package's ``__init__.py``), whose bytes may have been read already.

    Raises what ``read`` raises for the file itself; a helper that cannot be read is left to the import that needs it.
    """
    bundle = Bundle(home_of(path), {path: read(path) if content is None else content}, closed=False, read=read)
    for each in bundle.closure(path):
        try:
            bundle.content(each)
        except OSError:
            continue
    return bundle


def named(code: CodeType) -> set[str]:
    """The top-level modules that code may import; names of attributes are among them, which does no harm."""
    found: set[str] = set()
    waiting = [code]
    while waiting:
        current = waiting.pop()
        found.update(current.co_names)
        dynamic = not _IMPORTERS.isdisjoint(current.co_names)
        for constant in current.co_consts:
            if isinstance(constant, CodeType):
                waiting.append(constant)
            elif dynamic and isinstance(constant, str):
                found.add(constant)
    return {name.partition(".")[0] for name in found}


def _modules_in(directory: str) -> frozenset[str]:
    """The names that modules and packages in a directory may have; empty for one that cannot be read."""
    try:
        status = os.stat(directory)
        if time.time_ns() - status.st_mtime_ns > _SETTLED:
            return _listed(directory, status.st_mtime_ns, status.st_ino)
        return _listed.__wrapped__(directory, 0, 0)
    except OSError:
        return frozenset()


@lru_cache(maxsize=64)
def _listed(directory: str, _mtime: int, _inode: int) -> frozenset[str]:
    return frozenset(name.removesuffix(".py") for name in os.listdir(directory))


def _is_installed(name: str) -> bool:
    import importlib.util

    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return name in sys.modules
