"""What a network file says, checked and typed: records without behaviour, each knowing its place in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from topcook.errors import Problem
from topcook.lean import dataclass, field
from topcook.model.graphfile.locate import KeyPath
from topcook.model.graphfile.source import Place, Source

#: A parm's value: a bool, int, float or str, a list of values, or a table of values (a multiparm is a list of tables).
Value: TypeAlias = Any


@dataclass(slots=True)
class SpareSpec:
    """A parm that the network adds to a scheduler or node: ``[[schedulers.NAME.spare]]``, ``[[nodes.NAME.spare]]``.

    ``type`` is spelled as in a scheduler's template; ``value`` is ``None`` when the file gives no default.
    """

    name: str
    path: KeyPath
    source: Source = field(repr=False, compare=False)
    type: str = "String"
    label: str = ""
    size: int = 1
    value: Value = None
    tags: tuple[str, ...] = ()
    help: str = ""
    secret: bool = False

    @property
    def place(self) -> Place:
        """Where the table starts."""
        return self.source.place(*self.path)


@dataclass(slots=True)
class NetworkSpec:
    """The ``[network]`` table; ``None`` where the file leaves the choice to the cook.

    ``slots`` is how many all schedulers may use together, ``max_failures`` how many failed items stop the cook.
    """

    name: str
    scheduler: str | None = None
    inprocess_scheduler: str | None = None
    display: str | None = None
    slots: int | None = None
    max_failures: int | None = None
    parms: dict[str, Value] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SchedulerSpec:
    """A scheduler of the network: ``[schedulers.NAME]``."""

    name: str
    type: str
    source: Source = field(repr=False, compare=False)
    parms: dict[str, Value] = field(default_factory=dict)
    spare: list[SpareSpec] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where the table starts."""
        return self.source.place("schedulers", self.name)


@dataclass(slots=True)
class NodeSpec:
    """A node of the network: ``[nodes.NAME]``.

    ``inputs`` are names of nodes of the same file; ``scheduler`` is the TOP Scheduler Override, not looked up here.
    """

    name: str
    type: str
    source: Source = field(repr=False, compare=False)
    inputs: list[str] = field(default_factory=list)
    scheduler: str | None = None
    parms: dict[str, Value] = field(default_factory=dict)
    job_parms: dict[str, Value] = field(default_factory=dict)
    spare: list[SpareSpec] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where the table starts."""
        return self.source.place("nodes", self.name)


@dataclass(slots=True)
class PathMapSpec:
    """One rule of ``[[pathmap]]``: ``from_path`` becomes ``to_path`` in a zone (``*``: in all)."""

    from_path: str
    to_path: str
    zone: str = "*"
    match: str = "prefix"
    scheduler: str | None = None


@dataclass(slots=True)
class ProfileSpec:
    """``[profiles.NAME]``: what to change to cook the same network elsewhere; ``overrides`` is node to scheduler."""

    name: str
    scheduler: str | None = None
    parms: dict[str, Value] = field(default_factory=dict)
    job_parms: dict[str, Value] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class GraphFile:
    """A network file as read: nodes and schedulers by name, in file order. ``hip`` is its directory (``$HIP``)."""

    path: Path
    hip: Path
    source: Source = field(repr=False)
    network: NetworkSpec
    schedulers: dict[str, SchedulerSpec]
    nodes: dict[str, NodeSpec]
    pathmaps: list[PathMapSpec]
    profiles: dict[str, ProfileSpec]
    #: How many there are of each named resource.
    resources: dict[str, int] = field(default_factory=dict)
    #: Of a file read in part: its structural mistakes, and the names of nodes and schedulers that have some.
    problems: list[Problem] = field(default_factory=list)
    hurt: frozenset[str] = frozenset()

    def place(self, *path: str | int) -> Place:
        """Where a key stands, ``place("nodes", "render", "parms", "command")``; else the closest thing around it."""
        return self.source.place(*path)

    def value_place(self, *path: str | int) -> Place:
        """Where the value of a key starts."""
        return self.source.value_place(*path)

    def place_in_string(self, path: KeyPath, line_offset: int, column_offset: int = 0) -> Place:
        """The place of a line (from 0) of a string value's content, so that errors in a snippet point at the file."""
        return self.source.place_in_string(path, line_offset, column_offset)
