"""Versions: which bytes a record speaks of, and where they are kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING

from topcook.lean import dataclass, field

if TYPE_CHECKING:
    import weakref

__all__ = ["Version"]

#: Gives the bytes of a file by its path and digest; None when they are not to be had any more.
Fetch = Callable[[str, str], bytes | None]


@dataclass(slots=True, eq=False, weakref_slot=True)
class Version:
    """What was executed when a candidate was probed; all records of the candidate share one.

    ``files`` are paths and digests of the whole bundle, the candidate's own file first; none for an entry point,
    which is an ordinary module. ``names`` are the kinds and lower-cased names of all that it registered.

    Records hold their version, and a cook the records of its types. What was executed is dropped with the last of them.
    """

    path: str
    stem: str
    files: tuple[tuple[str, str], ...] = ()
    names: frozenset[tuple[str, str]] = frozenset()
    fetch: Fetch = field(default=lambda _path, _digest: None, repr=False)

    def contents(self) -> dict[str, bytes]:
        """The bytes of all files by path, the candidate's own first.

        Raises ``LookupError`` naming a file whose bytes of this version are gone.
        """
        found: dict[str, bytes] = {}
        for path, digest in self.files:
            content = self.fetch(path, digest)
            if content is None:
                content = _on_disk(path, digest)
            if content is None:
                raise LookupError(path)
            found[path] = content
        return found


def _on_disk(path: str, digest: str) -> bytes | None:
    """The file's bytes where it still is the version that is asked for."""
    from topcook.factory.bundles import content_hash, read_file

    try:
        content = read_file(path)
    except OSError:
        return None
    return content if content_hash(content) == digest else None


def kept_in_memory(files: Iterable[tuple[str, str, bytes]]) -> Fetch:
    """Gives the bytes of files that were just reported: (path, digest, content)."""
    kept = {(path, digest): content for path, digest, content in files}
    return lambda path, digest: kept.get((path, digest))


def forgotten_with(version: Version, module: ModuleType) -> None:
    """Let a private module leave ``sys.modules`` when nobody holds its version any more."""
    import weakref

    weakref.finalize(version, _forget, module.__name__, weakref.ref(module)).atexit = False


def _forget(name: str, module: weakref.ref[ModuleType]) -> None:
    from topcook.factory.imports import forget

    # The same content executed once more has the same name.
    if sys.modules.get(name) is module():
        forget(name)
