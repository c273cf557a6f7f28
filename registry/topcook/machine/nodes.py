"""What the machine knows of one node: when it generates, and whether all of its items are settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.machine.phases import DONE_WELL
from topcook.model.enums import GenerateWhen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem


class NodeState:
    """Progress of one node's generation.

    A node is ``complete`` when all of its items exist, ``quiet`` when nothing more is expected of them either.
    ``open_inputs`` counts inputs that are not complete, ``loud_inputs`` those that are not quiet, ``unsettled`` its own
    items that are not settled, ``calls`` generation calls under way. A ``prepared`` node has its items from outside.
    """

    __slots__ = (
        "calls",
        "complete",
        "fresh",
        "inputs",
        "joining",
        "loud_inputs",
        "node",
        "open_inputs",
        "outputs",
        "partitioner",
        "prepared",
        "quiet",
        "requested",
        "stalled",
        "static",
        "unsettled",
        "when",
    )

    def __init__(
        self, node: Node, when: GenerateWhen, *, partitioner: bool = False, static: bool = True, prepared: bool = False
    ) -> None:
        """Describe a node; ``static`` nodes generate before the cook."""
        self.node = node
        self.when = when
        self.partitioner = partitioner
        self.static = static
        self.prepared = prepared
        self.inputs: list[NodeState] = []
        self.outputs: list[NodeState] = []
        self.open_inputs = 0
        self.loud_inputs = 0
        self.unsettled = 0
        self.calls = 0
        #: Whether a call has ended of whose items only some are here.
        self.joining = False
        self.requested = False
        self.complete = False
        self.quiet = False
        #: Why the node made not all of its items, empty while it did.
        self.stalled = ""
        #: Upstream items that succeeded and were not generated from yet (EachUpstreamCooked only).
        self.fresh: list[WorkItem] = []

    def link(self, inputs: Iterable[NodeState]) -> None:
        """Set the inputs, once; an EachUpstreamCooked node without any generates as soon as the cook begins."""
        self.inputs = list(dict.fromkeys(inputs))
        self.open_inputs = self.loud_inputs = len(self.inputs)
        for node in self.inputs:
            node.outputs.append(self)
        if not self.inputs and self.when is GenerateWhen.EachUpstreamCooked:
            self.when = GenerateWhen.AllUpstreamCooked

    def upstream(self) -> list[WorkItem]:
        """The items of all inputs, in input order."""
        return [item for node in self.inputs for item in node.node.items]

    def upstream_or_stand_ins(self) -> list[WorkItem]:
        """The upstream items, and the unsuccessful ancestors that kept some of them from being made.

        A stand-in carries the attributes its children would have had, so that a partitioner puts it where
        they belong, and the partition is blocked by it.
        """
        found = {item.id: item for item in self.upstream()}
        ancestors, seen = list(self.inputs), set(self.inputs)
        for node in ancestors:
            if node.when is not GenerateWhen.EachUpstreamCooked:
                continue
            for source in node.inputs:
                for item in source.node.items:
                    if item.phase not in DONE_WELL:
                        found.setdefault(item.id, item)
                if source not in seen:
                    seen.add(source)
                    ancestors.append(source)
        return list(found.values())
