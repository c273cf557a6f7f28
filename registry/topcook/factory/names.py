"""Answer a name: the record that it gives, or all that is known of why it gives none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from topcook.factory.records import Kind, Record, State

__all__ = ["NameBook", "explain", "spellings"]

#: What a short name of a scheduler may leave out.
_ENDINGS = ("", "scheduler", "_scheduler")
_WHAT = {Kind.SCHEDULER: "scheduler", Kind.NODE: "node type", Kind.WORK_ITEM: "work item type"}


def spellings(kind: Kind, name: str) -> list[str]:
    """What a typed name may mean, best first: case never counts, and "local" stands for "localscheduler"."""
    plain = name.strip().lower()
    return [plain + ending for ending in (_ENDINGS if kind is Kind.SCHEDULER else ("",))]


class NameBook:
    """Who answers to which name. Records are entered in order of precedence; the first usable one wins."""

    def __init__(self) -> None:
        """Start empty."""
        self._winners: dict[tuple[Kind, str], Record] = {}

    def enter(self, record: Record) -> Record | None:
        """Enter a record; returns the winner that shadows it, None when it wins or cannot be used."""
        if not record.usable:
            return None
        key = (record.kind, record.name.lower())
        winner = self._winners.setdefault(key, record)
        if winner is record:
            return None
        record.state, record.shadowed_by = State.SHADOWED, winner
        winner.shadows.append(record)
        return winner

    def winner(self, kind: Kind, name: str) -> Record | None:
        """The record that a name gives, None when no usable one has it."""
        found = (self._winners.get((kind, each)) for each in spellings(kind, name))
        return next((record for record in found if record is not None), None)

    def names(self, kind: Kind) -> list[str]:
        """The names of the winners of a kind, sorted."""
        return sorted((record.name for (of, _), record in self._winners.items() if of is kind), key=str.lower)


def explain(kind: Kind, name: str, records: Sequence[Record], usable: Sequence[str], looked_in: Iterable[str]) -> str:
    """The whole answer to a name that gives no usable type: what is known of it, what is close, where was looked."""
    what = _WHAT[kind]
    lines = [f'unknown {what} "{name}"']
    known = list(_known(kind, name, records))
    if known:
        lines[0] = f'{what} "{name}" cannot be used'
        lines += known
    else:
        lines += _close(kind, name, records, usable)
        lines += ["looked in:", *(f"    {place}" for place in looked_in)]
    lines.append("see all of them: topcook list --all")
    return "\n    ".join(lines)


def _known(kind: Kind, name: str, records: Sequence[Record]) -> Iterator[str]:
    """What the records say of a name."""
    wanted = set(spellings(kind, name))
    for record in records:
        same_kind = record.kind in {kind, Kind.UNKNOWN}
        if record.usable or not same_kind or not wanted & {record.name.lower(), *record.aliases}:
            continue
        yield f"{record.state.value}, because {record.why_not()}"
        yield f"    {record.problems[0].place if record.problems else record.place}"
        if record.problems and record.problems[0].hint:
            yield f"    {record.problems[0].hint}"


def _close(kind: Kind, name: str, records: Sequence[Record], usable: Sequence[str]) -> Iterator[str]:
    good = {each.lower() for each in usable}
    broken = {
        record.name.lower(): record for record in records if record.kind is kind and record.name.lower() not in good
    }
    whole = name.strip().lower()
    ranked = {each: _likeness(whole, each) for each in (*sorted(good), *broken)}
    close = sorted((each for each, likeness in ranked.items() if likeness > 0), key=lambda each: -ranked[each])[:3]
    if close:
        shown = [f'"{each}" ({broken[each].state.value})' if each in broken else f'"{each}"' for each in close]
        yield f"did you mean {', or '.join(shown)}?"
    elif usable:
        yield f"there are: {', '.join(usable)}"


def _likeness(typed: str, name: str) -> float:
    """How close two names are, 0 when not close at all.

    The ending that most names share would make each resemble every other, so it is left out, or asks for more.
    """
    stems = difflib.SequenceMatcher(None, typed.removesuffix("scheduler"), name.removesuffix("scheduler")).ratio()
    whole = difflib.SequenceMatcher(None, typed, name).ratio()
    return max(stems if stems >= 0.6 else 0.0, whole if whole >= 0.85 else 0.0)  # noqa: PLR2004
