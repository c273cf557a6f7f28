"""Python Processor: its callbacks are snippets in the network file."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.processor import PyProcessor
from topcook.author import TaskScript

#: The snippet of each callback, and the names it sees beside ``pdg``.
SNIPPETS: dict[str, tuple[str, ...]] = {
    "generate": ("self", "item_holder", "upstream_items", "generation_type"),
    "regeneratestatic": ("self", "item_holder", "existing_items", "upstream_items"),
    "addinternaldependencies": ("self", "dependency_holder", "internal_items", "is_static"),
    "cooktask": ("self", "work_item"),
}


class PythonProcessor(PyProcessor):
    """Each snippet is the body of its callback: it may ``return pdg.result.Failure``, or nothing for success.

    ``generate`` makes the items by ``item_holder.addWorkItem(…)``; ``addinternaldependencies`` lets them wait for
    each other by ``dependency_holder.addDependency(child, parent)``; ``cooktask`` cooks those that were added with
    ``inProcess=True``. ``pdg_command`` is the command of every item that gets none from the snippet; it and
    ``outputs``, rows of ``path`` and ``tag``, may name ``@attributes``. Errors point at the line of the network file.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "pythonprocessor"

    @classmethod
    def templateBody(cls) -> str:
        """Its parms."""
        return json.dumps(
            {
                "name": "pythonprocessor",
                "parameters": [
                    {"name": "generate", "label": "Generate", "type": "String"},
                    {"name": "regeneratestatic", "label": "Regenerate Static", "type": "String"},
                    {"name": "addinternaldependencies", "label": "Add Internal Dependencies", "type": "String"},
                    {"name": "cooktask", "label": "Cook Task", "type": "String"},
                    {"name": "pdg_command", "label": "Command", "type": "String"},
                    {"name": "outputs", "label": "Expected Outputs", "type": "Integer"},
                    {"name": "path#", "label": "Path", "type": "String"},
                    {"name": "tag#", "label": "Tag", "type": "String"},
                ],
            }
        )

    def __init__(self, node: Any, name: str) -> None:
        """Nothing is compiled yet."""
        PyProcessor.__init__(self, node, name)
        self._compiled: dict[str, tuple[str, Any]] = {}

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """Run ``generate``, then give the items their command and outputs."""
        if not self.isSet("generate"):
            raise pdg.CookError('"generate" is empty; let it call item_holder.addWorkItem()')
        result = self._run("generate", item_holder, upstream_items, generation_type)
        command = self["pdg_command"] if self.isSet("pdg_command") else None
        for item in item_holder.workItems if command or self.isSet("outputs") else ():
            outputs = [(path, tag.evaluateString(item)) for path, tag in self.rows("outputs", "path", "tag")]
            item_holder.setExpressions(item, command=None if item.hasCommand else command, outputs=outputs)
        return result

    def onRegenerateStatic(self, item_holder: Any, existing_items: list[Any], upstream_items: list[Any]) -> Any:
        """Run ``regeneratestatic``; without one, generate again."""
        if self.isSet("regeneratestatic"):
            return self._run("regeneratestatic", item_holder, existing_items, upstream_items)
        return self.onGenerate(item_holder, upstream_items, pdg.generationType.Regenerate)

    def onAddInternalDependencies(self, dependency_holder: Any, internal_items: list[Any], is_static: bool) -> Any:
        """Run ``addinternaldependencies``."""
        return self._run("addinternaldependencies", dependency_holder, internal_items, is_static)

    def onCookTask(self, work_item: Any) -> Any:
        """Run ``cooktask`` for an in-process item."""
        return self._run("cooktask", work_item)

    def taskScript(self, work_item: Any) -> TaskScript:
        """``cooktask`` as text, for schedulers that run it elsewhere."""
        snippet = self.snippet("cooktask")
        return TaskScript(snippet.text, snippet.path, snippet.line, body=True)

    def _run(self, parm: str, *args: Any) -> Any:
        if not self.isSet(parm):
            return pdg.result.Success
        text = str(self[parm].value)
        known = self._compiled.get(parm)
        if known is None or known[0] != text:
            function = self.snippet(parm).function(parm, SNIPPETS[parm])
            function.__globals__["pdg"] = pdg
            known = self._compiled[parm] = (text, function)
        return known[1](self, *args)


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(PythonProcessor, pdg.nodeType.Processor, label="Python Processor", category="Python")
