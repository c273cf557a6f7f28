"""Map by Index: items of one input wait for the items of the other that have the same index."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.mapper import PyMapper


class MapByIndex(PyMapper):
    """``inputs = ["waited_for", "waiting"]``: one item per item of the second input.

    It waits for that item and for those of the first input with its index, and has the files of all of them.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "mapbyindex"

    @classmethod
    def templateBody(cls) -> str:
        """It has no parms."""
        return json.dumps({"name": "mapbyindex", "parameters": []})

    def onMap(self, dependency_holder: Any, upstream_items: list[Any], downstream_items: list[Any]) -> Any:
        """Same index, same pair."""
        by_index: dict[int, list[Any]] = {}
        for item in upstream_items:
            by_index.setdefault(item.index, []).append(item)
        for item in downstream_items:
            for needed in by_index.get(item.index, ()):
                dependency_holder.addDependency(item, needed)
        return pdg.result.Success


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(MapByIndex, pdg.nodeType.Mapper, label="Map by Index", category="Mappers")
