"""Limits of a local job as parms say them: memory, CPUs, CPU time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from topcook.contract.host import JobLimits
from topcook.errors import CookError
from topcook.model.sizes import memory_size

__all__ = ["job_limits", "memory_size"]


def job_limits(parms: Mapping[str, Any], prefix: str) -> JobLimits | None:
    """The limits that the job parms ``memory``, ``cpus`` and ``cputime`` set (see ``JobParms``); None without any.

    ``prefix`` is the parms' own, for words. Raises ``CookError`` for a value that means nothing.
    """
    if not (parms["memory"] or parms["cpus"] or parms["cputime"]):
        return None
    try:
        memory = memory_size(parms["memory"])
    except ValueError as error:
        raise CookError(f'parm "{prefix}_memory" {error}') from None
    for name in ("cpus", "cputime"):
        value = parms[name]
        if not (math.isfinite(value) and value >= 0):
            raise CookError(f'parm "{prefix}_{name}" must be 0 (no limit) or more, found {value}')
    limits = JobLimits(memory, float(parms["cpus"]), float(parms["cputime"]))
    return limits if any(limits) else None
