"""How code gets to workers and scheduler: as text that is evaluated there.

A pickled function would need Topcook over there, or the same version of Python. What is sent is ``eval`` and an
expression; the code itself is a file in the script directory (``worker.py``), loaded once by each process.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["WorkerCode", "key_of", "prefix_of", "token_of"]

#: Loads the file once, under a name that tells its version; of two threads that come at once the first one's counts.
_LOADER = """\
import sys, types
new = types.ModuleType(name)
new.__file__ = path
with open(path, encoding="utf-8") as stream:
    exec(compile(stream.read(), path, "exec"), new.__dict__)
new = sys.modules.setdefault(name, new)
"""


class WorkerCode:
    """Code for workers, as a file in the script directory that they see as ``remote``."""

    def __init__(self, local: str, remote: str, module: str = "worker") -> None:
        """Put the file there."""
        source = _source(module)
        self._name = f"topcook_dask_{module}_{hashlib.sha256(source).hexdigest()[:12]}"
        self._path = f"{remote}/{self._name}.py"
        target = Path(local) / f"{self._name}.py"
        if not target.exists():
            draft = target.with_name(f".{target.name}.{secrets.token_hex(3)}.part")
            draft.write_bytes(source)
            os.replace(draft, target)

    def call(self, function: str, *values: Any) -> str:
        """An expression that calls one of its functions; values are plain: texts, numbers, lists of them."""
        load = f"exec({_LOADER!r}, (space := {{'name': {self._name!r}, 'path': {self._path!r}}}))"
        module = f"(__import__('sys').modules.get({self._name!r}) or [{load}, space['new']][1])"
        return f"{module}.{function}({', '.join(map(repr, values))})"


def prefix_of(node: str) -> str:
    """What the keys of a node's tasks begin with: Dask keeps durations, and shows progress, by it."""
    return "topcook_" + "".join(char if char.isalnum() else "_" for char in node)


def key_of(node: str, token: str) -> str:
    """The key of a task."""
    return f"{prefix_of(node)}-{token}"


def token_of(key: str) -> str:
    """The token in a key; empty where it is no key of ours."""
    prefix, _, token = key.partition("-")
    return token if prefix.startswith("topcook_") else ""


@cache
def _source(module: str) -> bytes:
    return Path(__file__).with_name(f"{module}.py").read_bytes()
