"""The few things that are asked of a scheduler's cook directly."""

from __future__ import annotations

from typing import Any

from topcook.contract.host import SchedulerHost
from topcook.model.workitem import WorkItem


def host_of(scheduler: Any) -> SchedulerHost:
    """The cook's door for this scheduler instance (what its handle carries)."""
    host: SchedulerHost = scheduler.cppObject().host
    return host


def record_of(work_item: Any) -> WorkItem:
    """The cook's record behind a work item."""
    record: WorkItem = getattr(work_item, "record", work_item)
    return record


def attempt_token(scheduler: Any, work_item: Any) -> str:
    """What names this attempt of the item, on this machine and on any farm; jobs have it as ``PDG_ITEM_TOKEN``."""
    return host_of(scheduler).job_environment(record_of(work_item))["PDG_ITEM_TOKEN"]


def limit_in_flight(scheduler: Any, count: int) -> None:
    """Have the scheduler offered nothing while it holds ``count`` items (0: no limit), as if ``pdg_maxtasks`` said so.

    Cheaper than to answer ``FullDeferred``: what is not offered need not be given back.
    """
    host_of(scheduler).limit_in_flight(count)


def tick_soon(scheduler: Any, seconds: float = 0.0) -> None:
    """Have ``onTick`` called within so many seconds; from any thread.

    On the scheduler's own thread it comes after the callback under way, and what else is queued, at the earliest.
    """
    host_of(scheduler).tick_soon(seconds)


def waits_for(scheduler: Any, words: str) -> None:
    """Say what the items wait for that the scheduler holds: ``a licence of nuke``; empty, when nothing keeps them.

    From any thread, as often as it changes. A cook in which nothing moves tells it, ``topcook cooks`` and
    ``topcook status`` show it. It holds until the next word, and for this cook.
    """
    host_of(scheduler).waits_for(words)


def log_to_scheduler(scheduler: Any) -> None:
    """From now on what the calling thread prints and logs goes into the scheduler's log, as in its callbacks."""
    host_of(scheduler).adopt_thread()
