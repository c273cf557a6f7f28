"""``pdg.partitioner.PyPartitioner``: the base of node types that gather work items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.nodebase import PyNode
from topcook.errors import CookError

if TYPE_CHECKING:
    from topcook.contract.holders import PartitionHolder
    from topcook.contract.workitem import WorkItem

__all__ = ["PyPartitioner"]


class PyPartitioner(PyNode):
    """A node that gathers upstream items into partitions.

    A partition waits for its members, has the attributes on which they agree, and passes their files on.
    Mirrors ``pdg.partitioner.PyPartitioner``.
    """

    def onPartition(self, partition_holder: PartitionHolder, work_items: list[WorkItem]) -> Any:
        """Say which item belongs to which partition: a node type must bring this itself."""
        raise CookError(f'node type "{self.record.type_name}" has no "onPartition"')
