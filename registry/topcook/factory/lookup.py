"""Asking for types: by name, and for the class behind a record."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from topcook.errors import UnknownSchedulerError, UnknownTypeError
from topcook.factory.namebook import NameBook
from topcook.factory.records import Kind, Record

if TYPE_CHECKING:
    from topcook.factory.loader import Loader
    from topcook.factory.typeregistry import TypeRegistry

__all__ = ["Lookup", "Snapshot"]


class Lookup:
    """Answers from records, which stand in order of precedence; a factory's change, a snapshot's do not."""

    records: list[Record]
    _book: NameBook
    _loader: Loader

    @property
    def registry(self) -> TypeRegistry:
        """What ``pdg.TypeRegistry.types()`` gives within ``current()``."""
        raise NotImplementedError

    def scheduler(self, name: str) -> Record:
        """The usable scheduler of that name; case does not count, and "local" finds "localscheduler".

        Raises ``UnknownSchedulerError``, whose text says what the records know of the name.
        """
        record = self.find(Kind.SCHEDULER, name)
        if record is None:
            raise UnknownSchedulerError(name, self.explain(Kind.SCHEDULER, name))
        return record

    def node_type(self, name: str) -> Record:
        """The usable node type of that name; raises ``UnknownTypeError``."""
        record = self.find(Kind.NODE, name)
        if record is None:
            raise UnknownTypeError(name, self.explain(Kind.NODE, name))
        return record

    def find(self, kind: Kind, name: str) -> Record | None:
        """The usable record of that name, None when there is none."""
        return self._book.winner(kind, name)

    def known(self, kind: Kind, name: str) -> list[Record]:
        """All records that answer to a name, usable or not, in order of precedence."""
        from topcook.factory.names import known

        return known(kind, name, self.records)

    def explain(self, kind: Kind, name: str) -> str:
        """Why a name gives no usable type, in full."""
        from topcook.factory.names import explain

        return explain(kind, name, self.records, self._book.names(kind), self.looked_in())

    def looked_in(self) -> Sequence[str]:
        """Where types were looked for, as a person is told."""
        return ()

    def load(self, record: Record) -> type:
        """The class of a record; its module is executed now, unless it was before.

        Raises ``SchedulerContractError`` for one that cannot be used, also when that is only found out now.
        """
        return self._loader.load(record)

    def current(self) -> AbstractContextManager[TypeRegistry]:
        """Make this factory's registry what ``pdg.TypeRegistry.types()`` gives; copied contexts inherit it."""
        return self.registry.current()


class Snapshot(Lookup):
    """A factory's records as they were: whatever is edited afterwards, names give what they gave, and the same code."""

    def __init__(self, factory: Lookup, book: NameBook, loader: Loader, looked_in: Sequence[str]) -> None:
        """Hold on to a book and its records."""
        self._factory = factory
        self.records = book.records
        self._book = book
        self._loader = loader
        self._looked_in = looked_in

    @property
    def registry(self) -> TypeRegistry:
        """The factory's."""
        return self._factory.registry

    def looked_in(self) -> Sequence[str]:
        """Where types were looked for when it was taken."""
        return self._looked_in
