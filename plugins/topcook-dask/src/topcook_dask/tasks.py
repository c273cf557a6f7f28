"""How code gets to workers and scheduler: as text that is evaluated there.

A pickled function would need Topcook over there, or the same version of Python. To workers ``eval`` is sent and an
expression, whose code is a file in the script directory (``worker.py``); to the scheduler the code itself
(``schedulerside.py``). Each process loads it once.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

__all__ = ["Sent", "SentPlugin", "WorkerCode", "key_of", "prefix_of", "token_of"]

#: Under a name that tells its version; of two threads that come at once the first one's counts.
_LOADER = """\
import sys, types
new = types.ModuleType(name)
new.__file__ = path
if not text:
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
exec(compile(text, path, "exec"), new.__dict__)
new = sys.modules.setdefault(name, new)
"""


class WorkerCode:
    """Code for workers, as a file in the script directory that they see as ``remote``."""

    def __init__(self, local: str, remote: str) -> None:
        """Put the file there; beside it are those that it loads."""
        source, name = _source("worker")
        # A worker that serves many cooks keeps one of each version, whichever directory it first came from.
        others = b"".join((Path(local) / f"{each}.py").read_bytes() for each in ("jobwrapper", "pythonjob"))
        self._name = f"{name}_{hashlib.sha256(others).hexdigest()[:12]}"
        self._path = f"{remote}/{self._name}.py"
        target = Path(local) / f"{self._name}.py"
        if not target.exists():
            draft = target.with_name(f".{target.name}.{secrets.token_hex(3)}.part")
            draft.write_text(source, encoding="utf-8")
            os.replace(draft, target)

    def call(self, function: str, *values: Any) -> str:
        """An expression that calls one of its functions; values are plain: texts, numbers, lists of them."""
        return _call(_loaded(self._name, self._path, ""), function, values)


class Sent:
    """A function of ``schedulerside.py``: pickled it is an expression, unpickled over there the function itself."""

    def __init__(self, name: str) -> None:
        """``name`` is the function's."""
        self._name = name

    def __reduce__(self) -> tuple[Any, ...]:
        """What is to be evaluated there."""
        return eval, (f"{_scheduler_side()}.{self._name}",)


class SentPlugin(SchedulerPlugin):
    """A ``Watch``, made over there."""

    def __init__(self, name: str, *values: str) -> None:
        """``values`` are what it is made with, after its name."""
        self.name = name
        self._values = values

    def __reduce__(self) -> tuple[Any, ...]:
        """What is to be evaluated there."""
        return eval, (_call(_scheduler_side(), "Watch", (self.name, *self._values)),)


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


def _scheduler_side() -> str:
    source, name = _source("schedulerside")
    return _loaded(name, f"{name}.py", source)


def _loaded(name: str, path: str, text: str) -> str:
    space = {"name": name, "path": path, "text": text}
    load = f"[exec({_LOADER!r}, (space := {space!r})), space['new']][1]"
    # A text in the text: each task compiles the expression, but only the first one in a process what loads the file.
    return f"(__import__('sys').modules.get({name!r}) or eval({load!r}))"


def _call(module: str, function: str, values: tuple[Any, ...]) -> str:
    return f"{module}.{function}({', '.join(map(repr, values))})"


@cache
def _source(module: str) -> tuple[str, str]:
    """The text, and a name that tells its version."""
    text = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    return text, f"topcook_dask_{module}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
