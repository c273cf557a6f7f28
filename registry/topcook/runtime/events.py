"""PDG's event handlers: who wants to hear which event of which object."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger("topcook.events")

#: ``pdg.EventType.All``
ALL = 43


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


class EventBoard:
    """The handlers of one graph context."""

    def __init__(self) -> None:
        """Start with none; ``wanted`` is empty then, so that nothing is built for nobody."""
        self._handlers: list[PyEventHandler] = []

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._handlers)

    def add(
        self, owner: object, call: Callable[..., object], events: Sequence[int], *, pass_handler: bool
    ) -> PyEventHandler:
        """Have ``call(event)``, or ``call(handler, event)``, called for these event types of ``owner``."""
        handler = PyEventHandler(owner, call, frozenset(int(e) for e in events), pass_handler=pass_handler)
        self._handlers = [*self._handlers, handler]
        return handler

    def remove(self, handler: object) -> None:
        """Forget a handler; a no-op when it is not there."""
        self._handlers = [h for h in self._handlers if h is not handler]

    def has(self, handler: object) -> bool:
        """Whether the handler is there."""
        return any(h is handler for h in self._handlers)

    def tell(self, owner: object, event: Any) -> None:
        """Call whoever wants this event of ``owner``; a handler that raises is logged and kept."""
        for handler in self._handlers:
            if handler.owner == owner and (int(event.type) in handler.events or ALL in handler.events):
                try:
                    handler.call(handler, event) if handler.pass_handler else handler.call(event)
                except Exception:  # noqa: BLE001 - a handler is author code: whatever it raises is its own affair
                    _log.exception("an event handler raised")
