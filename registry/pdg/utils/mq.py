"""``pdg.utils.mq``."""

from __future__ import annotations

from topcook.contract.mq import MQInfo, MQSchedulerMixin, MQState, MQUsage, MQUtility

__all__ = ["MQInfo", "MQSchedulerMixin", "MQState", "MQUsage", "MQUtility"]
