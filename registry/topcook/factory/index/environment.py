"""The environment of a probe: all that its outcome hangs on beside the files themselves.

Kept short, because each start makes it: one listing of each directory of ``sys.path``, one of each of our packages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

from topcook import __version__

__all__ = ["environment_key", "interpreter_key"]

#: Our packages that a probe runs through.
_OURS = ("contract", "factory", "factory/probing", "model", "../pdg")
_DISTRIBUTIONS = (".dist-info", ".egg-info", ".egg-link", ".pth")


def environment_key(environ: Mapping[str, str]) -> str:
    """The interpreter, Topcook, and what is installed where on ``sys.path``, in one text.

    Not hashed: the module that hashes costs a start more than comparing some kilobytes does.
    """
    parts = [interpreter_key(), sys.executable or "", sys.prefix, environ.get("TOPCOOK_HOU", "")]
    parts += _stamps_of_ours()
    for at, directory in enumerate(sys.path):
        # The first is where a program lies, or where somebody stood when he started it: the same for all of them.
        parts += [directory if at else "", *sorted(_installed(directory))]
    return "\n".join(parts).encode("utf-8", "backslashreplace").decode()


def interpreter_key() -> str:
    """What a record can be carried to: the kind and version of the interpreter, and of Topcook."""
    return f"{sys.implementation.cache_tag} {'.'.join(map(str, sys.version_info[:3]))} {sys.platform} {__version__}"


def _installed(directory: str) -> Iterator[str]:
    """The distributions of one directory, each with the time of its last change."""
    try:
        with os.scandir(directory) as listing:
            for entry in listing:
                if entry.name.endswith(_DISTRIBUTIONS):
                    yield f"{entry.name} {entry.stat().st_mtime_ns}"
    except OSError:
        return


def _stamps_of_ours() -> Iterator[str]:
    """Our own source files, so that whoever works on Topcook is not shown what an older one found."""
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for folder in _OURS:
        try:
            with os.scandir(os.path.join(home, folder)) as listing:
                for entry in sorted(listing, key=lambda each: each.name):
                    if entry.name.endswith(".py"):
                        status = entry.stat()
                        yield f"{folder}/{entry.name} {status.st_size} {status.st_mtime_ns}"
        except OSError:
            continue
