"""From an item graph file's records to work items, a hundred thousand of them without a handle for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.contract.holders import Expressions
from topcook.errors import CallbackError
from topcook.model.attributes import AttribType, Attribute
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.contract.holders import WorkItemHolder
    from topcook.model.graphfile.itemgraph import ItemRecord

__all__ = ["add_item_graph"]


def add_item_graph(item_holder: WorkItemHolder, rows: Sequence[ItemRecord], *, expand: bool = False) -> None:
    """Add one work item per row of an item graph, and the dependencies between them.

    The row's name becomes the item's label, its place in the file its index unless it gives one. Commands and
    output paths are taken verbatim; with ``expand``, ``@attributes`` in them are evaluated. The reader has checked
    the rows: names are unique, dependencies exist and form no loop.
    """
    if item_holder.closed:
        raise CallbackError('"add_item_graph" was called after its callback had ended')
    static = item_holder.base_traits
    in_process = static | Trait.IN_PROCESS
    new_item, node = item_holder.graph.new_item, item_holder.node
    records = []
    for number, row in enumerate(rows):
        record = new_item(node, number if row.index is None else row.index)
        record.label, record.priority, record.slots = row.name, row.priority, row.slots
        record.traits = in_process if row.inprocess else static
        if row.attributes:
            record.attributes = row.attributes
        if row.resources:
            needed = Attribute(AttribType.String, tuple(row.resources))
            record.attributes = {**(record.attributes or {}), "pdg_resources": needed}
        record.frame = row.frame
        if expand:
            outputs = [("outputs", made.path, made.tag) for made in row.outputs]
            item_holder.expressions.append(Expressions(record, ("command", row.command), outputs))
        else:
            record.command = row.command
            record.expected_outputs = list(row.outputs) or None
        records.append(record)
    for record, row in zip(records, rows, strict=True):
        if row.dependencies:
            record.dependencies = [records[number] for number in row.dependencies]
    item_holder.records += records
