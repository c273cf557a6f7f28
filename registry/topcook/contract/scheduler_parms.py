"""The parms of ``pdg.Scheduler``: ports by name, and the per-node and per-item overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.node import TopNode
from topcook.contract.port import Port
from topcook.contract.scheduler_link import SchedulerLink
from topcook.errors import CookError
from topcook.model.enums import DataType, WorkItemDataSource
from topcook.model.parms import Parm, spec_of_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topcook.model.parms import Parms


class SchedulerParms(SchedulerLink):
    """Reading and setting parms.

    ``self["name"]`` of a parm that is neither declared nor set is ``None``, with a line in the scheduler's log: files
    in the field expect either that or an exception, and ``None`` serves both.
    """

    _topcook_missed: frozenset[str] = frozenset()

    @property
    def _topcook_parms(self) -> Parms:
        if not self._topcook.ports_ready:
            raise CookError(
                "parms cannot be read or set inside __init__: PDG makes them afterwards\n"
                "    read them in onStart or onStartCook"
            )
        return self._topcook.parms

    def __getitem__(self, name: str) -> Port | None:
        """The port of a parm, ``None`` when there is no such parm."""
        found = self._topcook_parms.get(name)
        if found is None:
            self._topcook_missing(name)
            return None
        return self._topcook_port(found)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a parm to a constant; limits and tick period are heeded at once."""
        self._topcook_parms.set(name, value.value if isinstance(value, Port) else value)
        self._topcook.parms_changed(name)

    def __contains__(self, name: str) -> bool:
        """Whether there is such a parm."""
        return self._topcook_parms.get(name) is not None

    def __iter__(self) -> Iterator[Port]:
        """All ports."""
        return iter(self.parameters)

    def _topcook_port(self, parm: Parm) -> Port:
        return Port(parm, self._topcook.graph, owner=self, changed=self._topcook.parms_changed)

    def _topcook_missing(self, name: str) -> None:
        if name not in self._topcook_missed:
            self._topcook_missed |= {name}
            self._topcook.log(
                f'parm "{name}" is read, but neither declared nor set: self["{name}"] is None\n'
                f"    give it a value: [schedulers.{self.name}.parms] {name} = ...\n"
            )

    def parameter(self, name: str) -> Port | None:
        """The port of a parm, ``None`` when there is no such parm."""
        found = self._topcook_parms.get(name)
        return None if found is None else self._topcook_port(found)

    port = parameter

    @property
    def parameters(self) -> list[Port]:
        """The ports of all parms."""
        return [self._topcook_port(found) for found in self._topcook_parms]

    @property
    def ports(self) -> list[Port]:
        """The ports of all parms: a scheduler has no others."""
        return self.parameters

    @property
    def customParameters(self) -> list[Port]:
        """The ports of the parms that the network added."""
        return [port for port in self.parameters if port.isCustom]

    @property
    def parameterNames(self) -> list[str]:
        """The names of all parms."""
        return [found.name for found in self._topcook_parms]

    @property
    def parameterCount(self) -> int:
        """How many parms there are."""
        return len(self.parameterNames)

    @property
    def portCount(self) -> int:
        """How many ports there are."""
        return self.parameterCount

    def parametersForTag(self, tag: str) -> list[Port]:
        """The ports of the parms with a tag."""
        return [port for port in self.parameters if port.hasTag(tag)]

    def value(self, name: str, index: int = 0) -> Any:
        """A parm's value in its own type, ``None`` without such a parm."""
        port = self.parameter(name)
        if port is None:
            return None
        found = port.evaluate()
        return found[index] if isinstance(found, list) else found

    def topNode(self) -> TopNode:
        """The stand-in for the scheduler's ``hou.TopNode``."""
        path = f"/{self._topcook.graph.network.name}/{self._topcook.name}"
        return TopNode(path, self._topcook.type_name, self._topcook_parms, self._topcook.graph)

    # what the built-in parms say

    @property
    def isWaitForFailures(self) -> bool:
        """Whether failed work items block those that wait for them."""
        return bool(self._topcook_integer("pdg_waitforfailures", 0))

    @property
    def isCompressWorkItemData(self) -> bool:
        """Whether item data files are compressed."""
        return bool(self._topcook_integer("pdg_compressworkitemdata", 0))

    @property
    def workItemDataSource(self) -> WorkItemDataSource:
        """How item data reaches a job."""
        return WorkItemDataSource(self._topcook_integer("pdg_workitemdatasource", 0))

    def _topcook_integer(self, name: str, default: int) -> int:
        port = self.parameter(name)
        return default if port is None else port.evaluateInt()

    # overrides

    def evaluateStringOverride(
        self, node: Any = None, prefix: str = "", parm: str = "", work_item: Any = None, default_value: Any = None
    ) -> str | None:
        """The text of ``<prefix>_<parm>`` for an item: see ``_topcook_override``; the default as it was given."""
        port = self._topcook_override(node, prefix, parm, work_item)
        return default_value if port is None else port.evaluateString(work_item)

    def evaluateIntOverride(
        self, node: Any = None, prefix: str = "", parm: str = "", work_item: Any = None, default_value: Any = None
    ) -> int:
        """The same as an int, whatever type the default has."""
        port = self._topcook_override(node, prefix, parm, work_item)
        return int(default_value or 0) if port is None else port.evaluateInt(work_item)

    def evaluateFloatOverride(
        self, node: Any = None, prefix: str = "", parm: str = "", work_item: Any = None, default_value: Any = None
    ) -> float:
        """The same as a float, whatever type the default has."""
        port = self._topcook_override(node, prefix, parm, work_item)
        return float(default_value or 0) if port is None else port.evaluateFloat(work_item)

    def evaluateBoolOverride(
        self, node: Any = None, prefix: str = "", parm: str = "", work_item: Any = None, default_value: Any = None
    ) -> bool:
        """The same as a bool."""
        port = self._topcook_override(node, prefix, parm, work_item)
        return bool(default_value) if port is None else port.evaluateBool(work_item)

    def _topcook_override(self, node: Any, prefix: str, parm: str, work_item: Any) -> Port | None:
        """The port that answers for ``<prefix>_<parm>``.

        The order: the item's attribute of that name (Topcook's own addition), the node's job parm, the scheduler's
        parm. Nodes and items may use expressions.
        """
        name = f"{prefix}_{parm}" if prefix else parm
        item = self._topcook_record(work_item)
        attribute = (item.attributes or {}).get(name) if item is not None else None
        found = self._topcook_parms.get(name)
        # An attribute is written down with its item: it can hold no secret.
        if attribute is not None and attribute.values and not (found is not None and found.spec.secret):
            return self._topcook_value_port(name, list(attribute.values))
        node_record = getattr(node, "record", node) or (item.node if item is not None else None)
        if node_record is not None and name in node_record.job_parms:
            return self._topcook_value_port(name, node_record.job_parms[name])
        return None if found is None else self._topcook_port(found)

    def _topcook_value_port(self, name: str, value: Any) -> Port:
        values = list(value) if isinstance(value, list | tuple) else [value]
        return Port(Parm(spec_of_value(name, value), values), self._topcook.graph, owner=self, scoped=True)


def evaluateParamOr(owner: Any, name: str, default: Any = None, work_item: Any = None) -> Any:
    """The value of ``owner[name]`` in its own type, else ``default``. Mirrors ``pdg.scheduler.evaluateParamOr``."""
    port = owner.parameter(name)
    if port is None or port.dataType is DataType.Invalid:
        return default
    return port.evaluate(work_item)
