"""How long a job has to end by itself."""

from __future__ import annotations

from typing import Any

from topcook.author.host import record_of

_PARM = "pdg_timeoutgrace"
_USUAL = 5.0


def grace_of(work_item: Any) -> float:
    """Seconds between asking an item's job to end and killing it: its attribute ``pdg_timeoutgrace``, or its node's."""
    record = record_of(work_item)
    attribute = (record.attributes or {}).get(_PARM)
    parm = record.node.parms.get(_PARM)
    value = attribute.values[0] if attribute is not None and attribute.values else parm.at(0) if parm else _USUAL
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return _USUAL
