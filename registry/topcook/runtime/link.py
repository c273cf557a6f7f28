"""What ties scheduler hosts to the cook that is running: inbox, clock, tokens, keepers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.secrets import redact
from topcook.machine import events as ev
from topcook.model.builtinparms import task_limit, whole
from topcook.runtime.clock import CookClock
from topcook.runtime.inbox import Inbox, Report
from topcook.runtime.together import Together
from topcook.runtime.tokens import attempt_of, attempt_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
        self.text = redact(text)


def untold(text: str, told: Iterable[Message]) -> str:
    """``text`` without what stands behind its first line and was told as an error of its own before."""
    rest = f"{redact(text)}\n"
    # The longest first: a short one may be the first line of another.
    for said in sorted((each.text for each in told if each.level == "error"), key=len, reverse=True):
        rest = rest.replace(f"\n    {said}\n", "\n")
    return rest.removesuffix("\n")


class CookLink:
    """One cook, as its scheduler hosts see it."""

    def __init__(self, cook_id: str, keeper_for: Callable[[str, Together], JobKeeper]) -> None:
        """Make the inbox and the clock of a cook."""
        self.cook_id = cook_id
        self.inbox = Inbox()
        self.clock = CookClock()
        #: What the thread that hears the keeper posts.
        self.together = Together(self.inbox.post)
        self._keeper_for = keeper_for
        #: Nobody looks into the inbox any more.
        self.over = False
        #: It has a journal, and can be taken up again.
        self.lasting = False
        #: Ask schedulers for the URIs of every item they were given, not only of those that did not end well.
        self.all_uris = False
        #: What each scheduler says its items wait for; empty: nothing. Written by their threads, read by all.
        self.waiting: dict[str, str] = {}

    def keeper_for(self, scheduler: str) -> JobKeeper:
        """The local jobs of one scheduler; ask for it once."""
        return self._keeper_for(scheduler, self.together)

    def token(self, item: WorkItem) -> str:
        """The token of the item's present attempt, or of its next one while nobody was given it."""
        return attempt_token(self.cook_id, item.id, attempt_of(item))

    def message(self, level: str, source: str, text: str) -> None:
        """Tell the observers something."""
        self.inbox.post(Message(level, source, text))

    def cancel(self, reason: str) -> None:
        """Cancel the whole cook."""
        self.inbox.post(ev.CancelRequested(self.clock.now(), reason))

    def close(self) -> list[Message]:
        """The cook is over: whoever waits for a receipt is told so. Answers with the messages that nobody has read."""
        self.over = True
        return self.refuse_rest()

    def refuse_rest(self) -> list[Message]:
        """Refuse what is in the inbox of a cook that is over.

        Invariant: a report is refused here by who closes, or by who posted it and then found the cook over.
        """
        left: list[Message] = []
        # One batch is not all of a flood.
        while batch := self.inbox.drain(0.0):
            for entry in batch:
                if type(entry) is Message:
                    left.append(entry)
                elif type(entry) is Report and entry.done is not None:
                    entry.done(LookupError("the cook is over"))
        return left

    def post_room(self, scheduler: str) -> None:
        """The scheduler has room now."""
        self.inbox.post(ev.TaskRequested(scheduler, self.clock.now()))

    def post_limits(self, host: HostDoor) -> None:
        """Read the scheduler's limits, those of its parms and its own, and tell the machine."""
        limit = task_limit(host.parms)
        in_flight = min(limit or host.room, host.room or limit)
        self.together.post(ev.LimitsSet(host.name, whole(host.parm_value("pdg_maxitems")), in_flight))
