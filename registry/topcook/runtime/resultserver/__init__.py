"""The result server: where jobs report, and how their reports reach the cook.

``server`` holds the thread and its sockets, ``connection`` one caller, ``lines`` and ``http`` the two protocols,
``methods`` the one table of calls, ``dispatch`` the way to the cook and back.
"""

from __future__ import annotations

from topcook.runtime.resultserver.dispatch import Counters, Sink
from topcook.runtime.resultserver.server import ResultServerThread, SchedulerDoor
from topcook.runtime.resultserver.settings import Address, Limits

__all__ = ["Address", "Counters", "Limits", "ResultServerThread", "SchedulerDoor", "Sink"]
