"""What the factory knows of each candidate: records, which never vanish."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from topcook.contract.tolerated import TOLERATED
from topcook.errors import Problem
from topcook.lean import NamedTuple, dataclass, field

if TYPE_CHECKING:
    from topcook.factory.versions import Version
    from topcook.model.enums import NodeType
    from topcook.model.parms import ParmSpec

__all__ = ["MISTYPED_HOOK", "NEEDS_HOUDINI", "BrokenEdit", "Kind", "Origin", "Record", "State"]

#: The reason of a record whose file imports what only Houdini has.
NEEDS_HOUDINI = "needs Houdini (import hou)"
#: How the reason begins of a file that would be a types file but for a slip in one name.
MISTYPED_HOOK = "its function is called"


#: The fields of a record that no line of a menu needs.
DETAILS = frozenset(
    {"parm_category", "about", "node_type", "static_gen", "parms", "callbacks", "problems", "content_hash"}
    | {"import_ms", "module"}
)


class State(Enum):
    """What became of a candidate."""

    OK = "ok"
    NOT_PROBED = "not probed"
    INVALID = "invalid"
    FAILED = "failed"
    SHADOWED = "shadowed"
    DISABLED = "disabled"
    SKIPPED = "skipped"

    # Members are unique; the library's own hash is a function in Python, called for each record again.
    __hash__ = object.__hash__


class Kind(Enum):
    """What a type makes; UNKNOWN for a file that could not be executed."""

    SCHEDULER = "scheduler"
    NODE = "node"
    WORK_ITEM = "work item"
    UNKNOWN = "unknown"

    __hash__ = object.__hash__


class Tier(Enum):
    """Where a candidate comes from; the order of the members is the order of precedence."""

    PROGRAM = "program"
    PATH = "path"
    ENTRY_POINT = "entry point"
    BUILTIN = "builtin"

    __hash__ = object.__hash__


class Origin(NamedTuple):
    """Where a type comes from: the file, and for an entry point its distribution.

    ``root`` is the entry of the types path that led to the file. ``tier`` is ``program`` for a type that
    the running program registered itself.
    """

    tier: Tier
    path: str
    root: str = ""
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        """The origin as a person names it."""
        if self.tier is Tier.BUILTIN:
            return "built-in"
        if self.distribution:
            return f"{self.distribution} {self.version} (pip)"
        return self.path


@dataclass(frozen=True, slots=True)
class BrokenEdit:
    """What became of the file of a type that still serves: it was edited, and is broken now.

    ``records`` are what the file gives as it stands; ``since`` is when that was found, and ``serving_of`` when the
    version that serves was saved, both in seconds since the epoch.
    """

    records: tuple[Record, ...]
    since: float
    serving_of: float

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the file as it stands."""
        return list(dict.fromkeys(problem for record in self.records for problem in record.problems))

    @property
    def told(self) -> str:
        """One line: what is broken, and which version serves."""
        from time import localtime, strftime

        served = localtime(self.serving_of)
        form = "%H:%M" if strftime("%x", served) == strftime("%x") else "%Y-%m-%d %H:%M"
        return f"edit broken, serving the version of {strftime(form, served)}"


@dataclass(slots=True, eq=False)
class Record:
    """One type, or one file that gave none, with all that was found out about it.

    ``name`` is the type name; of a file that could not be executed, its stem. ``aliases`` are further names
    (lower case) under which such a file is answered for. ``callbacks`` maps each row of the contract table to
    implemented, default or missing. ``static`` is whether static items are handed over at once, and why.
    ``edit`` is set by a live registry while the file is broken and its last good version serves on.
    ``about`` is the first sentence of the class's docstring.
    ``module`` is the private module that was executed; ``content_hash`` that of the bytes it was executed from,
    which ``version`` leads to. ``type_object`` is set where the probe ran in this process; elsewhere only
    ``Factory.load`` gives the class.

    A record out of an index keeps its details as JSON in ``raw``, until one of them is asked for.
    """

    name: str
    origin: Origin
    state: State = State.OK
    kind: Kind = Kind.SCHEDULER
    label: str = ""
    category: str = ""
    parm_category: str = ""
    about: str = ""
    node_type: NodeType | None = None
    static_gen: bool = False
    parms: tuple[ParmSpec, ...] = ()
    callbacks: dict[str, str] = field(default_factory=dict)
    static: tuple[bool, str] = (False, "")
    problems: list[Problem] = field(default_factory=list)
    reason: str = ""
    shadows: list[Record] = field(default_factory=list)
    shadowed_by: Record | None = None
    aliases: tuple[str, ...] = ()
    content_hash: str = ""
    import_ms: float = 0.0
    line: int | None = None
    module: str = ""
    type_object: type | None = None
    edit: BrokenEdit | None = None
    version: Version | None = field(default=None, repr=False)
    raw: bytes = field(default=b"", repr=False)

    def __getattr__(self, name: str) -> Any:
        """Only reached for a slot that was left empty: the details are decoded, all at once."""
        if name in DETAILS:
            from topcook.factory.wire import fill_details

            fill_details(self)
            return object.__getattribute__(self, name)
        raise AttributeError(f"a record has no {name!r}", name=name, obj=self)

    @property
    def usable(self) -> bool:
        """Whether asking for the name gives this type; one that is not probed yet has to be waited for."""
        return self.state is State.OK

    @property
    def blemished(self) -> bool:
        """Whether a check would fail, though the type may be used."""
        return bool(self.problems)

    @property
    def place(self) -> str:
        """``path:line`` of the class, else the path."""
        return f"{self.origin.path}:{self.line}" if self.line else self.origin.path

    def why_not(self) -> str:
        """One line that says why this cannot be used; empty when it can."""
        if self.usable:
            return ""
        if self.state is State.SHADOWED and self.shadowed_by is not None:
            return f"shadowed by {self.shadowed_by.origin}"
        first = next((problem for problem in self.problems if problem.code not in TOLERATED), None)
        first = first or next(iter(self.problems), None)
        return self.reason or (first.message if first else self.state.value)

    def __repr__(self) -> str:
        """Name, state and origin."""
        return f"<Record {self.name} {self.state.value} {self.origin}>"
