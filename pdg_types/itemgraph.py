"""Item Graph: work items and their dependencies from a file that another tool wrote."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.processor import PyProcessor
from topcook.author import TaskScript, add_item_graph, read_item_graph


class ItemGraph(PyProcessor):
    """One item per object of ``file``, JSON (a list) or JSON Lines: ``name``, ``command``, ``dependencies``, ….

    Commands and output paths are taken verbatim; with ``expand`` they may name ``@attributes``.
    An object with ``inprocess`` is cooked here: its command is Python, with ``work_item``, ``self`` and ``pdg``,
    and an empty one does nothing.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "itemgraph"

    @classmethod
    def templateBody(cls) -> str:
        """Its parms."""
        return json.dumps(
            {
                "name": "itemgraph",
                "parameters": [
                    {"name": "file", "label": "File", "type": "String"},
                    {"name": "expand", "label": "Expand Expressions", "type": "Toggle", "value": 0},
                ],
            }
        )

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """Read the file; all of its mistakes are told at once, with their lines."""
        if upstream_items:
            raise pdg.CookError("an item graph brings its own dependencies and takes no inputs")
        path = self["file"].evaluateString().strip()
        if not path:
            raise pdg.CookError('"file" is empty; write it as file = "$HIP/items.jsonl"')
        rows = read_item_graph(self.localPath(path))
        add_item_graph(item_holder, rows, expand=self["expand"].evaluateBool())
        return pdg.result.Success

    def onCookTask(self, work_item: Any) -> Any:
        """Run an in-process item's Python."""
        if work_item.command:
            code = compile(work_item.command, f"<command of {work_item.name}>", "exec")
            exec(code, {"__name__": "__main__", "pdg": pdg, "self": self, "work_item": work_item})  # noqa: S102
        return pdg.result.Success

    def taskScript(self, work_item: Any) -> TaskScript:
        """The same as text, for schedulers that run it elsewhere."""
        return TaskScript(work_item.command, f"<command of {work_item.name}>")


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(ItemGraph, pdg.nodeType.Processor, label="Item Graph", category="Generators")
