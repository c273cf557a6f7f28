"""``pdg.job.mqrelay``."""

from __future__ import annotations

from topcook.contract.mq import MQRelay

__all__ = ["MQRelay"]
