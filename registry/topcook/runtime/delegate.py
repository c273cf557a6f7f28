"""Reports of jobs on their way through the author's own event methods.

PDG hands what a job says to ``workItemSucceeded`` and its like, which a class may override, usually to look at
``jobid``. Here the result server records and acknowledges a report without waiting for author code; what the report
does is then left to the author's method, which runs on its scheduler's host thread and changes the item by calling
``super()`` or ``onWorkItem…``.
"""

from __future__ import annotations

import inspect
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from topcook.contract.eventdispatch import WorkItemEvents
from topcook.contract.source import is_authors
from topcook.model.attributes import AttribType
from topcook.model.notification import Kind, Notification
from topcook.runtime.faults import describe, full_text
from topcook.runtime.inbox import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from topcook.runtime.host import Host

Call = tuple[str, tuple[Any, ...]]

#: The event methods of each kind, the one that is asked first leading.
EVENTS: dict[Kind, tuple[str, ...]] = {
    Kind.STARTED: ("workItemStartCook",),
    Kind.SUCCEEDED: ("workItemSucceeded",),
    Kind.FAILED: ("workItemFailed",),
    Kind.CANCELED: ("workItemCancelled", "workItemCanceled"),
    Kind.OUTPUTS: ("workItemFileResult",),
    Kind.LOG: ("workItemAppendLog",),
    Kind.CUSTOM_STATE: ("workItemSetCustomState",),
    Kind.PERCENT: ("workItemSetCookPercent",),
    Kind.INVALIDATE_CACHE: ("workItemInvalidateCache",),
}
_TYPED = {
    AttribType.Int: "workItemSetIntAttrib",
    AttribType.Float: "workItemSetFloatAttrib",
    AttribType.String: "workItemSetStringAttrib",
    AttribType.File: "workItemSetFileAttrib",
    AttribType.Dict: "workItemSetDictAttrib",
    AttribType.PyObject: "workItemSetPyObjectAttrib",
}
#: The one of 17.5 for whole attributes of any type.
_UNTYPED = "workItemSetAttribute"
_ALL = (*(name for names in EVENTS.values() for name in names), *_TYPED.values(), _UNTYPED)


def overridden(cls: type) -> frozenset[str]:
    """The event methods that an author's class answers itself, also by overriding the ``onWorkItem…`` it leads to.

    None for a class without our event methods: a helper that happens to be called alike gets no report.
    """
    if not issubclass(cls, WorkItemEvents):
        return frozenset()
    return frozenset(name for name in _ALL if is_authors(cls, name) or is_authors(cls, f"onW{name[1:]}"))


class Delegate:
    """Takes the reports of one scheduler's jobs through its author's methods, in order.

    Where the class overrides any event method, all reports of its jobs go this way, so that a file reported before a
    success arrives before it. Invariant: what waits here is older than what the instance notifies elsewhere, in
    ``onTick`` too.
    """

    def __init__(self, host: Host) -> None:
        """Look at the host's class once."""
        self._host = host
        self._events = overridden(host.cls)
        #: Each with whether the author's methods are to hear of it.
        self._waiting: deque[tuple[Notification, bool]] = deque()
        self._lock = threading.Lock()
        self._current: Notification | None = None
        self._thread = 0

    @property
    def listens(self) -> bool:
        """Whether the author overrides an event method."""
        return bool(self._events)

    def take(self, said: Notification) -> bool:
        """Keep a job's report for the author's methods; False when they want none (the cook carries it out)."""
        if not self._events:
            return False
        with self._lock:
            self._waiting.append((said, True))
        return True

    def forget(self, items: Collection[int]) -> None:
        """Drop what waits of these items: nobody has their jobs any more."""
        with self._lock:
            self._waiting = deque(each for each in self._waiting if each[0].item not in items)

    def passes(self, said: Notification) -> bool:
        """Whether a notification of the scheduler may go to the cook now; else it waits behind older reports.

        One that the author's method makes of a report takes over its attempt and time.
        """
        if not self._events:
            return True
        current = self._current
        if threading.get_ident() == self._thread and current is not None:
            if self._same_item(current, said):
                said.attempt = current.attempt if said.attempt is None else said.attempt
                said.at = current.at if said.at is None else said.at
            return True
        with self._lock:
            if not self._waiting and self._current is None:
                return True
            self._waiting.append((said, False))
        return False

    def _same_item(self, one: Notification, other: Notification) -> bool:
        item = self._host.graph.item
        return one.item == other.item or item(one.item) is item(other.item)

    def run(self) -> None:
        """Call the author's methods for all that waits; on the host's thread, never inside another callback."""
        self._thread = threading.get_ident()
        while True:
            with self._lock:
                if not self._waiting:
                    return
                said, heard = self._waiting.popleft()
                self._current = said
            try:
                self._deliver(said, self._calls(said) if heard else [])
                if heard:
                    # What came of it is before this.
                    self._carry_out(Notification(Kind.PASSED, said.item))
            finally:
                with self._lock:
                    self._current = None

    def _deliver(self, said: Notification, calls: list[Call]) -> None:
        if not calls:
            self._carry_out(said)
            return
        for name, args in calls:
            try:
                getattr(self._host.instance, name)(*args)
            except BaseException as error:  # noqa: BLE001 - author code: its mistake must not lose the job's report
                self._host.log(full_text(error))
                self._host.record_error(
                    f'scheduler "{self._host.name}": {name} raised {describe(error)}\n'
                    "    what the job reported was carried out without it"
                )
                self._carry_out(said)
                return

    def _carry_out(self, said: Notification) -> None:
        link = self._host.link
        if link is not None:
            link.inbox.post(Report([said], self._host.name))

    def _calls(self, said: Notification) -> list[Call]:
        """The author's methods for a report, with PDG's arguments; none where none of them is overridden."""
        if said.kind is Kind.ATTRIBUTE:
            return self._attribute_calls(said)
        name = next((each for each in EVENTS[said.kind] if each in self._events), "")
        if not name:
            return []
        item, index, job = said.item, said.index, said.job_id
        if said.kind is Kind.OUTPUTS:
            return [(name, (item, index, file.path, file.tag, file.hash, job)) for file in said.payload]
        return [(name, (item, index, *said.payload, job))]

    def _attribute_calls(self, said: Notification) -> list[Call]:
        attribute, kind, value, component = said.payload
        typed = _TYPED.get(kind, "")
        if typed in self._events:
            values = list(value) if component is None else value
            more = () if kind is AttribType.PyObject else (component or 0,)
            return [(typed, (said.item, said.index, attribute, values, *more, said.job_id))]
        if _UNTYPED in self._events and component is None:
            index = (said.index,) if _takes_index(getattr(self._host.instance, _UNTYPED)) else ()
            return [(_UNTYPED, (said.item, *index, attribute, list(value), said.job_id))]
        return []


def _takes_index(method: Callable[..., Any]) -> bool:
    """Whether it is ``(item, index, attribute, values, jobid)``, and not ``(item, attribute, values, jobid)``."""
    try:
        names = [each.name for each in inspect.signature(method).parameters.values()]
    except (TypeError, ValueError):
        return False
    return len(names) > 1 and "index" in names[1].lower()
