"""Parms of nodes and schedulers: what a template declares, and the values a network gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.lean import dataclass, field, pattern
from topcook.model.secrets import held, secret_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Tags that mark a parm as overridable per node and per item (their value is not used).
JOB_PARM_TAGS = frozenset({"jobParm", "pdg::scheduler"})

#: Template types, by lower-cased spelling, to our four kinds.
PARM_TYPES: dict[str, str] = {
    "string": "String",
    "file": "String",
    "integer": "Integer",
    "int": "Integer",
    "float": "Float",
    "toggle": "Toggle",
    "boolean": "Toggle",
    "bool": "Toggle",
}

_BLANKS: dict[str, Any] = {"String": "", "Integer": 0, "Float": 0.0, "Toggle": False}


@dataclass(frozen=True, slots=True)
class ParmSpec:
    """A parm as declared: ``type`` is String, Integer, Float or Toggle; a name that ends in ``#`` is a multiparm's."""

    name: str
    type: str = "String"
    label: str = ""
    size: int = 1
    default: tuple[Any, ...] = ()
    tags: frozenset[str] = frozenset()
    help: str = ""
    secret: bool = False
    declared: bool = True

    @property
    def is_job_parm(self) -> bool:
        """Whether single nodes and items may override this parm."""
        return bool(self.tags & JOB_PARM_TAGS)

    def default_at(self, index: int) -> Any:
        """The default's component ``index``, blank where the template names none."""
        return self.default[index] if index < len(self.default) else _BLANKS[self.type]


def spec_of_value(name: str, value: object) -> ParmSpec:
    """The spec of a parm that nobody declared, read off its value; the source of a secret makes it one."""
    if secret_of(value) is not None:
        return ParmSpec(name, secret=True, declared=False)
    first = value[0] if isinstance(value, list | tuple) and value else value
    kind = (
        "Toggle"
        if isinstance(first, bool)
        else "Integer"
        if isinstance(first, int)
        else ("Float" if isinstance(first, float) else "String")
    )
    size = len(value) if isinstance(value, list | tuple) else 1
    return ParmSpec(name, kind, size=max(size, 1), declared=False)


@dataclass(slots=True)
class Parm:
    """A parm with its value: ``values`` is ``None`` while the default stands.

    A value is a plain scalar, one per component; a string may hold an expression.
    """

    spec: ParmSpec
    values: list[Any] | None = None

    @property
    def name(self) -> str:
        """The parm's name."""
        return self.spec.name

    @property
    def is_set(self) -> bool:
        """Whether the network (or a callback) gave a value."""
        return self.values is not None

    def at(self, index: int = 0) -> Any:
        """The raw component ``index``: as set, else the default."""
        if self.values is not None and index < len(self.values):
            return self.values[index]
        return self.spec.default_at(index)


_NUMBERED = pattern(r"^(.*?)(\d+)$")


@dataclass(slots=True)
class Parms:
    """The parms of one node or scheduler, in declared order; ``name#`` specs answer for ``name1``, ``name2``, …"""

    specs: dict[str, ParmSpec] = field(default_factory=dict)
    _parms: dict[str, Parm] = field(default_factory=dict)

    def declare(self, specs: Iterable[ParmSpec]) -> None:
        """Add declared parms; a later declaration of a name replaces the earlier one."""
        for spec in specs:
            self.specs[spec.name] = spec
            old = self._parms.get(spec.name)
            if old is not None:
                old.spec = spec

    def spec_for(self, name: str) -> ParmSpec | None:
        """The declared spec that answers for ``name``, a multiparm's pattern included."""
        spec = self.specs.get(name)
        if spec is not None:
            return spec
        match = _NUMBERED.match(name)
        pattern = self.specs.get(match.group(1) + "#") if match else None
        if pattern is None:
            return None
        return ParmSpec(
            name, pattern.type, pattern.label, pattern.size, pattern.default, pattern.tags, pattern.help, pattern.secret
        )

    def get(self, name: str) -> Parm | None:
        """The parm called ``name``; ``None`` when it is neither declared nor set."""
        parm = self._parms.get(name)
        if parm is None:
            spec = self.spec_for(name)
            if spec is None:
                return None
            parm = self._parms[name] = Parm(spec)
        return parm

    def set(self, name: str, value: object) -> Parm:
        """Give ``name`` a value; a list gives one per component, a list of tables a multiparm."""
        if isinstance(value, list | tuple) and value and all(isinstance(row, dict) for row in value):
            return self._set_multiparm(name, [dict(row) for row in value])
        parm = self._parms.get(name)
        if parm is None:
            parm = self._parms[name] = Parm(self.spec_for(name) or spec_of_value(name, value))
        values = list(value) if isinstance(value, list | tuple) else [value]
        parm.values = [held(each) for each in values] if parm.spec.secret else values
        return parm

    def reset(self, name: str) -> None:
        """Let the default of ``name`` stand again."""
        parm = self._parms.get(name)
        if parm is not None:
            parm.values = None

    def _set_multiparm(self, name: str, rows: list[dict[str, Any]]) -> Parm:
        for number, row in enumerate(rows, 1):
            for key, value in row.items():
                self.set(f"{key}{number}", value)
        return self.set(name, len(rows))

    def __iter__(self) -> Iterator[Parm]:
        """All parms that are declared or set, declared ones first."""
        for name in self.specs:
            if not name.endswith("#"):
                parm = self.get(name)
                if parm is not None:
                    yield parm
        for name in list(self._parms):
            if name not in self.specs:
                yield self._parms[name]
