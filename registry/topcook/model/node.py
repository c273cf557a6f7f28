"""The nodes of a TOP network: those that make work items, and those that schedule them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from topcook.lean import dataclass, field
from topcook.model.parms import Parms

if TYPE_CHECKING:
    from collections.abc import Callable

    from topcook.model.workitem import WorkItem


class NodeType(IntEnum):
    """``pdg.nodeType``."""

    Processor = 0
    Partitioner = 1
    Mapper = 2


@dataclass(eq=False, slots=True)
class Node:
    """A node that makes work items.

    ``scheduler`` is the node's TOP Scheduler Override (an instance or type name, ``None``: the network's
    default); ``job_parms`` overrides scheduler parms for this node's items; ``items`` grows as it generates.
    ``places(parm, line)`` is where line ``line`` (from 0) of a parm's text stands in the network file: path and line.
    """

    name: str
    type_name: str
    kind: NodeType = NodeType.Processor
    inputs: list[Node] = field(default_factory=list)
    outputs: list[Node] = field(default_factory=list)
    parms: Parms = field(default_factory=Parms)
    job_parms: dict[str, Any] = field(default_factory=dict)
    scheduler: str | None = None
    files: list[str] = field(default_factory=list)
    items: list[WorkItem] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    places: Callable[[str, int], tuple[str, int] | None] | None = None

    def __repr__(self) -> str:
        """Name and type."""
        return f"<Node {self.name} ({self.type_name})>"


@dataclass(eq=False, slots=True)
class SchedulerNode:
    """A scheduler of a network: its name, its type and its parms, plus what went wrong with it.

    ``places`` is as a node's: where the lines of a text field stand in the network file. ``configured`` maps each
    parm that the configuration set to who says so there.
    """

    name: str
    type_name: str
    parms: Parms = field(default_factory=Parms)
    configured: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    implicit: bool = False
    places: Callable[[str, int], tuple[str, int] | None] | None = None


@dataclass(eq=False, slots=True)
class Network:
    """A TOP network: nodes and schedulers by name, and what is cooked by default.

    ``hip`` is the directory of the network file (``$HIP``); ``environment`` is what ``$VAR`` reads. ``resources`` is
    how many there are of each named resource, ``slots`` how many all schedulers may use together (0: any number);
    ``max_failures`` failed items stop the cook (0: no number does).
    """

    name: str
    hip: str
    nodes: dict[str, Node] = field(default_factory=dict)
    schedulers: dict[str, SchedulerNode] = field(default_factory=dict)
    default_scheduler: str | None = None
    in_process_scheduler: str | None = None
    display: str | None = None
    files: list[str] = field(default_factory=list)
    path_maps: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=dict)
    slots: int = 0
    max_failures: int = 0
