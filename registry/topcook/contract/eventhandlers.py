"""``addEventHandler`` and its kin, as ``pdg.GraphContext``, ``pdg.Node`` and ``pdg.WorkItem`` have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.model.enums import EventType

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.contract.host import GraphServices

#: The events that a cook tells; handlers may ask for any, as in Houdini, and do not hear of the others.
TOLD = (
    EventType.WorkItemAdd,
    EventType.WorkItemStateChange,
    EventType.CookError,
    EventType.CookWarning,
    EventType.CookComplete,
    EventType.NodeGenerated,
    EventType.NodeCooked,
    EventType.CookStart,
    EventType.All,
    EventType.Log,
)


class EventHandlers:
    """Handlers of one object's events; they are called on a thread of their own while a cook goes on."""

    __slots__ = ()

    def _topcook_events(self) -> tuple[GraphServices, object]:
        """Who keeps the handlers, and whose they are."""
        raise NotImplementedError

    def addEventHandler(self, handler: Callable[..., object], events: Any, pass_handler: bool = False) -> Any:
        """Call ``handler(event)`` with each of these ``pdg.EventType``; returns what removes it.

        With ``pass_handler`` it is called as ``handler(what_was_returned, event)``.
        """
        kinds = [int(kind) for kind in (events if isinstance(events, list | tuple | set) else [events])]
        services, owner = self._topcook_events()
        return services.add_event_handler(owner, handler, kinds, pass_handler=bool(pass_handler))

    def removeEventHandler(self, handler: Any) -> None:
        """Stop calling it."""
        self._topcook_events()[0].remove_event_handler(handler)

    def removeAllEventHandlers(self) -> None:
        """Stop calling all of them."""
        services, owner = self._topcook_events()
        for handler in services.event_handlers(owner):
            services.remove_event_handler(handler)

    def hasEventHandler(self, handler: Any) -> bool:
        """Whether it is called."""
        services, owner = self._topcook_events()
        return any(known is handler for known in services.event_handlers(owner))

    @property
    def eventHandlers(self) -> list[Any]:
        """What was added and not removed."""
        services, owner = self._topcook_events()
        return services.event_handlers(owner)

    @property
    def supportedEventTypes(self) -> list[EventType]:
        """The events that it hears of here."""
        return list(TOLD)
