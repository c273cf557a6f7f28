"""Where a scheduler works: ``pdg_workingdir`` below the shared roots, in this machine's view and the farm's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from topcook.contract.env import expand_vars

if TYPE_CHECKING:
    from topcook.model.node import SchedulerNode
    from topcook.runtime.graph import Graph


def working_directories(graph: Graph, node: SchedulerNode) -> tuple[str, str]:
    """The local and the remote working directory as the parms say; a callback may set others.

    A relative ``pdg_workingdir`` stands below ``localsharedroot`` here (without one, below the
    network file's directory) and below ``remotesharedroot`` on the farm.
    """
    environment = graph.environment()

    def text(name: str) -> str:
        parm = node.parms.get(name)
        return expand_vars(str(parm.at()), environment) if parm is not None else ""

    working = text("pdg_workingdir") or graph.network.hip
    local_root, remote_root = text("localsharedroot") or graph.network.hip, text("remotesharedroot")
    local = os.path.normpath(os.path.join(local_root, os.path.expanduser(working)))
    if remote_root and not os.path.isabs(working):
        return local, f"{remote_root.rstrip('/')}/{working}"
    if remote_root and local.startswith(local_root.rstrip("/") + "/"):
        return local, remote_root.rstrip("/") + local[len(local_root.rstrip("/")) :]
    return local, local
