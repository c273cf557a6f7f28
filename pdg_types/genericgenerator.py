"""Generic Generator: work items that run a command, from a frame range, a count, or one per upstream item."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pdg
from pdg.processor import PyProcessor
from topcook.author import Batches

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The most items that one call may make: a slip in a step must not fill the memory.
MOST = 10_000_000
#: What names of a batch begin with; a command with one of them is the batch's own.
WHOLE = "@pdg_batch"
#: Runs the commands of a batch's sub-items in one job.
RUN_BATCH = '__PDG_PYTHON__ "__PDG_SCRIPTDIR__/runbatch.py"'


class GenericGenerator(Batches, PyProcessor):
    """For each upstream item (or once, without an input) ``itemcount`` items per frame of ``framerange``.

    ``command`` (or ``pdg_command``) and ``outputs``, rows of ``path`` and ``tag``, may name ``@attributes``.
    ``sequential`` chains the items made from the same upstream item: each waits for the one before it.
    ``framesperbatch`` gathers that many items into one job (0: all of a sequence); ``batchactivation`` says when it
    starts. A command that names ``@pdg_batchstart`` and its like runs once for the batch, any other once per item.
    ``index`` -1 counts: the parent's index, spread by the number of items made from each parent.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "genericgenerator"

    @classmethod
    def templateBody(cls) -> str:
        """Its parms."""
        return json.dumps(
            {
                "name": "genericgenerator",
                "parameters": [
                    {"name": "command", "label": "Command", "type": "String"},
                    {"name": "pdg_command", "label": "Command", "type": "String"},
                    {"name": "outputs", "label": "Expected Outputs", "type": "Integer"},
                    {"name": "path#", "label": "Path", "type": "String"},
                    {"name": "tag#", "label": "Tag", "type": "String"},
                    {"name": "itemcount", "label": "Item Count", "type": "Integer", "value": 1},
                    {"name": "framerange", "label": "Frame Range", "type": "Float", "size": 3, "value": [1, 1, 1]},
                    {"name": "frame", "label": "Frame", "type": "Float"},
                    {"name": "index", "label": "Index", "type": "Integer", "value": -1},
                    {"name": "priority", "label": "Priority", "type": "Integer", "value": 0},
                    {"name": "slots", "label": "Slots", "type": "Integer", "value": 1},
                    {"name": "sequential", "label": "Sequential", "type": "Toggle", "value": 0},
                    *cls.batchParms(),
                ],
            }
        )

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """Make the items of each parent in turn."""
        if self.framesPerBatch() != 1:
            return self._generate_batches(item_holder, upstream_items or [None])
        command, rows = self._command(), list(self.rows("outputs", "path", "tag"))
        # Ports are looked up once: there may be a hundred thousand items.
        slots, frames, sequential = self["slots"], self["framerange"], self["sequential"]
        priority = self["priority"] if self.isSet("priority") else None
        for parent in upstream_items or [None]:
            before = None
            for index, frame in self._places(parent):
                item = item_holder.addWorkItem(
                    parent=parent,
                    index=index,
                    frame=frame,
                    frameStep=frames.evaluateFloat(parent, 2),
                    priority=priority and priority.evaluateInt(parent),
                    slots=slots.evaluateInt(parent),
                )
                outputs = [(path, tag.evaluateString(item)) for path, tag in rows]
                item_holder.setExpressions(item, command=command, outputs=outputs)
                if before is not None and sequential.evaluateBool(parent):
                    item_holder.addDependency(item, before)
                before = item
        return pdg.result.Success

    def _generate_batches(self, item_holder: Any, parents: list[Any]) -> Any:
        """Make the items of all parents, and gather them into batches."""
        command, rows = self._command(), list(self.rows("outputs", "path", "tag"))
        options: dict[str, Any] = {"slots": self["slots"].evaluateInt(parents[0])}
        options["frameStep"] = self["framerange"].evaluateFloat(parents[0], 2)
        if self.isSet("priority"):
            options["priority"] = self["priority"].evaluateInt(parents[0])
        places = [(parent, index, frame) for parent in parents for index, frame in self._places(parent)]
        chained = self["sequential"].evaluateBool(parents[0])
        whole_command = WHOLE in str(command.value)
        for batch, items in self.addBatches(item_holder, places, chained=chained, apart=not whole_command, **options):
            if whole_command:
                item_holder.setExpressions(batch, command=command)
            elif str(command.value):
                batch.setCommand(RUN_BATCH)
            for item in items:
                outputs = [(path, tag.evaluateString(item)) for path, tag in rows]
                item_holder.setExpressions(item, command=None if whole_command else command, outputs=outputs)
        return pdg.result.Success

    def _command(self) -> Any:
        if self.isSet("command") and self.isSet("pdg_command"):
            raise pdg.CookError('"command" and "pdg_command" are two names of one parm; set one of them')
        return self["pdg_command"] if self.isSet("pdg_command") else self["command"]

    def _places(self, parent: Any) -> Iterator[tuple[int, float | None]]:
        """Index and frame of each item that ``parent`` gets."""
        frames = list(self._frames(parent))
        count = self["itemcount"].evaluateInt(parent)
        total = count * len(frames)
        if count < 0 or total > MOST:
            raise pdg.CookError(f'"itemcount" asks for {total} items; there may be 0 to {MOST}')
        asked = self["index"].evaluateInt(parent)
        first = asked if asked >= 0 else 0 if parent is None else parent.index * total
        for number in range(total):
            yield first + number, frames[number // count]

    def _frames(self, parent: Any) -> Iterator[float | None]:
        if not self.isSet("framerange"):
            yield self["frame"].evaluateFloat(parent) if self.isSet("frame") else None
            return
        first, last, step = (self["framerange"].evaluateFloat(parent, index) for index in range(3))
        if step == 0 or (last - first) * step < 0:
            raise pdg.CookError(
                f'"framerange" = [{first:g}, {last:g}, {step:g}] has no frames\n'
                "    write it as [first, last, step]; the step leads from the first to the last"
            )
        # A hair more than exact, so that 0.1 fits ten times into 1.
        steps = math.floor((last - first) / step + 1e-9)
        if steps > MOST:
            raise pdg.CookError(f'"framerange" = [{first:g}, {last:g}, {step:g}] has {steps + 1} frames, too many')
        for number in range(steps + 1):
            yield first + number * step


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(
        GenericGenerator, pdg.nodeType.Processor, label="Generic Generator", category="Generators"
    )
