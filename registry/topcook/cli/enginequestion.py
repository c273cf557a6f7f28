"""Asking the engine of a farm what became of the job that cooks a submitted network."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from topcook.errors import CookRefusedError
from topcook.model.directories import JOB_NOTE

__all__ = ["EngineQuestion"]

#: Seconds between two questions while a cook is waited for.
_PERIOD = 5.0
_SHAPE = (("type", str), ("job", str), ("asked", dict))


class EngineQuestion:
    """What can be asked about one submitted cook: nothing, where its scheduler has not noted its job."""

    #: Why it could not be asked the last time, empty when it could.
    trouble = ""

    def __init__(self, status: str) -> None:
        """``status`` is the path of the cook's status file."""
        self._folder = os.path.dirname(os.path.abspath(status))
        self._due = 0.0
        self._ask: Callable[[str, dict[str, str]], object] | None = None

    def end(self) -> str:
        """Why the job will do nothing more, in a sentence; empty while it may, or nobody can tell.

        While a cook is waited for the engine is not asked each time.
        """
        if time.monotonic() < self._due:
            return ""
        said = self._noted()
        self.trouble, ended = "", ""
        try:
            if said is not None:
                self._ask = self._ask or self._method(said["type"])
                ended = str(self._ask(said["job"], said["asked"]) or "")
        except Exception as error:  # noqa: BLE001 - author code, and an engine that may be away: what is written still counts
            self.trouble = str(error) or type(error).__name__
        self._due = time.monotonic() + _PERIOD
        return f"its job {said['job']} cooks no more: {ended}" if said is not None and ended else ""

    def _noted(self) -> dict[str, Any] | None:
        try:
            with open(os.path.join(self._folder, JOB_NOTE), encoding="utf-8") as file:
                # What others wrote must not say what our schedulers ask, and where.
                ours = not hasattr(os, "getuid") or os.fstat(file.fileno()).st_uid == os.getuid()
                said = json.load(file) if ours else None
        except (OSError, ValueError):
            return None
        shaped = isinstance(said, dict) and all(isinstance(said.get(name), kind) for name, kind in _SHAPE)
        return said if shaped else None

    def _method(self, name: str) -> Callable[[str, dict[str, str]], object]:
        from topcook.cli.configured import configuration
        from topcook.factory import Factory, Kind

        factory = Factory.scan(config=configuration(self._folder))
        record = factory.find(Kind.SCHEDULER, name)
        if record is None:
            raise CookRefusedError(f'there is no scheduler type "{name}" here')
        found = getattr(factory.load(record), "submittedJobEnd", None)
        if found is None:
            raise CookRefusedError(f'scheduler type "{name}" has no submittedJobEnd')
        ask: Callable[[str, dict[str, str]], object] = found
        return ask
