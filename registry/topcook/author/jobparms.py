"""The parms of a scheduler as one table of rows, and those of jobs read once instead of for every item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from topcook.author.host import record_of
from topcook.lean import pattern

#: A parm: its name, its label, its type (String, Integer, Float, Toggle), its default.
ParmRow = tuple[str, str, str, float | str]

_EXPRESSION = pattern(r"[@$`]")


def parm_defaults(job: Iterable[ParmRow]) -> dict[str, bool | float | str]:
    """The defaults of rows by name, as ``JobParms`` takes them."""
    return {name: bool(default) if kind == "Toggle" else default for name, _, kind, default in job}


def parm_template(prefix: str, own: Iterable[ParmRow], job: Iterable[ParmRow]) -> list[dict[str, Any]]:
    """The parms as ``templateBody`` lists them: the scheduler's own, those of jobs, and the variables of jobs.

    ``own`` rows have whole names, ``job`` rows those without ``<prefix>_``. Of the latter, and of the parms
    ``<prefix>_env…`` that set variables, nodes and items may have their own.
    """
    overridable = [*((f"{prefix}_{name}", *rest) for name, *rest in job), *_variables(prefix)]
    rows = [{"name": name, "label": label, "type": kind, "value": value} for name, label, kind, value in own]
    return rows + [
        {"name": name, "label": label, "type": kind, "value": value, "tag": ["pdg::scheduler"]}
        for name, label, kind, value in overridable
    ]


def _variables(prefix: str) -> list[ParmRow]:
    return [
        (f"{prefix}_envunset", "Unset Variables", "String", ""),
        (f"{prefix}_envmulti", "Environment Variables", "Integer", 0),
        (f"{prefix}_envname#", "Name", "String", ""),
        (f"{prefix}_envvalue#", "Value", "String", ""),
    ]


class JobParms:
    """Overridable parms of a scheduler, ``<prefix>_<name>``, with their defaults: bool, int, float or str.

    ``of(work_item)`` answers as the scheduler's ``evaluate…Override`` does, once for each node; only where the answer
    may differ from item to item (see ``varies``) it is asked anew. Make it anew for each cook, since parms may change
    between two.
    """

    def __init__(self, scheduler: Any, prefix: str, defaults: Mapping[str, bool | float | str]) -> None:
        """Read nothing yet."""
        self._scheduler = scheduler
        self._prefix = prefix
        self._attribute_prefix = prefix + "_"
        self._defaults = dict(defaults)
        self._by_node: dict[int, dict[str, Any]] = {}

    def varies(self, work_item: Any) -> bool:
        """Whether the item has an attribute ``<prefix>_…``, or its node a job parm with an expression in it."""
        record = record_of(work_item)
        if record.attributes and any(name.startswith(self._attribute_prefix) for name in record.attributes):
            return True
        parms = record.node.job_parms
        return bool(parms) and any(isinstance(value, str) and _EXPRESSION.search(value) for value in parms.values())

    def of(self, work_item: Any) -> dict[str, Any]:
        """The parms for this item, by name without the prefix; not to be changed."""
        if self.varies(work_item):
            return self._evaluate(work_item)
        key = id(record_of(work_item).node)
        found = self._by_node.get(key)
        if found is None:
            found = self._by_node[key] = self._evaluate(work_item)
        return found

    def own(self) -> dict[str, Any]:
        """The parms of the scheduler itself, by name without the prefix: for a job that is no item's."""
        values: dict[str, Any] = {}
        for name, default in self._defaults.items():
            parm = self._scheduler[f"{self._prefix}_{name}"]
            values[name] = default if parm is None else type(default)(parm.evaluate())
        return values

    def _evaluate(self, work_item: Any) -> dict[str, Any]:
        scheduler, node, prefix = self._scheduler, work_item.node, self._prefix
        values: dict[str, Any] = {}
        for name, default in self._defaults.items():
            # A bool is an int to Python, so it is asked first.
            kind = next(word for kind, word in _KINDS if isinstance(default, kind))
            values[name] = getattr(scheduler, f"evaluate{kind}Override")(node, prefix, name, work_item, default)
        return values


_KINDS: tuple[tuple[type, str], ...] = ((bool, "Bool"), (int, "Int"), (float, "Float"), (str, "String"))
