"""``pdg.mapper.PyMapper``: the base of node types that let items of one input wait for items of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.nodebase import PyNode
from topcook.errors import CookError

if TYPE_CHECKING:
    from topcook.contract.holders import DependencyHolder
    from topcook.contract.workitem import WorkItem

__all__ = ["PyMapper"]


class PyMapper(PyNode):
    """A node with two inputs: ``inputs = ["waited_for", "waiting"]``.

    For each item of the second input it makes one item, with that item's attributes, which waits for it and for the
    items of the first input that ``onMap`` names, and passes the files of all of them on, its own item's first.
    Mirrors ``pdg.mapper.PyMapper``; what a mapper's own items are is Topcook's choice.
    """

    def onMap(
        self, dependency_holder: DependencyHolder, upstream_items: list[WorkItem], downstream_items: list[WorkItem]
    ) -> Any:
        """Name dependencies by ``dependency_holder.addDependency(downstream_item, upstream_item)``."""
        raise CookError(f'node type "{self.record.type_name}" has no "onMap"')
