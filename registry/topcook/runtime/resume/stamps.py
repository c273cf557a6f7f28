"""What is looked at of files to tell whether they are as they were."""

from __future__ import annotations

import contextlib
import os
import stat

from topcook.model.digests import blake2b

__all__ = ["Stamps"]

_BLOCK = 1 << 20


class Stamps:
    """Looks at files: ``mtime`` by size and time of change, ``hash`` by content, ``off`` not at all."""

    def __init__(self, mode: str) -> None:
        """Look in this way."""
        self.mode = mode
        #: Contents are read once, as long as size and time stay.
        self._read: dict[str, tuple[int, int, str]] = {}

    def of(self, path: str) -> str:
        """A short text that is another one when the file is; what is no file on this machine is told by its path."""
        if self.mode == "off" or "://" in path:
            return ""
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return "missing"
        if stat.S_ISDIR(found.st_mode):
            # Whatever is written beside a directory's own files would count as a change of it.
            return "directory"
        if self.mode == "mtime":
            return f"{found.st_size}.{found.st_mtime_ns}"
        return self._content(path, found.st_size, found.st_mtime_ns)

    def _content(self, path: str, size: int, changed: int) -> str:
        known = self._read.get(path)
        if known is not None and known[:2] == (size, changed):
            return known[2]
        digest = blake2b(digest_size=16)
        try:
            with open(path, "rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
        except OSError:
            return "unreadable"
        text = digest.hexdigest()
        self._read[path] = (size, changed, text)
        return text


def stands(path: str) -> bool:
    """Whether an output is still there; what is no file on this machine is taken to be."""
    if "://" in path:
        return True
    with contextlib.suppress(ValueError):
        return os.path.exists(path)
    return False
