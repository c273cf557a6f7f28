"""Asking a scheduler for the jobs that its items have had since before: on its host's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import CallbackError
from topcook.machine import events as ev

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

__all__ = ["Left", "adopt_items"]

#: An item, the token of its last hand-over, and what its scheduler called the job.
Left = tuple["WorkItem", str, str]


def adopt_items(
    scheduler: str,
    left: list[Left],
    link: CookLink,
    graph: Graph,
    call: Callable[..., Any],
    drop: Callable[[list[str]], None],
) -> None:
    """Call ``onAdoptWorkItems``, end by ``drop`` (given tokens) what it did not take, and tell the cook."""
    try:
        taken = call("onAdoptWorkItems", [(ItemHandle(item, graph), token, job) for item, token, job in left])
    except CallbackError as error:
        link.message("warning", scheduler, f"{error}\n    its items are cooked again")
        taken = []
    ids = {handle.id for handle in taken if isinstance(getattr(handle, "id", None), int)}
    # What nobody takes up must not run beside the next attempt.
    drop([token for item, token, _ in left if item.id not in ids])
    link.inbox.post(ev.Adopted(scheduler, [(item, item.id in ids) for item, _, _ in left], link.clock.now()))
