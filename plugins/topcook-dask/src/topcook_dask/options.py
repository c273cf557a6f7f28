"""Parms of the scheduler, and what Dask is told of those that nodes and items may override."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from topcook.author import ParmRow, parm_defaults, parm_template
from topcook_dask.resources import read_resources
from topcook_dask.settings import CLUSTER_PARMS, PREFIX

__all__ = ["JOB_PARMS", "PREFIX", "BadOptionError", "TaskOptions", "task_options", "template_parms"]

#: name, label, type, default: what holds for the whole scheduler.
_OWN: tuple[ParmRow, ...] = (
    # The cluster queues: nothing is gained by handing over few items at a time.
    ("pdg_maxitems", "Max Items", "Integer", 0),
    *((f"{PREFIX}_{name}", label, kind, default) for name, label, kind, default in CLUSTER_PARMS),
    ("dask_collect", "Collect for Seconds", "Float", 0.05),
    ("dask_poll", "Ask Every", "Float", 10.0),
    ("dask_lostafter", "Lost After", "Float", 30.0),
    ("dask_inprocess", "In-Process Items as Tasks", "Toggle", 1),
    ("dask_statusurl", "Status URL", "String", ""),
)
#: name without prefix, label, type, default.
_JOB: tuple[ParmRow, ...] = (
    ("resources", "Resources", "String", ""),
    ("workers", "Workers", "String", ""),
    ("otherworkers", "Allow Other Workers", "Toggle", 0),
    ("priority", "Priority", "Integer", 0),
)
#: What is read of an item's job parms, with what stands when nobody gave it.
JOB_PARMS = parm_defaults(_JOB)


class BadOptionError(ValueError):
    """A parm has a value that cannot be passed on."""


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What holds for tasks that are submitted together."""

    resources: tuple[tuple[str, float], ...] = ()
    workers: tuple[str, ...] = ()
    other_workers: bool = False
    priority: int = 0

    def keywords(self) -> dict[str, Any]:
        """The keywords of ``Client.map``."""
        return {
            "resources": dict(self.resources) or None,
            "workers": list(self.workers) or None,
            "allow_other_workers": self.other_workers and bool(self.workers),
            "priority": self.priority,
        }


def template_parms() -> list[dict[str, Any]]:
    """The parms as ``templateBody`` lists them."""
    return parm_template(PREFIX, _OWN, _JOB)


def task_options(values: Mapping[str, Any]) -> TaskOptions:
    """What these parms mean; raises ``BadOptionError`` for what cannot be read."""
    try:
        resources = read_resources(str(values["resources"]), f"{PREFIX}_resources")
    except ValueError as error:
        raise BadOptionError(str(error)) from None
    return TaskOptions(
        resources=tuple(sorted((name, amount) for name, amount in resources.items() if amount)),
        workers=tuple(re.split(r"[\s,;]+", str(values["workers"]).strip())) if str(values["workers"]).strip() else (),
        other_workers=bool(values["otherworkers"]),
        priority=int(values["priority"]),
    )
