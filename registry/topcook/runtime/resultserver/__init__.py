"""The result server: where jobs report, and how their reports reach the cook.

``server`` holds the thread and its sockets, ``connection`` one caller, ``lines`` and ``http`` the two protocols,
``methods`` the one table of calls, ``dispatch`` the way to the cook and back.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topcook.runtime.resultserver.dispatch import Sink
    from topcook.runtime.resultserver.notes import Counters
    from topcook.runtime.resultserver.server import ResultServerThread, SchedulerDoor
    from topcook.runtime.resultserver.settings import Address, Limits

__all__ = ["Address", "Counters", "Limits", "ResultServerThread", "SchedulerDoor", "Sink"]

#: Where each name comes from, imported when it is asked for: every cook reads the settings, few of them listen.
_HOMES = {
    "Address": "settings",
    "Counters": "notes",
    "Limits": "settings",
    "ResultServerThread": "server",
    "SchedulerDoor": "server",
    "Sink": "dispatch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
