"""The interpreter's own state that a types file may change without harm: it is put back, and no more is said."""

from __future__ import annotations

import gc
import os
import sys
import threading
import warnings
from typing import Any

from topcook.factory.imports import PREFIX

__all__ = ["OwnState"]

_HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook", "dont_write_bytecode", "argv", "path")
_LISTS = ("meta_path", "path_hooks")


class OwnState:
    """What is put back after each file: ``sys``, the environment, warnings, logging, and modules only it can see."""

    def __init__(self) -> None:
        self._environ = os.environ
        self._variables = dict(os.environ)
        raw = vars(os.environ).get("_data")
        self._raw = dict(raw) if isinstance(raw, dict) else None
        self._hooks = {name: getattr(sys, name) for name in _HOOKS}
        self._lists = {name: list(getattr(sys, name)) for name in _LISTS}
        self._path = list(sys.path)
        self._limits = (sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold())
        self._filters = list(warnings.filters)
        self._threads = threading.excepthook
        self._known = set(sys.modules)
        self.foreign = False

    def put_back(self) -> None:
        """Put everything back; ``foreign`` says afterwards whether libraries were imported that may yet be edited."""
        for name, value in self._hooks.items():
            setattr(sys, name, value)
        for name, items in self._lists.items():
            getattr(sys, name)[:] = items
        added = [each for each in sys.path if each not in self._path]
        sys.path[:] = self._path
        self._put_back_limits()
        self._put_back_environment()
        if list(warnings.filters) != self._filters:
            warnings.filters[:] = self._filters  # type: ignore[index]
            warnings._filters_mutated()  # type: ignore[attr-defined]  # noqa: SLF001 - resetwarnings() would take the first ones, too
        threading.excepthook = self._threads
        if "logging" in sys.modules:
            _put_back_logging(sys.modules["logging"])
        if len(sys.modules) != len(self._known) or not self._known.issuperset(sys.modules):
            self._forget(added)

    def _put_back_limits(self) -> None:
        recursion, interval, enabled, threshold = self._limits
        if sys.getrecursionlimit() != recursion:
            sys.setrecursionlimit(recursion)
        if sys.getswitchinterval() != interval:
            sys.setswitchinterval(interval)
        if gc.isenabled() != enabled:
            gc.enable() if enabled else gc.disable()
        if gc.get_threshold() != threshold:
            gc.set_threshold(*threshold)

    def _put_back_environment(self) -> None:
        os.environ = self._environ  # noqa: B003 - the very object, if it was replaced
        # As bytes, where there are any: to decode all of it after each file takes long.
        if vars(os.environ).get("_data") != self._raw or self._raw is None:
            os.environ.clear()
            os.environ.update(self._variables)

    def _forget(self, added: list[str]) -> None:
        """Forget the types modules, and what came from directories that were on ``sys.path`` for one file only."""
        roots = tuple(os.path.join(each, "") for each in added)
        for name in [name for name in sys.modules if name not in self._known]:
            path = getattr(sys.modules[name], "__file__", None)
            if name.startswith(PREFIX) or (roots and isinstance(path, str) and path.startswith(roots)):
                del sys.modules[name]
            else:
                self._known.add(name)
                if name.partition(".")[0] not in sys.stdlib_module_names | {"topcook", "pdg", "pdgjob"}:
                    self.foreign = True


def _put_back_logging(logging: Any) -> None:
    root = logging.getLogger()
    root.handlers[:] = []
    root.setLevel(logging.WARNING)
    root.filters[:] = []
    logging.disable(logging.NOTSET)
