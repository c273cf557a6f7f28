"""Wedge: variants, each with its own values of some attributes."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pdg
from pdg.processor import PyProcessor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = {"float": "float", "int": "int", "integer": "int", "string": "string", "str": "string"}
WAYS = {"range": "range", "values": "values", "value": "values", "list": "values", "random": "random"}
MOST = 1_000_000


@dataclass
class Row:
    """One row of ``wedgeattributes``: an attribute and where its values come from."""

    name: str
    kind: str
    way: str
    span: list[float]
    values: list[Any]
    seed: str
    count: int

    def value(self, step: int, steps: int, salt: str) -> Any:
        """The value of variant ``step`` of ``steps``."""
        if self.way == "values":
            return self.values[step % len(self.values)]
        low, high = self.span
        if self.way == "range":
            return self._number(low if steps < 2 else low + (high - low) * step / (steps - 1))  # noqa: PLR2004 - ends
        # A text as seed gives the same numbers on every machine and in every process.
        source = random.Random(f"{self.seed}/{self.name}/{salt}/{step}")  # noqa: S311 - variants, no secrets
        return source.randint(round(low), round(high)) if self.kind == "int" else source.uniform(low, high)

    def _number(self, value: float) -> float:
        return round(value) if self.kind == "int" else value


class Wedge(PyProcessor):
    """``wedgecount`` variants for each upstream item (or once, without an input).

    A row of ``wedgeattributes`` has ``name``, ``type`` (float, int, string; else as the values are), and
    ``wedgetype``: ``range`` (``range = [first, last]``), ``values`` (``values = […]``) or ``random``
    (``random = [low, high]``, ``seed``). Left out, it is the one that the row gives.
    ``wedgemode`` ``zip`` walks all attributes side by side; ``product`` makes every combination, the last attribute
    changing fastest, and needs ``count`` in each range and random row. Random values depend on seeds, names and
    numbers only. Each variant also has ``wedgenum``, ``wedgeindex``, ``wedgetotal`` and ``wedgeattribs``;
    ``preservenum`` keeps the numbers of wedges upstream in front of ``wedgenum``; ``exportenvironment`` gives the
    attributes to jobs as variables.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "wedge"

    @classmethod
    def templateBody(cls) -> str:
        """Its parms."""
        return json.dumps(
            {
                "name": "wedge",
                "parameters": [
                    {"name": "wedgecount", "label": "Wedge Count", "type": "Integer", "value": 0},
                    {"name": "wedgemode", "label": "Combine", "type": "String", "value": "zip"},
                    {"name": "seed", "label": "Seed", "type": "Integer", "value": 0},
                    {"name": "preservenum", "label": "Preserve Wedge Numbers", "type": "Toggle", "value": 0},
                    {"name": "exportenvironment", "label": "Export to Environment", "type": "Toggle", "value": 0},
                    {"name": "wedgeattributes", "label": "Wedge Attributes", "type": "Integer"},
                    {"name": "name#", "label": "Attribute Name", "type": "String"},
                    {"name": "type#", "label": "Attribute Type", "type": "String"},
                    {"name": "wedgetype#", "label": "Wedge Type", "type": "String"},
                    {"name": "range#", "label": "Range", "type": "Float", "size": 2},
                    {"name": "values#", "label": "Values", "type": "String", "tag": "list"},
                    {"name": "value#", "label": "Value", "type": "String", "tag": "list"},
                    {"name": "random#", "label": "Random Range", "type": "Float", "size": 2, "value": [0, 1]},
                    {"name": "seed#", "label": "Seed", "type": "Integer", "value": 0},
                    {"name": "count#", "label": "Count", "type": "Integer", "value": 0},
                ],
            }
        )

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """The variants of each parent in turn."""
        for parent in upstream_items or [None]:
            rows = [self._row(number, parent) for number in range(1, self["wedgeattributes"].evaluateInt() + 1)]
            total = self._count(rows, parent)
            first = 0 if parent is None else parent.index * total
            for number, values in enumerate(self._variants(rows, total, salt=str(first))):
                item = item_holder.addWorkItem(parent=parent, index=first + number, automatic=True)
                for row, value in zip(rows, values, strict=True):
                    item.setAttrib(row.name, value)
                self._number(item, number, total, [row.name for row in rows])
                if self["exportenvironment"].evaluateBool():
                    for row in rows:
                        item.setAttribFlag(row.name, pdg.attribFlag.EnvExport, True)
        return pdg.result.Success

    def _number(self, item: Any, number: int, total: int, names: list[str]) -> None:
        before = item.intAttribArray("wedgenum") if self["preservenum"].evaluateBool() else []
        item.setAttrib("wedgenum", [*(before or []), number])
        item.setAttrib("wedgeindex", item.index)
        item.setAttrib("wedgetotal", total)
        if names:
            item.setAttrib("wedgeattribs", names)

    def _variants(self, rows: list[Row], total: int, salt: str) -> Iterator[list[Any]]:
        if self._mode() == "zip":
            for step in range(total):
                yield [row.value(step, total, salt) for row in rows]
            return
        for steps in itertools.product(*(range(_own_count(row)) for row in rows)):
            yield [row.value(step, _own_count(row), salt) for row, step in zip(rows, steps, strict=True)]

    def _mode(self) -> str:
        mode = self["wedgemode"].evaluateString().strip().lower()
        if mode not in {"zip", "product"}:
            raise pdg.CookError(f'"wedgemode" is "{mode}"; it may be "zip" (side by side) or "product" (combinations)')
        return mode

    def _count(self, rows: list[Row], parent: Any) -> int:
        asked = self["wedgecount"].evaluateInt(parent)
        if self._mode() == "product":
            total = 1
            for row in rows:
                total *= _own_count(row)
            if asked and asked != total:
                raise pdg.CookError(f'"wedgecount" is {asked}, but all combinations are {total}; leave it out')
        else:
            lists = {row.name: len(row.values) for row in rows if row.way == "values"}
            total = asked or max([*lists.values(), *(row.count for row in rows)], default=0)
            for name, length in lists.items():
                if length not in {1, total}:
                    raise pdg.CookError(
                        f'attribute "{name}" lists {length} values for {total} variants\n'
                        '    list as many as there are, or one for all; or wedgemode = "product"'
                    )
        if not 0 < total <= MOST:
            raise pdg.CookError(f'there would be {total} variants; set "wedgecount" to how many there shall be')
        return total

    def _row(self, number: int, parent: Any) -> Row:
        name = self[f"name{number}"].evaluateString(parent).strip()
        if not name.isidentifier():
            raise pdg.CookError(f'"{name}" in row {number} of "wedgeattributes" is no name for an attribute')
        kind = self[f"type{number}"].evaluateString(parent).strip().lower()
        said = self[f"wedgetype{number}"].evaluateString(parent).strip().lower()
        way = WAYS.get(said or self._given_way(number))
        if way is None or kind not in {"", *KINDS}:
            raise pdg.CookError(
                f'attribute "{name}" has type "{kind}" and wedgetype "{said}"\n'
                f"    types: {', '.join(KINDS)}; wedgetypes: {', '.join(WAYS)}"
            )
        kind = KINDS.get(kind, "" if way == "values" else "float")
        if kind == "string" and way != "values":
            raise pdg.CookError(f'attribute "{name}" is a string: list its values, as in values = ["a", "b"]')
        span: list[float] = []
        values: list[Any] = []
        if way == "values":
            values = self._values(number, name, kind, parent)
        elif way == "range" and not self.isSet(f"range{number}"):
            raise pdg.CookError(f'attribute "{name}" has no range; write it as range = [first, last]')
        else:
            span = [self[f"{way}{number}"].evaluateFloat(parent, index) for index in range(2)]
        seed = f"{self['seed'].evaluateInt(parent)}/{self[f'seed{number}'].evaluateInt(parent)}"
        return Row(name, kind, way, span, values, seed, self[f"count{number}"].evaluateInt(parent))

    def _given_way(self, number: int) -> str:
        if self.isSet(f"values{number}") or self.isSet(f"value{number}"):
            return "values"
        return "random" if self.isSet(f"random{number}") else "range"

    def _values(self, number: int, name: str, kind: str, parent: Any) -> list[Any]:
        parm = f"values{number}" if self.isSet(f"values{number}") else f"value{number}"
        port = self[parm]
        try:
            found = [
                _typed(port.evaluateString(parent, index) if isinstance(value, str) else value, kind)
                for index, value in enumerate(self.given(parm))
            ]
        except (TypeError, ValueError) as error:
            raise pdg.CookError(
                f'attribute "{name}" is of type {kind}, and one of its values is not: {error}'
            ) from None
        if not found:
            raise pdg.CookError(f'attribute "{name}" has no values; write them as values = [1, 2, 3]')
        return found


def _own_count(row: Row) -> int:
    count = len(row.values) if row.way == "values" else row.count
    if count < 1:
        raise pdg.CookError(f'attribute "{row.name}" has no "count": how many values of its {row.way} to combine')
    return count


def _typed(value: Any, kind: str) -> Any:
    """A value as the row's type wants it; a list is an attribute with components."""
    if isinstance(value, list):
        return [_typed(one, kind) for one in value]
    if kind == "int" and float(value) != int(float(value)):
        raise ValueError(f"{value!r} is no whole number")
    read: dict[str, Callable[[Any], Any]] = {"float": float, "int": lambda number: int(float(number)), "string": str}
    return read.get(kind, _as_is)(value)


def _as_is(value: Any) -> Any:
    return value


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(Wedge, pdg.nodeType.Processor, label="Wedge", category="Generators")
