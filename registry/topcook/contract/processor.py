"""``pdg.processor.PyProcessor``: the base of node types that make work items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.nodebase import PyNode
from topcook.errors import CookError
from topcook.model.enums import Result

if TYPE_CHECKING:
    from topcook.contract.holders import DependencyHolder, WorkItemHolder
    from topcook.contract.workitem import WorkItem
    from topcook.model.enums import GenerationType

__all__ = ["PyProcessor"]


class PyProcessor(PyNode):
    """A node that makes work items, from upstream items or from nothing.

    ``onGenerate`` is called once with all static upstream items before the cook, or once per upstream item that has
    cooked. When it raises, or answers ``pdg.result.Failure``, the items of that call are discarded.
    Mirrors ``pdg.processor.PyProcessor``; the callback table says what each callback takes and answers.
    """

    def onGenerate(
        self, item_holder: WorkItemHolder, upstream_items: list[WorkItem], generation_type: GenerationType
    ) -> Any:
        """Make work items: the one callback that a node type must bring itself."""
        raise CookError(f'node type "{self.record.type_name}" has no "onGenerate"')

    def onRegenerate(
        self,
        item_holder: WorkItemHolder,
        existing_items: list[WorkItem],
        upstream_items: list[WorkItem],
        generation_type: GenerationType,
    ) -> Any:
        """Make the items again: by default as they were made the first time."""
        return self.onGenerate(item_holder, upstream_items, generation_type)

    def onAddInternalDependencies(
        self, dependency_holder: DependencyHolder, internal_items: list[WorkItem], is_static: bool
    ) -> Any:
        """Let items of this node wait for each other: by default none does."""
        return Result.Success

    def onCookTask(self, work_item: WorkItem) -> Any:
        """Cook an in-process item: by default there is nothing to do."""
        return Result.Success
