"""Merge: the items of all inputs as one list."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.processor import PyProcessor


class Merge(PyProcessor):
    """One item per item of each input, in input order, with its index, attributes and files."""

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "merge"

    @classmethod
    def templateBody(cls) -> str:
        """It has no parms."""
        return json.dumps({"name": "merge", "parameters": []})

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """One item each."""
        for parent in upstream_items:
            item_holder.addWorkItem(parent=parent, automatic=True)
        return pdg.result.Success


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(Merge, pdg.nodeType.Processor, label="Merge", category="Utility")
