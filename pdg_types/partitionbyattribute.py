"""Partition by Attribute: items with the same values of some attributes belong together."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.partitioner import PyPartitioner

BY_VALUES, BY_MATCH = "values", "match"
MODES = {"0": BY_VALUES, "values": BY_VALUES, "1": BY_MATCH, "match": BY_MATCH}
ORDERS = {"0": 0, "none": 0, "1": 1, "ascending": 1, "2": -1, "descending": -1}


class PartitionByAttribute(PyPartitioner):
    """One partition for each combination of values of the attributes that ``attributes`` lists by ``name``.

    ``index`` of a row picks one component of its attribute (-1: all of them). ``mode`` ``match`` makes one partition
    of the items whose attributes have the ``value`` of each row. An item that lacks an attribute, or does not
    match, is left out; with ``createunmatched`` such items make a partition of their own, the last one.
    ``independent`` lets each attribute partition all items for itself. ``sortdirection`` orders the partitions:
    ``none`` (as they are met), ``ascending``, ``descending``.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "partitionbyattribute"

    @classmethod
    def templateBody(cls) -> str:
        """Its parms."""
        return json.dumps(
            {
                "name": "partitionbyattribute",
                "parameters": [
                    {"name": "mode", "label": "Partition By", "type": "String", "value": "values"},
                    {"name": "sortdirection", "label": "Sort", "type": "String", "value": "none"},
                    {"name": "independent", "label": "Independent", "type": "Toggle", "value": 0},
                    {"name": "createunmatched", "label": "Partition for Unmatched Items", "type": "Toggle", "value": 0},
                    {"name": "attributes", "label": "Attributes", "type": "Integer"},
                    {"name": "name#", "label": "Name", "type": "String"},
                    {"name": "type#", "label": "Type", "type": "String"},
                    {"name": "index#", "label": "Component", "type": "Integer", "value": -1},
                    {"name": "value#", "label": "Value", "type": "String"},
                ],
            }
        )

    def onPartition(self, partition_holder: Any, work_items: list[Any]) -> Any:
        """Group by key, then number the groups."""
        rows = [
            (name.evaluateString().strip(), index.evaluateInt(), value.value)
            for name, index, value in self.rows("attributes", "name", "index", "value")
        ]
        if not rows or not all(name for name, _, _ in rows):
            raise pdg.CookError('"attributes" names nothing to partition by; write attributes = [{ name = "variant" }]')
        mode = self._choice("mode", MODES)
        groups: list[list[Any]] = []
        unmatched = dict.fromkeys(work_items)
        for chosen in [[row] for row in rows] if self["independent"].evaluateBool() else [rows]:
            for members in self._groups(work_items, chosen, mode):
                groups.append(members)
                for item in members:
                    unmatched.pop(item, None)
        if unmatched and self["createunmatched"].evaluateBool():
            groups.append(list(unmatched))
        for number, members in enumerate(groups):
            for item in members:
                partition_holder.addItemToPartition(item, number)
        return pdg.result.Success

    def _groups(self, items: list[Any], rows: list[Any], mode: str) -> list[list[Any]]:
        groups: dict[Any, list[Any]] = {}
        for item in items:
            key = _key(item, rows)
            if key is None or (mode == BY_MATCH and not _matches(key, rows)):
                continue
            groups.setdefault(() if mode == BY_MATCH else key, []).append(item)
        order = self._choice("sortdirection", ORDERS)
        if not order:
            return list(groups.values())
        # Kind before value: numbers sort as numbers, and never meet a string.
        ordered = sorted(groups, key=_sort_key, reverse=order < 0)
        return [groups[key] for key in ordered]

    def _choice(self, parm: str, choices: dict[str, Any]) -> Any:
        asked = self[parm].evaluateString().strip().lower()
        if asked not in choices:
            raise pdg.CookError(f'"{parm}" is "{asked}"; it may be {", ".join(choices)}')
        return choices[asked]


def _key(item: Any, rows: list[Any]) -> Any:
    """The values that decide, one tuple per row; ``None`` when the item lacks one."""
    key = []
    for name, index, _ in rows:
        values = item.attribArray(name)
        if not item.hasAttrib(name) or (index >= 0 and index >= len(values)):
            return None
        chosen = values if index < 0 else values[index : index + 1]
        # Files, dicts and Python objects have no hash to rely on; what they look like decides.
        key.append(tuple(value if isinstance(value, int | float | str) else repr(value) for value in chosen))
    return tuple(key)


def _matches(key: Any, rows: list[Any]) -> bool:
    return all(
        " ".join(_text(value) for value in values) == _text(wanted)
        for values, (_, _, wanted) in zip(key, rows, strict=True)
    )


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sort_key(key: Any) -> Any:
    return [
        [(isinstance(value, str), value if isinstance(value, str) else float(value)) for value in values]
        for values in key
    ]


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(
        PartitionByAttribute, pdg.nodeType.Partitioner, label="Partition by Attribute", category="Partitioners"
    )
