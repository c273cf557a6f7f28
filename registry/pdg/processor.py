"""``pdg.processor``."""

from __future__ import annotations

from topcook.contract.processor import PyProcessor

__all__ = ["PyProcessor"]
