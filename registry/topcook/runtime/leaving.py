"""Asking a scheduler which of its jobs go on without the cook: on its host's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.source import is_authors
from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import CallbackError
from topcook.machine import events as ev
from topcook.runtime.summary import left_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from topcook.model.workitem import WorkItem
    from topcook.runtime.cook import Cook
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

__all__ = ["ask_leave", "hang_up"]


def ask_leave(scheduler: str, items: list[WorkItem], link: CookLink, graph: Graph, call: Callable[..., Any]) -> None:
    """Call ``onLeaveWorkItems`` and tell the cook.

    Who has none leaves nothing, nor who runs servers that its items share, or whose jobs ask the cook for their data.
    """
    host, left = graph.host(scheduler), []
    needed = host.shared_servers() or host.parm_value("pdg_workitemdatasource")
    if is_authors(host.cls, "onLeaveWorkItems") and not needed:
        try:
            left = call("onLeaveWorkItems", [ItemHandle(item, graph) for item in items])
        except CallbackError as error:
            link.message("warning", scheduler, f"{error}\n    the cook is not let go before its items have ended")
    ids = frozenset(each.id for each in left)
    link.inbox.post(ev.LeaveAnswered(scheduler, ids, link.clock.now()))


def hang_up(cook: Cook) -> None:
    """Have nobody listen any more: what jobs that go on report is kept on disk, and they need not try for long.

    Whoever is not answered yet is not answered at all: that his report was refused would be the end of his job.
    """
    for name in left_with(cook):
        try:
            cook.graph.host(name).announce_leave()
        except OSError as error:
            cook.link.message("warning", name, f"its jobs will try to report for a while: {error}")
    for host in cook.graph.hosts():
        host.result_server.hang_up()
