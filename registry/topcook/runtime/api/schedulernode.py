"""A scheduler of a network, before and while it has an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.port import Port

if TYPE_CHECKING:
    from topcook.model.node import SchedulerNode as Record
    from topcook.runtime.graph import Graph


class SchedulerNode:
    """What ``GraphContext.addScheduler`` gives: name, type and parms; ``instance`` is the author's object.

    PDG gives the node itself in 17.5 and a result object later; what that holds no public text tells.
    """

    __slots__ = ("_graph", "record")

    def __init__(self, record: Record, graph: Graph) -> None:
        """Stand for ``record``."""
        self.record = record
        self._graph = graph

    @property
    def name(self) -> str:
        """The name in the network."""
        return self.record.name

    @property
    def typeName(self) -> str:
        """The registered type."""
        return self.record.type_name

    @property
    def instance(self) -> Any:
        """The author's object, made (with ``onStart``) when first asked for; raises ``CookRefusedError``."""
        host = self._graph.host(self.record.name)
        host.open()
        return host.instance

    @property
    def errors(self) -> list[str]:
        """What ``cookError`` and failed callbacks left."""
        return list(self.record.errors)

    @property
    def warnings(self) -> list[str]:
        """What ``cookWarning`` left."""
        return list(self.record.warnings)

    def __getitem__(self, name: str) -> Port:
        """The parm's port; raises ``KeyError`` when there is no such parm."""
        parm = self.record.parms.get(name)
        if parm is None:
            raise KeyError(name)
        return Port(parm, self._graph)

    def __eq__(self, other: object) -> bool:
        """Equal when they stand for the same scheduler."""
        return isinstance(other, SchedulerNode) and other.record is self.record

    def __hash__(self) -> int:
        """By the record."""
        return id(self.record)

    def __repr__(self) -> str:
        """Name and type."""
        return f"<SchedulerNode {self.name} ({self.typeName})>"
