"""``pdg.workitem``."""

from __future__ import annotations

from topcook.contract.holders import WorkItemOptions
from topcook.contract.workitem import WorkItem

__all__ = ["WorkItem", "WorkItemOptions"]
