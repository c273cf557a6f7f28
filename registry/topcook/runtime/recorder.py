"""The recorder: what happened is kept before anything follows from it.

The cook thread calls ``commit`` with a batch of events and the hand-overs they cause; only after it returns are the
hand-overs carried out and the reports acknowledged. ``MemoryRecorder`` only counts; ``runtime/journal`` writes to disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, overload

from topcook.machine import instructions as ins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from topcook.machine.events import Event
    from topcook.machine.items import Change
    from topcook.model.workitem import WorkItem
    from topcook.runtime.link import Message

_HAND_OVERS = (ins.HandOver, ins.HandOverStatic)


class HandOverNote:
    """One hand-over that is about to happen: the item, its attempt, the token that goes with it."""

    __slots__ = ("_token_of", "attempt", "item", "scheduler")

    def __init__(self, item: WorkItem, scheduler: str, token_of: Callable[[WorkItem], str]) -> None:
        """Keep the item as it is about to be handed over."""
        self.item = item
        self.attempt = item.attempt
        self.scheduler = scheduler
        self._token_of = token_of

    @property
    def token(self) -> str:
        """Put together when asked for: not every recorder wants it."""
        return self._token_of(self.item)


class Recorder(Protocol):
    """Where what happens in a cook is kept. Called on the cook thread only."""

    def begin(self, items: Iterable[WorkItem]) -> None:
        """Take in the items that are there before the cook."""

    def commit(self, events: Sequence[Event], changes: Sequence[Change], hand_overs: Sequence[HandOverNote]) -> None:
        """Keep a batch, what it changed and what is handed over because of it, or raise; returns once it is kept."""

    def keep_fingerprint(self, item: WorkItem, text: str) -> None:
        """Keep with the next commit what an item would do."""

    def tell(self, message: Message) -> None:
        """Keep with the next commit what people were told."""

    def close(self, outcome: str = "") -> bool:
        """The cook is over; answers whether all of it is kept, so that nothing else that knows of it is needed."""


class MemoryRecorder:
    """Counts what goes by and keeps none of it: a cook that lasts as long as its process looks nothing up."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.events = 0
        self.hand_overs = 0

    def begin(self, items: Iterable[WorkItem]) -> None:
        """Nothing is looked up."""

    def commit(self, events: Sequence[Event], changes: Sequence[Change], hand_overs: Sequence[HandOverNote]) -> None:
        """Count them."""
        del changes
        self.events += len(events)
        self.hand_overs += len(hand_overs)

    def keep_fingerprint(self, item: WorkItem, text: str) -> None:
        """Nothing is looked up."""

    def tell(self, message: Message) -> None:
        """Nothing is looked up."""

    def close(self, outcome: str = "") -> bool:  # noqa: ARG002 - the protocol: nothing here is told of it
        """Nothing is left to do."""
        return True


class HandOverNotes(Sequence[HandOverNote]):
    """A note for each item that is about to be handed over, made when somebody reads them."""

    def __init__(self, instructions: Iterable[ins.Instruction], token: Callable[[WorkItem], str]) -> None:
        """Of all hand-overs among ``instructions``; ``token`` puts together the token of an item's attempt."""
        self._orders = [order for order in instructions if isinstance(order, _HAND_OVERS)]
        self._token_of = token

    def __bool__(self) -> bool:
        """Whether there is any, without counting them."""
        return bool(self._orders)

    def __len__(self) -> int:
        """How many items are handed over."""
        return sum(len(order.items) for order in self._orders)

    def __iter__(self) -> Iterator[HandOverNote]:
        """The notes, in the order of the instructions."""
        for order in self._orders:
            for item in order.items:
                yield HandOverNote(item, order.scheduler, self._token_of)

    @overload
    def __getitem__(self, index: int) -> HandOverNote: ...

    @overload
    def __getitem__(self, index: slice) -> list[HandOverNote]: ...

    def __getitem__(self, index: int | slice) -> HandOverNote | list[HandOverNote]:
        """As of a list."""
        return list(self)[index]
