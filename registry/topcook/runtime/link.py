"""What ties scheduler hosts to the cook that is running: inbox, clock, tokens, keepers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine import events as ev
from topcook.runtime.clock import CookClock
from topcook.runtime.inbox import Inbox
from topcook.runtime.tokens import attempt_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.contract.host import JobKeeper
    from topcook.model.workitem import WorkItem
    from topcook.runtime.hostdoor import HostDoor


class Message:
    """Something worth telling, on its way to the observers."""

    __slots__ = ("level", "source", "text")

    def __init__(self, level: str, source: str, text: str) -> None:
        """Keep the three; ``level`` is error, warning or info."""
        self.level = level
        self.source = source
        self.text = text


class CookLink:
    """One cook, as its scheduler hosts see it."""

    def __init__(self, cook_id: str, keeper_for: Callable[[str], JobKeeper]) -> None:
        """Make the inbox and the clock of a cook."""
        self.cook_id = cook_id
        self.inbox = Inbox()
        self.clock = CookClock()
        self.keeper_for = keeper_for
        #: Ask schedulers for the URIs of every item they were given, not only of those that did not end well.
        self.all_uris = False

    def token(self, item: WorkItem) -> str:
        """The token of the item's present attempt."""
        return attempt_token(self.cook_id, item.id, item.attempt)

    def message(self, level: str, source: str, text: str) -> None:
        """Tell the observers something."""
        self.inbox.post(Message(level, source, text))

    def cancel(self, reason: str) -> None:
        """Cancel the whole cook."""
        self.inbox.post(ev.CancelRequested(self.clock.now(), reason))

    def post_room(self, scheduler: str) -> None:
        """The scheduler has room now."""
        self.inbox.post(ev.TaskRequested(scheduler, self.clock.now()))

    def post_limits(self, host: HostDoor) -> None:
        """Read the scheduler's limits and tell the machine."""
        limit = _whole(host.parm_value("pdg_maxtasks")) if host.parm_value("pdg_usemaxtasks") else 0
        self.inbox.post(ev.LimitsSet(host.name, _whole(host.parm_value("pdg_maxitems")), limit))


def _whole(value: object) -> int:
    try:
        return max(0, int(value))  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return 0
