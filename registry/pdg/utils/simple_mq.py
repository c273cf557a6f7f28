"""``pdg.utils.simple_mq``."""

from __future__ import annotations

from topcook.contract.mq import SimpleMQSchedulerMixin

__all__ = ["SimpleMQSchedulerMixin"]
