"""Where the result server's calls go: reports to the running cook's inbox, questions to the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.machine import events as ev
from topcook.machine.phases import DONE_WELL, LOST, SETTLED
from topcook.runtime.inbox import Report
from topcook.runtime.trace import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.notification import Notification
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph

#: What check_ready_batch answers.
NOT_YET, READY, DEPENDENCY_FAILED = 0, 1, 2


class GraphSink:
    """The result server's ``Sink`` for one graph context."""

    def __init__(self, graph: Graph) -> None:
        """Serve ``graph``."""
        self._graph = graph

    def report(self, notifications: list[Notification], done: Callable[[Exception | None], None]) -> None:
        """Post a job's report; refused while nothing cooks."""
        cook = self._graph.cook
        if cook is None:
            done(LookupError("no cook is running"))
            return
        for notification in notifications:
            if self._graph.item(notification.item) is None:
                done(LookupError(f"unknown work item {notification.item!r}"))
                return
            if self._graph.trace:
                self._trace(notification)
        cook.link.inbox.post(Report(notifications, done=done))
        if cook.link.over:
            cook.link.refuse_rest()

    def _trace(self, said: Notification) -> None:
        item = self._graph.item(said.item)
        if item is not None and item.scheduler:
            self._graph.host(item.scheduler).log(told(said, "job reported"))

    def query(self, method: str, args: tuple[Any, ...]) -> Any:
        """Answer ``check_ready_batch``, ``get_workitem_json``, ``add_sub_item_batch`` or ``getSharedServerInfo``."""
        return _QUERIES[method](self._graph, *args)

    def event(self, name: str, args: tuple[Any, ...]) -> None:
        """Take ``warning``, ``keepalive``, ``sharedserver_started``, ``release_job_slots``, ``acquire_job_slots``."""
        cook = self._graph.cook
        if cook is None:
            return
        if name == "keepalive":
            item = self._graph.item(args[0])
            if item is not None:
                cook.link.inbox.post(ev.Alive(item, cook.link.clock.now()))
        elif name == "warning":
            item = self._graph.item(args[0])
            cook.link.message("warning", item.name if item is not None else str(args[0]), str(args[1]))
        elif name in {"release_job_slots", "acquire_job_slots"}:
            item = self._graph.item(args[0])
            if item is not None and item.attempt:
                self._graph.host(item.scheduler).lend_slots(item, waits=name == "release_job_slots")
        elif name == "sharedserver_started":
            self._shared_server_started(dict(args[0]))

    def _shared_server_started(self, info: dict[str, Any]) -> None:
        """Tell the scheduler of the item that started it; a report without an item goes to all that cook."""
        item = self._graph.item(info["item"]) if isinstance(info.get("item"), int | str) else None
        for host in self._graph.hosts():
            if host.link is not None and (item is None or host.name == item.scheduler):
                host.shared_server_started(info)


def _part(graph: Graph, key: int | str, index: int) -> WorkItem:
    """The item, or the sub-item of the batch, that is asked about."""
    item = graph.item(key)
    if item is None:
        raise LookupError(f"unknown work item {key!r}")
    part = item.part(index)
    if part is None:
        raise LookupError(f'batch "{item.name}" has no sub-item {index}')
    return part


def _check_ready(graph: Graph, key: int | str, index: int = -1) -> int:
    item = _part(graph, key, index)
    if item.phase in LOST:
        # Canceled, blocked, or failed already: whoever asks is to leave it.
        return DEPENDENCY_FAILED
    waiting = [needed for needed in item.needs if needed.phase not in DONE_WELL]
    if not waiting:
        return READY
    return DEPENDENCY_FAILED if any(needed.phase in SETTLED for needed in waiting) else NOT_YET


def _item_json(graph: Graph, key: int | str, index: int = -1) -> str:
    from topcook.runtime.serialize import item_text

    return item_text(_part(graph, key, index), graph)


def _add_sub_item(graph: Graph, key: int | str) -> int:
    raise LookupError(f"work item {key!r} of {graph.name} takes no further sub-items")


def _shared_server_info(graph: Graph, name: str) -> dict[str, Any]:
    for host in graph.hosts():
        info = host.shared_servers().get(name)
        if info is not None:
            return dict(info)
    return {}


_QUERIES: dict[str, Callable[..., Any]] = {
    "check_ready_batch": _check_ready,
    "get_workitem_json": _item_json,
    "add_sub_item_batch": _add_sub_item,
    "getSharedServerInfo": _shared_server_info,
}
