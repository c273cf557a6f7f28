"""``pdg.parms``."""

from __future__ import annotations

from topcook.contract.port import Port

__all__ = ["Port"]
