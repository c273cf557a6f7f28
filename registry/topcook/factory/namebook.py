"""Who answers to which name: a decision over records, made anew whenever they change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from topcook.errors import Problem
from topcook.factory.records import Kind, Record, State, Tier

if TYPE_CHECKING:
    from topcook.contract.source import Place

__all__ = ["NameBook", "spellings"]

#: States of records that may answer to their name, before it is decided which of them does.
_MAY_SERVE = frozenset({State.OK, State.SHADOWED})
_BROKEN = frozenset({State.INVALID, State.FAILED})
#: What a short name of a scheduler may leave out.
_ENDINGS = ("", "scheduler", "_scheduler")


def spellings(kind: Kind, name: str) -> list[str]:
    """What a typed name may mean, best first: case never counts, and "local" stands for "localscheduler"."""
    plain = name.strip().lower()
    return [plain + ending for ending in (_ENDINGS if kind is Kind.SCHEDULER else ("",))]


class NameBook:
    """The winner of each name among ``records``, which stand in order of precedence: the first usable one.

    Making a book writes into its records who shadows whom; nothing else ever does.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        """Decide."""
        self.records = list(records)
        self._winners: dict[tuple[Kind, str], Record] = {}
        self._losers: list[tuple[Record, Record]] = []
        for record in self.records:
            if record.state in _MAY_SERVE:
                self._enter(record)

    def _enter(self, record: Record) -> None:
        winner = self._winners.setdefault((record.kind, record.name.lower()), record)
        if winner is record:
            # Written only where it changes: other threads read these while a book is made.
            if record.state is not State.OK:
                record.state, record.shadowed_by = State.OK, None
            if record.shadows:
                record.shadows = []
            return
        record.shadowed_by, record.state, record.shadows = winner, State.SHADOWED, []
        winner.shadows = [*winner.shadows, record]
        self._losers.append((record, winner))

    def winner(self, kind: Kind, name: str) -> Record | None:
        """The record that a name gives, None when no usable one has it."""
        found = (self._winners.get((kind, each)) for each in spellings(kind, name))
        return next((record for record in found if record is not None), None)

    def names(self, kind: Kind) -> list[str]:
        """The names of the winners of a kind, sorted."""
        return sorted((record.name for (of, _), record in self._winners.items() if of is kind), key=str.lower)

    def problems(self) -> Iterator[Problem]:
        """What a person should know of who won: names taken twice in one tier, broken types that another replaces."""
        for loser, winner in self._losers:
            if winner.origin.tier is loser.origin.tier is not Tier.PROGRAM:
                yield _duplicate(winner, loser)
        at = {id(record): position for position, record in enumerate(self.records)}
        for record in self.records:
            other = self._instead(record) if record.state in _BROKEN else None
            if other is not None and at[id(other)] > at[id(record)]:
                message = f'"{record.name}" of {record.origin} is {record.state.value}; {other.origin} serves instead'
                hint = f"topcook check {record.origin.path}"
                yield Problem("broken-override", message, record.origin.path, record.line, None, hint)

    def _instead(self, broken: Record) -> Record | None:
        """Who answers to the very name of a broken type; a file that gave none is known by the name in its text."""
        kinds = (Kind.SCHEDULER, Kind.NODE) if broken.kind is Kind.UNKNOWN else (broken.kind,)
        found = (self._winners.get((kind, broken.name.lower())) for kind in kinds)
        return next((record for record in found if record is not None), None)


def _duplicate(winner: Record, loser: Record) -> Problem:
    message = f'"{loser.name}" of {_where(loser)} is shadowed by {_where(winner)}'
    hint = "rename one of them, or take its file off the types path"
    place = _place(loser)
    return Problem("duplicate-name", message, place.path or loser.origin.path, place.line, place.column, hint)


def _place(record: Record) -> Place:
    from topcook.contract.source import Place, place_of

    return place_of(record.type_object) if record.type_object is not None else Place(record.origin.path, record.line)


def _where(record: Record) -> str:
    """The origin with the path in it, also of a distribution's type."""
    return f"{record.origin} ({record.origin.path})" if record.origin.distribution else record.origin.path
