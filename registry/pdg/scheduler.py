"""``pdg.scheduler``."""

from __future__ import annotations

from topcook.contract.scheduler import PyScheduler, convertEnvMapToUTF8, evaluateParamOr, submitGraphAsJob

__all__ = ["PyScheduler", "convertEnvMapToUTF8", "evaluateParamOr", "submitGraphAsJob"]
