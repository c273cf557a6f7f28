"""``import pdgutils``: the names of Houdini's message queue client, so that scheduler files which import them load.

Topcook starts no message queue; what would need one raises ``CookError`` and says so. Names that no public file imports
are not here. Mirrors what ``pdg.utils.mq`` leaves to Houdini's C++ side.
"""

from __future__ import annotations

from topcook.contract.mq import (
    PDGNetLogLevel,
    PDGNetMessageType,
    PDGNetMQRelay,
    mqCreateMessage,
    mqGetError,
    mqSetLogLevel,
)

__all__ = [
    "PDGNetLogLevel",
    "PDGNetMQRelay",
    "PDGNetMessageType",
    "mqCreateMessage",
    "mqGetError",
    "mqSetLogLevel",
]
