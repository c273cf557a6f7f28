"""``pdg.job.eventdispatch``."""

from __future__ import annotations

from topcook.contract.eventdispatch import EventDispatchMixin

__all__ = ["EventDispatchMixin"]
