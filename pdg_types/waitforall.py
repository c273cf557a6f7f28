"""Wait for All: one partition of everything upstream."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.partitioner import PyPartitioner


class WaitForAll(PyPartitioner):
    """One item that is done when all upstream items are; it has the attributes on which they agree, and their files."""

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "waitforall"

    @classmethod
    def templateBody(cls) -> str:
        """It has no parms."""
        return json.dumps({"name": "waitforall", "parameters": []})

    def onPartition(self, partition_holder: Any, work_items: list[Any]) -> Any:
        """All into partition 0."""
        for item in work_items:
            partition_holder.addItemToPartition(item, 0)
        return pdg.result.Success


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(WaitForAll, pdg.nodeType.Partitioner, label="Wait for All", category="Partitioners")
