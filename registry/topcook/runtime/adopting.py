"""Asking a scheduler for the jobs that its items have had since before: on its host's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.source import is_authors
from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import CallbackError, CookRefusedError
from topcook.machine import events as ev
from topcook.model.notification import Kind, Notification
from topcook.runtime.inbox import Report
from topcook.runtime.resume.restoring import Left

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink

__all__ = ["Left", "adopt_items"]

#: How many jobs that may still run are named.
_MOST_NAMED = 5


def adopt_items(
    scheduler: str,
    left: list[Left],
    link: CookLink,
    graph: Graph,
    call: Callable[..., Any],
    drop: Callable[[list[str]], None],
) -> None:
    """Call ``onAdoptWorkItems``, end what it took and nobody wants, by ``drop`` (given tokens) the rest; tell the cook.

    What it took and is not wanted is ended by ``onCancelWorkItems``, which has its jobs by then. While it is asked,
    each item has the attributes and outputs that it had; those that are taken up keep them.
    """
    _announce(scheduler, left, link, graph)
    delegate, reported = graph.host(scheduler).delegate, _reported(left)
    # Before its job's end, should that be told at once; a class that does not listen any more hears nothing.
    unheard = [said for said in reported if not delegate.take(said)]
    handles = {each.item.id: ItemHandle(each.item, graph) for each in left}
    asked = is_authors(graph.host(scheduler).cls, "onAdoptWorkItems")
    try:
        taken = call("onAdoptWorkItems", [(handles[each.item.id], each.past.token, each.past.job) for each in left])
    except CallbackError as error:
        link.message("warning", scheduler, f"{error}\n    its items are cooked again")
        taken, asked = [], False
    ids = {handle.id for handle in taken if isinstance(getattr(handle, "id", None), int)}
    _end(scheduler, [handles[each.item.id] for each in left if each.item.id in ids and not each.wanted], link, call)
    # What nobody takes up must not run beside the next attempt.
    drop([each.past.token for each in left if each.item.id not in ids])
    _warn(scheduler, [each for each in left if each.elsewhere and each.item.id not in ids], link, asked=asked)
    rows = [(each.item, each.wanted and each.item.id in ids) for each in left]
    delegate.forget({item.id for item, kept in rows if not kept})
    for each, (_, kept) in zip(left, rows, strict=True):
        for item, outputs, attributes in [] if kept else [(each.item, *each.had), *each.parts]:
            item.outputs, item.attributes = outputs, attributes
    link.inbox.post(ev.Adopted(scheduler, rows, link.clock.now()))
    again = [Notification(Kind.TAKEN_UP, item.id) for item, kept in rows if kept]
    heard = [each for said in unheard if said.item in ids for each in (said, Notification(Kind.PASSED, said.item))]
    link.inbox.post(Report([*heard, *again], scheduler))
    delegate.run()


def _announce(scheduler: str, left: list[Left], link: CookLink, graph: Graph) -> None:
    """Have jobs that go on find the result server of this session."""
    try:
        if any(each.wanted for each in left):
            graph.host(scheduler).announce()
    except (OSError, CookRefusedError) as error:
        link.message("warning", scheduler, f"jobs of an earlier session will not find the result server: {error}")


def _reported(left: list[Left]) -> list[Notification]:
    """What jobs were answered for and nobody has heard of yet."""
    waiting = [(said, each) for each in left if each.wanted for said in each.past.reported if said is not None]
    return [said for said, each in waiting if said.attempt == each.past.attempt]


def _end(scheduler: str, unwanted: list[ItemHandle], link: CookLink, call: Callable[..., Any]) -> None:
    try:
        if unwanted:
            call("onCancelWorkItems", unwanted, None)
    except CallbackError as error:
        link.message("warning", scheduler, f"{error}\n    jobs of an earlier session may still run")


def _warn(scheduler: str, lost: list[Left], link: CookLink, *, asked: bool) -> None:
    """Say which jobs of a farm nobody has an eye on: they may run beside the next attempts of their items."""
    if not lost:
        return
    named = ", ".join(each.item.name + (f" ({each.past.job})" if each.past.job else "") for each in lost[:_MOST_NAMED])
    more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
    if asked:
        text = (
            f"{scheduler} has not found jobs that an earlier session left: {named}{more}\n"
            "    their items are cooked again"
        )
    else:
        text = (
            f"jobs that an earlier session left were not taken up, and may still run: {named}{more}\n"
            "    their items are cooked again; "
            "a scheduler whose onAdoptWorkItems returns them is asked to end them first"
        )
    link.message("warning", scheduler, text)
