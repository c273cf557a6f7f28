"""Batches as nodes make them: one job for many frames.

A node with the parm ``framesperbatch`` gathers its items into batches of that many; 0 gathers all of a sequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.inherit import common_attributes
from topcook.errors import CookError
from topcook.model.enums import BatchActivation, GenerateWhen
from topcook.model.workitem import Batch, Trait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem as Record

__all__ = ["Batches", "close_batch", "make_batch", "sequences"]

#: The parms of a node whose items may be gathered into batches.
SIZE, ACTIVATION = "framesperbatch", "batchactivation"
#: Parent, index and frame of an item to be made.
Place = tuple[Any, int, float | None]


def make_batch(record: Record, activation: Any, offset: int) -> None:
    """Let a new item be a batch, without sub-items so far; nothing is generated from it, but from those."""
    record.batch = Batch([], int(activation), int(offset))
    record.traits |= Trait.BATCH | Trait.NO_GENERATE


def close_batch(record: Record) -> None:
    """A batch has all of its sub-items: what it was to wait for itself, each of them waits for.

    Its attributes are those that all of them share, unless it was given some. Raises ``CookError`` for an empty one.
    """
    batch = record.batch
    assert batch is not None  # noqa: S101 - only called for batches
    if not batch.items:
        raise CookError(
            f'batch "{record.name}" has no sub-items\n    add them by addWorkItem(parent=batch), or give a batchSize'
        )
    shared = [needed for needed in record.dependencies if needed.batch_parent is not record]
    for sub in batch.items:
        needed = [each for each in [*sub.dependencies, *shared] if each is not record]
        sub.dependencies = list(dict.fromkeys(needed))
    record.dependencies = []
    if record.attributes is None:
        record.attributes = common_attributes(batch.items)


def sequences(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Cut places into sequences: each goes on as long as the parent stays the same, or the frame rises.

    So the frames of two wedges never come into one batch. Without frames the index is looked at.
    """
    run: list[Place] = []
    for place in places:
        if run and not (place[0] is run[-1][0] or _at(place) > _at(run[-1])):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _at(place: Place) -> float:
    parent, index, frame = place
    if frame is None and parent is not None and parent.hasFrame:
        return float(parent.frame)
    return float(index) if frame is None else frame


class Batches:
    """What a processor needs to gather its items; its parms are ``framesperbatch`` and ``batchactivation``."""

    @staticmethod
    def batchParms() -> list[dict[str, Any]]:
        """The two parms for a template."""
        return [
            {"name": SIZE, "label": "Frames per Batch (0: all in one)", "type": "Integer", "value": 1},
            {"name": ACTIVATION, "label": "Batch Activation", "type": "String", "value": "first"},
        ]

    @staticmethod
    def generateWhen(asked: GenerateWhen, dynamic_inputs: bool, node: Node) -> GenerateWhen:
        """A batch gathers several upstream items, so they have to be known; they need not have cooked."""
        parm = node.parms.get(SIZE)
        if asked is GenerateWhen.Automatic and dynamic_inputs and parm is not None and str(parm.at(0)) != "1":
            return GenerateWhen.AllUpstreamGenerated
        return asked

    def framesPerBatch(self) -> int:
        """How many frames a batch has: 1 for no batches, 0 for all; raises ``CookError`` for less."""
        size = int(self[SIZE].evaluateInt())  # type: ignore[index]
        if size < 0:
            raise CookError(f'"{SIZE}" is {size}\n    write 0 for all frames in one batch, 1 for no batches')
        return size

    def batchActivation(self) -> BatchActivation:
        """When a batch starts: when its ``first`` frame is ready, when ``any`` is, or when ``all`` are."""
        text = str(self[ACTIVATION].evaluateString()).strip().lower()  # type: ignore[index]
        for each in BatchActivation:
            if text in {each.name.lower(), str(int(each))}:
                return each
        raise CookError(f'"{ACTIVATION}" is "{text}"\n    it may be: first, any, all')

    def addBatches(
        self,
        item_holder: Any,
        places: Sequence[Place],
        *,
        chained: bool = False,
        apart: bool = False,
        **options: Any,
    ) -> Iterator[tuple[Any, list[Any]]]:
        """Add items in batches; yields each batch with its sub-items. ``options`` are those of every item.

        ``chained``: each sub-item waits for the one before it in its sequence, also over the ends of batches.
        ``apart``: their jobs run the sub-items one by one, and leave out those whose state says that they are done; so
        a batch of which some sub-items are done from an earlier cook runs for the others only.
        """
        activation = self.batchActivation()
        for run in sequences(places):
            size = self.framesPerBatch() or len(run)
            before = None
            for start in range(0, len(run), size):
                some = run[start : start + size]
                first = some[0]
                whole = item_holder.addWorkItem(
                    batch=True,
                    batchActivation=activation,
                    batchOffset=first[1],
                    index=first[1],
                    frame=first[2],
                    **{"priority": first[0].priority if first[0] is not None else None, **options},
                )
                whole.record.batch.apart = apart
                subs = []
                for parent, index, frame in some:
                    item = item_holder.addWorkItem(
                        batchParent=whole, parent=parent, index=index, frame=frame, **options
                    )
                    if chained and before is not None:
                        item_holder.addDependency(item, before)
                    before = item
                    subs.append(item)
                yield whole, subs
