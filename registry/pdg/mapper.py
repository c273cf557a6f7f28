"""``pdg.mapper``."""

from __future__ import annotations

from topcook.contract.mapper import PyMapper

__all__ = ["PyMapper"]
