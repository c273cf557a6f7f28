"""``pdg.CookOptions``: how to cook."""

from __future__ import annotations

from typing import Any

from topcook.lean import dataclass, field
from topcook.model.enums import CookType


@dataclass(slots=True)
class CookOptions:
    """``pdg.CookOptions``: how to cook. ``nodeNames`` empty means what the network shows (display or end nodes)."""

    blocking: bool = False
    cookType: CookType = CookType.Full
    nodeNames: list[str] = field(default_factory=list)
    staticFilter: Any = None
    autoRecook: bool = False
    autoRecookInterval: int = 100
