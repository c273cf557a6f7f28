"""Job parms read once instead of for every item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topcook.author.host import record_of


class JobParms:
    """Overridable parms of a scheduler, ``<prefix>_<name>``, with their defaults: bool, int, float or str.

    ``of(work_item)`` answers as the scheduler's ``evaluate…Override`` does. A node without overrides is evaluated
    once; only items that carry an attribute called ``<prefix>_…`` are evaluated one by one. Make it anew for each
    cook, since parms may change between two.
    """

    def __init__(self, scheduler: Any, prefix: str, defaults: Mapping[str, bool | float | str]) -> None:
        """Read nothing yet."""
        self._scheduler = scheduler
        self._prefix = prefix
        self._attribute_prefix = prefix + "_"
        self._defaults = dict(defaults)
        self._by_node: dict[int, dict[str, Any]] = {}

    def overrides(self, work_item: Any) -> bool:
        """Whether the item itself overrides something."""
        attributes = record_of(work_item).attributes
        return bool(attributes) and any(name.startswith(self._attribute_prefix) for name in attributes or ())

    def of(self, work_item: Any) -> dict[str, Any]:
        """The parms for this item, by name without the prefix; not to be changed."""
        if self.overrides(work_item):
            return self._evaluate(work_item)
        key = id(record_of(work_item).node)
        found = self._by_node.get(key)
        if found is None:
            found = self._by_node[key] = self._evaluate(work_item)
        return found

    def _evaluate(self, work_item: Any) -> dict[str, Any]:
        scheduler, node, prefix = self._scheduler, work_item.node, self._prefix
        values: dict[str, Any] = {}
        for name, default in self._defaults.items():
            # A bool is an int to Python, so it is asked first.
            kind = next(word for kind, word in _KINDS if isinstance(default, kind))
            values[name] = getattr(scheduler, f"evaluate{kind}Override")(node, prefix, name, work_item, default)
        return values


_KINDS: tuple[tuple[type, str], ...] = ((bool, "Bool"), (int, "Int"), (float, "Float"), (str, "String"))
