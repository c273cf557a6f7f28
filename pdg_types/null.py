"""Null: one item per upstream item, with its attributes and files."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.processor import PyProcessor


class Null(PyProcessor):
    """Passes items on; a place to connect to, or to stop a cook at."""

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "null"

    @classmethod
    def templateBody(cls) -> str:
        """It has no parms."""
        return json.dumps({"name": "null", "parameters": []})

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """One item each."""
        for parent in upstream_items:
            item_holder.addWorkItem(parent=parent, automatic=True)
        return pdg.result.Success


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(Null, pdg.nodeType.Processor, label="Null", category="Utility")
