"""``pdg.job.callbackserver``."""

from __future__ import annotations

from topcook.contract.callbackserver import CallbackServer, CallbackServerMixin

__all__ = ["CallbackServer", "CallbackServerMixin"]
