"""Handing work items over, one ``onSchedule`` after the other, on the scheduler's host thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from topcook.contract.source import is_authors
from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import CallbackError, TopcookError
from topcook.machine import events as ev
from topcook.machine.phases import Trigger
from topcook.model.enums import AcceptResult, ScheduleResult, TickResult
from topcook.model.notification import Kind, Notification
from topcook.runtime.faults import describe, full_text
from topcook.runtime.hostdoor import HostDoor
from topcook.runtime.inbox import Report

if TYPE_CHECKING:
    from topcook.model.attributes import Attribute
    from topcook.model.workitem import WorkItem
    from topcook.runtime.filedependencies import FileDependencies
    from topcook.runtime.link import CookLink

TRIGGER_OF: dict[ScheduleResult, Trigger] = {
    ScheduleResult.Succeeded: Trigger.ACCEPTED,
    ScheduleResult.Failed: Trigger.REJECTED,
    ScheduleResult.Deferred: Trigger.DEFERRED,
    ScheduleResult.FullDeferred: Trigger.FULL,
    ScheduleResult.CookSucceeded: Trigger.COOK_SUCCEEDED,
    ScheduleResult.CookFailed: Trigger.COOK_FAILED,
    ScheduleResult.CookCanceled: Trigger.COOK_CANCELED,
}
#: So many seconds acceptances are gathered at most, while a batch is handed over.
TOLD_AFTER = 0.05
#: How a scheduler of ours takes many items in one call, each as if ``onSchedule`` had answered Succeeded for it.
ALL = "scheduleAll"
#: How an item's reason ends that its scheduler would not have.
REJECTED = "does not accept it: onAcceptWorkItem returned Reject"


class HandingOver(HostDoor):
    """The part of a scheduler host that hands items over."""

    draining: bool
    _files: FileDependencies
    _accepts_by_item: bool
    _takes_all: bool
    #: Whether the last answer was posted so that it wakes nobody up.
    _posted_soon = False
    #: A reading of the monotonic clock.
    _next_tick: float

    def tick_soon(self, seconds: float) -> None:
        """Have ``onTick`` called within so many seconds."""
        at = time.monotonic() + seconds
        if at < self._next_tick:
            self._next_tick = at
            # It may sleep until the tick that was next.
            self._calls.put(_wake_up)

    def _hand_over(self, link: CookLink, items: list[WorkItem]) -> None:
        if self._takes_all and link is self.link and not self.draining and not self._one_by_one(items):
            self._hand_over_all(link, items)
            return
        full, accepted = False, Accepted(self, link)
        for item in items:
            if full or self.draining or link is not self.link:
                link.inbox.post(ev.ItemEvent(item, Trigger.NOT_OFFERED, link.clock.now()))
                continue
            trigger, reason = self._schedule(link, item)
            # What the job said while this blocked came before its end.
            self.delegate.run()
            # One that limits itself is full by now, mostly: nothing follows from its acceptance before the job's own
            # words, which bring it along.
            self._posted_soon = trigger is Trigger.ACCEPTED and self.room > 0
            if self._posted_soon and item.batch is None:
                accepted.add(item)
            else:
                accepted.post()
                post = link.inbox.post_soon if self._posted_soon else link.inbox.post
                post(ev.ItemEvent(item, trigger, link.clock.now(), reason=reason))
            # Polls go on, however long the batch takes.
            full = trigger is Trigger.FULL or self._tick_if_due() is TickResult.SchedulerBusy
        accepted.post()
        if self._keeper is not None:
            self._keeper.send()

    def _hand_over_all(self, link: CookLink, items: list[WorkItem]) -> None:
        try:
            getattr(self.instance, ALL)([ItemHandle(item, self.graph) for item in items])
        except BaseException as error:  # noqa: BLE001 - as any callback's: it fails what it was given
            self.log(full_text(error))
            problem = TopcookError(f'scheduler "{self.name}": {ALL} raised {describe(error)}')
            self._problem(link, problem)
            for item in items:
                link.inbox.post(ev.ItemEvent(item, Trigger.RAISED, link.clock.now(), reason=str(problem)))
            return
        link.inbox.post(ev.ItemsAccepted(self.name, items, link.clock.now()))

    def _one_by_one(self, items: list[WorkItem]) -> bool:
        """Whether somebody wants to see each call, or is to be asked for files before each."""
        graph = self.graph
        return graph.trace or bool(graph.network.files) or any(node.files for node in {item.node for item in items})

    def _schedule(self, link: CookLink, item: WorkItem) -> tuple[Trigger, str]:
        unfit = self._not_accepted(item) or self._files.bring_for(item, self._call)
        if unfit:
            return Trigger.RAISED, unfit
        before = dict(item.attributes or ())
        try:
            result = self._call("onSchedule", ItemHandle(item, self.graph), item=item)
        except CallbackError as error:
            self._problem(link, error)
            return Trigger.RAISED, str(error)
        finally:
            if _differ(before, item.attributes or {}):
                # What its job is called on the farm, mostly: who goes on with the cook has to know.
                link.inbox.post(Report([Notification(Kind.GIVEN, item.id)], self.name))
        reason = ""
        if result is ScheduleResult.Failed:
            reason = f'scheduler "{self.name}" could not schedule it: onSchedule returned Failed'
        elif result is ScheduleResult.CookFailed:
            reason = f'scheduler "{self.name}" said at once that it failed: onSchedule returned CookFailed'
        return TRIGGER_OF[result], reason

    def _not_accepted(self, item: WorkItem) -> str:
        """Why the scheduler does not want the item, empty when it does."""
        if not self._accepts_by_item:
            return ""
        try:
            answer = self._call("onAcceptWorkItem", ItemHandle(item, self.graph), item=item)
        except CallbackError as error:
            return str(error)
        if answer is not AcceptResult.Reject:
            return ""
        return f'scheduler "{self.name}" {REJECTED}\n    give node "{item.node.name}" another scheduler'

    # ------------------------------------------------------------------ of the whole host

    def _call(self, name: str, *args: Any, item: WorkItem | None = None) -> Any:
        raise NotImplementedError

    def _problem(self, link: CookLink, error: TopcookError) -> None:
        raise NotImplementedError

    def _tick_if_due(self) -> TickResult | None:
        raise NotImplementedError


def _differ(before: dict[str, Attribute], now: dict[str, Attribute]) -> bool:
    return len(before) != len(now) or any(now.get(name) is not each for name, each in before.items())


def _wake_up() -> None:
    """Nothing to do: the thread looks at its clock after every call."""


class Accepted:
    """Items that were accepted one after the other, told in one event, unless that takes long."""

    __slots__ = ("_items", "_link", "_scheduler", "_since")

    def __init__(self, host: HandingOver, link: CookLink) -> None:
        """Tell the cook of ``link``, of items of ``host``."""
        self._scheduler = host.name
        self._link = link
        self._items: list[WorkItem] = []
        self._since = 0.0

    def add(self, item: WorkItem) -> None:
        """Succeeded was answered for it."""
        now = time.monotonic()
        if not self._items:
            self._since = now
        self._items.append(item)
        if now - self._since > TOLD_AFTER:
            self.post()

    def post(self) -> None:
        """Tell of them with what comes next; nobody is woken up."""
        if self._items:
            self._link.inbox.post_soon(ev.ItemsAccepted(self._scheduler, self._items, self._link.clock.now()))
            self._items = []


def takes_all(cls: type) -> bool:
    """Whether a class takes many items in one call, and that means what its own ``onSchedule`` does.

    A class derived from such a one that has an ``onSchedule`` or ``onAcceptWorkItem`` of its own wants each call.
    """
    own = _home(cls, ALL)
    return own is not None and own is _home(cls, "onSchedule") and not is_authors(cls, "onAcceptWorkItem")


def _home(cls: type, name: str) -> type | None:
    return next((each for each in cls.__mro__ if name in vars(each)), None)
