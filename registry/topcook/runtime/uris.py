"""Where the logs and pages of items are, as their scheduler says it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import CallbackError
from topcook.model.states import UNSUCCESSFUL
from topcook.runtime.reports import item_log_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph

#: Asking a scheduler ends after this many seconds …
TAKES = 10.0
#: … or, of either kind, when this many calls have raised.
FAILURES = 3
#: Of this many items all are asked for, of more only those that did not end well.
FEW = 1000


def ask_uris(
    graph: Graph, scheduler: str, call: Callable[[str, ItemHandle], object], *, every: bool
) -> list[tuple[WorkItem, str, str]]:
    """(item, log, status) of the items that the scheduler was given: of every one, or of those that matter."""
    given = [
        item for item in graph.items() if item.scheduler == scheduler and item.attempt and item.batch_parent is None
    ]
    if not every and len(given) > FEW:
        given = [item for item in given if item.state in UNSUCCESSFUL]
    told: list[tuple[WorkItem, str, str]] = []
    failures = {"getLogURI": 0, "getStatusURI": 0}
    give_up = time.monotonic() + TAKES
    for item in given:
        handle = ItemHandle(item, graph)
        log, status = (_ask(name, handle, call, failures) for name in ("getLogURI", "getStatusURI"))
        told.append((item, log, status))
        # A sub-item's job is its batch's; what was reported or written as its own log goes before that.
        for sub in item.batch.items if item.batch is not None else ():
            own = item_log_path(graph, sub)
            told.append((sub, f"file:///{own.lstrip('/')}" if os.path.exists(own) else log, status))
        if time.monotonic() > give_up:
            break
    return told


def _ask(name: str, handle: ItemHandle, call: Callable[[str, ItemHandle], object], failures: dict[str, int]) -> str:
    if failures[name] >= FAILURES:
        return ""
    try:
        return str(call(name, handle) or "")
    except CallbackError:
        # Its place is in the scheduler's log; a page that is not known fails nothing.
        failures[name] += 1
        return ""
