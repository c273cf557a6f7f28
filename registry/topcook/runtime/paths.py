"""Where a scheduler works: ``pdg_workingdir`` below the shared roots, in this machine's view and the farm's."""

from __future__ import annotations

import ntpath
import os
import posixpath
from typing import TYPE_CHECKING

from topcook.contract.env import expand_vars
from topcook.contract.pathmap import PathRule

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

    working = os.path.expanduser(text("pdg_workingdir")) or graph.network.hip
    root = os.path.normpath(os.path.join(graph.network.hip, text("localsharedroot")))
    local = os.path.normpath(os.path.join(root, working))
    # Where it lies below the root, which need not be where the text says: "../other" does not.
    remote = PathRule(root, text("remotesharedroot")).apply(local) if text("remotesharedroot") else None
    return local, local if remote is None else remote


def is_absolute(path: str) -> bool:
    """Whether a path means the same wherever one stands: ``/x``, ``C:/x``, ``//server/share/x``, ``__PDG_DIR__/x``."""
    return posixpath.isabs(path) or ntpath.isabs(path) or path.startswith("__PDG_")
