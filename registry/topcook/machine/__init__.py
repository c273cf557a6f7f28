"""The machine: decides what a cook does next, and does nothing itself.

``CookState.handle(*events)`` takes what happened and answers with what to do. No clock, thread, socket,
disk or logger in here; ``docs/architecture.md`` tells why.
"""

from __future__ import annotations

from topcook.machine.cookstate import CookState
from topcook.machine.phases import Phase, Trigger
from topcook.machine.transitions import TRANSITIONS

__all__ = ["TRANSITIONS", "CookState", "Phase", "Trigger"]
