"""PDG's own API on a graph: what ``pdg.GraphContext`` and its kin are.

PDG's camelCase lives here; the work is done by ``topcook.runtime.graph`` and ``topcook.runtime.cook``.
"""

from __future__ import annotations

from topcook.runtime.api.context import GraphContext
from topcook.runtime.api.cookoptions import CookOptions
from topcook.runtime.api.graphface import Graph
from topcook.runtime.api.schedulernode import SchedulerNode
from topcook.runtime.events import Event, PyEventHandler

__all__ = ["CookOptions", "Event", "Graph", "GraphContext", "PyEventHandler", "SchedulerNode"]
