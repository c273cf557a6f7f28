"""``pdg.staticcook``."""

from __future__ import annotations

from topcook.contract.staticcook import StaticCookMixin

__all__ = ["StaticCookMixin"]
