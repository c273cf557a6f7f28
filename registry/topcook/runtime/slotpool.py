"""Where the slots are that the local jobs of all cooks of this user share on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from topcook.runtime.statedir import state_root

if TYPE_CHECKING:
    from topcook.config import Config

__all__ = ["shared_slots"]


def shared_slots(config: Config) -> tuple[str, int] | None:
    """Directory and number of the slots, ``None`` where each cook has its own only.

    State directories may be on a disk that machines share: each machine has a directory of its own in it.
    """
    if not config.machine_slots:
        return None
    import socket

    host = socket.gethostname().partition(".")[0] or "localhost"
    return os.path.join(state_root(), "slots", host), config.machine_slots
