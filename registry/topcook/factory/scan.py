"""The factory: all that was found, who answers to which name, and why the others do not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from topcook.config import Config, load_config
from topcook.contract.source import Place, path_of, place_of
from topcook.contract.tolerated import TOLERATED
from topcook.errors import Problem, SchedulerContractError, UnknownSchedulerError, UnknownTypeError
from topcook.factory.describe import describe
from topcook.factory.hooks import TypesHook
from topcook.factory.houstub import offer_hou
from topcook.factory.names import NameBook, explain
from topcook.factory.probe import probe
from topcook.factory.quiet import captured_output
from topcook.factory.records import Kind, Origin, Record, State, Tier
from topcook.factory.sources import (
    ENTRY_POINT_GROUP,
    Candidate,
    candidates_in,
    classified,
    entry_points,
)
from topcook.factory.typeregistry import Registration, TypeRegistry
from topcook.factory.typespath import PATH_VARIABLE, TypesEntry, builtin_types_dir, types_path
from topcook.model.enums import RegisteredType

__all__ = ["Factory"]

_KINDS = {
    RegisteredType.Scheduler: Kind.SCHEDULER,
    RegisteredType.Node: Kind.NODE,
    RegisteredType.WorkItem: Kind.WORK_ITEM,
}


class Factory:
    """Finds, executes, validates and answers for scheduler and node types.

    ``records`` holds every candidate in order of precedence; none ever leaves it. ``problems`` is what is wrong
    with the configuration, the types path itself and between types (duplicates). ``registry`` is what
    ``pdg.TypeRegistry.types()`` gives within ``current()``; ``config`` is what the types were found by.
    """

    def __init__(self, path: list[str]) -> None:
        """Start with a types path and nothing found."""
        self.path = path
        self.config = Config()
        self.records: list[Record] = []
        self.problems: list[Problem] = []
        self.registry = TypeRegistry(self)
        self._hook = TypesHook(self.registry)
        self._book = NameBook()
        self._candidates: dict[tuple[Tier, str, str], Candidate] = {}

    @classmethod
    def scan(
        cls, environ: Mapping[str, str] | None = None, *, quiet: bool = True, config: Config | None = None
    ) -> Factory:
        """Find everything there is: the types path left to right, then entry points, then the built-ins.

        ``environ`` replaces the process environment in saying where to look; ``config`` is read anew without one.
        ``quiet`` keeps what files print away from our output. Never raises because of what it finds.
        """
        config = load_config(environ) if config is None else config
        path = types_path(config, os.environ if environ is None else environ)
        factory = cls([entry.path for entry in path.entries])
        factory.config = config
        factory.problems += [*config.problems, *path.problems]
        factory.problems += offer_hou(os.environ if environ is None else environ)
        output: AbstractContextManager[None] = captured_output() if quiet else nullcontext()
        with output:
            for candidate in factory._all_candidates():
                factory._take(candidate)
        factory._resolve()
        return factory

    def _all_candidates(self) -> Iterator[Candidate]:
        for entry in self.path:
            yield from candidates_in(TypesEntry(entry, Tier.PATH, PATH_VARIABLE))
        installed, problems = entry_points()
        self.problems += problems
        yield from installed
        yield from candidates_in(TypesEntry(builtin_types_dir(), Tier.BUILTIN, "built-in"))

    def _take(self, candidate: Candidate) -> list[Record]:
        key = (candidate.origin.tier, candidate.path, candidate.stem)
        if key in self._candidates:
            return []
        self._candidates[key] = candidate
        classified(candidate)
        records = [candidate.record()] if candidate.settled else probe(candidate, self.registry, self._hook)
        self.records += records
        return records

    def _resolve(self) -> None:
        """Decide anew who wins each name."""
        self._book = NameBook()
        self.problems = [each for each in self.problems if each.code not in {"duplicate-name", "broken-override"}]
        for record in self.records:
            record.shadows = []
            if record.state is State.SHADOWED:
                record.state, record.shadowed_by = State.OK, None
        for record in self.records:
            winner = self._book.enter(record)
            if winner is not None and winner.origin.tier is record.origin.tier is not Tier.PROGRAM:
                self.problems.append(_duplicate(winner, record))
        self.problems += self._broken_overrides()

    def _broken_overrides(self) -> Iterator[Problem]:
        """A broken type does not win, but it is said that another one serves in its place."""
        for record in self.records:
            winner = self._book.winner(record.kind, record.name) if record.state is State.INVALID else None
            if winner is not None and self.records.index(winner) > self.records.index(record):
                message = f'"{record.name}" of {record.origin} is {record.state.value}; {winner.origin} serves instead'
                hint = f"topcook check {record.origin.path}"
                yield Problem("broken-override", message, record.origin.path, record.line, None, hint)

    # Answers by name

    def scheduler(self, name: str) -> Record:
        """The usable scheduler of that name; case does not count, and "local" finds "localscheduler".

        Raises ``UnknownSchedulerError``, whose text says what the records know of the name.
        """
        record = self._book.winner(Kind.SCHEDULER, name)
        if record is None:
            raise UnknownSchedulerError(name, self.explain(Kind.SCHEDULER, name))
        return record

    def node_type(self, name: str) -> Record:
        """The usable node type of that name; raises ``UnknownTypeError``."""
        record = self._book.winner(Kind.NODE, name)
        if record is None:
            raise UnknownTypeError(name, self.explain(Kind.NODE, name))
        return record

    def find(self, kind: Kind, name: str) -> Record | None:
        """The usable record of that name, None when there is none."""
        return self._book.winner(kind, name)

    def explain(self, kind: Kind, name: str) -> str:
        """Why a name gives no usable type, in full."""
        return explain(kind, name, self.records, self._book.names(kind), self._looked_in())

    def _looked_in(self) -> list[str]:
        return [*self.path, f"entry points of group {ENTRY_POINT_GROUP}", f"{builtin_types_dir()} (built-in)"]

    def load(self, record: Record) -> type:
        """The class of a record. Raises ``SchedulerContractError`` for one that cannot be used."""
        if record.type_object is None or record.state in {State.INVALID, State.FAILED}:
            summary = f'"{record.name}" cannot be used: {record.why_not()}'
            raise SchedulerContractError(record.problems, summary)
        return record.type_object

    def current(self) -> AbstractContextManager[TypeRegistry]:
        """Make this factory's registry what ``pdg.TypeRegistry.types()`` gives; copied contexts inherit it."""
        return self.registry.current()

    # What the registry asks (typeregistry.Catalogue)

    def registered(self, registration: Registration) -> None:
        """A type of the running program's own: it goes before all others, the latest first."""
        cls = registration.type_object
        origin = Origin(Tier.PROGRAM, (path_of(cls) if isinstance(cls, type) else None) or "<program>")
        record = describe(registration, origin)
        if record.state is State.INVALID:
            raise SchedulerContractError(
                [each for each in record.problems if each.code not in TOLERATED],
                f'"{record.name}" does not fulfil the contract',
            )
        self.records.insert(0, record)
        self._resolve()

    def winner(self, kind: RegisteredType, name: str) -> Registration | None:
        """The registration behind the usable record of a name."""
        record = self._book.winner(_KINDS[kind], name) if kind in _KINDS else None
        if record is None:
            return None
        made = Registration(kind, record.name, record.type_object, record.label, record.category)
        made.parm_category, made.node_type, made.static_gen = record.parm_category, record.node_type, record.static_gen
        return made

    def names(self, kind: RegisteredType) -> list[str]:
        """The usable names of a kind."""
        return self._book.names(_KINDS[kind]) if kind in _KINDS else []

    def search_path(self) -> list[str]:
        """The directories of the types path, the built-ins last."""
        return [*self.path, builtin_types_dir()]

    def add_path(self, path: str) -> None:
        """Find types in one more directory, after those of the types path that are there already."""
        if path in self.path:
            return
        self.path.append(path)
        at = sum(record.origin.tier in {Tier.PROGRAM, Tier.PATH} for record in self.records)
        with self._inserted(at):
            for candidate in candidates_in(TypesEntry(path, Tier.PATH, "registerPythonPath")):
                self._take(candidate)
        self._resolve()

    @contextmanager
    def _inserted(self, at: int) -> Iterator[None]:
        tail, self.records = self.records[at:], self.records[:at]
        try:
            yield
        finally:
            self.records += tail

    def reload(self, kind: RegisteredType, name: str) -> bool:
        """Execute the file of a type again; False when it is broken now, and the old version goes on serving."""
        record = self._book.winner(_KINDS[kind], name) if kind in _KINDS else None
        candidate = next((each for each in self._candidates.values() if record and each.origin == record.origin), None)
        if candidate is None:
            return False
        fresh = probe(candidate, self.registry, self._hook)
        if not all(each.usable for each in fresh):
            return False
        at = next(i for i, each in enumerate(self.records) if each.origin == candidate.origin)
        self.records = [each for each in self.records if each.origin != candidate.origin]
        self.records[at:at] = fresh
        self._resolve()
        return True


def _duplicate(winner: Record, loser: Record) -> Problem:
    message = f'"{loser.name}" of {_where(loser)} is shadowed by {_where(winner)}'
    hint = "rename one of them, or take its file off the types path"
    place = place_of(loser.type_object) if loser.type_object is not None else Place(loser.origin.path)
    return Problem("duplicate-name", message, place.path or loser.origin.path, place.line, place.column, hint)


def _where(record: Record) -> str:
    """The origin with the path in it, also of a distribution's type."""
    return f"{record.origin} ({record.origin.path})" if record.origin.distribution else record.origin.path
