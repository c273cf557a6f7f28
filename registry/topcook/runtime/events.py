"""PDG's event handlers: who wants to hear which event of which object.

Handlers are author code, so they run on a thread of their own, in the order of the events: never on the cook's, and a
slow one holds up nothing but the handlers behind it.
"""

from __future__ import annotations

import logging
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from topcook.model.enums import EventType
from topcook.model.states import WorkItemState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topcook.contract.node import Node

_log = logging.getLogger("topcook.events")

#: Beside its own type, every event goes to those that asked for this one.
_ALL = int(EventType.All)
#: Errors and warnings go to those that asked for this one, too.
_LOG = int(EventType.Log)
_SAID = frozenset({int(EventType.CookError), int(EventType.CookWarning)})


class Event:
    """``pdg.Event``: what happened, to which node or item; what does not apply is ``None`` or -1."""

    __slots__ = ("context", "currentState", "dependencyId", "lastState", "message", "node", "type", "workItemId")

    def __init__(
        self,
        kind: EventType,
        context: Any,
        node: Node | None = None,
        *,
        item: int = -1,
        states: tuple[WorkItemState, WorkItemState] = (WorkItemState.Undefined, WorkItemState.Undefined),
        message: str = "",
    ) -> None:
        """``states`` are the item's before and after."""
        self.type = kind
        self.context = context
        self.node = node
        self.workItemId = item
        self.dependencyId = -1
        self.lastState, self.currentState = states
        self.message = message

    def __repr__(self) -> str:
        """Type, node and item."""
        name = self.node.name if self.node is not None else self.message
        return f"<Event {self.type.name} {name} item={self.workItemId}>"


class PyEventHandler:
    """``pdg.PyEventHandler``: what ``addEventHandler`` gives back; not made by hand."""

    __slots__ = ("call", "events", "owner", "pass_handler")

    def __init__(
        self, owner: object, call: Callable[..., object], events: frozenset[int], *, pass_handler: bool
    ) -> None:
        """Belong to ``owner``."""
        self.owner = owner
        self.call = call
        self.events = events
        self.pass_handler = pass_handler

    def wants(self, kind: int) -> bool:
        """Whether it asked for events of this type."""
        return kind in self.events or _ALL in self.events or (kind in _SAID and _LOG in self.events)


class EventBoard:
    """The handlers of one graph context, and the thread that calls them."""

    def __init__(self) -> None:
        """Start with none; ``wanted`` is empty then, so that nothing is built for nobody."""
        self._handlers: list[PyEventHandler] = []
        self._queue: SimpleQueue[tuple[PyEventHandler, Event] | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._handlers)

    def add(
        self, owner: object, call: Callable[..., object], events: Sequence[int], *, pass_handler: bool
    ) -> PyEventHandler:
        """Have ``call(event)``, or ``call(handler, event)``, called for these event types of ``owner``."""
        handler = PyEventHandler(owner, call, frozenset(int(e) for e in events), pass_handler=pass_handler)
        with self._lock:
            self._handlers = [*self._handlers, handler]
            if self._thread is None:
                self._thread = threading.Thread(target=self._call_all, name="topcook-events", daemon=True)
                self._thread.start()
        return handler

    def remove(self, handler: object) -> None:
        """Forget a handler; a no-op when it is not there."""
        with self._lock:
            self._handlers = [h for h in self._handlers if h is not handler]

    def has(self, handler: object) -> bool:
        """Whether the handler is there."""
        return any(h is handler for h in self._handlers)

    def of(self, owner: object) -> list[PyEventHandler]:
        """The handlers of ``owner``."""
        return [handler for handler in self._handlers if handler.owner is owner or handler.owner == owner]

    def tell(self, event: Event, *owners: object) -> None:
        """Queue the event for those who want it of one of ``owners``; never blocks."""
        for handler in self._handlers:
            if handler.wants(event.type) and any(owner is handler.owner or owner == handler.owner for owner in owners):
                self._queue.put((handler, event))

    def wait(self, timeout: float) -> bool:
        """Wait until all that was told has been heard; False when ``timeout`` seconds did not do."""
        if self._thread is None or self._thread is threading.current_thread():
            return True
        heard = threading.Event()
        self._queue.put(heard)
        return heard.wait(timeout)

    def _call_all(self) -> None:
        while True:
            entry = self._queue.get()
            if isinstance(entry, threading.Event):
                entry.set()
                continue
            handler, event = entry
            if not self.has(handler):
                continue
            try:
                handler.call(handler, event) if handler.pass_handler else handler.call(event)
            except BaseException:  # noqa: BLE001 - a handler is author code: whatever it raises is its own affair
                _log.exception("an event handler raised")
