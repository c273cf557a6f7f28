"""What a node class must be: one table of callbacks for each kind of node.

The rows have the shape of those in ``callbacks``, and are read by the same validator, docs and scaffold.
"""

from __future__ import annotations

from topcook.contract.callbacks import Callback, Need, Returns
from topcook.model.enums import NodeType

__all__ = ["NODE_CALLBACKS", "rows_for"]

_PROCESSOR: tuple[Callback, ...] = (
    Callback(
        "onGenerate",
        ("item_holder", "upstream_items", "generation_type"),
        Need.REQUIRED,
        Returns.RESULT,
        "Makes work items: once with all static upstream items, or once per upstream item that has cooked.",
        "PDG API, pdg.processor.PyProcessor.",
    ),
    Callback(
        "onRegenerate",
        ("item_holder", "existing_items", "upstream_items", "generation_type"),
        Need.OPTIONAL,
        Returns.RESULT,
        "Makes the items again where some exist already.",
        "PDG API, pdg.processor.PyProcessor.",
        may_omit=1,
    ),
    Callback(
        "onRegenerateStatic",
        ("item_holder", "existing_items", "upstream_items"),
        Need.OPTIONAL,
        Returns.RESULT,
        "Makes the static items again where some exist already.",
        "PDG API, pdg.processor.PyProcessor.",
    ),
    Callback(
        "onAddInternalDependencies",
        ("dependency_holder", "internal_items", "is_static"),
        Need.OPTIONAL,
        Returns.RESULT,
        "Makes items of this node wait for other items of this node.",
        "PDG API, pdg.processor.PyProcessor.",
    ),
    Callback(
        "onCookTask",
        ("work_item",),
        Need.OPTIONAL,
        Returns.RESULT,
        "Cooks an in-process item.",
        "PDG API, pdg.processor.PyProcessor.",
    ),
)

_PARTITIONER: tuple[Callback, ...] = (
    Callback(
        "onPartition",
        ("partition_holder", "work_items"),
        Need.REQUIRED,
        Returns.RESULT,
        "Says which upstream items belong to which partition.",
        "PDG API, pdg.partitioner.PyPartitioner.",
    ),
)

_MAPPER: tuple[Callback, ...] = (
    Callback(
        "onMap",
        ("dependency_holder", "upstream_items", "downstream_items"),
        Need.REQUIRED,
        Returns.RESULT,
        "Says which items of one input wait for which items of another.",
        "PDG API, pdg.mapper.PyMapper.",
    ),
)

NODE_CALLBACKS: dict[NodeType, tuple[Callback, ...]] = {
    NodeType.Processor: _PROCESSOR,
    NodeType.Partitioner: _PARTITIONER,
    NodeType.Mapper: _MAPPER,
}


def rows_for(kind: NodeType) -> tuple[Callback, ...]:
    """The callbacks of a kind of node; nodes start and stop like schedulers, by onStart and onStop."""
    return NODE_CALLBACKS[kind]
