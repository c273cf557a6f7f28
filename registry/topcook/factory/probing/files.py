"""Which source files a candidate consists of: what the index keeps, and what the host executes later."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from topcook.factory.imports import content_hash
from topcook.factory.wire import FileRead

if TYPE_CHECKING:
    from topcook.factory.sources import Candidate

__all__ = ["files_read", "package_sources"]


def package_sources(candidate: Candidate) -> dict[str, bytes]:
    """All source files of a package, its ``__init__.py`` too, in the order of their paths."""
    found: dict[str, bytes] = {}
    for directory, folders, files in os.walk(os.path.dirname(candidate.path)):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(directory, name)
            if name.endswith(".py") and os.path.isfile(path):
                with open(path, "rb") as stream:
                    found[path] = stream.read()
    return found


def files_read(candidate: Candidate, content: bytes) -> list[FileRead]:
    """The candidate's own file first, then the rest of its package; nothing for an entry point."""
    if candidate.entry_point is not None:
        return []
    found = {candidate.path: content}
    if candidate.is_package:
        found |= {path: text for path, text in package_sources(candidate).items() if path != candidate.path}
    return [FileRead(path, content_hash(text), text) for path, text in found.items()]
